"""What the SQLite storage costs: refreshes settled, and grants read, per second.

    python bench/storage.py [directory] [--seconds 3] [--tasks 32] [--profile]

A refresh reads the client and the grant and moves the generation. CPU is the process's own, syncing is not in it.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import multiprocessing
import os
import pstats
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from grantway.protocol.decision import Add, Decision, MoveGeneration
from grantway.protocol.facts import Facts
from grantway.protocol.model import Account, Client, ClientSecret, Connection, Grant, User
from grantway.server.storage.sqlite import SqliteStorage, migrate
from grantway.server.storage.sqlite.files import time_to_sync

GRANTS = 20_000
CLIENTS = 20
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def row(kind: int, number: int) -> bytes:
    """An id ordered by time, like those of the house."""
    return (1_750_000_000_000 + number).to_bytes(6, "big") + bytes([kind]) + random.Random(number).randbytes(9)


IDS = [row(5, number) for number in range(GRANTS)]


def client(number: int) -> Client:
    return Client(
        row(1, number),
        f"client-{number}",
        "An integration",
        NOW,
        b"s" * 48,
        "k1",
        secrets=(ClientSecret(b"d" * 32, NOW),),
        redirect_uris=("https://integration.example/oauth/callback",),
        scopes=("contacts:read", "calls:write", "messages:read"),
    )


def records(number: int) -> list[Any]:
    """One account's people, connection and grant."""
    user = User(row(2, number), f"person{number}@example.com", "A Person", NOW, "$argon2id$" + "x" * 80)
    account = Account(row(3, number), f"Account {number}", NOW, external_ids={"sunshine": f"{number:024x}"})
    its_client = row(1, number % CLIENTS)
    scope = ("contacts:read", "calls:write", "messages:read")
    connection = Connection(row(4, number), its_client, account.id, f"{number:024x}", scope, NOW, user.id)
    grant = Grant(
        IDS[number], connection.id, its_client, account.id, user.id, "code", scope, (), b"s" * 48, "k1", NOW,
        generation=1, moved_at=NOW, redirect_uri_digest=b"d" * 32, redirect_uri_was_sent=True,
        refresh_idle_expires_at=NOW + timedelta(days=90), last_used_day=NOW.date(),
    )  # fmt: skip
    return [user, account, connection, grant]


async def fill(path: Path) -> None:
    storage = SqliteStorage.open(path, writer="tick")
    for start in range(0, GRANTS, 1000):

        async def rule(facts: Facts, now: datetime, start: int = start) -> Decision[None]:
            new = [each for number in range(start, min(start + 1000, GRANTS)) for each in records(number)]
            first = [client(number) for number in range(CLIENTS)] if start == 0 else []
            return Decision(None, tuple(Add(each) for each in first + new))

        await storage.settle(rule)
    await storage.close()


async def refresh(storage: SqliteStorage, number: int) -> None:
    client_id, grant_id = f"client-{number % CLIENTS}", IDS[number]

    async def rule(facts: Facts, now: datetime) -> Decision[int]:
        asking = await facts.client(client_id)
        held = await facts.grant(grant_id)
        assert asking is not None
        assert held is not None
        assert held.client.id == asking.id
        grant = held.grant
        move = MoveGeneration(grant.id, grant.generation, now, refresh_idle_expires_at=now + timedelta(days=90))
        return Decision(grant.generation + 1, (move,))

    await storage.settle(rule)


async def look(storage: SqliteStorage, number: int) -> None:
    grant_id = IDS[number]

    async def rule(facts: Facts, now: datetime) -> Decision[bool]:
        return Decision(await facts.grant(grant_id) is not None)

    await storage.consult(rule)


async def hammer(path: Path, writer: Any, what: Any, seconds: float, tasks: int, hot: int) -> tuple[int, float, float]:
    """How many were done, in how many seconds, with how many of CPU."""
    storage = SqliteStorage.open(path, writer=writer)
    done = 0
    until = time.perf_counter() + seconds

    async def one(seed: int) -> None:
        nonlocal done
        dice = random.Random(seed)
        while time.perf_counter() < until:
            await what(storage, dice.randrange(hot))
            done += 1
            if what is look:
                await asyncio.sleep(0)

    await asyncio.gather(*[one(task) for task in range(hot)[:tasks]])  # warms the caches
    done, until = 0, time.perf_counter() + seconds
    begun, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*[one(task + os.getpid()) for task in range(tasks)])
    took, cpu = time.perf_counter() - begun, time.process_time() - cpu
    await storage.close()
    return done, took, cpu


def in_process(argument: Any) -> tuple[int, float, float]:
    return asyncio.run(hammer(*argument))


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("directory", nargs="?", default=None)
    reader.add_argument("--seconds", type=float, default=3)
    reader.add_argument("--tasks", type=int, default=32)
    reader.add_argument("--profile", action="store_true")
    asked = reader.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.directory) as directory:
        path = Path(directory) / "bench.db"
        migrate(path)
        asyncio.run(fill(path))
        print(f"one sync: {time_to_sync(path.parent) * 1e3:.2f} ms; {GRANTS} grants; {asked.tasks} tasks a process")
        if asked.profile:
            with cProfile.Profile() as profile:
                asyncio.run(hammer(path, "tick", refresh, asked.seconds, asked.tasks, 2000))
            pstats.Stats(profile).sort_stats("tottime").print_stats(25)
            return
        for name, what, writer, processes in (
            ("refreshes, tick", refresh, "tick", 1),
            ("refreshes, thread", refresh, "thread", 1),
            ("refreshes, tick", refresh, "tick", 2),
            ("refreshes, thread", refresh, "thread", 2),
            ("grants read", look, "tick", 1),
            ("grants read", look, "tick", 2),
        ):
            argument = (path, writer, what, asked.seconds, asked.tasks, 2000)
            with multiprocessing.get_context("spawn").Pool(processes) as pool:
                results = pool.map(in_process, [argument] * processes, chunksize=1)
            rate = sum(done / took for done, took, _ in results)
            cost = sum(cpu for *_, cpu in results) / sum(done for done, *_ in results)
            print(f"{name:18} {processes} process(es): {rate:8,.0f}/s  {cost * 1e6:5.1f} µs of CPU each")


if __name__ == "__main__":
    main()
