"""What SQLite does for each statement."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from grantway.server.storage.memory import MemoryStorage
from grantway.server.storage.port import Storage
from grantway.server.storage.sqlite import SqliteStorage
from grantway.server.storage.sqlite import statements as sql

WHOLE_TABLES = {
    # listings that are bounded by a limit, in the order of an index
    "USERS", "ACCOUNTS", "CLIENTS", "AUDIT", "CONNECTIONS (False, False)",
    # a handful of rows
    "SCOPES", "SIGNING_KEYS", "SIGNING_KEY_VERSIONS",
    # the notices that wait, by their own index
    "DUE_NOTICES",
}  # fmt: skip


def statements() -> Iterator[tuple[str, str]]:
    for name, value in vars(sql).items():
        if not name.isupper() or name.startswith("_") or name == "TABLES":
            continue
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, dict):
            for key, statement in value.items():
                if isinstance(statement, str):  # and not a codec
                    yield f"{name} {getattr(key, '__name__', key)}", statement


def test_only_listings_read_whole_tables(database: Path) -> None:
    connection = sqlite3.connect(database)
    whole = set()
    for name, statement in statements():
        marks = max((int(number) for number in re.findall(r"\?(\d+)", statement)), default=0)
        plan = connection.execute(f"explain query plan {statement}", [None] * marks).fetchall()
        if any(step[3].startswith("SCAN") for step in plan):
            whole.add(name)
    connection.close()
    assert whole == WHOLE_TABLES


def test_both_are_storages() -> None:
    kinds: tuple[type[Storage], ...] = (MemoryStorage, SqliteStorage)
    assert len(kinds) == 2
