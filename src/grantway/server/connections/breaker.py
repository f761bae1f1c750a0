"""A circuit breaker per target: one that does not answer costs its deadline a few times, then nothing for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

OPENS_AFTER = 5
"""Attempts in a row without an answer. An answer that says 500 is one: it does not keep anybody waiting."""
OPEN_FOR = 60.0
"""Seconds until one attempt may try again; doubled each time that it finds nobody."""
OPEN_FOR_LONGEST = 900.0
REMEMBERED = 10_000
"""Targets; beyond it the oldest is forgotten, which at worst lets it be tried again."""


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    open_for: float = 0.0
    open_until: float | None = None


class Breakers:
    """The circuits of one process. ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._circuits: dict[str, _Circuit] = {}

    def shut(self) -> dict[str, timedelta]:
        """The targets that are left alone, and for how long yet."""
        now = self._clock()
        return {
            target: timedelta(seconds=circuit.open_until - now)
            for target, circuit in self._circuits.items()
            if circuit.open_until is not None and now < circuit.open_until
        }

    def on_trial(self) -> list[str]:
        """The targets that were left alone long enough for one attempt, to see."""
        now = self._clock()
        return [
            target
            for target, circuit in self._circuits.items()
            if circuit.open_until is not None and now >= circuit.open_until
        ]

    def answered(self, target: str) -> None:
        """The target gave an answer, whatever it said."""
        self._circuits.pop(target, None)

    def kept_silent(self, target: str) -> None:
        """The target gave no answer."""
        circuit = self._circuits.setdefault(target, _Circuit())
        circuit.failures += 1
        now = self._clock()
        # Attempts that were under way when it opened say nothing new.
        if circuit.failures >= OPENS_AFTER and (circuit.open_until is None or now >= circuit.open_until):
            circuit.open_for = min(circuit.open_for * 2 or OPEN_FOR, OPEN_FOR_LONGEST)
            circuit.open_until = now + circuit.open_for
        if len(self._circuits) > REMEMBERED:
            self._circuits.pop(next(iter(self._circuits)))
