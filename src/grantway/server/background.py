"""Work beside the requests: goes on until the server stops, whatever happens to it in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from grantway.server.connections.sender import Sender, run_sender
from grantway.server.keeper import run_keeper
from grantway.server.log import log, where
from grantway.server.metrics.shared import Shelf, keep_shared
from grantway.server.sealing import run_sealer
from grantway.server.service import Service
from grantway.server.storage.port import OutcomeUnknown
from grantway.server.sweeper import run_sweeper
from grantway.server.tallies import Tallies, run_tallies

PAUSE = 5.0
"""Seconds before work that failed is begun again."""


class Background:
    """All such work of one server process, from ``start`` to ``stop``. ``shelf``: where several workers share metrics."""

    def __init__(self, service: Service, shelf: Shelf | None = None) -> None:
        self._service = service
        self._shelf = shelf
        self._tallies = Tallies(service)
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin, in the running loop."""
        service, stop = self._service, self._stop
        self._run("sender", self._deliver)
        self._run("sweeper", lambda: run_sweeper(service, stop))
        self._run("keeper", lambda: run_keeper(service, stop))
        self._run("sealer", lambda: run_sealer(service, stop))
        self._run("tallies", lambda: run_tallies(self._tallies, stop))
        shelf = self._shelf
        if shelf is not None:
            self._run("metrics", lambda: keep_shared(shelf, service.metrics, service.storage.figures, stop))

    async def stop(self) -> None:
        """Have everything put down in order, and tell what was counted until now."""
        self._stop.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._tasks:
            await self._tallies.flush()
        if self._shelf is not None:
            self._shelf.put(self._service.metrics, self._service.storage.figures())

    def _run(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        self._tasks.append(asyncio.create_task(keep_running(name, work, self._stop)))

    async def _deliver(self) -> None:
        sender = Sender.of(self._service)
        self._service.bell.listeners.append(sender.wake)
        try:
            await run_sender(self._service, self._stop, sender)
        finally:
            self._service.bell.listeners.remove(sender.wake)


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
            log.error("fault", route=name, error=type(error).__name__, at=where(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
