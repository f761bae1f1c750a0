"""Pictures of counts: what is drawn of which figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from grantway.server.pages.admin.chart import OTHERS, Bar, Mark, Series, draw, nice_top, ticks

FIRST = datetime(2026, 3, 1, tzinfo=UTC)


def hour(number: int) -> datetime:
    return FIRST + timedelta(hours=number)


def test_a_picture_of_a_day() -> None:
    chart = draw([(hour(0), "made", 3), (hour(0), "removed", 1), (hour(23), "made", 2)], FIRST, 24, 1)
    assert chart.series == (Series("made", 5), Series("removed", 1))
    assert chart.bars == (
        Bar(0, 53.98, 51.0, 11.88, 123.0),
        Bar(1, 53.98, 10.0, 11.88, 41.0),
        Bar(0, 418.15, 92.0, 11.88, 82.0),
    )
    assert chart.across == (
        Mark(174.0, "0"), Mark(133.0, "1"), Mark(92.0, "2"), Mark(51.0, "3"), Mark(10.0, "4")
    )  # fmt: skip
    assert [mark.label for mark in chart.along] == ["03:00", "09:00", "15:00", "21:00"]
    assert [(row.label, row.counts) for row in chart.rows] == [
        ("2026-03-01 00:00", (3, 1)),
        ("2026-03-01 23:00", (2, 0)),
    ]
    assert chart.total == 6
    assert chart.paths[1] == "M53.98 10.0h11.88v41.0h-11.88z"


def test_a_picture_of_weeks_is_labelled_by_days() -> None:
    chart = draw([(hour(24 * 89), "made", 1)], FIRST, 90, 24)
    assert [mark.label for mark in chart.along] == ["03-12", "04-03", "04-26", "05-18"]
    assert len(chart.bars) == 1


def test_nothing_is_drawn_of_nothing() -> None:
    chart = draw([], FIRST, 24, 1)
    assert (chart.series, chart.bars, chart.rows, chart.total) == ((), (), (), 0)


def test_what_lies_outside_is_left_out() -> None:
    chart = draw([(hour(-1), "made", 1), (hour(24), "made", 1)], FIRST, 24, 1)
    assert chart.total == 0


def test_bars_stand_on_one_another_within_the_picture() -> None:
    counts = [(hour(at), label, at * 7 % 5 + 1) for at in range(24) for label in "abc"]
    chart = draw(counts, FIRST, 24, 1)
    for at in range(24):
        pieces = chart.bars[3 * at : 3 * at + 3]
        assert pieces[0].y + pieces[0].height == pytest.approx(chart.floor)
        assert [each.y + each.height for each in pieces[1:]] == pytest.approx([each.y for each in pieces[:-1]])
        assert all(chart.left <= each.x and each.x + each.width <= chart.right for each in pieces)
        assert pieces[-1].y >= 0


def test_what_is_rare_is_added_up_under_the_last_colour() -> None:
    chart = draw([(hour(0), f"reason_{number}", 10 - number) for number in range(9)], FIRST, 24, 1)
    assert [each.label for each in chart.series] == [f"reason_{number}" for number in range(5)] + [OTHERS]
    assert chart.series[-1].total == 5 + 4 + 3 + 2
    assert chart.rows[0].counts == (10, 9, 8, 7, 6, 14)


@pytest.mark.parametrize(
    ("most", "top"),
    [(0, 4), (4, 4), (5, 8), (9, 12), (13, 20), (21, 40), (41, 60), (61, 80), (199, 200), (201, 400), (1_000_001, 1_200_000)],
)  # fmt: skip
def test_axes_end_at_round_numbers_of_which_quarters_are_whole(most: int, top: int) -> None:
    assert nice_top(most) == top
    assert all(isinstance(tick, int) for tick in ticks(top))
    assert ticks(top)[-1] == top
