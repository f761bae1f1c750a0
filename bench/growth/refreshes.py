"""Very many refreshes, and what they leave behind.

Each is the change of a refresh through ``Storage.propose``: grouped with others, durable before the same connection's next
one. The sweeper runs beside them as in every installation.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bench import processes
from bench.growth.installation import Installation, opened
from bench.growth.sizes import Sizes
from grantway.protocol.decision import Decision, MoveGeneration
from grantway.protocol.facts import Facts
from grantway.server.service import Service
from grantway.server.sweeper import run_sweeper

AT_ONCE = 256
_LOOK_EVERY = 0.5


@dataclass(frozen=True)
class Run:
    """How long it took, the server's and the database's CPU, the largest log seen, and sizes before, after, and after ``vacuum``."""

    refreshes: int
    seconds: float
    cpu: float
    log_bytes: int
    before: Sizes
    after: Sizes
    vacuumed: Sizes


def refresh(installation: Installation, connections: int, times: int) -> Run:
    backend = installation.backend
    backend.settle_down()
    before = backend.sizes()
    used = processes.cpu(*backend.roots) + time.process_time()
    began = time.monotonic()
    log_bytes = asyncio.run(_run(installation, connections, times))
    seconds = time.monotonic() - began
    used = processes.cpu(*backend.roots) + time.process_time() - used
    after = backend.sizes()
    backend.vacuum()
    return Run(connections * times, seconds, used, log_bytes, before, after, backend.sizes())


async def _run(installation: Installation, connections: int, times: int) -> int:
    stop, largest = asyncio.Event(), 0

    async def watch() -> None:
        nonlocal largest
        while not stop.is_set():
            largest = max(largest, installation.backend.log_bytes())
            await asyncio.sleep(_LOOK_EVERY)

    async with opened(installation.backend.settings) as service:
        sweeper, watching = asyncio.create_task(run_sweeper(service, stop)), asyncio.create_task(watch())
        lanes = min(AT_ONCE, connections)
        order = random.sample(range(connections), connections)
        await asyncio.gather(*(_lane(service, installation, order[lane::lanes], times) for lane in range(lanes)))
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
