"""An installation out of PostgreSQL while it is served, and into an empty database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from grantway.server.storage.moving.tables import PEOPLE, STAY, Kind, Row, Table
from grantway.server.storage.port import StorageError
from grantway.server.storage.postgres.pool import Pooler, conninfo

_KINDS: dict[str, Kind] = {
    "bytea": "bytes", "text": "text", "bigint": "integer", "integer": "integer", "smallint": "integer",
}  # fmt: skip

_TABLES = """
select c.relname, a.attname, format_type(a.atttypid, null), coalesce(array_position(i.indkey::int2[], a.attnum), -1)
from pg_class c join pg_attribute a on a.attrelid = c.oid left join pg_index i on i.indrelid = c.oid and i.indisprimary
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
order by c.relname, a.attnum"""

_AT_ONCE = 2000
"""Rows that are fetched together."""


class PostgresTables:
    """Both ends (``Source`` and ``Target``) on one transaction."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._connection = connection

    def tables(self) -> Sequence[Table]:
        columns: dict[str, dict[str, Kind]] = {}
        keys: dict[str, list[tuple[int, str]]] = {}
        for table, column, kind, place in self._connection.execute(_TABLES).fetchall():
            if table in STAY:
                continue
            columns.setdefault(table, {})[column] = _KINDS[kind]
            if place >= 0:
                keys.setdefault(table, []).append((place, column))
        return [
            Table(name, kinds, tuple(column for _, column in sorted(keys[name])))
            for name, kinds in sorted(columns.items())
        ]

    def count(self, table: Table) -> int:
        found = self._connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table.name)))
        ((count,),) = found.fetchall()
        return int(count)

    def rows(self, table: Table) -> Iterator[Row]:
        asked = sql.SQL("select {} from {} order by {}").format(
            _names(table.columns), sql.Identifier(table.name), _names(table.key)
        )
        with self._connection.cursor(name=f"all_{table.name}", scrollable=False) as cursor:
            cursor.itersize = _AT_ONCE
            cursor.execute(asked, binary=True)
            yield from cursor

    def meta(self, key: str) -> bytes | None:
        found = self._connection.execute("select value from meta where key = %s", (key,)).fetchone()
        return None if found is None else bytes(found[0])

    def clear(self, table: Table) -> None:
        self._connection.execute(sql.SQL("delete from {}").format(sql.Identifier(table.name)))

    def add(self, table: Table, rows: Iterable[Row]) -> None:
        into = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table.name), _names(table.columns))
        with self._connection.cursor() as cursor, cursor.copy(into) as copy:
            for row in rows:
                copy.write_row(row)

    def count_on(self) -> None:
        self._connection.execute(
            "select setval(pg_get_serial_sequence('notices', 'sequence'), coalesce(max(sequence), 0) + 1, false)"
            " from notices"
        )
        self._connection.execute(
            "select setval('audit_entries_sequence', greatest(coalesce((select max(sequence) from audit_entries), 0),"
            " coalesce((select max(last) from audit_seals), 0)) + 1, false)"
        )


def _names(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


@contextmanager
def reading(url: str, pooler: Pooler) -> Iterator[PostgresTables]:
    """All rows of the moment at which this is entered, whoever writes meanwhile. Raises ``StorageError``."""
    with _connected(url, pooler, "set transaction isolation level repeatable read read only") as connection:
        yield PostgresTables(connection)


@contextmanager
def writing(url: str, pooler: Pooler) -> Iterator[PostgresTables]:
    """What is done inside is true at the end, or never was. Raises ``StorageError``."""
    with _connected(url, pooler, f"lock table {', '.join(PEOPLE)} in share row exclusive mode") as connection:
        yield PostgresTables(connection)


@contextmanager
def _connected(url: str, pooler: Pooler, first: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    try:
        with (
            psycopg.connect(conninfo(url, pooler), autocommit=True, prepare_threshold=None) as connection,
            connection.transaction(),
        ):
            connection.execute(first.encode())
            # Moving takes as long as it takes, and a cursor waits for the disk that is written to.
            connection.execute("set local statement_timeout = 0")
            connection.execute("set local idle_in_transaction_session_timeout = 0")
            connection.execute("set local enable_seqscan = on")
            yield connection
    except psycopg.Error as error:
        # Never the whole message: a row or the address may be in it.
        said = error.diag.message_primary
        raise StorageError(f"The database refused: {said or type(error).__name__}.") from None
