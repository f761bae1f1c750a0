"""PostgreSQL is lost between any two messages: who is told yes finds it done, who is told no finds nothing, and who is told
that nobody knows finds all of it or nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest

from grantway.protocol.decision import Add, Decision, MoveGeneration
from grantway.protocol.facts import Facts
from grantway.protocol.model import EndedToken
from grantway.server.storage.port import OutcomeUntold
from grantway.server.storage.postgres import PostgresStorage, migrate
from tests.helpers.postgres import Cluster
from tests.helpers.severing import Side, Wire, wire_to
from tests.storage.asking import DAY, NOON, an_id, grant, saying, the_world

SIDES: tuple[Side, ...] = ("client", "server")


@pytest.fixture
def url(postgres_cluster: Cluster) -> Iterator[str]:
    with postgres_cluster.migrated(migrate) as lent:
        yield lent


@asynccontextmanager
async def severable(url: str, **more: Any) -> AsyncIterator[tuple[Wire, PostgresStorage]]:
    """A storage at the near end of a wire."""
    async with wire_to(url) as (wire, near):
        storage = await PostgresStorage.open(near, **more)
        try:
            yield wire, storage
        finally:
            wire.watch()
            await storage.close()


def receipt(number: int) -> EndedToken:
    return EndedToken(b"receipt %d" % number, NOON + 9999 * DAY)


def spend(number: int) -> Any:
    """A rule that exchanges a grant and writes a receipt, once."""

    async def rule(facts: Facts, now: datetime) -> Decision[str]:
        held = await facts.grant(an_id(number))
        assert held is not None
        if held.grant.generation:
            return Decision("spent before")
        return Decision("spent", (MoveGeneration(an_id(number), 0, NOON), Add(receipt(number))))

    return rule


async def spent(storage: PostgresStorage, number: int) -> tuple[int, bool]:
    async def rule(facts: Facts, now: datetime) -> Decision[tuple[int, bool]]:
        held = await facts.grant(an_id(number))
        assert held is not None
        return Decision((held.grant.generation, await facts.ended_token(receipt(number).serial) is not None))

    return (await storage.consult(rule)).answer


@pytest.mark.parametrize("side", SIDES)
def test_a_rule_is_cut_off_at_every_message(url: str, side: Side) -> None:
    async def cut_everywhere() -> Counter[str]:
        heard: Counter[str] = Counter()
        async with severable(url) as (wire, storage):
            first = 100
            worlds = [grant(first + number) for number in range(60)]
            await storage.settle(saying(None, *[Add(each) for each in (*the_world(), *worlds)]))
            for number in range(60):
                await storage.settle(saying(None))  # there is a connection
                wire.watch(**{side: number})
                try:
                    answer = (await storage.settle(spend(first + number))).answer
                except OutcomeUntold:
                    answer = "untold"
                was_cut = wire.was_cut
                wire.watch()
                if not was_cut:
                    assert answer == "spent"
                    return heard
                heard[answer] += 1
                assert (
                    await spent(storage, first + number)
                    in {
                        "spent": {(1, True)},
                        "untold": {(0, False), (1, True)},
                    }[answer]
                )
        raise AssertionError("it was cut for ever")

    heard = asyncio.run(cut_everywhere())
    assert heard["spent"] > 3
    assert heard["untold"] > 3


def test_a_commit_that_was_answered_is_known_although_the_connection_ends_with_the_answer(url: str) -> None:
    async def cut_before_the_last() -> None:
        async with severable(url) as (wire, storage):
            await storage.settle(saying(None, *[Add(each) for each in the_world()]))
            await storage.settle(spend_nothing)
            wire.watch()
            await storage.settle(spend_nothing)
            until_the_commit = len(wire.passed["server"]) - 1
            assert wire.passed["server"][-2:] == [b"C", b"Z"]
            wire.watch(server=until_the_commit)
            assert (await storage.settle(spend_nothing)).answer == "looked"
            assert wire.was_cut

    asyncio.run(cut_before_the_last())


async def spend_nothing(facts: Facts, now: datetime) -> Decision[str]:
    assert await facts.grant(an_id(5)) is not None
    return Decision("looked")


def moving(number: int) -> Any:
    """A rule that moves a grant on from where it began, and nothing else."""

    async def rule(facts: Facts, now: datetime) -> Decision[str]:
        held = await facts.grant(an_id(number))
        assert held is not None
        if held.grant.generation:
            return Decision("was moved")
        return Decision("moved", (MoveGeneration(an_id(number), 0, now),))

    return rule


@pytest.mark.parametrize("side", SIDES)
def test_a_batch_of_moves_is_cut_off_at_every_message_and_all_are_told(url: str, side: Side) -> None:
    async def cut_everywhere() -> int:
        async with severable(url) as (wire, storage):
            worlds = [grant(100 + number) for number in range(400)]
            await storage.settle(saying(None, *[Add(each) for each in (*the_world(), *worlds)]))
            for turn in range(40):
                numbers = range(100 + 10 * turn, 110 + 10 * turn)
                await storage.consult(saying(None))
                wire.watch(**{side: turn})
                decisions = await asyncio.gather(*[storage.propose(moving(number)) for number in numbers])
                was_cut = wire.was_cut
                wire.watch()
                assert {decision.answer for decision in decisions} == {"moved"}
                assert [(await spent(storage, number))[0] for number in numbers] == [1] * 10
                if not was_cut:
                    return turn
        raise AssertionError("it was cut for ever")

    assert asyncio.run(cut_everywhere()) > 5


def test_connections_that_ended_while_nobody_used_them_are_not_noticed(url: str, postgres_cluster: Cluster) -> None:
    async def cut_while_idle() -> None:
        async with severable(url) as (wire, storage):
            await storage.settle(saying(None, *[Add(each) for each in the_world()]))
            for number in range(5):
                await asyncio.gather(*[storage.settle(spend_nothing) for _ in range(10)])
                if number % 2:
                    wire.cut()
                else:
                    with postgres_cluster.connect() as admin:
                        admin.execute(
                            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'grantway'"
                        )
                await wire.is_gone()
                await storage.settle(saying(None, Add(receipt(number))))
                await storage.propose(saying(None, Add(receipt(number + 100))))

    asyncio.run(cut_while_idle())
