"""Migrations of PostgreSQL: beside others, within bounds, and what earlier schemas have written."""

from __future__ import annotations

import asyncio
import importlib
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from grantway.server.storage.keeping import KEYS
from grantway.server.storage.port import StorageError
from grantway.server.storage.postgres import PostgresStorage, migrate, plan
from grantway.server.storage.sql.migrations import migrations, read
from grantway.server.storage.sql.records import CODECS
from grantway.server.storage.sql.statements.rows import TABLES
from tests.helpers.postgres import Cluster
from tests.helpers.waiting import until

KNOWN = migrations("postgres")
WIDER = read("9001_wider", "-- expand\nalter table grants add column colour text not null default 'none';\n")
NARROWER = read("9002_narrower", "-- contract\nalter table grants drop column cnf;\n")
SLOW = read("9003_slow", "-- expand\ncreate table halves (id bigint);\nselect pg_sleep(60);\n")
INDEXED = read(
    "9004_indexed",
    "-- expand\n-- one by one\ncreate index concurrently if not exists grants_by_day on grants (last_used_day);\n",
)

FIRST_OF_SQLITE = 2
"""How many schemas SQLite had had before PostgreSQL's first. A row is the same in both."""


@pytest.fixture
def url(postgres_cluster: Cluster, postgres_url: str) -> str:
    """A migrated database, of this test alone."""
    migrate(postgres_url)
    return postgres_url


def has(url: str, table: str, column: str = "%") -> bool:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select 1 from information_schema.columns where table_name = %s and column_name like %s", (table, column)
        )
        return found.fetchone() is not None


def test_several_that_migrate_at_once_do_it_once(postgres_url: str) -> None:
    code = "import sys; from grantway.server.storage.postgres import migrate; print(len(migrate(sys.argv[1])))"
    children = [
        subprocess.Popen([sys.executable, "-c", code, postgres_url], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    results = [child.communicate(timeout=60) for child in children]
    assert [complaints for _, complaints in results] == [b""] * 3
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("select count(*) from migrations").fetchone() == (len(KNOWN),)
    assert migrate(postgres_url) == []


def test_a_plan_says_what_is_applied_next_and_applies_nothing(url: str) -> None:
    (planned,) = plan(url, (*KNOWN, WIDER))
    assert (planned.name, planned.phase) == ("9001_wider", "expand")
    assert planned.statements == ("alter table grants add column colour text not null default 'none'",)
    assert not has(url, "grants", "colour")
    assert migrate(url, (*KNOWN, WIDER)) == ["9001_wider"]
    assert plan(url, (*KNOWN, WIDER)) == []


def test_this_program_goes_on_where_a_later_one_has_expanded_and_not_where_it_has_contracted(url: str) -> None:
    async def opened() -> None:
        await (await PostgresStorage.open(url)).close()

    migrate(url, (*KNOWN, WIDER))
    asyncio.run(opened())
    assert migrate(url) == []
    migrate(url, (*KNOWN, WIDER, NARROWER))
    with pytest.raises(StorageError, match="newer than this program: it has 9002_narrower"):
        asyncio.run(opened())
    with pytest.raises(StorageError, match="newer than this program"):
        migrate(url)


def test_a_program_whose_migrations_are_missing_does_not_begin(postgres_url: str) -> None:
    migrate(postgres_url, KNOWN[:1])
    with pytest.raises(StorageError, match=rf"lacks {KNOWN[1].name}.* Run 'grantway migrate'"):
        asyncio.run(PostgresStorage.open(postgres_url))


def test_who_waits_behind_a_migration_that_gets_no_lock_waits_four_seconds_and_it_tries_again(url: str) -> None:
    migrated: list[list[str]] = []
    with psycopg.connect(url) as reader, psycopg.connect(url, autocommit=True) as behind:
        reader.execute("select 1 from grants")  # and its transaction stays open
        thread = threading.Thread(target=lambda: migrated.append(migrate(url, (*KNOWN, WIDER))))
        thread.start()
        waiting = "select 1 from pg_locks where not granted and mode = 'AccessExclusiveLock'"
        until(lambda: behind.execute(waiting).fetchone(), "the migration waits")
        begun = time.monotonic()
        behind.execute("select 1 from grants")
        waited = time.monotonic() - begun
        assert not migrated
        reader.rollback()
        thread.join(60)
    assert 1 < waited < 6
    assert migrated == [["9001_wider"]]
    assert has(url, "grants", "colour")


def test_a_migration_that_never_gets_its_lock_is_told_of(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(migrate.__module__)
    monkeypatch.setattr(module, "TRIES", 2)
    monkeypatch.setattr(module, "LOCK_TIMEOUT", "100ms")
    with psycopg.connect(url) as reader:
        reader.execute("select 1 from grants")
        with pytest.raises(StorageError, match="lock timeout"):
            migrate(url, (*KNOWN, WIDER))
    assert not has(url, "grants", "colour")
    assert migrate(url, (*KNOWN, WIDER)) == ["9001_wider"]


def test_a_migration_that_takes_longer_than_five_seconds_is_undone_as_a_whole(url: str) -> None:
    begun = time.monotonic()
    with pytest.raises(StorageError, match="statement timeout"):
        migrate(url, (*KNOWN, SLOW, WIDER))
    assert 4 < time.monotonic() - begun < 20
    assert not has(url, "halves")
    assert not has(url, "grants", "colour"), "what comes after it is not applied without it"
    assert [each.name for each in plan(url, (*KNOWN, SLOW, WIDER))] == ["9003_slow", "9001_wider"]


def test_an_index_that_was_not_finished_is_made_anew(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create index grants_by_day on grants (last_used_day)")
        connection.execute("update pg_index set indisvalid = false where indexrelid = 'grants_by_day'::regclass")
        assert migrate(url, (*KNOWN, INDEXED)) == ["9004_indexed"]
        valid = "select indisvalid from pg_index where indexrelid = 'grants_by_day'::regclass"
        assert connection.execute(valid).fetchone() == (True,)


@pytest.mark.parametrize(("written_by", "under"), [(1, 1), (1, 2), (2, 2), (2, 3), (3, 3)])
def test_golden_rows_survive_later_migrations_and_the_program_before_writes_on_after_one(
    postgres_url: str, written_by: int, under: int
) -> None:
    migrate(postgres_url, KNOWN[:under])
    file = Path(__file__).with_name(f"golden_rows_{written_by + FIRST_OF_SQLITE:04}.json")
    # No text of PostgreSQL's holds NUL; nor does any that comes over the wire.
    told = file.read_text(encoding="utf-8").replace("\\u0000", "\\u0001").replace("%\\\\x00", "%\\\\x01")
    golden: dict[str, Any] = json.loads(told)
    with psycopg.connect(postgres_url) as connection:
        for table, rows in golden["rows"].items():
            for row in rows:
                values = [bytes.fromhex(value["hex"]) if isinstance(value, dict) else value for value in row.values()]
                columns = sql.SQL(", ").join(map(sql.Identifier, row))
                marks = sql.SQL(", ").join([sql.Placeholder()] * len(row))
                insert = sql.SQL("insert into {} ({}) values ({})").format(sql.Identifier(table), columns, marks)
                connection.execute(insert, values)
    migrate(postgres_url)
    with psycopg.connect(postgres_url) as connection:
        for kind in KEYS:
            expected = golden["records"].get(kind.__name__, [])
            select = f"select {CODECS[kind].columns()} from {TABLES[kind][0]}"  # noqa: S608  our own names
            rows = connection.execute(select.encode()).fetchall()
            records = [CODECS[kind].read(row) for row in rows]
            read_back = [{name: repr(getattr(record, name)) for name in expected[0]} for record in records if expected]
            assert len(records) == len(expected)
            assert sorted(read_back, key=str) == sorted(expected, key=str)


def test_there_are_golden_rows_of_every_schema() -> None:
    assert Path(__file__).with_name(f"golden_rows_{len(KNOWN) + FIRST_OF_SQLITE:04}.json").exists()
