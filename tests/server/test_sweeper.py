"""The sweeper: in batches, off the request path, until told to stop."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import override

from grantway.protocol.decision import Add, Decision, Put
from grantway.protocol.model import Session, User
from grantway.server.storage.memory import MemoryStorage
from grantway.server.storage.port import OutcomeUnknown, Overloaded
from grantway.server.sweeper import run_sweeper
from tests.helpers.logs import logged
from tests.helpers.receiver import Clock, service


class Counting(MemoryStorage):
    """Memory storage that says how much was asked of ``sweep`` and raises what it is told to, once each."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.batches: list[int] = []
        self.faults: list[Exception] = []

    @override
    async def sweep(self, limit: int = 500) -> int:
        if self.faults:
            raise self.faults.pop(0)
        gone = await super().sweep(limit)
        self.batches.append(gone)
        return gone


def swept(sessions: int, *faults: Exception, draw: bytes = b"\0", seconds: float = 0.4) -> tuple[list[int], list[Any]]:
    async def go() -> tuple[list[int], list[Any]]:
        clock = Clock()
        storage = Counting(clock)
        user = User(b"u" * 16, "a@b.example", "A", clock())

        async def setup(facts: Any, now: Any) -> Decision[None]:
            rows = [
                Put(Session(n.to_bytes(32, "big"), user.id, now, now, n.to_bytes(16, "big"))) for n in range(sessions)
            ]
            return Decision(None, (Add(user), *rows))

        await storage.settle(setup)
        clock.turn(days=1)
        storage.faults = list(faults)
        stop = asyncio.Event()
        server = replace(service(storage), draw=lambda n: draw * n)
        with logged() as logs:
            task = asyncio.create_task(run_sweeper(server, stop, every=0.1, batch=10, pause=0.001))
            await asyncio.wait([task], timeout=seconds)
            stop.set()
            await task
        return storage.batches, list(logs)

    return asyncio.run(go())


def test_everything_goes_in_batches_and_is_said_once() -> None:
    batches, logs = swept(25)
    assert batches[:3] == [10, 10, 5]
    assert set(batches[3:]) == {0}
    assert logs == [{"event": "swept", "rows": 25, "level": "info"}]


def test_nothing_to_sweep_is_nothing_to_say() -> None:
    batches, logs = swept(0)
    assert set(batches) == {0}
    assert logs == []


def test_the_first_turn_waits_so_that_workers_do_not_sweep_in_step() -> None:
    assert swept(5, seconds=0.05)[0] == []
    early, late = swept(5, seconds=0.1)[0], swept(5, draw=b"\xff", seconds=0.1)[0]
    assert (early, late) == ([5], [])


def test_a_storage_that_is_busy_is_asked_again_next_time() -> None:
    batches, logs = swept(5, Overloaded("full"))
    assert batches[0] == 5
    assert logs[0] == {"event": "not_swept", "error": "Overloaded", "level": "warning"}


def test_an_unknown_outcome_ends_it_so_that_the_process_stops() -> None:
    with pytest.raises(OutcomeUnknown):
        swept(5, OutcomeUnknown("fsync"))


def test_what_can_still_have_an_effect_stays() -> None:
    async def go() -> int:
        clock = Clock()
        storage = Counting(clock)
        user = User(b"u" * 16, "a@b.example", "A", clock())
        session = Session(b"s" * 32, user.id, clock(), clock() + timedelta(hours=1), b"s" * 16)

        async def setup(facts: Any, now: Any) -> Decision[None]:
            return Decision(None, (Add(user), Put(session)))

        await storage.settle(setup)
        return await storage.sweep()

    assert asyncio.run(go()) == 0
