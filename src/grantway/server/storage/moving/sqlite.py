"""An installation out of a SQLite file while it is served, and into an empty one."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from grantway.server.storage.moving.tables import STAY, Kind, Row, Table
from grantway.server.storage.port import StorageError
from grantway.server.storage.sql.statements.rows import READ_META
from grantway.server.storage.sqlite.files import connect
from grantway.server.storage.sqlite.migrate import refuse_unmigrated
from grantway.server.storage.sqlite.turnstile import Turnstile

_KINDS: dict[str, Kind] = {"BLOB": "bytes", "TEXT": "text", "INTEGER": "integer"}


class SqliteTables:
    """Both ends (``Source`` and ``Target``) on one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def tables(self) -> Sequence[Table]:
        names = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name"
        return [self._table(name) for (name,) in self._all(names) if name not in STAY]

    def _table(self, name: str) -> Table:
        columns = [each[1:] for each in self._all(f"pragma table_xinfo({name})") if not each[6]]  # those computed
        kinds = {column: _KINDS[declared.upper()] for column, declared, *_ in columns}
        key = sorted((place, column) for column, _, _, _, place, _ in columns if place)
        return Table(name, kinds, tuple(column for _, column in key))

    def count(self, table: Table) -> int:
        count: int = self._all(f"select count(*) from {table.name}")[0][0]
        return count

    def rows(self, table: Table) -> Iterator[Row]:
        return self._connection.execute(f"select {names(table)} from {table.name} order by {', '.join(table.key)}")

    def meta(self, key: str) -> bytes | None:
        found = self._connection.execute(READ_META, (key,)).fetchall()
        return found[0][0] if found else None

    def clear(self, table: Table) -> None:
        self._connection.execute(f"delete from {table.name}")

    def add(self, table: Table, rows: Iterable[Row]) -> None:
        marks = ", ".join("?" * len(table.columns))
        self._connection.executemany(f"insert into {table.name} ({names(table)}) values ({marks})", rows)

    def count_on(self) -> None:
        self._connection.execute(
            "update sqlite_sequence set seq = max(seq, (select coalesce(max(last), 0) from audit_seals))"
            " where name = 'audit_entries'"
        )

    def _all(self, statement: str) -> list[Any]:
        return self._connection.execute(statement).fetchall()


def names(table: Table) -> str:
    """The table's columns for a statement."""
    return ", ".join(f'"{column}"' for column in table.columns)


@contextmanager
def reading(path: Path) -> Iterator[SqliteTables]:
    """All rows of the moment at which this is entered, whoever writes meanwhile. Raises ``StorageError``."""
    with _opened(path) as connection:
        connection.execute("begin")
        connection.execute("select count(*) from sqlite_master").fetchall()
        yield SqliteTables(connection)
        connection.execute("rollback")


@contextmanager
def writing(path: Path) -> Iterator[SqliteTables]:
    """What is done inside is true at the end, or never was. Others who write wait. Raises ``StorageError``."""
    turnstile = Turnstile(path)
    try:
        with turnstile, _opened(path) as connection:
            connection.execute("begin immediate")
            yield SqliteTables(connection)
            connection.execute("commit")
    finally:
        turnstile.close()


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise StorageError(f"There is no database at {path}.")
    try:
        # Closing rolls back what was not committed.
        with contextlib.closing(connect(path)) as connection:
            refuse_unmigrated(connection, path)
            yield connection
    except sqlite3.Error as error:
        raise StorageError(f"The database {path} refused: {error}.") from error
