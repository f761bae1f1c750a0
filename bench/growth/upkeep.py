"""What the house does beside its requests on a large database: how long each batch, look and count takes, and by which index."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from bench.growth.installation import Installation, opened
from bench.growth.postgres import PostgresBackend
from bench.growth.reauthorizing import storage_at
from grantway.protocol.connections import remove
from grantway.protocol.decision import Decision, EndGrant
from grantway.protocol.facts import Facts
from grantway.protocol.lifecycle import remove_neglected
from grantway.protocol.sweeping import sweep_grants
from grantway.server.service import Service

ENDED = 4_000
BATCH = 200
"""As the sweeper's."""
TIMES = 20
MONTH = timedelta(days=31)


def look_after(installation: Installation) -> Iterator[tuple[str, float, float]]:
    """What was done, and the median and the longest of its milliseconds."""
    found: list[tuple[str, float, float]] = []

    async def run() -> None:
        async with opened(installation.backend.settings) as service:
            await _end(installation, service)
            await _timed(found, "a sweep with nothing to do", lambda: service.storage.sweep(BATCH))
            await _timed(
                found,
                "the keeper's look at connections that nobody uses",
                lambda: service.consult(remove_neglected, 20),
            )
            await _timed(found, "the census of /metrics and the operators' first page", service.storage.census, 1)
            numbers = iter(range(1, 10_000, 7))
            await _timed(found, "a removal", lambda: _remove(installation, service, next(numbers)))
            storage = await storage_at(installation.backend.settings, await service.storage.now() + MONTH)
            later = Service(service.settings, storage, service.vault, service.draw)
            try:
                await _timed(found, f"a sweep of {BATCH} ended grants", lambda: storage.sweep(BATCH))
                await _timed(
                    found, f"a look at {BATCH} grants a month old, when all of them are due",
                    lambda: later.propose(sweep_grants, BATCH),
                )  # fmt: skip
            finally:
                await storage.close()

    asyncio.run(run())
    yield from found


async def _timed(
    found: list[tuple[str, float, float]], what: str, act: Callable[[], Awaitable[Any]], times: int = TIMES
) -> None:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await act()
        took.append((time.perf_counter() - began) * 1000)
    found.append((what, statistics.median(took), max(took)))


async def _end(installation: Installation, service: Service) -> None:
    """End grants here and there, so that the sweeper finds them in a month."""
    size = len(installation.generations)
    ids = [installation.connections.grant_id(number) for number in range(0, size, max(1, size // ENDED))]
    for start in range(0, len(ids), BATCH):

        async def rule(facts: Facts, now: datetime, start: int = start) -> Decision[None]:
            return Decision(None, tuple(EndGrant(each, now, "operator") for each in ids[start : start + BATCH]))

        await service.storage.settle(rule)


async def _remove(installation: Installation, service: Service, number: int) -> None:
    decision = await service.settle(remove, installation.connections.connection_id(number), "operator", "operator")
    if decision.reason != "connection_removed":
        raise SystemExit(decision.reason)


@contextmanager
def scans(backend: PostgresBackend) -> Iterator[list[str]]:
    """Which tables were read from end to end meanwhile, and which indexes gave more rows for a look than a sweep may take."""
    found: list[str] = []
    before = _counted(backend)
    yield found
    after = _counted(backend)
    for name, (looks, read) in after.items():
        looked, was_read = looks - before.get(name, (0, 0))[0], read - before.get(name, (0, 0))[1]
        if looked and was_read / looked > _MOST_PER_LOOK:
            found.append(f"{name}: {looked:,} × {was_read / looked:,.0f} rows")


_MOST_PER_LOOK = 2 * BATCH
_COUNTED = """
select relname || ' from end to end', seq_scan, seq_tup_read from pg_stat_user_tables
union all select indexrelname, idx_scan, idx_tup_read from pg_stat_user_indexes"""


def _counted(backend: PostgresBackend) -> dict[str, tuple[int, int]]:
    time.sleep(1.5)  # servers tell their counts once a second
    with backend.connected() as connection:
        return {name: (looks or 0, read or 0) for name, looks, read in connection.execute(_COUNTED).fetchall()}
