"""Which engine keeps what tests write: memory and SQLite, or PostgreSQL where ``TEST_DATABASE=postgres`` says so.

Tests that say nothing of storage ask here for it, so that the same ones show both.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from grantway.server.storage.keeping import KEYS
from grantway.server.storage.memory import MemoryStorage
from grantway.server.storage.port import Figures, Storage
from grantway.server.storage.sql.records import CODECS
from grantway.server.storage.sql.statements.rows import FORGET, PUT, TABLES

if TYPE_CHECKING:
    from tests.helpers.postgres import Cluster

T = TypeVar("T")
R = TypeVar("R")

IS_POSTGRES = os.environ.get("TEST_DATABASE") == "postgres"


@contextmanager
def database() -> Iterator[dict[str, str]]:
    """The settings that name a new database, as environment; none for SQLite, whose file is in the data directory."""
    if not IS_POSTGRES:
        yield {}
        return
    with ENGINE.lend() as url:
        yield {"GRANTWAY_DATABASE": url}


def storage(clock: Callable[[], datetime]) -> Storage:
    """One that never waits (see ``drive``), empty, for as long as the test lasts."""
    return ENGINE.storage(clock) if IS_POSTGRES else MemoryStorage(clock)


def records(storage: Storage, kind: type[R]) -> list[R]:
    """All of a kind that are stored, oldest first."""
    return storage.records(kind) if isinstance(storage, Still) else list(_tables(storage).of(kind).values())


def alter(storage: Storage, record: Any, *, gone: bool = False) -> None:
    """The stored record is this, or gone: for what no change can do."""
    if isinstance(storage, Still):
        storage.alter(record, gone)
    else:
        _tables(storage).set(type(record), KEYS[type(record)](record), None if gone else record)
        _tables(storage).commit()


def _tables(storage: Any) -> Any:
    return storage._tables


class Still:
    """PostgreSQL for tests that never wait: whoever asks stands still until the database has answered."""

    def __init__(self, engine: Engine, url: str, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._inner: Any = engine.wait_for(engine.opened(url, clock))
        self._url = url

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._inner, name)

        async def answered(*args: Any, **kwargs: Any) -> Any:
            return self._engine.wait_for(verb(*args, **kwargs))

        return answered

    def figures(self) -> Figures:
        """See ``Storage.figures``."""
        return self._inner.figures()

    async def close(self) -> None:
        """Its connections are for those who come next."""

    def records(self, kind: type[R]) -> list[R]:
        """All rows of a kind."""
        codec, (table, _) = CODECS[kind], TABLES[kind]
        order = "sequence" if table == "audit_entries" else "xmin::text::bigint, ctid"  # as they were written
        select = f"select {codec.columns()} from {table} order by {order}"  # noqa: S608  our own names
        rows = self._engine.wait_for(self._run(select))
        return [codec.read(row) for row in rows]

    def alter(self, record: Any, gone: bool) -> None:
        """See ``alter``."""
        kind = type(record)
        key = KEYS[kind](record)
        if gone:
            self._engine.wait_for(self._run(FORGET[kind], *(key if isinstance(key, tuple) else (key,))))
        else:
            self._engine.wait_for(self._run(PUT[kind], *CODECS[kind].write(record)))

    async def _run(self, statement: str, *values: Any) -> Any:
        from grantway.server.storage.postgres.translation import translated

        async with self._inner._pool.link() as link:
            return (await link.run([(translated(statement), values)]))[0].rows


@dataclass
class Engine:
    """PostgreSQL of this test process, started when somebody asks, and a thread in which storages work."""

    _loop: asyncio.AbstractEventLoop | None = None
    _cluster: Cluster | None = None
    _pools: dict[str, Any] = field(default_factory=dict)
    _process: ExitStack = field(default_factory=ExitStack)
    _test: ExitStack | None = None

    @property
    def cluster(self) -> Cluster:
        """The running server."""
        if self._cluster is None:
            from tests.helpers.postgres import QUICK, cluster

            self._cluster = self._process.enter_context(cluster(**QUICK, max_connections=400))
        return self._cluster

    def lend(self) -> AbstractContextManager[str]:
        """The address of a migrated database, empty."""
        from grantway.server.storage.postgres import migrate

        return self.cluster.migrated(migrate)

    def storage(self, clock: Callable[[], datetime]) -> Any:
        """See ``storage``. What is made before any test, or for many, is kept until all are done."""
        ends = self._process if self._test is None else self._test
        return Still(self, ends.enter_context(self.lend()), clock)

    @contextmanager
    def test(self) -> Iterator[None]:
        """What is lent in here is given back at the end."""
        with ExitStack() as ends:
            self._test = ends
            try:
                yield
            finally:
                self._test = None

    async def opened(self, url: str, clock: Callable[[], datetime]) -> Any:
        """A storage there. Whoever is lent the database next uses the same connections."""
        from grantway.server.storage.postgres import PostgresStorage
        from grantway.server.storage.postgres.clock import DatabaseClock
        from grantway.server.storage.postgres.pool import Pool

        if url not in self._pools:
            self._pools[url] = Pool(url, size=4)
        return PostgresStorage(self._pools[url], DatabaseClock(clock), 1024)

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """Stand still until it is done."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, daemon=True).start()
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def close(self) -> None:
        """The process ends."""
        if self._loop is not None:

            async def end() -> None:
                for pool in self._pools.values():
                    pool.close()

            self.wait_for(end())
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._process.close()


ENGINE = Engine()
