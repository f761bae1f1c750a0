"""Pictures of counts: stacked bars, worked out here in whole units of a viewBox; the template writes them as SVG."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

WIDTH, HEIGHT = 440, 200
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 10, 26
"""Room for the labels of the axes."""
SERIES = 6
"""Colours that there are. What comes after the most frequent five is added up under the last."""
OTHERS = ""
"""The label of what is added up; the template has a word for it."""
_GAP = 0.25
"""The share of each bar's place that is left free."""

Count = tuple[datetime, str, int]


@dataclass(frozen=True, slots=True)
class Bar:
    """One piece of a bar, standing on those of the series before it."""

    series: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A label at an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Series:
    """One colour: what it stands for, and how often in all."""

    label: str
    total: int


@dataclass(frozen=True, slots=True)
class Row:
    """The same figures for those who read: one per bar that is not empty, in the order of the series."""

    label: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """All that is drawn. Without counts there is no series and no bar."""

    series: tuple[Series, ...]
    bars: tuple[Bar, ...]
    across: tuple[Mark, ...]
    along: tuple[Mark, ...]
    rows: tuple[Row, ...]
    total: int
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    floor: int = HEIGHT - BOTTOM

    @property
    def paths(self) -> tuple[str, ...]:
        """All pieces of each series as one path (SVG 1.1 §8.3): a thousand elements would be slow to write and to read."""
        drawn: list[list[str]] = [[] for _ in self.series]
        for bar in self.bars:
            drawn[bar.series].append(f"M{bar.x} {bar.y}h{bar.width}v{bar.height}h-{bar.width}z")
        return tuple("".join(each) for each in drawn)


def draw(counts: Iterable[Count], first: datetime, bars: int, hours: int) -> Chart:
    """So many bars from ``first`` on, each of so many hours. What is told of another time is left out."""
    step = timedelta(hours=hours)
    found: list[Counter[str]] = [Counter() for _ in range(bars)]
    totals: Counter[str] = Counter()
    for at, label, count in counts:
        place = (at - first) // step
        if 0 <= place < bars:
            found[place][label] += count
            totals[label] += count
    series = _series(totals)
    stacks = [_stack(each, series) for each in found]
    top = nice_top(max((sum(stack) for stack in stacks), default=0))
    return Chart(
        series=series,
        bars=tuple(_pieces(stacks, top)),
        across=tuple(Mark(_height(value, top), f"{value:,}") for value in ticks(top)),
        along=tuple(_along(first, bars, step)),
        rows=tuple(
            Row(f"{first + place * step:%Y-%m-%d %H:%M}", tuple(stack))
            for place, stack in enumerate(stacks)
            if any(stack)
        ),
        total=sum(totals.values()),
    )


def nice_top(most: int) -> int:
    """The end of the axis: the smallest of 4, 8, 12, 20, 40, 60, 80, 120, 200 … that holds the most there is."""
    power = 1
    while True:
        for lead in (4, 6, 8, 12, 20):
            if most <= lead * power and lead * power % 4 == 0:
                return lead * power
        power *= 10


def ticks(top: int) -> tuple[int, ...]:
    """Five lines from zero to the end of the axis, at whole numbers."""
    return tuple(top * part // 4 for part in range(5))


def _series(totals: Counter[str]) -> tuple[Series, ...]:
    """Most frequent first; equally frequent ones by name, so that a picture does not change from look to look."""
    ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    if len(ordered) <= SERIES:
        return tuple(Series(*item) for item in ordered)
    rest = sum(count for _, count in ordered[SERIES - 1 :])
    return (*(Series(*item) for item in ordered[: SERIES - 1]), Series(OTHERS, rest))


def _stack(counts: Counter[str], series: tuple[Series, ...]) -> list[int]:
    named = [counts[each.label] for each in series if each.label != OTHERS]
    return [*named, counts.total() - sum(named)] if len(named) < len(series) else named


def _pieces(stacks: list[list[int]], top: int) -> Iterable[Bar]:
    place = (WIDTH - LEFT - RIGHT) / len(stacks)
    for index, stack in enumerate(stacks):
        below = 0
        for series, count in enumerate(stack):
            if count:
                y, bottom = _height(below + count, top), _height(below, top)
                x = round(LEFT + place * (index + _GAP / 2), 2)
                yield Bar(series, x, y, round(place * (1 - _GAP), 2), round(bottom - y, 2))
                below += count


def _along(first: datetime, bars: int, step: timedelta) -> Iterable[Mark]:
    """Four labels, at the middle of their bars: hours where all is one day's, days otherwise."""
    place = (WIDTH - LEFT - RIGHT) / bars
    for part in range(4):
        index = bars * part // 4 + bars // 8
        at = first + index * step
        label = f"{at:%H:%M}" if bars * step <= timedelta(days=1) else f"{at:%m-%d}"
        yield Mark(round(LEFT + place * (index + 0.5), 2), label)


def _height(value: int, top: int) -> float:
    return round(HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM), 2)
