"""Very many refreshes, and the first use of each of many days, and what they leave behind.

Each is the change of a refresh through ``Storage.propose``: grouped with others, durable before the same connection's next
one. The first use of a day is noted in connection and grant. The sweeper runs beside them as in every installation.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bench import processes
from bench.growth.installation import Installation, opened
from bench.growth.sizes import Sizes
from grantway.protocol.decision import Decision, MoveGeneration, TouchUse
from grantway.protocol.facts import Facts
from grantway.server.service import Service
from grantway.server.sweeper import run_sweeper

AT_ONCE = 256
_TOGETHER = 20
"""Connections whose day is noted in one transaction."""
_LOOK_EVERY = 0.5


@dataclass(frozen=True)
class Run:
    """How long it took, the server's and the database's CPU, the largest log seen, and sizes before, after, and after ``vacuum``."""

    done: int
    seconds: float
    cpu: float
    log_bytes: int
    before: Sizes
    after: Sizes
    vacuumed: Sizes


def refresh(installation: Installation, connections: int, times: int) -> Run:
    """So many connections, each so many times."""

    async def work(service: Service) -> None:
        lanes = min(AT_ONCE, connections)
        order = random.sample(range(connections), connections)
        await asyncio.gather(*(_lane(service, installation, order[lane::lanes], times) for lane in range(lanes)))

    return _measured(installation, work, connections * times)


def use_daily(installation: Installation, connections: int, days: int) -> Run:
    """The first use of the day by so many connections, on so many days in a row, from tomorrow on."""

    async def work(service: Service) -> None:
        today = (await service.storage.now()).date()
        for day in range(1, days + 1):
            order = random.sample(range(connections), connections)
            for start in range(0, connections, _TOGETHER):
                touched = tuple(
                    TouchUse(made.grant_id(number), made.connection_id(number), today + timedelta(days=day))
                    for number in order[start : start + _TOGETHER]
                )

                async def rule(facts: Facts, now: datetime, touched: tuple[TouchUse, ...] = touched) -> Decision[None]:
                    return Decision(None, touched)

                await service.storage.settle(rule)

    made = installation.connections
    return _measured(installation, work, connections * days)


def _measured(installation: Installation, work: Callable[[Service], Awaitable[None]], done: int) -> Run:
    backend = installation.backend
    backend.settle_down()
    before = backend.sizes()
    used = processes.cpu(*backend.roots) + time.process_time()
    began = time.monotonic()
    log_bytes = asyncio.run(_beside_the_sweeper(installation, work))
    seconds = time.monotonic() - began
    used = processes.cpu(*backend.roots) + time.process_time() - used
    after = backend.sizes()
    backend.vacuum()
    return Run(done, seconds, used, log_bytes, before, after, backend.sizes())


async def _beside_the_sweeper(installation: Installation, work: Callable[[Service], Awaitable[None]]) -> int:
    """The largest log."""
    stop, largest = asyncio.Event(), 0

    async def watch() -> None:
        nonlocal largest
        while not stop.is_set():
            largest = max(largest, installation.backend.log_bytes())
            await asyncio.sleep(_LOOK_EVERY)

    async with opened(installation.backend.settings) as service:
        sweeper, watching = asyncio.create_task(run_sweeper(service, stop)), asyncio.create_task(watch())
        await work(service)
        stop.set()
        await asyncio.gather(sweeper, watching)
    return largest


async def _lane(service: Service, installation: Installation, numbers: Sequence[int], times: int) -> None:
    """These connections in turn, again and again."""
    idle = installation.client.client.policy.refresh_idle_lifetime
    generations, propose = installation.generations, service.storage.propose
    ids = [installation.connections.grant_id(number) for number in numbers]
    for _ in range(times):
        for number, grant_id in zip(numbers, ids, strict=True):
            generation = generations[number]

            async def rule(
                facts: Facts, now: datetime, grant_id: bytes = grant_id, generation: int = generation
            ) -> Decision[None]:
                ends = None if idle is None else now + idle
                return Decision(None, (MoveGeneration(grant_id, generation, now, None, ends),))

            await propose(rule)
            generations[number] = generation + 1
