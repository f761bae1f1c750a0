"""One suite for all storages. Each test gets ``storage``, empty, once for every kind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from grantway.server.storage.memory import MemoryStorage
from grantway.server.storage.postgres import PostgresStorage
from grantway.server.storage.postgres import migrate as migrate_postgres
from grantway.server.storage.sqlite import SqliteStorage, migrate
from tests.helpers.postgres import Bouncer, Cluster, pgbouncer
from tests.storage.asking import NOON

KINDS = ("memory", "sqlite-tick", "sqlite-thread", "postgres", "postgres-pooled")


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A migrated database."""
    path = tmp_path / "data" / "grantway.db"
    migrate(path)
    return path


@pytest.fixture(scope="session")
def postgres_pooler(postgres_cluster: Cluster) -> Iterator[Bouncer]:
    """pgbouncer in transaction mode before the cluster."""
    with pgbouncer(postgres_cluster) as running:
        yield running


@pytest.fixture
def one_loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All ``asyncio.run`` of a test run on one loop: connections belong to theirs."""
    with asyncio.Runner() as runner:
        monkeypatch.setattr(asyncio, "run", runner.run)
        yield


@pytest.fixture(params=KINDS)
def storage(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Any]:
    """Every kind of storage, empty."""
    kind = request.param
    with ExitStack() as stack:
        opened: Any
        if kind == "memory":
            opened = MemoryStorage(clock)
        elif kind.startswith("sqlite-"):
            path = request.getfixturevalue("database")
            opened = SqliteStorage.open(path, clock=clock, writer=kind.removeprefix("sqlite-"))
        else:
            request.getfixturevalue("one_loop")
            url = stack.enter_context(request.getfixturevalue("postgres_cluster").migrated(migrate_postgres))
            pooler: Any = "none"
            if kind == "postgres-pooled":
                url, pooler = request.getfixturevalue("postgres_pooler").by_way_of(url), "transaction"
            opened = asyncio.run(PostgresStorage.open(url, pooler=pooler, clock=clock))
        yield opened
        asyncio.run(opened.close())


@pytest.fixture(params=KINDS[1:3])
def sqlite_storage(request: pytest.FixtureRequest, database: Path, clock: Clock) -> Iterator[SqliteStorage]:
    """SQLite with both of its writers, empty."""
    opened = SqliteStorage.open(database, clock=clock, writer=request.param.removeprefix("sqlite-"))
    yield opened
    asyncio.run(opened.close())
