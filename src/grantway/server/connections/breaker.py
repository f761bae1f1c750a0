"""A circuit breaker per target: one that does not answer costs its deadline a few times, then nothing for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

OPENS_AFTER = 5
"""Attempts in a row without an answer. An answer that says 500 is one: it does not keep anybody waiting."""
OPEN_FOR = 60.0
"""Seconds until one attempt may try again."""
REMEMBERED = 10_000
"""Targets; beyond it the oldest is forgotten, which at worst lets it be tried again."""


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    open_until: float | None = None


class Breakers:
    """The circuits of one process. ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._circuits: dict[str, _Circuit] = {}

    def let_through(self, target: str) -> bool:
        """Whether the target may be asked now. After ``OPEN_FOR`` seconds one is let through, to see."""
        circuit = self._circuits.get(target)
        if circuit is None or circuit.open_until is None:
            return True
        now = self._clock()
        if now < circuit.open_until:
            return False
        circuit.open_until = now + OPEN_FOR
        return True

    def answered(self, target: str) -> None:
        """The target gave an answer, whatever it said."""
        self._circuits.pop(target, None)

    def kept_silent(self, target: str) -> None:
        """The target gave no answer."""
        circuit = self._circuits.setdefault(target, _Circuit())
        circuit.failures += 1
        if circuit.failures >= OPENS_AFTER:
            circuit.open_until = self._clock() + OPEN_FOR
        if len(self._circuits) > REMEMBERED:
            self._circuits.pop(next(iter(self._circuits)))
