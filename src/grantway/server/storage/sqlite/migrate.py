"""Bring a database to the schema of this code. Forward only; expand, deploy, contract.

An *expand* migration leaves the last release working, so an older program may go on with a database that only such
migrations made newer. A *contract* migration takes away what the last release needed; after it that release is refused.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Literal, cast

from grantway.server.storage.port import StorageError
from grantway.server.storage.sql.codec import micros
from grantway.server.storage.sqlite.files import connect, create
from grantway.server.storage.sqlite.turnstile import Turnstile

_CREATE = """
create table if not exists migrations (
  name text not null primary key,
  phase text not null,
  applied_at integer not null
) strict, without rowid"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file. ``name`` is ``0001_foundation``; names sort in the order in which they are applied."""

    name: str
    phase: Literal["expand", "contract"]
    script: str


def migrations() -> tuple[Migration, ...]:
    """All that this code knows, in order."""
    files = resources.files("grantway.server.storage.migrations.sqlite").iterdir()
    scripts = sorted((file.name, file.read_text(encoding="utf-8")) for file in files if file.name.endswith(".sql"))
    return tuple(read(name.removesuffix(".sql"), script) for name, script in scripts)


def read(name: str, script: str) -> Migration:
    """A migration by its file's text. Raises ``ValueError`` unless the first line says its phase."""
    phase = script.partition("\n")[0].removeprefix("--").strip()
    if phase not in ("expand", "contract"):
        raise ValueError(f"The first line of {name} must be '-- expand' or '-- contract'.")
    return Migration(name, cast("Literal['expand', 'contract']", phase), script)


def migrate(path: str | os.PathLike[str], known: Sequence[Migration] | None = None) -> list[str]:
    """Make the database if there is none, and apply what is missing. Returns the names of what was applied.

    Safe while other processes write, or migrate, too. Raises ``StorageError`` when the database is newer than this code
    or a migration fails; each is applied as a whole or not at all.
    """
    path = Path(path)
    known = migrations() if known is None else known
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
            missing = _missing(connection, known)
            for migration in missing:
                _apply(connection, migration)
            return [migration.name for migration in missing]
    except sqlite3.Error as error:
        raise StorageError(f"The database {path} cannot be migrated: {error}.") from error
    finally:
        turnstile.close()


def refuse_unmigrated(connection: sqlite3.Connection, path: Path) -> None:
    """Raise ``StorageError`` with a sentence unless the database has the schema that this code needs."""
    tables = connection.execute("select 1 from sqlite_master where name = 'migrations'").fetchall()
    missing = _missing(connection, migrations()) if tables else migrations()
    if missing:
        raise StorageError(
            f"The database {path} lacks {', '.join(migration.name for migration in missing)}. Run 'grantway migrate'."
        )


def _missing(connection: sqlite3.Connection, known: Sequence[Migration]) -> list[Migration]:
    applied = dict(connection.execute("select name, phase from migrations").fetchall())
    names = {migration.name for migration in known}
    newer = sorted(name for name, phase in applied.items() if name not in names and phase == "contract")
    if newer:
        raise StorageError(
            f"The database is newer than this program: it has {', '.join(newer)}. Use the release that made it, or a later."
        )
    return [migration for migration in known if migration.name not in applied]


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
