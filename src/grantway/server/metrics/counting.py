"""Counting, in memory: one look-up for each request (a quarter of a microsecond), and sums only when somebody asks."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from grantway.protocol.decision import Add, Decision
from grantway.protocol.model import AuditEntry, Connection

BOUNDS = (0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0)
"""Milliseconds up to which a request falls into each bucket; slower ones are in the last, without a bound."""
MOST_CELLS = 4096
"""More than there are routes times statuses times reasons. What would come beyond is counted under ``other``."""
OTHER = ("other", 0, "other")

AnswerKey = tuple[str, int, str]
"""Route, status, reason."""
CountKey = tuple[str, str, str]
"""What was counted, and two labels; the second may be empty."""


class Cell:
    """What became of one kind of answer: how many, how long in all, and how many in each bucket."""

    __slots__ = ("buckets", "count", "ms")

    def __init__(self, count: int = 0, ms: float = 0.0, buckets: Iterable[int] = ()) -> None:
        self.count = count
        self.ms = ms
        self.buckets = list(buckets) or [0] * (len(BOUNDS) + 1)

    def add(self, other: Cell) -> None:
        self.count += other.count
        self.ms += other.ms
        self.buckets = [mine + theirs for mine, theirs in zip(self.buckets, other.buckets, strict=True)]


class Metrics:
    """What one process has counted since it started."""

    def __init__(self) -> None:
        self.answers: dict[AnswerKey, Cell] = {}
        self.counts: Counter[CountKey] = Counter()

    def answered(self, route: str, status: int, reason: str, ms: float) -> None:
        """A request was answered."""
        cell = self.answers.get((route, status, reason))
        if cell is None:
            key = (route, status, reason) if len(self.answers) < MOST_CELLS else OTHER
            cell = self.answers.setdefault(key, Cell())
        cell.count += 1
        cell.ms += ms
        cell.buckets[bisect_left(BOUNDS, ms)] += 1

    def issued(self, grant_type: str, token_format: str) -> None:
        """A token was made."""
        self.counts["tokens", grant_type, token_format] += 1

    def delivery(self, kind: str, outcome: str) -> None:
        """An attempt to deliver a notice came to this."""
        self.counts["deliveries", kind, outcome] += 1

    def hear(self, decision: Decision[Any]) -> None:
        """Changes became true: connections that were made, and what is written down for later."""
        for change in decision.changes:
            if type(change) is not Add:
                continue
            if type(change.record) is AuditEntry:
                self.counts["audited", change.record.action, ""] += 1
            elif type(change.record) is Connection:
                self.counts["connections", "created", ""] += 1

    def snapshot(self) -> dict[str, Any]:
        """All of it, as plain values."""
        return {
            "answers": [[*key, cell.count, cell.ms, cell.buckets] for key, cell in self.answers.items()],
            "counts": [[*key, count] for key, count in self.counts.items()],
        }

    def add(self, snapshot: Mapping[str, Any]) -> None:
        """Add what another process counted."""
        for route, status, reason, count, ms, buckets in snapshot["answers"]:
            self.answers.setdefault((route, status, reason), Cell()).add(Cell(count, ms, buckets))
        for kind, first, second, count in snapshot["counts"]:
            self.counts[kind, first, second] += count
