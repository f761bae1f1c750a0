"""Sweeping: rows that can have no effect any more go in small batches, off the request path."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from grantway.server.service import Service
from grantway.server.storage.port import OutcomeUnknown, StorageError

EVERY = 60.0
"""Seconds from one turn to the next, give or take a quarter, so that several workers do not sweep in step."""
BATCH = 200
"""Rows of each kind in one transaction: little enough that requests beside it notice nothing."""
PAUSE = 0.05
"""Seconds between two batches of a turn; the requests that queued meanwhile come first."""
BATCHES = 500
"""Batches in one turn; more than that waits for the next one."""

_log = structlog.get_logger("grantway.sweeper")


async def run_sweeper(
    service: Service, stop: asyncio.Event, *, every: float = EVERY, batch: int = BATCH, pause: float = PAUSE
) -> None:
    """The background task of a server process, until ``stop``. Raises ``OutcomeUnknown`` when storage does."""
    while not await _stopped(stop, every * (0.75 + _jitter(service) / 2)):
        try:
            swept = await _turn(service, stop, batch, pause)
        except OutcomeUnknown:
            raise
        except StorageError as error:
            _log.warning("not_swept", error=type(error).__name__)
            continue
        if swept:
            _log.info("swept", rows=swept)


async def _turn(service: Service, stop: asyncio.Event, batch: int, pause: float) -> int:
    swept = 0
    for _ in range(BATCHES):
        gone = await service.storage.sweep(batch)
        swept += gone
        # Fewer rows than one kind may give: no kind can have more of them.
        if gone < batch or await _stopped(stop, pause):
            break
    return swept


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()


def _jitter(service: Service) -> float:
    return int.from_bytes(service.draw(4), "big") / 2**32
