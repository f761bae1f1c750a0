"""Delivery by real processes on one SQLite file: shared without doubling, and killed in the middle."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grantway.protocol.decision import Add, Decision
from grantway.protocol.model import Account, Client, Connection, Notice
from grantway.protocol.moment import Moment
from grantway.protocol.notices import LEASE, public_id, remove_url_notice
from grantway.server.storage.sqlite import SqliteStorage, migrate
from tests.helpers.receiver import VAULT, answers, hang, receiver

NOW = datetime(2026, 5, 4, tzinfo=UTC)
ACCOUNT = Account(b"a" * 16, "Shop", NOW)


async def fill(path: Path, url: str, count: int) -> tuple[SqliteStorage, list[Notice]]:
    """A database with this many removals of one client, none of them told yet."""
    migrate(path)
    storage = SqliteStorage.open(path)
    client = Client(b"c" * 16, "bot", "Bot", NOW, VAULT.seal(b"s" * 32, b"c" * 16), "k1", remove_url=url)
    accounts = [replace(ACCOUNT, id=n.to_bytes(16, "big")) for n in range(count)]
    connections = [
        Connection(bytes(8) + n.to_bytes(8, "big"), client.id, accounts[n].id, f"{n:024x}", (), NOW, removed_at=NOW)
        for n in range(count)
    ]

    async def rule(facts: Any, now: datetime) -> Decision[list[Notice]]:
        at = Moment(now, VAULT, os.urandom)
        made = [remove_url_notice(client, connections[n], accounts[n], at, "customer") for n in range(count)]
        notices = [each for each in made if each is not None]
        records = [client, *accounts, *connections, *notices]
        return Decision(notices, tuple(Add(record) for record in records))  # type: ignore[arg-type]

    return storage, (await storage.settle(rule)).answer


async def stored(storage: SqliteStorage, notices: list[Notice]) -> list[Notice]:
    async def rule(facts: Any, now: datetime) -> Decision[list[Notice]]:
        return Decision([one for notice in notices if (one := await facts.notice(notice.id))])

    return (await storage.consult(rule)).answer


@asynccontextmanager
async def sender(path: Path, ahead: float = 0) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.helpers.sender_process", str(path), str(ahead)
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 15) == 0


async def all_delivered(storage: SqliteStorage, notices: list[Notice], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not all(each.delivered_at for each in await stored(storage, notices)):
            await asyncio.sleep(0.05)


def test_two_processes_share_the_outbox_without_doubling(tmp_path: Path) -> None:
    async def go() -> tuple[Counter[str], list[Notice]]:
        async with receiver(answers(200)) as target:
            storage, notices = await fill(tmp_path / "g.db", target.url(), 200)
            async with sender(tmp_path / "g.db"), sender(tmp_path / "g.db"):
                await all_delivered(storage, notices)
            await storage.close()
            return Counter(each.headers["webhook-id"] for each in target.received), notices

    received, notices = asyncio.run(go())
    assert received == Counter(public_id(each) for each in notices)


def test_a_process_killed_between_sending_and_reporting_loses_nothing(tmp_path: Path) -> None:
    """Killed while its requests are with the receiver; another process sends them again, under the same ids."""

    async def go() -> tuple[Counter[str], list[Notice], int]:
        async def first_hang(writer: asyncio.StreamWriter, number: int) -> None:
            await (hang if number < 3 else answers(200))(writer, 0)

        async with receiver(first_hang) as target:
            storage, notices = await fill(tmp_path / "g.db", target.url(), 3)
            async with sender(tmp_path / "g.db") as killed, asyncio.timeout(30):
                while len(target.received) < 3:
                    await asyncio.sleep(0.01)
                killed.send_signal(signal.SIGKILL)
                await killed.wait()
            held = sum(each.lease is not None for each in await stored(storage, notices))
            async with sender(tmp_path / "g.db", ahead=LEASE.total_seconds()):
                await all_delivered(storage, notices)
            await storage.close()
            return Counter(each.headers["webhook-id"] for each in target.received), notices, held

    received, notices, held = asyncio.run(go())
    assert held == 3
    assert received == Counter({public_id(each): 2 for each in notices})
