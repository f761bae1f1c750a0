"""The audit in PostgreSQL: which numbers are final, and a partition for each day."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from grantway.protocol.decision import Add, RetireSeals
from grantway.server.sealing import seal_all
from grantway.server.storage.postgres import PostgresStorage, make_partitions
from grantway.server.storage.postgres import migrate as migrate_postgres
from grantway.server.storage.postgres.partitions import name_of
from grantway.server.verification import verify
from tests.helpers.postgres import Cluster
from tests.storage.asking import DAY, MINUTE, NOON, add, an_id, ask, audit_entry, do, saying
from tests.storage.conftest import Clock
from tests.storage.test_upkeep import aged, service


@pytest.fixture
def postgres(postgres_cluster: Cluster, one_loop: None, clock: Clock) -> Iterator[tuple[PostgresStorage, str]]:
    """An empty database of its own, because its tables are looked at."""
    with postgres_cluster.empty() as url:
        migrate_postgres(url)
        opened = asyncio.run(PostgresStorage.open(url, clock=clock))
        yield opened, url
        asyncio.run(opened.close())


def partitions(url: str) -> dict[str, int]:
    """How many entries are in each part of the audit."""
    with psycopg.connect(url, autocommit=True) as connected:
        names = connected.execute(
            "select inhrelid::regclass::text from pg_inherits where inhparent = 'audit_entries'::regclass order by 1"
        ).fetchall()
        counts = {}
        for (name,) in names:
            row = connected.execute(f"select count(*) from {name}".encode()).fetchone()  # noqa: S608
            assert row is not None
            counts[name] = row[0]
    return counts


def test_nothing_is_sealed_while_an_entry_with_a_lower_number_may_still_come(
    postgres: tuple[PostgresStorage, str],
) -> None:
    storage, url = postgres
    add(storage, audit_entry(1))
    insert = "insert into audit_entries (id, at, actor, action, detail) values (%s, 0, 'operator', 'late', '{}')"
    with psycopg.connect(url) as late:
        late.execute(insert, (an_id(2),))
        add(storage, audit_entry(3))
        assert asyncio.run(storage.sealable()) == 0
        late.commit()
        numbers = [each.number for each in ask(storage, lambda facts: facts.audit_in_order())]
        assert len(numbers) == 3
        assert asyncio.run(storage.sealable()) == numbers[-1]
        late.execute(insert, (an_id(4),))
        late.rollback()
    add(storage, audit_entry(5))
    assert asyncio.run(storage.sealable()) == ask(storage, lambda facts: facts.audit_in_order())[-1].number


def test_each_day_of_the_audit_has_a_partition_that_was_made_before_and_goes_as_a_whole(
    postgres: tuple[PostgresStorage, str], clock: Clock
) -> None:
    storage, url = postgres
    add(storage, aged(1))  # before anybody kept house
    asyncio.run(storage.upkeep())
    today = NOON.date()
    assert partitions(url) == {name_of(today + n * DAY): 0 for n in range(1, 8)} | {"audit_entries_default": 1}
    add(storage, *[aged(number, at=NOON + days * DAY) for number, days in ((2, 1), (3, 1), (4, 2))])
    clock.now = NOON + 3 * DAY
    asyncio.run(storage.upkeep())
    before = partitions(url)
    assert (before["audit_entries_default"], before[name_of(today + DAY)], before[name_of(today + 2 * DAY)]) == (
        1,
        2,
        1,
    )
    assert name_of(today + 10 * DAY) in before
    asyncio.run(seal_all(service(storage)))
    assert [each.count for each in ask(storage, lambda facts: facts.seals())] == [1, 2, 1]
    do(storage, RetireSeals(2, clock.now))
    asyncio.run(storage.upkeep())
    after = partitions(url)
    assert name_of(today + DAY) not in after
    assert (after["audit_entries_default"], after[name_of(today + 2 * DAY)]) == (1, 1)
    clock.now += MINUTE
    assert asyncio.run(storage.sweep()) == 1  # what came before there were partitions
    found = asyncio.run(verify(service(storage)))
    assert (found.flaw, found.retired_entries, found.entries, found.not_yet_removed) == (None, 3, 1, 0)


def test_even_the_first_entries_of_a_new_database_stand_in_a_partition_of_their_day(postgres_cluster: Cluster) -> None:
    with postgres_cluster.empty() as url:
        migrate_postgres(url)
        for _ in range(2):  # a second time there is nothing to do
            make_partitions(url)
        today = datetime.now(UTC).date()
        assert {name_of(today), name_of(today + 7 * DAY)} <= set(partitions(url))

        async def add_one() -> None:
            storage = await PostgresStorage.open(url)
            now = await storage.now()
            await storage.settle(saying("done", Add(aged(1, at=now))))
            await storage.close()

        asyncio.run(add_one())
        assert partitions(url)["audit_entries_default"] == 0
        assert sum(partitions(url).values()) == 1
