"""What a storage says of itself for metrics."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from grantway.protocol.decision import RemoveConnection
from grantway.server.storage.port import Census
from grantway.server.storage.sqlite import SqliteStorage
from tests.storage.asking import NOON, account, add, client, connection, do, notice


def test_a_census_counts_what_is_live_what_waits_and_what_is_dead(storage: Any) -> None:
    assert asyncio.run(storage.census()) == Census(0, 0, 0)
    add(storage, client(), account(), account(20), connection(), connection(21, account_id=account(20).id))
    add(storage, notice(), notice(22), replace(notice(23), dead_at=NOON), replace(notice(24), delivered_at=NOON))
    assert asyncio.run(storage.census()) == Census(2, 2, 1, suspended=0, clients=1)
    do(storage, RemoveConnection(connection().id, NOON, "customer"))
    add(storage, connection(25, account_id=account(20).id, client_id=client(26).id, suspended_at=NOON), client(26))
    add(storage, client(27, ended_at=NOON))
    assert asyncio.run(storage.census()) == Census(2, 2, 1, suspended=1, clients=2)


def test_figures_count_what_was_done_since_the_start(storage: Any) -> None:
    before = storage.figures()
    add(storage, account())
    add(storage, account(20))
    after = storage.figures()
    assert (after.groups - before.groups, after.jobs - before.jobs, after.waiting) == (2, 2, 0)


def test_what_was_committed_and_is_not_in_the_main_file_yet_is_told(sqlite_storage: SqliteStorage) -> None:
    add(sqlite_storage, account())
    assert sqlite_storage.figures().log_bytes > 0
