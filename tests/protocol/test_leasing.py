"""Whose turn it is to be told, where some are slow."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from grantway.protocol.decision import Decision
from grantway.protocol.leasing import AT_A_TIME, AT_A_TIME_OF_CLIENT, BUSY_FOR, WIDE_WINDOW, WINDOW, lease_due
from grantway.protocol.moment import Moment
from tests.protocol.test_notices import NOON, Outbox, notice_at


def test_one_integration_with_many_slow_addresses_does_not_take_every_place() -> None:
    slow = [
        notice_at(line=n.to_bytes(16, "big"), url=f"https://{n // AT_A_TIME}.bot.example/removed")
        for n in range(2 * AT_A_TIME_OF_CLIENT)
    ]
    of_others = [
        notice_at(
            NOON + timedelta(seconds=1), line=b"b" * 16, client_id=b"b" * 16, url="https://other.example/removed"
        ),
        notice_at(NOON + timedelta(seconds=1), line=b"p" * 16, kind="platform", url=""),
        notice_at(NOON + timedelta(seconds=1), line=b"m" * 16, kind="mail", url=""),
    ]
    outbox = Outbox(*slow, *of_others)
    outbox.clock.now = NOON + timedelta(seconds=2)

    async def hearing(facts: Any, at: Moment) -> Decision[Any]:
        house = replace(at.house, hears_events=True)
        return await lease_due(facts, replace(at, house=house), 64)

    leased = [each.notice.id for each in outbox.run(hearing).answer]
    assert len(leased) == AT_A_TIME_OF_CLIENT + len(of_others)
    assert {each.id for each in of_others} <= set(leased)


def test_whoever_has_thousands_due_at_a_slow_address_hides_nobody_for_long() -> None:
    """One that answers, only late, is never left alone as a silent one is."""
    slow = [notice_at(line=n.to_bytes(16, "big")) for n in range(WIDE_WINDOW + WINDOW - 2)]
    other = notice_at(NOON + timedelta(seconds=1), line=b"o" * 16, url="https://other.example/removed")
    outbox = Outbox(*slow, other)
    outbox.clock.now = NOON + timedelta(seconds=2)
    busy = {"bot.example": AT_A_TIME}
    assert outbox.lease(10, **busy) == []
    assert [each.id for each in outbox.lease(10, **busy)] == [other.id]
    waiting = [outbox.stored(each) for each in slow]
    put_off = [each.next_attempt_at - outbox.clock.now for each in waiting if each.next_attempt_at > outbox.clock.now]
    assert len(put_off) == WINDOW
    assert all(BUSY_FOR <= each <= 2 * BUSY_FOR for each in put_off)
    assert all(each.attempts == 0 and each.dead_at is None for each in waiting)


def test_who_is_quick_is_put_off_for_less_time_than_what_is_left_takes() -> None:
    """A receiver that gets hundreds a second must not run dry because thousands wait for it."""
    quick = [notice_at(line=n.to_bytes(16, "big")) for n in range(WIDE_WINDOW + WINDOW)]
    outbox = Outbox(*quick)
    outbox.clock.now = NOON + timedelta(seconds=2)
    outbox.run(lease_due, 10, {"bot.example": AT_A_TIME}, {}, {"bot.example": 200.0})
    again = [outbox.stored(each).next_attempt_at - outbox.clock.now for each in quick]
    put_off = [each for each in again if each > timedelta(0)]
    takes = timedelta(seconds=WIDE_WINDOW / 200)
    assert len(put_off) == WINDOW
    assert all(takes / 2 <= each <= takes for each in put_off)
