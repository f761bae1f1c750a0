"""How quickly attempts get done for those who share places: who is quick is not to wait as long as who is slow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

TAKEN_FOR_GRANTED = 100
"""Attempts that everybody is believed to get done in the first second, until time tells."""


class Pace:
    """Of one process, for as long as attempts are under way. ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._busy: dict[str, tuple[float, int]] = {}
        """Since when without a break, and how many attempts have ended since."""

    def took(self, places: Iterable[str]) -> None:
        """An attempt began and takes these places."""
        for place in places:
            self._busy.setdefault(place, (self._clock(), 0))

    def ended(self, place: str, *, idle: bool) -> None:
        """An attempt ended. ``idle``: it was the last."""
        since, done = self._busy.pop(place)
        if not idle:
            self._busy[place] = (since, done + 1)

    def per_second(self) -> Mapping[str, float]:
        """Attempts a second, by place."""
        now = self._clock()
        return {place: (done + TAKEN_FOR_GRANTED) / (now - since + 1) for place, (since, done) in self._busy.items()}
