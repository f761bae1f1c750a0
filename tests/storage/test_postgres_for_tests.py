"""The servers that tests of PostgreSQL stand on: empty, apart from one another, and gone when the test process is."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.helpers.owned import is_alive
from tests.helpers.postgres import Cluster, cluster, pgbouncer, standby_of
from tests.helpers.waiting import until


def migrate(url: str) -> None:
    """Something of everything that a migration makes."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table people (id bigint generated always as identity primary key, name text unique)")
        connection.execute("create table pets (owner bigint references people, name text)")
        connection.execute("create table days (day date) partition by range (day)")
        connection.execute("create table days_2026 partition of days for values from ('2026-01-01') to ('2027-01-01')")
        connection.execute("create table versions (version int, name text generated always as ('v' || version) stored)")
        connection.execute("insert into versions values (3)")


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement).fetchall()


TABLES = "select relname from pg_class where relnamespace = 'public'::regnamespace"


def test_a_database_is_empty_and_another_one_is_another(postgres_cluster: Cluster, postgres_url: str) -> None:
    with postgres_cluster.empty() as second:
        migrate(second)
        assert rows(postgres_url, TABLES) == []
        assert rows(second, "select version from versions") == [(3,)]
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(second)


def test_it_is_postgresql_15_or_newer_and_sorts_as_people_do(postgres_url: str) -> None:
    assert rows(postgres_url, "select current_setting('server_version_num')::int >= 150000") == [(True,)]
    names = "select string_agg(name, '' order by name) from (values ('b'), ('A'), ('a'), ('B')) as given (name)"
    assert rows(postgres_url, names) == [("aAbB",)]


def test_a_lent_database_comes_back_as_the_migrations_left_it(postgres_cluster: Cluster) -> None:
    with postgres_cluster.migrated(migrate) as first, psycopg.connect(first, autocommit=True) as connection:
        connection.execute("insert into people (name) values ('Ada'), ('Ben')")
        connection.execute("insert into pets values (1, 'Rex')")
        connection.execute("insert into days values ('2026-11-21')")
        connection.execute("update versions set version = 4")
    with postgres_cluster.migrated(migrate) as again:
        assert again == first
        assert (
            rows(again, "select name from people union all select name from pets union all select day::text from days")
            == []
        )
        assert rows(again, "select * from versions") == [(3, "v3")]
        assert rows(again, "insert into people (name) values ('Eve') returning id") == [(1,)]


def test_whoever_changed_more_than_rows_has_used_it_up(postgres_cluster: Cluster) -> None:
    with postgres_cluster.migrated(migrate) as first, psycopg.connect(first, autocommit=True) as connection:
        connection.execute("alter table pets add column age int")
    with postgres_cluster.migrated(migrate) as second:
        assert second != first
        assert sorted(rows(second, TABLES + " and relkind = 'r'")) == [
            ("days_2026",), ("people",), ("pets",), ("versions",)
        ]  # fmt: skip


def test_a_transaction_that_was_left_open_does_not_hold_up_the_next_test(postgres_cluster: Cluster) -> None:
    with postgres_cluster.migrated(migrate) as url:
        left = psycopg.connect(url)
        left.execute("lock table people")
    with postgres_cluster.migrated(migrate) as url:
        assert rows(url, "select * from people") == []
    left.close()


def test_two_tests_at_once_have_two_databases(postgres_cluster: Cluster) -> None:
    with postgres_cluster.migrated(migrate) as one, postgres_cluster.migrated(migrate) as another:
        rows(one, "insert into people (name) values ('Ada') returning id")
        assert rows(another, "select * from people") == []


@pytest.mark.parametrize(("pool_mode", "sessions"), [("transaction", 1), ("session", 2)])
def test_pgbouncer_answers_for_every_database(
    postgres_cluster: Cluster, postgres_url: str, pool_mode: str, sessions: int
) -> None:
    with pgbouncer(postgres_cluster, pool_mode) as bouncer:
        through = bouncer.by_way_of(postgres_url)
        assert through != postgres_url
        name = postgres_url.rpartition("/")[2]
        with psycopg.connect(through, autocommit=True) as one, psycopg.connect(through, autocommit=True) as two:
            asked = "select current_database(), pg_backend_pid()"
            said = [connection.execute(asked).fetchall()[0] for connection in (one, two)]
        assert [database for database, _ in said] == [name, name]
        assert len({pid for _, pid in said}) == sessions


@pytest.fixture(scope="module")
def own() -> Iterator[Cluster]:
    """One to stop and to kill, that flushes."""
    with cluster() as made:
        yield made


def test_what_was_acknowledged_is_there_after_a_power_cut_at_the_same_port(own: Cluster) -> None:
    with own.empty() as url:
        assert rows(url, "show fsync") == [("on",)]
        migrate(url)
        own.kill()
        assert not own.is_running()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)
        own.start()
        assert rows(url, "select version from versions") == [(3,)]


def test_a_standby_has_what_the_primary_acknowledged_and_takes_over(own: Cluster) -> None:
    with own.empty() as url, standby_of(own) as standby:
        migrate(url)
        own.kill()
        standby.promote()
        there = standby.url(url.rpartition("/")[2])
        assert rows(there, "insert into versions values (4) returning name") == [("v4",)]
        own.start()
        with own.connect() as admin:
            admin.execute("alter system reset synchronous_standby_names")
            admin.execute("select pg_reload_conf()")


KILLED = """
import sys, time
from tests.helpers.postgres import QUICK, cluster, pgbouncer
with cluster(**QUICK) as made, pgbouncer(made):
    print(made.folder, (made.data / "postmaster.pid").read_text().split()[0], flush=True)
    time.sleep(600)
"""


def test_a_test_process_that_is_killed_leaves_no_server_and_no_directory() -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder, pid = process.stdout.readline().split()
        assert is_alive(int(pid))
        process.send_signal(signal.SIGKILL)
    until(lambda: not is_alive(int(pid)), "the server has ended")
    until(lambda: not Path(folder).exists(), "its directory is gone")
