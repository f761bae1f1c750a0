"""Bring a database of PostgreSQL to the schema of this code, while the last release serves."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from grantway.server.storage.port import StorageError
from grantway.server.storage.postgres.link import Link, SqlError
from grantway.server.storage.postgres.partitions import AHEAD, NOT_NOW, making, name_of
from grantway.server.storage.postgres.pool import Pooler, conninfo, reason
from grantway.server.storage.postgres.statements import PARTITIONS
from grantway.server.storage.sql.codec import micros
from grantway.server.storage.sql.migrations import Migration, Planned, migrations, missing

OLDEST = 150000
"""PostgreSQL 15."""

LOCK_TIMEOUT = "4s"
"""How long a migration waits for a lock, and so how long those behind it wait at most."""

STATEMENT_TIMEOUT = "5s"
"""How long one of its statements may take. What takes longer is made beside the others (``one by one``)."""

TRIES = 5

_CREATE = """
create table if not exists migrations (
  name text collate "C" not null primary key,
  phase text collate "C" not null,
  applied_at bigint not null
)"""
_APPLIED = "select name, phase from migrations"
_UNFINISHED = """
select c.relname::text from pg_index i join pg_class c on c.oid = i.indexrelid
where not i.indisvalid and pg_table_is_visible(c.oid) and c.relname = any (%s)"""
_ONE_BY_ONE = "select pg_try_advisory_xact_lock(hashtext('grantway migrate one by one'))"
_WRITE = "insert into migrations (name, phase, applied_at) values (%s, %s, %s) on conflict (name) do nothing"


def migrate(url: str, known: Sequence[Migration] | None = None, *, pooler: Pooler = "none") -> list[str]:
    """Make the tables if there are none, and apply what is missing. Returns the names of what was applied.

    Safe while other processes serve, or migrate, too. Each is applied as a whole or not at all; one whose statements are
    applied one by one may be begun anew. Raises ``StorageError`` when the database is newer than this code, cannot be
    reached, or a migration fails.
    """
    known = migrations("postgres") if known is None else known
    with _connected(url, pooler) as connection:
        with connection.transaction():
            # Two that make the table at once: the second waits here.
            connection.execute("select pg_advisory_xact_lock(hashtext('grantway migrate'))")
            connection.execute(_CREATE)
        lacking = _missing(connection, known)
        for migration in lacking:
            if migration.is_one_by_one:
                with _connected(url, pooler) as holding, _turn(holding):
                    _apply_one_by_one(connection, migration, pooler)
            else:
                _apply(connection, migration)
        return [migration.name for migration in lacking]


def make_partitions(url: str, *, pooler: Pooler = "none") -> None:
    """The audit's of today and of the next days, so that even the first entries stand in one. Raises ``StorageError``."""
    with _connected(url, pooler) as connection:
        known = {str(name) for (name,) in connection.execute(PARTITIONS.encode()).fetchall()}
        row = connection.execute("select (now() at time zone 'UTC')::date").fetchone()
        for day in (row[0] + timedelta(days=ahead) for ahead in range(AHEAD + 1) if row is not None):
            if name_of(day) in known:
                continue
            try:
                with connection.transaction():
                    connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
                    for statement in making(day):
                        connection.execute(statement.encode())
            except psycopg.Error as error:
                if error.sqlstate not in NOT_NOW:  # the keeper tries again
                    raise


def plan(url: str, known: Sequence[Migration] | None = None, *, pooler: Pooler = "none") -> list[Planned]:
    """What ``migrate`` would apply. Changes nothing. Raises ``StorageError``."""
    known = migrations("postgres") if known is None else known
    with _connected(url, pooler) as connection:
        found = connection.execute("select to_regclass('migrations') is not null").fetchone()
        lacking = _missing(connection, known) if found and found[0] else known
        return [Planned(each.name, each.phase, tuple(statements(each.script))) for each in lacking]


def has_meta(url: str, key: str, *, pooler: Pooler = "none") -> bool:
    """Whether there is such a value about the database itself (see ``Storage.read_meta``). Raises ``StorageError``."""
    with _connected(url, pooler) as connection:
        if connection.execute("select to_regclass('meta') is not null").fetchone() != (True,):
            return False
        return connection.execute("select 1 from meta where key = %s", (key,)).fetchone() is not None


async def refuse_unmigrated(link: Link) -> None:
    """Raise ``StorageError`` with a sentence unless the database has the schema that this code needs."""
    try:
        version = (await link.run([("show server_version_num", ())]))[0].rows[0][0]
        if int(version) < OLDEST:
            raise StorageError(f"Grantway needs PostgreSQL 15 or later; this is {int(version) // 10000}.")
        found = (await link.run([("select to_regclass('migrations') is not null", ())]))[0].rows[0][0]
        rows = (await link.run([(_APPLIED, ())]))[0].rows if found else []
    except SqlError as error:
        raise StorageError(f"The database refused: {error}.") from None
    lacking = missing(dict(rows), migrations("postgres"))
    if lacking:
        names = ", ".join(migration.name for migration in lacking)
        raise StorageError(f"The database lacks {names}. Run 'grantway migrate'.")


@contextmanager
def _connected(url: str, pooler: Pooler) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    try:
        with psycopg.connect(conninfo(url, pooler), autocommit=True, prepare_threshold=None) as connection:
            if connection.info.server_version < OLDEST:
                raise StorageError(
                    f"Grantway needs PostgreSQL 15 or later; this is {connection.info.server_version // 10000}."
                )
            yield connection
    except psycopg.OperationalError as error:
        # Never what libpq says: the address may be in it.
        raise StorageError(f"The database cannot be reached or migrated: {_named(error)}.") from None
    except psycopg.Error as error:
        raise StorageError(f"The database cannot be migrated: {_named(error)}.") from None


def _named(error: psycopg.Error) -> str:
    said = error.diag.message_primary
    return f"{said} ({error.sqlstate})" if said else reason(error)


def _missing(connection: psycopg.Connection[tuple[Any, ...]], known: Sequence[Migration]) -> list[Migration]:
    return missing({str(name): str(phase) for name, phase in connection.execute(_APPLIED).fetchall()}, known)


def _apply(connection: psycopg.Connection[tuple[Any, ...]], migration: Migration) -> None:
    for tried in range(1, TRIES + 1):
        try:
            _apply_as_a_whole(connection, migration)
        except psycopg.errors.LockNotAvailable:
            if tried == TRIES:
                raise
            time.sleep(tried)  # those who waited behind it go first
        else:
            return


def _apply_as_a_whole(connection: psycopg.Connection[tuple[Any, ...]], migration: Migration) -> None:
    with connection.transaction():
        connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
        connection.execute(f"set local statement_timeout = '{STATEMENT_TIMEOUT}'")
        connection.execute("select pg_advisory_xact_lock(hashtext('grantway migrate'))")
        if connection.execute(f"{_APPLIED} where name = %s", (migration.name,)).fetchone() is None:
            for statement in statements(migration.script):
                connection.execute(statement.encode())
            connection.execute(_WRITE, (migration.name, migration.phase, micros(datetime.now(UTC))))


@contextmanager
def _turn(holding: psycopg.Connection[tuple[Any, ...]]) -> Iterator[None]:
    """While no other process is at it. Asked for again and again: an index that is made waits for whoever waits in a statement."""
    while True:
        with holding.transaction():
            holding.execute("set local idle_in_transaction_session_timeout = 0")
            if holding.execute(_ONE_BY_ONE).fetchone() == (True,):
                yield
                return
        time.sleep(0.2)


def _apply_one_by_one(connection: psycopg.Connection[tuple[Any, ...]], migration: Migration, pooler: Pooler) -> None:
    if connection.execute(f"{_APPLIED} where name = %s", (migration.name,)).fetchone() is not None:
        return
    if pooler == "none":  # otherwise it is the database that says how long one may take
        connection.execute("set statement_timeout = 0")
        connection.execute("set lock_timeout = 0")
    # What was broken off is there and of no use, and would count as made.
    named = re.findall(r"\bindex concurrently if not exists (\w+)", migration.script)
    for (name,) in connection.execute(_UNFINISHED, (named,)).fetchall():
        connection.execute(sql.SQL("drop index concurrently {}").format(sql.Identifier(name)))
    for statement in statements(migration.script):
        connection.execute(statement.encode())
    connection.execute(_WRITE, (migration.name, migration.phase, micros(datetime.now(UTC))))
    if pooler == "none":
        connection.execute("reset statement_timeout")
        connection.execute("reset lock_timeout")


def statements(script: str) -> list[str]:
    """The statements of a script, each of which ends with a semicolon at the end of a line."""
    kept = "\n".join(line for line in script.splitlines() if not line.startswith("--"))
    return [each.strip() for each in f"{kept}\n".split(";\n") if each.strip()]
