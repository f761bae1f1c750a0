"""What PostgreSQL does for each statement, with a few thousand rows in every table."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg import sql

from grantway.protocol.decision import Add, Decision, MoveGeneration
from grantway.server.storage.postgres import PostgresStorage, migrate
from grantway.server.storage.postgres import statements as own
from grantway.server.storage.postgres.gathering import MANY
from grantway.server.storage.postgres.pool import conninfo
from grantway.server.storage.postgres.translation import guarded, translated
from tests.helpers.postgres import Cluster
from tests.helpers.waiting import until
from tests.storage.asking import HOUR, an_id, grant, saying, the_world
from tests.storage.test_statements import SORTED_PAGES, WHOLE_TABLES, every_statement

ROWS = 3000
COLUMNS = """
select c.table_name, c.column_name, c.data_type, c.is_nullable = 'YES' from information_schema.columns c
join pg_class t on t.oid = c.table_name::regclass
where c.table_schema = 'public' and t.relkind in ('r', 'p') and not t.relispartition and c.is_generated = 'NEVER' and c.table_name <> 'migrations'
order by c.table_name, c.ordinal_position"""
VALUES = {
    "bytea": "decode(lpad(to_hex(g), 32, '0'), 'hex')",
    "text": "'x' || lpad(g::text, 6, '0')",
    "bigint": "g",
    "integer": "g",
    "smallint": "g % 2",
}


@pytest.fixture(scope="module")
def connection(postgres_cluster: Cluster) -> Iterator[psycopg.Connection]:
    """As a server connects, to a database with rows in every table."""
    with postgres_cluster.empty() as url:
        migrate(url)
        with psycopg.connect(conninfo(url, "none"), autocommit=True) as connection:
            fill(connection)
            yield connection


def fill(connection: psycopg.Connection) -> None:
    """Rows that differ in every column; what may be left out is there in every tenth."""
    tables: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind, may_be_null in connection.execute(COLUMNS):
        value = f"case when g % 10 = 0 then {VALUES[kind]} end" if may_be_null else VALUES[kind]
        tables.setdefault(table, []).append((column, value))
    for table, columns in tables.items():
        names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)
        values = sql.SQL(", ".join(value for _, value in columns))
        insert = sql.SQL("insert into {} ({}) select {} from generate_series(1, {}) g")
        connection.execute(insert.format(sql.Identifier(table), names, values, sql.Literal(ROWS)))
    connection.execute("analyze")


def own_statements() -> Iterator[tuple[str, str]]:
    for name, value in vars(own).items():
        if name.isupper() and not name.startswith("_") and isinstance(value, str):
            yield f"own {name}", value


def prepared(connection: psycopg.Connection, name: str, statement: str) -> None:
    answer = connection.pgconn.prepare(name.encode(), statement.encode())
    assert answer.status == psycopg.pq.ExecStatus.COMMAND_OK, f"{name}: {answer.get_error_message()}\n{statement}"


@pytest.fixture(scope="module")
def plans(connection: psycopg.Connection) -> dict[str, dict[str, Any]]:
    """The plan for each statement, whatever its values."""
    found = {}
    for name, statement in (*((name, translated(text)) for name, text in every_statement()), *own_statements()):
        key = f"p {name}"
        prepared(connection, key, statement)
        marks = max((int(number) for number in re.findall(r"\$(\d+)", statement)), default=0)
        nulls = f"({', '.join(['null'] * marks)})" if marks else ""
        ((told,),) = connection.execute(f'explain (format json) execute "{key}"{nulls}'.encode()).fetchall()
        found[name] = told[0]["Plan"]
    return found


def reads_all(plan: dict[str, Any], limited: bool = False) -> Iterator[str]:
    """The tables that it reads from end to end, but for those whose order a limit cuts short."""
    kind = plan["Node Type"]
    if kind == "Seq Scan" or (
        (kind.endswith("Index Scan") or kind == "Index Only Scan") and not limited and "Index Cond" not in plan
    ):
        yield plan.get("Relation Name") or plan["Index Name"]
    streams = kind in ("Append", "Merge Append", "LockRows", "Nested Loop", "Result", "Subquery Scan")
    for number, inner in enumerate(plan.get("Plans", ())):
        yield from reads_all(inner, kind == "Limit" or (limited and streams and number == 0))


def kinds(plan: dict[str, Any]) -> Iterator[str]:
    yield plan["Node Type"]
    for inner in plan.get("Plans", ()):
        yield from kinds(inner)


OWN_WHOLE_TABLES = {
    # those that wait, by an index of just these
    "SUBMITTED_CLIENTS",
    # no table
    "own LAST_NUMBER_DRAWN",
}
BY_THEIR_OWN_INDEX = {name for name in WHOLE_TABLES if name.startswith("NOTICES")} | {"OPERATOR_KEYS"}
"""What SQLite calls a scan and is the part of an index here that a limit cuts short, or a page."""


def test_every_statement_and_its_guard_are_understood(connection: psycopg.Connection) -> None:
    for name, statement in every_statement():
        if statement.lstrip().startswith(("insert", "update", "delete")):
            prepared(connection, f"guarded {name}", guarded(statement))
    connection.execute("deallocate all")


def test_only_listings_of_few_rows_read_whole_tables(plans: dict[str, dict[str, Any]]) -> None:
    whole = {name for name, plan in plans.items() if any(reads_all(plan))}
    assert whole - OWN_WHOLE_TABLES == WHOLE_TABLES - BY_THEIR_OWN_INDEX


def test_pages_stand_in_the_order_of_an_index(plans: dict[str, dict[str, Any]]) -> None:
    pages = {name for name, statement in every_statement() if statement.endswith("desc limit ?2")}
    found = {name for name in pages if any("Sort" in kind for kind in kinds(plans[name]))}
    assert found <= SORTED_PAGES
    assert len(pages) > len(SORTED_PAGES)


def test_what_is_swept_is_looked_up_key_by_key(plans: dict[str, dict[str, Any]]) -> None:
    swept = {name: set(kinds(plan)) for name, plan in plans.items() if name.startswith(("SWEEPS", "BEFORE"))}
    assert [name for name, nodes in swept.items() if {"Hash Join", "Merge Join", "Seq Scan"} & nodes] == []
    assert len(swept) > 15


def test_what_answers_for_many_keys_answers_for_one_as_the_statement_does(postgres_cluster: Cluster) -> None:
    async def both(url: str) -> list[tuple[str, bytes | str, list[Any], list[Any]]]:
        storage = await PostgresStorage.open(url)
        answers = []
        for statement, many in MANY.items():
            for key in keys_of(statement):
                async with storage._pool.link() as link:
                    queries = [(translated(statement), (key,)), (many.text, (many.array([key, key]),))]
                    one, all_of_them = await link.run(queries)
                answers.append((statement, key, one.rows, all_of_them.rows))
        await storage.close()
        return answers

    with postgres_cluster.empty() as url:
        migrate(url)
        with psycopg.connect(url, autocommit=True) as connection:
            fill(connection)
        answers = asyncio.run(both(url))
    for statement, key, one, many in answers:
        assert many == [(*row, key) for row in one], statement
    assert {statement for statement, _, one, _ in answers if one} == set(MANY), "each finds something"
    assert any(not one for _, _, one, _ in answers), "and some find nothing"


def keys_of(statement: str) -> list[Any]:
    """Two keys that are there, and one that is not."""
    if "client_id = ?1" in statement:
        return ["x000010", "x000020", "nobody"]
    return [an_id(10), an_id(20), an_id(ROWS + 1)]


def test_a_thousand_refreshes_stay_in_their_pages_and_touch_no_index(postgres_cluster: Cluster) -> None:
    grants = [grant(number, generation=1) for number in range(100, 150)]

    async def move(facts: Any, now: datetime, key: bytes) -> Decision[None]:
        held = await facts.grant(key)
        return Decision(None, (MoveGeneration(key, held.grant.generation, now, refresh_idle_expires_at=now + HOUR),))

    async def refresh(url: str) -> None:
        storage = await PostgresStorage.open(url)
        await storage.settle(saying(None, *map(Add, (*the_world(), *grants))))
        for _ in range(20):
            for each in grants:  # one by one: of a page's rows, few are refreshed in the same moment
                await storage.propose(partial(move, key=each.id))
        await storage.close()

    with postgres_cluster.empty() as url:
        migrate(url)
        asyncio.run(refresh(url))
        with psycopg.connect(url, autocommit=True) as connection:
            counted = (
                "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = 'grants' and n_tup_upd > 0"
            )
            ((updated, hot),) = until(lambda: connection.execute(counted).fetchall(), "the updates are counted")
            ((moved,),) = connection.execute("select sum(generation - 1) from grants where generation > 0").fetchall()
    assert moved == updated == 1000
    assert hot >= 900  # a page may have no room just then


@pytest.mark.parametrize("statistics", ["of now", "of when none waited"])
def test_a_batch_of_the_sweeper_reads_no_further_than_its_rows_however_many_wait(
    postgres_cluster: Cluster, statistics: str
) -> None:
    async def sweep(url: str) -> int:
        storage = await PostgresStorage.open(url)
        swept = await storage.sweep(10)
        await storage.close()  # what it has read is counted by then
        return swept

    read = "select idx_tup_read from pg_stat_user_indexes where indexrelname = 'grants_revoked' and idx_scan > 0"
    with postgres_cluster.empty() as url:
        migrate(url)
        with psycopg.connect(url, autocommit=True) as connection:
            fill(connection)
            # As long ago as they are scattered over the table.
            connection.execute("update grants set revoked_at = null")
            connection.execute("vacuum (analyze) grants")
            connection.execute("update grants set revoked_at = created_at * 7919 % 3001")
            connection.execute("vacuum (analyze) grants" if statistics == "of now" else "vacuum grants")
            connection.execute("select pg_stat_reset()")
            assert asyncio.run(sweep(url)) > 10
            ((rows,),) = until(lambda: connection.execute(read).fetchall(), "the look is counted")
            ((last,),) = connection.execute("select min(revoked_at) from grants").fetchall()
    assert rows < 100
    assert last == 11, "those that were over first went first"
