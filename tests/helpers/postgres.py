"""PostgreSQL for tests: a cluster on loopback, a standby of it, and pgbouncer before it. None outlives the test process."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import psycopg
import pytest
from psycopg import sql

from tests.helpers.owned import SECONDS, at_a_free_port, is_alive, owned_folder, run
from tests.helpers.postgres_lending import Lending
from tests.helpers.waiting import until

OLDEST = 15
USER = "postgres"

QUICK = {"fsync": "off", "full_page_writes": "off"}
"""What an ordinary test does has to live through the end of processes, not through that of the machine."""

AS_PEOPLE_SORT = ("--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US")
"""Where we need the order of bytes, our schema has to say so: the cluster itself sorts as people do."""


def binaries() -> Path:
    """The directory of PostgreSQL's programs; without one, the test is skipped."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: int(one.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    if on_path is not None:
        found.append(Path(on_path).resolve().parent)
    for directory in found:
        if (directory / "initdb").exists() and _version(directory / "initdb") >= OLDEST:
            return directory
    pytest.skip(f"This needs a PostgreSQL server, {OLDEST} or newer (on Debian: apt-get install postgresql).")


def _version(program: Path) -> int:
    said = re.search(r"\d+", run(program, "--version", folder=Path("/")))
    return 0 if said is None else int(said[0])


@dataclass
class Cluster:
    """A server with all its databases, open to everybody on loopback. It can be stopped, killed and started again."""

    programs: Path
    folder: Path
    port: int = 0
    _lent: dict[Callable[[str], object], Lending] = field(default_factory=dict)
    _ends: ExitStack = field(default_factory=ExitStack)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """For a test's own statements, each committed by itself."""
        return psycopg.connect(self.url(database), autocommit=True)

    @contextmanager
    def empty(self) -> Iterator[str]:
        """The URL of a new database with nothing in it, which is dropped afterwards."""
        name = self.create()
        try:
            yield self.url(name)
        finally:
            self.drop(name)

    @contextmanager
    def migrated(self, migrate: Callable[[str], object]) -> Iterator[str]:
        """The URL of a database as ``migrate(url)`` leaves it. It is lent: who comes next gets it, cleaned."""
        if migrate not in self._lent:
            self._lent[migrate] = self._ends.enter_context(Lending.of(self, migrate))
        with self._lent[migrate].lend() as name:
            yield self.url(name)

    def create(self, template: str = "template1") -> str:
        """A new database's name."""
        name = f"test_{secrets.token_hex(6)}"
        # To copy the files takes half as long as to write them all to the log.
        statement = "create database {} template {} strategy file_copy"
        with self.connect() as admin:
            admin.execute(sql.SQL(statement).format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop(self, name: str) -> None:
        """Whoever is still connected is cut off."""
        with self.connect() as admin:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    # --- the server ---

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def configure(self, **settings: str | int) -> None:
        """Holds from the next start on."""
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def start(self) -> None:
        """Returns when connections are taken."""
        self._pg_ctl("start", "-l", str(self._log))

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        self._pg_ctl("stop", "-m", mode)

    def kill(self) -> None:
        """As a power cut stops it: every process at once, without a word."""
        first = self._pid()
        pids = [first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not any(map(is_alive, pids)), "all its processes are gone")
        # Where nobody asks after the dead, their ids count as taken: the next start would think that it is the second.
        for lock in (self._pid_file, *self.folder.glob(".s.PGSQL.*.lock")):
            lock.unlink()

    def promote(self) -> None:
        """A standby takes changes from now on."""
        self._pg_ctl("promote")

    def is_running(self) -> bool:
        return self._pid_file.exists() and is_alive(self._pid())

    def log(self) -> str:
        return self._log.read_text()

    def close(self) -> None:
        self._ends.close()
        if self.is_running():
            self.stop("immediate")

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    @property
    def _pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    def _pid(self) -> int:
        return int(self._pid_file.read_text().split()[0])

    def _pg_ctl(self, verb: str, *more: str) -> None:
        run(self.programs / "pg_ctl", verb, "-D", self.data, "-w", "-t", str(SECONDS), *more, folder=self.folder)

    def start_somewhere(self) -> None:
        """The first start."""

        def start(port: int) -> None:
            self.configure(port=port, listen_addresses="127.0.0.1", unix_socket_directories=str(self.folder))
            self.start()

        self.port = at_a_free_port(start, self._log)


@contextmanager
def cluster(**settings: str | int) -> Iterator[Cluster]:
    """A new one. It flushes what it acknowledges, as in production, unless ``**QUICK`` is among the settings."""
    programs = binaries()
    with owned_folder() as folder:
        made = Cluster(programs, folder)
        run(
            programs / "initdb", "-D", made.data, "-U", USER, "--auth=trust", "--no-sync", "--no-instructions",
            *AS_PEOPLE_SORT, folder=folder,
        )  # fmt: skip
        made.configure(**settings)
        try:
            made.start_somewhere()
            yield made
        finally:
            made.close()


@contextmanager
def standby_of(primary: Cluster) -> Iterator[Cluster]:
    """A second server that follows this one. What the primary acknowledges from now on, both have."""
    with owned_folder() as folder:
        made = Cluster(primary.programs, folder)
        try:
            _copy(primary, made)
            made.start_somewhere()
            await_standby(primary)
            yield made
        finally:
            made.close()


def follow(primary: Cluster, follower: Cluster) -> None:
    """A server that has ended comes back to its port as the standby of this one, whatever it held before."""
    shutil.rmtree(follower.data)
    _copy(primary, follower)
    follower.configure(port=follower.port, unix_socket_directories=str(follower.folder))
    follower.start()
    await_standby(primary)


def await_standby(primary: Cluster) -> None:
    """Returns when a standby has what the primary acknowledges."""
    with primary.connect() as admin:
        admin.execute("alter system set synchronous_standby_names = 'standby'")
        admin.execute("select pg_reload_conf()")
        state = "select sync_state from pg_stat_replication"
        until(lambda: admin.execute(state).fetchall() == [("sync",)], "the standby follows")


def _copy(primary: Cluster, into: Cluster) -> None:
    source = f"{primary.url()}?application_name=standby"
    run(
        primary.programs / "pg_basebackup", "-D", into.data, "-d", source, "-R", "-c", "fast", "--no-sync",
        folder=into.folder,
    )  # fmt: skip
    # The copy, promoted one day, is not to wait for a standby of its own.
    altered = into.data / "postgresql.auto.conf"
    kept = [line for line in altered.read_text().splitlines() if not line.startswith("synchronous_standby_names")]
    altered.write_text("\n".join([*kept, ""]))


@dataclass
class Bouncer:
    """pgbouncer before a cluster: the same databases at another port. It can be stopped and started again."""

    program: str
    folder: Path
    settings: dict[str, str | int | Path]
    behind: Cluster
    port: int = 0

    def by_way_of(self, url: str) -> str:
        """The same database, through here."""
        return re.sub(r"(?<=:)\d+(?=/)", str(self.port), url)

    def start(self) -> None:
        """Returns when connections are taken."""
        given = self.settings | {"listen_port": self.port, "pidfile": self._pid_file, "logfile": self.log}
        settings = [f"{name} = {value}" for name, value in given.items()]
        conf, database = self.folder / "conf", f"* = host=127.0.0.1 port={self.behind.port}"
        conf.write_text("\n".join(["[databases]", database, "[pgbouncer]", *settings, ""]))
        self.log.unlink(missing_ok=True)
        run(self.program, "-q", "-d", conf, folder=self.folder)
        said = until(
            lambda: self.log.exists() and re.findall(r"FATAL.*|process up", self.log.read_text()), "how it went"
        )
        assert said == ["process up"], said

    def stop(self) -> None:
        """At once, whoever is connected."""
        if self._pid_file.exists():
            pid = int(self._pid_file.read_text())
            os.kill(pid, signal.SIGTERM)
            until(lambda: not is_alive(pid), "pgbouncer has ended")

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def _pid_file(self) -> Path:
        return self.folder / "server.pid"


@contextmanager
def pgbouncer(behind: Cluster, pool_mode: str = "transaction", **more: str | int) -> Iterator[Bouncer]:
    """Takes any database's name; without one, the test is skipped."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("This needs pgbouncer (on Debian: apt-get install pgbouncer).")
    with owned_folder() as folder:
        users = folder / "users"
        users.write_text(f'"{USER}" ""\n')
        settings: dict[str, str | int | Path] = {
            "listen_addr": "127.0.0.1", "unix_socket_dir": "", "auth_type": "trust", "auth_file": users,
            "pool_mode": pool_mode,
        }  # fmt: skip
        made = Bouncer(program, folder, {**settings, **more}, behind)

        def start(port: int) -> None:
            made.port = port
            made.start()

        try:
            at_a_free_port(start, made.log)
            yield made
        finally:
            made.stop()
