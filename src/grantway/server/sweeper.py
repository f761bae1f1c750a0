"""Sweeping: rows that can have no effect any more go in small batches, off the request path, from one process of all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from grantway.protocol.decision import SweepGrant
from grantway.protocol.sweeping import sweep_grants
from grantway.server.leases import Hold
from grantway.server.service import Service
from grantway.server.turns import run_in_turns, stopped

EVERY = 60.0
"""Seconds from one turn to the next."""
BATCH = 200
"""Rows of each kind in one transaction at most."""
LEAST = 10
"""The same where each batch takes long."""
PAUSE = 0.05
"""Seconds between two batches of a turn at least; the requests that queued meanwhile come first."""
BATCHES = 500
"""Batches of each sort in one turn; more than that waits for the next one."""
AIM = 0.02
"""Seconds that a batch may take, its wait for its turn included: the more requests there are, the smaller it gets."""
SHARE = 9
"""How many times as long as a batch took nothing is swept after it: a tenth of a writer's time at most."""


class Pace:
    """How many rows go at a time, by how long the last ones took."""

    def __init__(self, most: int, pause: float) -> None:
        self._most = most
        self._pause = pause
        self.batch = most

    def after(self, seconds: float) -> float:
        """How long to wait after a batch that took so long; the next one is of another size if it has to be."""
        if seconds > AIM:
            self.batch = max(min(LEAST, self._most), self.batch // 2)
        elif seconds < AIM / 2:
            self.batch = min(self._most, self.batch * 2)
        return max(self._pause, SHARE * seconds)


async def run_sweeper(
    service: Service, stop: asyncio.Event, *, every: float = EVERY, batch: int = BATCH, pause: float = PAUSE
) -> None:
    """The background task of a server process, until ``stop``. Raises ``OutcomeUnknown`` when storage does."""

    async def rows(limit: int) -> tuple[int, int]:
        gone = await service.storage.sweep(limit)
        return gone, gone

    async def grants(limit: int) -> tuple[int, int]:
        decision = await service.propose(sweep_grants, limit)
        return decision.answer, sum(isinstance(change, SweepGrant) for change in decision.changes)

    async def turn(hold: Hold) -> int:
        swept = 0
        for sweep in (rows, grants):
            swept += await _in_batches(sweep, Pace(batch, pause), hold, stop)
        await service.storage.upkeep()
        return swept

    await run_in_turns(service, stop, turn, lease="sweeper", every=every, done="swept", not_done="not_swept")


async def _in_batches(
    sweep: Callable[[int], Awaitable[tuple[int, int]]], pace: Pace, hold: Hold, stop: asyncio.Event
) -> int:
    """Sweep until there is no more, or it is somebody else's turn. ``sweep`` says how many it looked at and how many went."""
    loop, swept = asyncio.get_running_loop(), 0
    for _ in range(BATCHES):
        begun, limit = loop.time(), pace.batch
        looked_at, gone = await sweep(limit)
        swept += gone
        # Fewer rows than one kind may give: no kind can have more of them.
        if looked_at < limit or await stopped(stop, pace.after(loop.time() - begun)) or not await hold.is_ours():
            break
    return swept
