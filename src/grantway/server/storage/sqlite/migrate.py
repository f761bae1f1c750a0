"""Bring a SQLite file to the schema of this code."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from grantway.server.storage.port import StorageError
from grantway.server.storage.sql.codec import micros
from grantway.server.storage.sql.migrations import Migration, Planned, migrations, missing
from grantway.server.storage.sqlite.files import connect, create
from grantway.server.storage.sqlite.turnstile import Turnstile

_CREATE = """
create table if not exists migrations (
  name text not null primary key,
  phase text not null,
  applied_at integer not null
) strict, without rowid"""


def migrate(path: str | os.PathLike[str], known: Sequence[Migration] | None = None) -> list[str]:
    """Make the database if there is none, and apply what is missing. Returns the names of what was applied.

    Safe while other processes write, or migrate, too. Raises ``StorageError`` when the database is newer than this code
    or a migration fails; each is applied as a whole or not at all.
    """
    path = Path(path)
    known = migrations("sqlite") if known is None else known
    try:
        create(path)
        turnstile = Turnstile(path)
    except OSError as error:
        raise StorageError(f"The database {path} cannot be made: {error.strerror}.") from error
    try:
        with turnstile, contextlib.closing(connect(path)) as connection:
            # Cannot be changed inside a transaction, and two processes that try at once both fail.
            connection.execute("pragma journal_mode = wal").fetchall()
            connection.execute(_CREATE)
            lacking = _missing(connection, known)
            for migration in lacking:
                _apply(connection, migration)
            return [migration.name for migration in lacking]
    except sqlite3.Error as error:
        raise StorageError(f"The database {path} cannot be migrated: {error}.") from error
    finally:
        turnstile.close()


def plan(path: str | os.PathLike[str], known: Sequence[Migration] | None = None) -> list[Planned]:
    """What ``migrate`` would apply. Changes nothing and makes no file. Raises ``StorageError``."""
    path = Path(path)
    lacking = list(migrations("sqlite") if known is None else known)
    if path.exists():
        try:
            with contextlib.closing(connect(path)) as connection:
                if _is_begun(connection):
                    lacking = _missing(connection, lacking)
        except sqlite3.Error as error:
            raise StorageError(f"The database {path} cannot be read: {error}.") from error
    return [Planned(each.name, each.phase, tuple(_without_phase(each.script))) for each in lacking]


def _without_phase(script: str) -> list[str]:
    return [statement.strip() for statement in _statements(script.partition("\n")[2])]


def refuse_unmigrated(connection: sqlite3.Connection, path: Path) -> None:
    """Raise ``StorageError`` with a sentence unless the database has the schema that this code needs."""
    known = migrations("sqlite")
    lacking = _missing(connection, known) if _is_begun(connection) else known
    if lacking:
        raise StorageError(
            f"The database {path} lacks {', '.join(migration.name for migration in lacking)}. Run 'grantway migrate'."
        )


def _is_begun(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("select 1 from sqlite_master where name = 'migrations'").fetchall())


def _missing(connection: sqlite3.Connection, known: Sequence[Migration]) -> list[Migration]:
    return missing(dict(connection.execute("select name, phase from migrations").fetchall()), known)


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    connection.execute("begin immediate")
    try:
        for statement in _statements(migration.script):
            connection.execute(statement)
        connection.execute(
            "insert into migrations (name, phase, applied_at) values (?1, ?2, ?3)",
            (migration.name, migration.phase, micros(datetime.now(UTC))),
        )
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


def _statements(script: str) -> list[str]:
    # Not executescript: that would commit first.
    statements, collected = [], ""
    for line in script.splitlines(keepends=True):
        collected += line
        if sqlite3.complete_statement(collected):
            statements.append(collected)
            collected = ""
    return statements if not collected.strip() else [*statements, collected]
