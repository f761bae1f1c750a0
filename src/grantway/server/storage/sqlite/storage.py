"""Storage in one SQLite file: the embedded default. Durable (WAL, ``synchronous=FULL``), for many processes of one host."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

from grantway.protocol.decision import Decision
from grantway.protocol.facts import Rule
from grantway.server.storage.counting import Counts
from grantway.server.storage.port import Census, Figures, StorageError, drive
from grantway.server.storage.sql.codec import micros
from grantway.server.storage.sql.facts import SqlFacts
from grantway.server.storage.sql.parsed import Parsed
from grantway.server.storage.sql.statements.rows import CENSUS, READ_META, WRITE_META_ONCE
from grantway.server.storage.sql.statements.sweeping import BEFORE, KEPT, SWEEPS
from grantway.server.storage.sql.statements.upkeep import LAST_NUMBER
from grantway.server.storage.sqlite.asking import asking
from grantway.server.storage.sqlite.checkpoint import checkpoint
from grantway.server.storage.sqlite.files import connect, refuse_network, time_to_sync
from grantway.server.storage.sqlite.group import Committer, Job, Work
from grantway.server.storage.sqlite.migrate import refuse_unmigrated
from grantway.server.storage.sqlite.turnstile import Turnstile
from grantway.server.storage.sqlite.writers import CLOSED, ThreadWriter, TickWriter

A = TypeVar("A")

SLOW_SYNC = 0.3e-3
"""Seconds of one sync from which on a thread commits and the event loop goes on meanwhile."""


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def _nothing_more(unknown: BaseException) -> None:
    """The storage refuses everything from now on, and that is all."""


class SqliteStorage:
    """See ``grantway.server.storage.port.Storage``. Made by ``open``."""

    def __init__(
        self,
        reader: sqlite3.Connection,
        writing: sqlite3.Connection,
        turnstile: Turnstile,
        committer: Committer,
        writer: TickWriter | ThreadWriter,
        clock: Callable[[], datetime],
        path: Path,
    ) -> None:
        self._reader = reader
        self._ask = asking(reader)
        self._writing = writing
        self._turnstile = turnstile
        self._committer = committer
        self._writer = writer
        self._clock = clock
        self._path = path
        self._parsed = Parsed()
        self._counts = Counts(self._count)
        self._closed = False

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        clock: Callable[[], datetime] = _wall_clock,
        writer: Literal["auto", "tick", "thread"] = "auto",
        queue_limit: int = 1024,
        on_unknown_outcome: Callable[[BaseException], None] = _nothing_more,
        connection_class: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> SqliteStorage:
        """Open a migrated database, in the process that is going to use it (not before a fork).

        ``writer`` is where commits happen: in the loop's ``tick``, in a ``thread``, or by how long a sync takes here.
        ``queue_limit`` rules may wait. ``on_unknown_outcome`` is called, maybe from another thread, when a commit failed
        in a way that leaves open whether it happened: the process has to stop. ``connection_class`` is what statements
        of the writer run on; tests hand in one that fails on order. Raises ``StorageError`` with a sentence.
        """
        path = Path(path)
        if not path.is_file():
            raise StorageError(f"There is no database at {path}. Run 'grantway migrate'.")
        refuse_network(path)
        opened: list[Any] = []
        try:
            reader = connect(path)
            opened.append(reader)
            refuse_unmigrated(reader, path)
            reader.execute("pragma query_only = on").close()
            writing = connect(path, connection_class)
            opened.append(writing)
            turnstile = Turnstile(path)
            opened.append(turnstile)
            if writer == "auto":
                writer = "tick" if time_to_sync(path.parent) < SLOW_SYNC else "thread"
        except BaseException as error:
            for each in opened:
                each.close()
            if isinstance(error, (sqlite3.Error, OSError)):
                raise StorageError(f"The database {path} cannot be opened: {error}.") from error
            raise
        committer = Committer(writing, turnstile, clock, on_unknown_outcome)
        kind: type[TickWriter | ThreadWriter] = TickWriter if writer == "tick" else ThreadWriter
        return cls(reader, writing, turnstile, committer, kind(committer, queue_limit), clock, path)

    @property
    def writer(self) -> Literal["tick", "thread"]:
        """Where commits happen."""
        return self._writer.kind

    @property
    def failed(self) -> str | None:
        """Why nothing is done any more, or ``None``."""
        return self._committer.failed

    async def settle(self, rule: Rule[A]) -> Decision[A]:
        """See ``Storage.settle``."""
        decision: Decision[A] = await self._put(rule=rule)
        return decision

    async def consult(self, rule: Rule[A]) -> Decision[A]:
        """See ``Storage.consult``."""
        decision = self._decide(rule)
        return await self.settle(rule) if decision.changes else decision

    async def propose(self, rule: Rule[A]) -> Decision[A]:
        """See ``Storage.propose``."""
        decision = self._decide(rule)
        if decision.changes:
            decision = await self._put(rule=rule, proposed=decision)
        return decision

    def _decide(self, rule: Rule[A]) -> Decision[A]:
        self._refuse()
        now = self._clock()
        try:
            return drive(rule(SqlFacts(self._ask, self._parsed, now), now))
        except sqlite3.Error as error:
            raise StorageError(f"The database cannot be read: {error}.") from error

    async def now(self) -> datetime:
        """The clock's time."""
        return self._clock()

    async def read_meta(self, key: str) -> bytes | None:
        """See ``Storage.read_meta``."""
        self._refuse()
        rows = self._reader.execute(READ_META, (key,)).fetchall()
        return rows[0][0] if rows else None

    async def write_meta_once(self, key: str, value: bytes) -> bytes:
        """See ``Storage.write_meta_once``."""

        def write(connection: sqlite3.Connection, now: datetime) -> Any:
            connection.execute(WRITE_META_ONCE, (key, value))
            return connection.execute(READ_META, (key,)).fetchall()[0][0]

        winner: bytes = await self._put(work=write)
        return winner

    async def sweep(self, limit: int = 500) -> int:
        """See ``Storage.sweep``. A transaction for each kind, so that requests get their turns in between."""
        now = self._clock()
        swept = 0
        for kind, statement in SWEEPS.items():
            before = now - KEPT.get(kind, timedelta(0))
            swept += await self._put(work=_deletion(statement, before, limit, BEFORE.get(kind)))
        return swept

    async def upkeep(self) -> None:
        """See ``Storage.upkeep``."""
        self._refuse()
        try:
            await asyncio.to_thread(checkpoint, self._path)
        except sqlite3.Error as error:
            raise StorageError(f"The write-ahead log cannot be put away: {error}.") from error

    async def sealable(self) -> int:
        """See ``Storage.sealable``. Here entries are numbered in the order of their commits."""
        rows = await self._ask(LAST_NUMBER, ())
        last: int = rows[0][0]
        return last

    def figures(self) -> Figures:
        """See ``Storage.figures``."""
        log = Path(f"{self._path}-wal")
        return Figures(
            self._committer.groups,
            self._committer.jobs,
            self._writer.waiting,
            log.stat().st_size if log.exists() else 0,
        )

    async def census(self) -> Census:
        """See ``Storage.census``."""
        self._refuse()
        return await self._counts.census()

    async def _count(self) -> Census:
        try:
            return await asyncio.to_thread(_counted, self._path)
        except sqlite3.Error as error:
            raise StorageError(f"The database cannot be read: {error}.") from error

    async def close(self) -> None:
        """See ``Storage.close``."""
        if not self._closed:
            self._closed = True
            await self._writer.close()
            self._writing.close()
            self._reader.close()
            self._turnstile.close()

    async def _put(
        self, rule: Rule[Any] | None = None, work: Work | None = None, proposed: Decision[Any] | None = None
    ) -> Any:
        self._refuse()
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._writer.put(Job(future, rule, work, proposed))
        return await future

    def _refuse(self) -> None:
        if self._closed:
            raise StorageError(CLOSED)
        if self._committer.failed is not None:
            raise StorageError(self._committer.failed)


def _counted(path: Path) -> Census:
    """Counted on a connection of its own: with millions of rows it takes long, and the loop goes on meanwhile."""
    with contextlib.closing(connect(path)) as connection:
        return Census(*connection.execute(CENSUS).fetchall()[0])


def _deletion(statement: str, before: datetime, limit: int, first: str | None) -> Work:
    def delete(connection: sqlite3.Connection, now: datetime) -> int:
        values = (micros(before), limit)
        if first is not None:
            connection.execute(first, values)
        return connection.execute(statement, values).rowcount

    return delete
