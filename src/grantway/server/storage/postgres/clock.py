"""The database's time, by this process's steady clock: hosts whose clocks differ decide by one time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic

from grantway.server.storage.postgres.statements import NOW
from grantway.server.storage.sql.codec import time_of

AGAIN = 1.0
"""Seconds after which the difference is measured anew, with the next round trip that leaves anyway."""

SHARP = 0.02
"""Seconds that a round trip may take for its time to be taken at once."""

STALE = 10.0
"""Seconds after which any round trip's time is better than the old one."""

QUERY: tuple[str, Sequence[object]] = (NOW, ())


class DatabaseClock:
    """What the database's clock says now, to within half a round trip.

    ``given`` is a clock that holds instead: that of a sandbox or a test, which is turned.
    """

    def __init__(self, given: Callable[[], datetime] | None = None, steady: Callable[[], float] = monotonic) -> None:
        self._given = given
        self._steady = steady
        self._ahead: float | None = None
        self._measured = float("-inf")

    @property
    def is_due(self) -> bool:
        """Whether the next round trip should bring the time."""
        return self._given is None and self._steady() - self._measured >= AGAIN

    def hear(self, micros: int, asked: float, answered: float) -> None:
        """The database said this time (microseconds since 1970) in a round trip between two moments of the steady clock."""
        if self._ahead is None or answered - asked <= SHARP or answered - self._measured >= STALE:
            self._ahead = micros / 1e6 - (asked + answered) / 2
            self._measured = answered

    def steady(self) -> float:
        """A moment, in seconds, for ``hear``."""
        return self._steady()

    def now(self) -> datetime | None:
        """The time; ``None`` before it was heard for the first time."""
        if self._given is not None:
            return self._given()
        return None if self._ahead is None else time_of(round((self._steady() + self._ahead) * 1e6))
