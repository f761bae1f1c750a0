"""One suite for all storages. Each test gets ``storage``, empty, once for every kind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from grantway.server.storage.memory import MemoryStorage
from grantway.server.storage.sqlite import SqliteStorage, migrate
from tests.storage.asking import NOON

KINDS = ("memory", "sqlite-tick", "sqlite-thread")


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


@pytest.fixture(params=KINDS)
def storage(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Any]:
    """Every kind of storage, empty."""
    opened: Any = MemoryStorage(clock)
    if request.param != "memory":
        path = request.getfixturevalue("database")
        opened = SqliteStorage.open(path, clock=clock, writer=request.param.removeprefix("sqlite-"))
    yield opened
    asyncio.run(opened.close())


@pytest.fixture(params=KINDS[1:])
def sqlite_storage(request: pytest.FixtureRequest, database: Path, clock: Clock) -> Iterator[SqliteStorage]:
    """SQLite with both of its writers, empty."""
    opened = SqliteStorage.open(database, clock=clock, writer=request.param.removeprefix("sqlite-"))
    yield opened
    asyncio.run(opened.close())
