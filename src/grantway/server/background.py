"""Work beside the requests: goes on until the server stops, whatever happens to it in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from grantway.server.log import where
from grantway.server.storage.port import OutcomeUnknown

PAUSE = 5.0
"""Seconds before work that failed is begun again."""

log = structlog.get_logger("grantway")


async def keep_running(
    name: str, work: Callable[[], Awaitable[None]], stop: asyncio.Event, *, pause: float = PAUSE
) -> None:
    """Do the work until ``stop``; a fault is logged and the work begun anew. Raises ``OutcomeUnknown``."""
    while not stop.is_set():
        try:
            await work()
        except OutcomeUnknown:
            raise
        except Exception as error:  # noqa: BLE001 - nobody else would hear of it
            # Not log.exception: the message of an exception may hold what somebody sent.
            log.error("fault", route=name, error=type(error).__name__, at=where(error))  # noqa: TRY400
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
