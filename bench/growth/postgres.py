"""A PostgreSQL database that is filled by COPY and measured by its own statistics."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bench.growth.rows import Batch
from bench.growth.sizes import Size, Sizes
from bench.postgres import Cluster
from grantway.protocol.model import Account, Connection, Grant, Membership, User
from grantway.server.settings import Settings
from grantway.server.storage.sql.records import CODECS

_TABLES = {Account: "accounts", User: "users", Membership: "memberships", Connection: "connections", Grant: "grants"}

# Partitions count for the table that they are of.
_SIZES = """
with parts as (
  select c.oid, coalesce(i.inhparent, c.oid)::regclass::text as name from pg_class c left join pg_inherits i on i.inhrelid = c.oid
  where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace)
select p.name, sum(pg_table_size(p.oid))::bigint, sum(pg_indexes_size(p.oid))::bigint, sum(s.n_dead_tup)::bigint, sum(s.n_tup_upd)::bigint,
  sum(s.n_tup_hot_upd)::bigint
from parts p join pg_stat_user_tables s on s.relid = p.oid group by p.name"""


class PostgresBackend:
    """The database of one cluster."""

    name = "PostgreSQL"

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.settings = Settings(data=folder, database=cluster.url)
        self.roots: tuple[int, ...] = (cluster.pid,)
        self._cluster = cluster
        self._folder = folder

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        with psycopg.connect(self._cluster.url, autocommit=True) as connection:
            yield connection

    def fill(self, batches: Iterable[Batch], told: Callable[[], None]) -> None:
        with self.connected() as connection:
            self._logs(connection, "16GB")
            connection.execute("set synchronous_commit = off")
            for batch in batches:
                for kind, rows in batch:
                    names = sql.SQL(", ").join(map(sql.Identifier, CODECS[kind].names))
                    into = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(_TABLES[kind]), names)
                    with connection.cursor() as cursor, cursor.copy(into) as copy:
                        for row in rows:
                            copy.write_row(row)
                told()
            self._logs(connection, None)
        self.vacuum()

    def _logs(self, connection: psycopg.Connection[tuple[Any, ...]], most: str | None) -> None:
        """How much is logged before a checkpoint; ``None``: as much as the cluster's own settings say."""
        if most is None:
            connection.execute("alter system reset max_wal_size")
        else:
            connection.execute(sql.SQL("alter system set max_wal_size = {}").format(sql.Literal(most)))
        connection.execute("select pg_reload_conf()")

    def sizes(self) -> Sizes:
        with self.connected() as connection:
            time.sleep(1.5)  # servers tell their counts once a second
            found = {}
            for table, own, indexes, dead, updates, heap_only in connection.execute(_SIZES).fetchall():
                counted = sql.SQL("select count(*) from {}").format(sql.Identifier(table))
                ((rows,),) = connection.execute(counted).fetchall()
                found[table] = Size(rows, own, indexes, dead, updates, heap_only)
            return found

    def vacuum(self) -> None:
        with self.connected() as connection:
            connection.execute("vacuum (analyze)")
            connection.execute("checkpoint")

    def files(self) -> list[Path]:
        return [each for each in (self._folder / "cluster" / "data" / "base").rglob("*") if each.is_file()]

    def settle_down(self) -> None:
        """Write what waits to be written, so that the next one begins with nothing to do."""
        with self.connected() as connection:
            connection.execute("checkpoint")

    def log_bytes(self) -> int:
        return sum(each.stat().st_size for each in (self._folder / "cluster" / "data" / "pg_wal").glob("0*"))


@contextmanager
def on_postgres(folder: Path) -> Iterator[PostgresBackend]:
    with Cluster(folder / "cluster") as cluster:
        yield PostgresBackend(folder, cluster)
