"""Databases of PostgreSQL that are lent to one test after the other, each as its migrations left it.

To empty all tables takes a millisecond; to truncate them 45, to make a new database of a template 40.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from tests.helpers.postgres import Cluster

RELATIONS = (
    "select n.nspname, c.relname, c.relkind::text, c.oid::bigint, c.relnatts, c.relchecks, c.relhastriggers"
    " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    " where n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema' order by c.oid"
)
CUT_OFF = (
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
    " and pid <> pg_backend_pid() and backend_type = 'client backend' and state <> 'idle'"
)
"""A transaction that a test left open would hold up the next."""


@dataclass(frozen=True)
class Beginning:
    """What the migrations left: relations, counters, and the rows of the few tables that have any."""

    relations: list[tuple[Any, ...]]
    emptying: sql.Composed
    rows: list[tuple[sql.Composed, bytes]]

    @classmethod
    def of(cls, connection: psycopg.Connection) -> Beginning:
        relations = connection.execute(RELATIONS).fetchall()
        tables = [sql.Identifier(schema, name) for schema, name, kind, *_ in relations if kind == "r"]
        counters = [sql.Identifier(schema, name) for schema, name, kind, *_ in relations if kind == "S"]
        steps = [
            sql.SQL("set local session_replication_role = replica"),  # no triggers, of foreign keys neither
            sql.SQL("set local lock_timeout = '60s'"),
            sql.SQL(CUT_OFF),
            *(sql.SQL("delete from {}").format(table) for table in tables),
        ]
        for counter in counters:
            ((last, is_called),) = connection.execute(
                sql.SQL("select last_value, is_called from {}").format(counter)
            ).fetchall()
            name = counter.as_string(connection)
            steps.append(sql.SQL("select setval({}, {}, {})").format(name, last, is_called))
        held = [(sql.SQL("copy {} from stdin").format(table), _copied(connection, table)) for table in tables]
        return cls(relations, sql.SQL("; ").join(steps), [(copy_in, rows) for copy_in, rows in held if rows])

    def restore(self, connection: psycopg.Connection) -> bool:
        """Whether the database is again what it was. It is not where a test changed more than rows."""
        if connection.execute(RELATIONS).fetchall() != self.relations:
            return False
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(self.emptying)
            for copy_in, rows in self.rows:
                with cursor.copy(copy_in) as copy:
                    copy.write(rows)
        return True


def _copied(connection: psycopg.Connection, table: sql.Identifier) -> bytes:
    with connection.cursor() as cursor, cursor.copy(sql.SQL("copy {} to stdout").format(table)) as copy:
        return b"".join(copy)


@dataclass
class Lending:
    """Those of one cluster that were made by one function."""

    cluster: Cluster
    template: str
    beginning: Beginning
    _free: list[tuple[str, psycopg.Connection]] = field(default_factory=list)

    @classmethod
    @contextmanager
    def of(cls, cluster: Cluster, migrate: Callable[[str], object]) -> Iterator[Lending]:
        template = cluster.create()
        migrate(cluster.url(template))
        with cluster.connect(template) as connection:
            beginning = Beginning.of(connection)
        lending = cls(cluster, template, beginning)
        yield lending
        for _, connection in lending._free:
            connection.close()

    @contextmanager
    def lend(self) -> Iterator[str]:
        """A database's name."""
        name, connection = self._free.pop() if self._free else self._made()
        try:
            yield name
        finally:
            if self.beginning.restore(connection):
                self._free.append((name, connection))
            else:
                connection.close()
                self.cluster.drop(name)

    def _made(self) -> tuple[str, psycopg.Connection]:
        name = self.cluster.create(self.template)
        return name, self.cluster.connect(name)
