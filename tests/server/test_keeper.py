"""The keeper: connections that nobody uses go in batches, off the request path, until it is told to stop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from typing_extensions import override

from grantway.protocol.model import Connection, Notice
from grantway.server.keeper import run_keeper
from grantway.server.storage.memory import MemoryStorage
from grantway.server.storage.port import OutcomeUnknown, Overloaded, Rule
from tests.helpers.logs import logged
from tests.helpers.stage import Stage


class Failing(MemoryStorage):
    """Memory storage that raises what it is told to, once each, when it is consulted."""

    faults: list[Exception]

    @override
    async def consult(self, rule: Rule[Any]) -> Any:
        if self.faults:
            raise self.faults.pop(0)
        return await super().consult(rule)


def kept(stage: Stage, *faults: Exception, workers: int = 1, seconds: float = 0.4) -> list[Any]:
    """Run it for a while; what it logged."""

    async def go() -> list[Any]:
        stop = asyncio.Event()
        with logged() as logs:
            run = [
                asyncio.create_task(run_keeper(stage.house.service, stop, every=0.05, batch=2, pause=0.001))
                for _ in range(workers)
            ]
            await asyncio.wait(run, timeout=seconds)
            stop.set()
            await asyncio.gather(*run)
        return list(logs)

    if faults:
        assert isinstance(stage.storage, MemoryStorage)
        stage.storage.__class__ = Failing
        stage.storage.faults = list(faults)  # type: ignore[attr-defined]
    return asyncio.run(go())


def abandoned(count: int) -> Stage:
    stage = Stage()
    for n in range(count):
        stage.code(stage.integration(f"Client {n}"))
    stage.wait(hours=1, seconds=1)
    return stage


def live(stage: Stage) -> int:
    return sum(each.removed_at is None for each in stage.all(Connection))


@pytest.mark.parametrize("workers", [1, 3])
def test_what_nobody_uses_goes_in_batches_and_is_said_once(workers: int) -> None:
    stage = abandoned(5)
    logs = kept(stage, workers=workers)
    assert live(stage) == 0
    assert sum(each["rows"] for each in logs) == 5
    assert {each["event"] for each in logs} == {"tidied"}
    assert sum(each.action == "connection_removed" for each in stage.audited()) == 5


def test_what_is_idle_goes_and_the_sender_is_woken() -> None:
    stage = Stage(inactivity_days=90)
    stage.connect(stage.integration(remove_url="https://client.example/removed"))
    stage.wait(days=92)
    rung: list[bool] = []
    stage.house.service.bell.listeners.append(lambda: rung.append(True))
    kept(stage)
    assert live(stage) == 0
    assert [each.kind for each in stage.all(Notice)].count("remove_url") == 1
    assert rung == [True]


def test_nothing_to_remove_is_nothing_to_say() -> None:
    stage = Stage()
    stage.connect(stage.integration())
    stage.wait(days=1)
    assert kept(stage) == []
    assert live(stage) == 1


@pytest.mark.own_storage
def test_a_storage_that_is_busy_is_asked_again_next_time() -> None:
    stage = abandoned(1)
    logs = kept(stage, Overloaded("full"))
    assert [each["event"] for each in logs] == ["not_tidied", "tidied"]
    assert live(stage) == 0


@pytest.mark.own_storage
def test_an_unknown_outcome_ends_it_so_that_the_process_stops() -> None:
    with pytest.raises(OutcomeUnknown):
        kept(abandoned(1), OutcomeUnknown("fsync"))
