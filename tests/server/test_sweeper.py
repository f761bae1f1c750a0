"""The sweeper: in batches, off the request path, until told to stop."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import override

from grantway.protocol.decision import Add, Decision, Put
from grantway.protocol.model import Grant, PendingAuthorization, Session, User
from grantway.server.storage.memory import MemoryStorage
from grantway.server.storage.port import OutcomeUnknown, Overloaded
from grantway.server.sweeper import Pace, run_sweeper
from grantway.server.turns import run_in_turns
from tests.helpers.logs import logged
from tests.helpers.receiver import Clock, service
from tests.helpers.stage import Stage


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


def test_where_a_batch_takes_long_the_next_is_smaller_and_the_pause_longer() -> None:
    pace = Pace(200, 0.05)
    assert [(round(pace.after(0.03), 2), pace.batch) for _ in range(6)] == [
        (0.27, 100), (0.27, 50), (0.27, 25), (0.27, 12), (0.27, 10), (0.27, 10),
    ]  # fmt: skip
    assert [(pace.after(0.001), pace.batch) for _ in range(6)] == [
        (0.05, 20), (0.05, 40), (0.05, 80), (0.05, 160), (0.05, 200), (0.05, 200),
    ]  # fmt: skip
    assert (round(pace.after(0.015), 3), pace.batch) == (0.135, 200)


def run_for(stage: Stage, *, workers: int = 1, seconds: float = 0.4) -> list[Any]:
    async def go() -> list[Any]:
        stop = asyncio.Event()
        with logged() as logs:
            tasks = [
                asyncio.create_task(run_sweeper(stage.house.service, stop, every=0.05, batch=2, pause=0.001))
                for _ in range(workers)
            ]
            await asyncio.wait(tasks, timeout=seconds)
            stop.set()
            await asyncio.gather(*tasks)
        return list(logs)

    return asyncio.run(go())


@pytest.mark.parametrize("workers", [1, 3])
def test_grants_that_are_over_go_and_only_they_are_counted(workers: int) -> None:
    stage = Stage()
    for n in range(5):
        stage.connect(stage.integration(f"Client {n}"))
    endless = stage.connect(stage.sunshine())
    stage.wait(days=200)
    others = len(stage.all(Session)) + len(stage.all(PendingAuthorization))
    logs = run_for(stage, workers=workers)
    assert [each.id for each in stage.all(Grant)] == [stage.grant_of(endless).id]
    assert {each["event"] for each in logs} == {"swept"}
    assert sum(each["rows"] for each in logs) == 5 + others


def test_of_three_processes_one_sweeps_and_another_goes_on_when_it_stops() -> None:
    async def go() -> list[int]:
        clock = Clock()
        house = service(MemoryStorage(clock))
        turns = [0, 0, 0]

        def counting(number: int) -> Any:
            async def turn(hold: Any) -> int:
                turns[number] += 1
                return 0

            return turn

        stops = [asyncio.Event() for _ in range(3)]
        tasks = [
            asyncio.create_task(
                run_in_turns(house, stop, counting(n), lease="work", every=0.01, done="done", not_done="not_done")
            )
            for n, stop in enumerate(stops)
        ]
        while sum(turns) < 5:
            await asyncio.sleep(0.01)
        (first,) = [n for n, count in enumerate(turns) if count]
        stops[first].set()
        await tasks[first]
        while sum(turns) < 10 + turns[first]:
            await asyncio.sleep(0.01)
        for stop in stops:
            stop.set()
        await asyncio.gather(*tasks)
        return turns

    turns = asyncio.run(asyncio.wait_for(go(), 20))
    assert turns.count(0) == 1
