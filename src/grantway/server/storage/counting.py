"""The census of a large database: counted off the requests' way, and not all the time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

from grantway.server.storage.port import Census

MANY = 200_000
"""Connections from which on counting takes tenths of a second."""
SHARE = 19
"""How many times as long as counting so many took the result is good: a twentieth of the time is spent counting at most."""


class Counts:
    """What ``count`` says, or said a moment ago where there are many. Who asks while it counts waits for the same answer."""

    def __init__(
        self, count: Callable[[], Awaitable[Census]], *, many: int = MANY, clock: Callable[[], float] = monotonic
    ) -> None:
        self._count = count
        self._many = many
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._last: Census | None = None
        self._good_until = 0.0

    async def census(self) -> Census:
        """The numbers. Raises what ``count`` does."""
        async with self._one_at_a_time:
            if self._last is None or self._clock() >= self._good_until:
                began = self._clock()
                found = await self._count()
                took = self._clock() - began
                self._last = found if found.connections >= self._many else None
                self._good_until = self._clock() + SHARE * took
                return found
            return self._last
