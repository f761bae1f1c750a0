"""The write-ahead log is put into the main file beside the requests, and emptied when nobody writes."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import time
from pathlib import Path

from grantway.server.storage.sqlite import SqliteStorage
from grantway.server.storage.sqlite.checkpoint import IDLE
from tests.storage.asking import add, session


def log_of(database: Path) -> Path:
    return Path(f"{database}-wal")


def rows_in_the_main_file(database: Path) -> int:
    """What somebody finds who has the file without its log."""
    copy = database.with_name("copy.db")
    shutil.copy(database, copy)
    connection = sqlite3.connect(copy)
    rows: int = connection.execute("select count(*) from sessions").fetchone()[0]
    connection.close()
    return rows


def grow_old(database: Path) -> None:
    """Nobody has written for a while."""
    long_ago = time.time() - IDLE - 1
    os.utime(log_of(database), (long_ago, long_ago))


def test_what_was_committed_is_in_the_main_file_after_it(sqlite_storage: SqliteStorage, database: Path) -> None:
    add(sqlite_storage, *[session(number) for number in range(300)])
    assert rows_in_the_main_file(database) == 0
    asyncio.run(sqlite_storage.upkeep())
    assert rows_in_the_main_file(database) == 300
    assert log_of(database).stat().st_size > 0


def test_the_log_is_emptied_when_nobody_has_written_for_a_while(sqlite_storage: SqliteStorage, database: Path) -> None:
    add(sqlite_storage, *[session(number) for number in range(300)])
    grow_old(database)
    asyncio.run(sqlite_storage.upkeep())
    assert log_of(database).stat().st_size == 0
    assert sqlite_storage.figures().log_bytes == 0
    add(sqlite_storage, session(301))
    asyncio.run(sqlite_storage.upkeep())
    assert rows_in_the_main_file(database) == 301


def test_a_reader_that_hangs_on_keeps_nobody_waiting_and_loses_nothing(
    sqlite_storage: SqliteStorage, database: Path
) -> None:
    add(sqlite_storage, session(1))
    reader = sqlite3.connect(database, isolation_level=None)
    reader.execute("begin")
    assert reader.execute("select count(*) from sessions").fetchone() == (1,)
    add(sqlite_storage, *[session(number) for number in range(2, 300)])
    grow_old(database)
    begun = time.monotonic()
    asyncio.run(sqlite_storage.upkeep())
    assert time.monotonic() - begun < 4  # a writer would wait for five seconds
    assert reader.execute("select count(*) from sessions").fetchone() == (1,)
    reader.execute("rollback")
    reader.close()
    grow_old(database)
    asyncio.run(sqlite_storage.upkeep())
    assert rows_in_the_main_file(database) == 299
    assert log_of(database).stat().st_size == 0
