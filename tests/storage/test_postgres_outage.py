"""PostgreSQL goes, is full, is silent, changes its place: nobody waits for ever, nothing breaks, and it heals by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql

from grantway.protocol.decision import Add, Decision, MoveGeneration, Put, Replace
from grantway.protocol.facts import Facts
from grantway.server.storage.port import OutcomeUntold, StorageError
from grantway.server.storage.postgres import PostgresStorage, gathering, migrate
from grantway.server.storage.postgres import storage as front
from grantway.server.storage.postgres.commits import Hanging
from grantway.server.storage.postgres.pool import Unreachable
from tests.helpers.postgres import QUICK, Cluster, cluster
from tests.storage.asking import NOON, account, an_id, grant, membership, saying, the_world, user, webhook
from tests.storage.test_postgres_severed import moving, receipt, severable, spend_nothing


@pytest.fixture
def url(postgres_cluster: Cluster) -> Iterator[str]:
    with postgres_cluster.migrated(migrate) as lent:
        yield lent


async def fill(storage: PostgresStorage, *more: Any) -> None:
    await storage.settle(saying(None, *[Add(each) for each in (*the_world(), *more)]))


def is_whole(storage: PostgresStorage) -> bool:
    """Whether every connection came back."""
    pool = storage._pool
    return (pool._lent, len(pool._aside), pool.waiting) == (0, 0, 0)


def test_a_commit_that_is_not_answered_is_told_as_unknown_and_meanwhile_no_other_begins(url: str) -> None:
    async def hang() -> None:
        async with severable(url) as (wire, storage):
            await fill(storage, grant(50))
            await asyncio.gather(*[storage.settle(spend_nothing) for _ in range(2)])
            storage._commits._hanging, storage._commits._deadline = 0.2, 0.4
            begun = time.monotonic()
            wire.hush()
            told = await asyncio.gather(
                storage.settle(saying(None, Add(receipt(1)))),
                storage.propose(saying(None, MoveGeneration(an_id(50), 0, NOON))),
                return_exceptions=True,
            )
            assert {type(each) for each in told} == {OutcomeUntold}
            assert time.monotonic() - begun < 5
            for refused in saying(None, Add(receipt(2))), saying(None, MoveGeneration(an_id(5), 0, NOON)):
                with pytest.raises(Hanging):
                    await storage.propose(refused)
            with pytest.raises(Hanging):
                await storage.settle(spend_nothing)
            wire.speak()
            while storage._pool._aside:
                await asyncio.sleep(0.01)
            assert is_whole(storage)
            assert (await storage.settle(both)).answer == (True, False, 1, 0)

    async def both(facts: Facts, now: datetime) -> Decision[Any]:
        written = [await facts.ended_token(receipt(number).serial) is not None for number in (1, 2)]
        moved = [held.grant.generation for number in (50, 5) if (held := await facts.grant(an_id(number)))]
        return Decision((*written, *moved))

    asyncio.run(hang())


def test_while_commits_hang_others_read(url: str) -> None:
    async def hang() -> None:
        async with severable(url, connections=2) as (wire, storage):
            await fill(storage)
            storage._commits._hanging, storage._commits._deadline = 0.1, 2
            await asyncio.gather(storage.settle(spend_nothing), storage.settle(spend_nothing))
            wire.hush()
            hanging = [asyncio.create_task(storage.settle(saying(None, Add(receipt(n))))) for n in range(2)]
            while len(storage._pool._aside) < 2:
                await asyncio.sleep(0.01)
            wire.speak_to_newcomers()
            assert (await storage.consult(spend_nothing)).answer == "looked"
            wire.speak()
            await asyncio.gather(*hanging)

    asyncio.run(hang())


def test_a_silent_database_is_not_waited_for(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "READ_DEADLINE", 0.2)
    monkeypatch.setattr(front, "READ_DEADLINE", 0.2)

    async def ask() -> None:
        async with severable(url) as (wire, storage):
            await fill(storage)
            storage._pool._patience = 0.2
            wire.hush()
            asked = [
                *(storage.consult(spend_nothing) for _ in range(30)),
                *(storage.settle(spend_nothing) for _ in range(30)),
            ]
            begun = time.monotonic()
            told = await asyncio.gather(*asked, return_exceptions=True)
            assert {type(each) for each in told} == {Unreachable}
            assert time.monotonic() - begun < 10
            wire.speak()
            assert (await storage.settle(spend_nothing)).answer == "looked"
            assert is_whole(storage)

    asyncio.run(ask())


def test_a_database_that_is_away_refuses_at_once_and_is_found_when_it_is_back() -> None:
    async def live(running: Cluster, storage: PostgresStorage) -> None:
        await fill(storage)
        await asyncio.gather(*[storage.settle(spend_nothing) for _ in range(8)])
        await asyncio.to_thread(running.stop, "immediate")
        begun = time.monotonic()
        rules = [spend_nothing, saying(None, Add(receipt(1))), saying(None, MoveGeneration(an_id(5), 0, NOON))]
        told = await asyncio.gather(
            *(
                ask(rule)
                for rule in rules
                for ask in (storage.settle, storage.consult, storage.propose)
                for _ in range(30)
            ),
            return_exceptions=True,
        )
        assert {type(each) for each in told if isinstance(each, BaseException)} == {Unreachable}
        assert "cannot be reached" in str(told[0])
        assert time.monotonic() - begun < 10
        await asyncio.to_thread(running.start)
        assert (await storage.settle(spend_nothing)).answer == "looked"
        await storage.propose(saying(None, MoveGeneration(an_id(5), 0, NOON)))
        assert is_whole(storage)

    async def both(running: Cluster) -> None:
        url = running.url("postgres")
        migrate(url)
        storage = await PostgresStorage.open(url)
        try:
            await live(running, storage)
        finally:
            await storage.close()

    with cluster(**QUICK) as running:
        asyncio.run(both(running))


def test_an_address_where_nothing_answers_is_told_in_a_sentence_without_the_password() -> None:
    for address in (
        "postgresql://grantway:zq7secret@127.0.0.1:1/db",
        "postgresql://grantway:zq7secret@127.0.0.1:1,127.0.0.1:2/db",
    ):
        with pytest.raises(StorageError, match="cannot be reached") as found:
            migrate(address)
        assert "zq7secret" not in str(found.value)
        with pytest.raises(Unreachable, match="cannot be reached") as told:
            asyncio.run(PostgresStorage.open(address))
        assert "zq7secret" not in str(told.value)


def test_a_database_that_is_full_of_connections_serves_by_those_that_it_gave(
    url: str, postgres_cluster: Cluster
) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("drop role if exists narrow")
        admin.execute("create role narrow login connection limit 1")
        admin.execute("grant all on all tables in schema public to narrow")

    async def crowd() -> None:
        storage = await PostgresStorage.open(url.replace("//postgres@", "//narrow@"))
        try:
            await fill(storage)

            async def hold() -> str:
                async with storage._pool.link() as link:
                    await link.run([("select pg_sleep(0.2)", ())])
                    return "held"

            told = await asyncio.gather(*[hold() for _ in range(6)], return_exceptions=True)
            assert "held" in told
            assert "too many connections" in str(next(each for each in told if isinstance(each, Unreachable)))
            assert (await storage.settle(spend_nothing)).answer == "looked"
            assert is_whole(storage)
        finally:
            await storage.close()

    try:
        asyncio.run(crowd())
    finally:
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("drop owned by narrow")
            admin.execute("drop role narrow")


def test_a_connection_that_leads_to_a_standby_by_now_is_given_up(url: str, postgres_cluster: Cluster) -> None:
    name = sql.Identifier(url.rpartition("/")[2])

    def be_read_only(wanted: str) -> None:
        with postgres_cluster.connect() as admin:
            admin.execute(sql.SQL("alter database {} set default_transaction_read_only = {}").format(name, wanted))

    async def demoted() -> None:
        storage = await PostgresStorage.open(url)
        try:
            await fill(storage)
            be_read_only("on")
            storage._pool.forget_idle()
            for rule in saying(None, Add(receipt(1))), saying(None, MoveGeneration(an_id(5), 0, NOON)):
                with pytest.raises(Unreachable, match="25006"):
                    await storage.propose(rule)
            await storage.consult(spend_nothing)
            be_read_only("off")
            await storage.settle(saying(None, Add(receipt(1))))  # not by the connection that has just read
            assert is_whole(storage)
        finally:
            await storage.close()

    try:
        asyncio.run(demoted())
    finally:
        be_read_only("off")


def test_requests_that_are_given_up_leave_nothing_broken(url: str) -> None:
    async def give_up() -> None:
        async with severable(url, connections=3) as (_, storage):
            await fill(storage, *[grant(100 + number) for number in range(100)])
            for number in range(100):
                ask = storage.propose if number % 2 else storage.settle
                task = asyncio.create_task(ask(moving(100 + number)))
                for _ in range(number // 2):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            assert (await storage.settle(spend_nothing)).answer == "looked"
            while storage._pool._aside:
                await asyncio.sleep(0.01)
            assert is_whole(storage)

    asyncio.run(give_up())


def test_what_is_under_way_is_done_before_it_closes(url: str) -> None:
    async def close() -> None:
        storage = await PostgresStorage.open(url)
        await fill(storage, *[grant(100 + number) for number in range(20)])
        under_way = [asyncio.create_task(storage.propose(moving(100 + number))) for number in range(20)]
        while not storage._moves.waiting:
            await asyncio.sleep(0)
        await storage.close()
        told = await asyncio.gather(*under_way, return_exceptions=True)
        assert {each.answer if isinstance(each, Decision) else type(each) for each in told} <= {"moved", StorageError}
        assert any(isinstance(each, Decision) for each in told)
        with pytest.raises(StorageError):
            await storage.settle(spend_nothing)

    asyncio.run(close())


def test_a_circle_of_waiting_is_broken_and_both_come_true(url: str) -> None:
    """40P01: each has locked what the other one wants."""

    async def circle() -> None:
        storage = await PostgresStorage.open(url)
        try:
            await fill(storage, account(21), account(22))
            pairs = [(21, 22), (22, 21)] * 10

            def rename(first: int, second: int) -> Any:
                async def rule(facts: Facts, now: datetime) -> Decision[None]:
                    changes = []
                    for number in (first, second):
                        held = await facts.account(an_id(number))
                        assert held is not None
                        changes.append(Replace(account(number, name="Renamed", version=held.version + 1)))
                    return Decision(None, tuple(changes))

                return rule

            told = await asyncio.gather(*[storage.settle(rename(*pair)) for pair in pairs], return_exceptions=True)
            done = sum(isinstance(each, Decision) for each in told)
            assert done > 2

            async def version(facts: Facts, now: datetime) -> Decision[int]:
                held = await facts.account(an_id(21))
                assert held is not None
                return Decision(held.version)

            assert (await storage.consult(version)).answer == account(21).version + done
        finally:
            await storage.close()

    asyncio.run(circle())


async def two_hosts(url: str, race: Any) -> None:
    hosts = [await PostgresStorage.open(url, connections=2) for _ in range(2)]
    try:
        await fill(hosts[0], user(31), membership(user_id=an_id(31)))
        for turn in range(10):
            await race(hosts, turn)
    finally:
        for host in hosts:
            await host.close()


def test_two_hosts_at_once_do_not_leave_an_account_without_an_owner(url: str) -> None:
    """What each has read is what the other one changes, and no row is changed by both."""

    def leave(who: int) -> Any:
        async def rule(facts: Facts, now: datetime) -> Decision[bool]:
            owners = [each.user_id for each, _ in await facts.members(an_id(2)) if each.role == "owner"]
            if len(owners) < 2 or an_id(who) not in owners:
                return Decision(False)
            return Decision(True, (Put(membership(user_id=an_id(who), role="admin")),))

        return rule

    back = saying(None, *[Put(membership(user_id=an_id(who))) for who in (1, 31)])

    async def race(hosts: list[PostgresStorage], turn: int) -> None:
        left = await asyncio.gather(*[host.settle(leave(who)) for host, who in zip(hosts, (1, 31), strict=True)])
        assert sorted(each.answer for each in left) == [False, True]
        await hosts[0].settle(back)

    asyncio.run(two_hosts(url, race))


def test_two_hosts_at_once_do_not_make_more_than_there_may_be(url: str) -> None:
    """How many there are is read, and what is added is nobody's before: there is no row to guard."""

    def another(number: int, most: int) -> Any:
        async def rule(facts: Facts, now: datetime) -> Decision[bool]:
            if len(await facts.webhooks(an_id(4))) >= most:
                return Decision(False)
            return Decision(True, (Add(webhook(number)),))

        return rule

    async def race(hosts: list[PostgresStorage], turn: int) -> None:
        numbers = range(100 * turn + 100, 100 * turn + 110)
        rules = [another(number, 2 * (turn + 1)) for number in numbers]
        made = await asyncio.gather(*[hosts[number % 2].settle(rule) for number, rule in enumerate(rules)])
        assert sum(each.answer for each in made) == 2

    asyncio.run(two_hosts(url, race))


def test_batches_that_meet_in_opposite_order_do_not_wait_in_a_circle(url: str) -> None:
    def deadlocks() -> Any:
        with psycopg.connect(url) as admin:
            asked = (
                "select pg_stat_force_next_flush(), deadlocks from pg_stat_database where datname = current_database()"
            )
            return admin.execute(asked).fetchone()

    async def race(hosts: list[PostgresStorage], turn: int) -> None:
        numbers = list(range(1000 + 60 * turn, 1060 + 60 * turn))
        await hosts[0].settle(saying(None, *[Add(grant(number)) for number in numbers]))
        both = [
            *[hosts[0].propose(moving(number)) for number in numbers],
            *[hosts[1].propose(moving(number)) for number in reversed(numbers)],
        ]
        told = [each.answer for each in await asyncio.gather(*both)]
        assert (told.count("moved"), told.count("was moved")) == (60, 60)

    before = deadlocks()
    asyncio.run(two_hosts(url, race))
    assert deadlocks() == before
