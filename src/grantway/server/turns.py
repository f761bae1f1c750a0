"""Work that comes round, done by one process of all: a turn, a wait, a turn, until the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from grantway.server.leases import Hold
from grantway.server.log import log
from grantway.server.service import Service
from grantway.server.storage.port import OutcomeUnknown, StorageError

_SHORTEST_LEASE = 30.0
"""Seconds. A process that pauses for less does not lose its turn."""


async def run_in_turns(
    service: Service,
    stop: asyncio.Event,
    turn: Callable[[Hold], Awaitable[int]],
    *,
    lease: str,
    every: float,
    done: str,
    not_done: str,
) -> None:
    """A turn every so many seconds, give or take a quarter, so that several workers are not in step.

    Of all processes the one that has the ``lease`` has the turns; it gives it back when it stops, and when it dies the lease ends.
    A turn that takes long asks its ``Hold`` whether it still has it.
    ``done`` is logged with the number of rows, if there were any; ``not_done`` when the storage was too busy, which is
    asked again next time.
    Raises ``OutcomeUnknown``.
    """
    hold = Hold(service, lease, max(_SHORTEST_LEASE, 2 * every))
    while not await stopped(stop, every * (0.75 + _jitter(service) / 2)):
        try:
            rows = await turn(hold) if await hold.is_ours() else 0
        except OutcomeUnknown:
            raise
        except StorageError as error:
            log.warning(not_done, error=type(error).__name__)
            continue
        if rows:
            log.info(done, rows=rows)
    with suppress(StorageError):
        await hold.give_back()


async def stopped(stop: asyncio.Event, seconds: float) -> bool:
    """Wait so long, unless it is time to stop, and whether it is."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()


def _jitter(service: Service) -> float:
    return int.from_bytes(service.draw(4), "big") / 2**32
