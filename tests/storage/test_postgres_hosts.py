"""Several hosts on one PostgreSQL: what a rule has read holds still, though nobody holds a lock while it thinks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg

from grantway.protocol.decision import Add, Decision, EndSessions, Put, Replace
from grantway.protocol.facts import Facts
from grantway.server.storage.postgres import PostgresStorage, migrate
from tests.helpers.postgres import Cluster
from tests.storage.asking import DAY, NOON, an_id, saying, session, the_world, user, webhook

HOSTS = 3


def on_hosts(cluster: Cluster, work: Callable[[list[PostgresStorage]], Awaitable[Any]]) -> Any:
    """What comes of this work with storages of several hosts, each with connections of its own."""

    async def go(url: str) -> Any:
        hosts = [await PostgresStorage.open(url) for _ in range(HOSTS)]
        try:
            return await work(hosts)
        finally:
            for host in hosts:
                await host.close()

    with cluster.migrated(migrate) as url:
        return asyncio.run(go(url))


def test_a_rule_over_how_many_there_are_is_kept_by_all_hosts_together(postgres_cluster: Cluster) -> None:
    most, asked = 3, 15

    async def work(hosts: list[PostgresStorage]) -> tuple[int, int]:
        await hosts[0].settle(saying(None, *map(Add, the_world())))

        def one_more(number: int) -> Any:
            async def rule(facts: Facts, now: datetime) -> Decision[bool]:
                there = await facts.webhooks(an_id(4))
                return Decision(True, (Add(webhook(number)),)) if len(there) < most else Decision(False)

            return rule

        said = await asyncio.gather(*(hosts[n % HOSTS].settle(one_more(100 + n)) for n in range(asked)))
        counted = await hosts[0].consult(counting)
        return sum(each.answer for each in said), counted.answer

    async def counting(facts: Facts, now: datetime) -> Decision[int]:
        return Decision(len(await facts.webhooks(an_id(4))))

    assert on_hosts(postgres_cluster, work) == (most, most)


def test_nobody_is_signed_in_beside_being_disabled(postgres_cluster: Cluster) -> None:
    """One reads the person and writes the session, the other ends the sessions and writes the person."""

    async def work(hosts: list[PostgresStorage]) -> list[tuple[bool, bool]]:
        return [await round_of(hosts, number) for number in range(1, 31)]

    async def round_of(hosts: list[PostgresStorage], number: int) -> tuple[bool, bool]:
        await hosts[2].settle(saying(None, Add(user(number))))

        async def sign_in(facts: Facts, now: datetime) -> Decision[None]:
            person = await facts.user(an_id(number))
            assert person is not None
            stands = person.disabled_at is None
            return Decision(
                None, (Put(session(number, user_id=person.id, expires_at=NOON + 9999 * DAY)),) if stands else ()
            )

        async def disable(facts: Facts, now: datetime) -> Decision[None]:
            person = await facts.user(an_id(number))
            assert person is not None
            off = replace(person, disabled_at=now, version=person.version + 1)
            return Decision(None, (Replace(off), EndSessions(person.id)))

        async def standing(facts: Facts, now: datetime) -> Decision[tuple[bool, bool]]:
            person = await facts.user(an_id(number))
            assert person is not None
            return Decision((person.disabled_at is not None, await facts.session(session(number).digest) is not None))

        await asyncio.gather(hosts[0].settle(sign_in), hosts[1].settle(disable))
        return (await hosts[2].consult(standing)).answer

    assert on_hosts(postgres_cluster, work) == [(True, False)] * 30


def test_after_a_connection_was_lost_nothing_is_believed_that_was_read_before(postgres_cluster: Cluster) -> None:
    """A standby that took over may not have the last commits, and gives their versions to something else."""

    async def is_disabled(host: PostgresStorage) -> bool:
        async def rule(facts: Facts, now: datetime) -> Decision[bool]:
            held = await facts.grant(an_id(5))
            assert held is not None
            return Decision(held.client.disabled_at is not None)

        return (await host.consult(rule)).answer

    async def go(url: str) -> tuple[bool, bool]:
        host = await PostgresStorage.open(url)
        try:
            await host.settle(saying(None, *map(Add, the_world())))
            before = await is_disabled(host)
            another_takes_over(url)
            return before, await is_disabled(host)
        finally:
            await host.close()

    def another_takes_over(url: str) -> None:
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("update clients set disabled_at = 1")
            other.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where datname = current_database() and application_name = 'grantway'"
            )

    with postgres_cluster.migrated(migrate) as url:
        assert asyncio.run(go(url)) == (False, True)
