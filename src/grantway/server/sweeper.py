"""Sweeping: rows that can have no effect any more go in small batches, off the request path."""

from __future__ import annotations

import asyncio

from grantway.server.service import Service
from grantway.server.turns import run_in_turns, stopped

EVERY = 60.0
"""Seconds from one turn to the next."""
BATCH = 200
"""Rows of each kind in one transaction: little enough that requests beside it notice nothing."""
PAUSE = 0.05
"""Seconds between two batches of a turn; the requests that queued meanwhile come first."""
BATCHES = 500
"""Batches in one turn; more than that waits for the next one."""


async def run_sweeper(
    service: Service, stop: asyncio.Event, *, every: float = EVERY, batch: int = BATCH, pause: float = PAUSE
) -> None:
    """The background task of a server process, until ``stop``. Raises ``OutcomeUnknown`` when storage does."""

    async def turn() -> int:
        swept = 0
        for _ in range(BATCHES):
            gone = await service.storage.sweep(batch)
            swept += gone
            # Fewer rows than one kind may give: no kind can have more of them.
            if gone < batch or await stopped(stop, pause):
                break
        return swept

    await run_in_turns(service, stop, turn, every=every, done="swept", not_done="not_swept")
