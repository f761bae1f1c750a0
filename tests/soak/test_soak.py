"""Fail-overs, restarts and crashes under load, one after the other, on the same installation: what was acknowledged stays."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

import pytest

from grantway.server.storage.postgres import migrate
from tests.helpers.fleet import Fleet, Watch, under_load
from tests.helpers.hosts import Host, Hosts, hosts_on
from tests.helpers.postgres import QUICK, Cluster, await_standby, cluster, follow, pgbouncer, standby_of
from tests.server.test_failover import address_of

Happening = Callable[[Fleet, Watch], Awaitable[None]]


def soak(hosts: Hosts, there_is_time: Callable[[], bool], turn: Callable[[int], tuple[str, Happening]]) -> None:
    """Turns until the time is over, each with a ledger of its own; prints what happened and what clients were told."""
    happened: Counter[str] = Counter()
    told: Counter[str] = Counter()
    slowest, number = 0.0, 0
    while there_is_time():
        name, happening = turn(number)
        ledger = asyncio.run(under_load(hosts, happening))
        happened[name] += 1
        told += ledger.heard
        slowest = max(slowest, ledger.slowest)
        number += 1
    print("\n" + ", ".join(f"{count} × {name}" for name, count in sorted(happened.items())))
    print(f"  slowest answer {slowest:.1f} s; " + ", ".join(f"{count} {word}" for word, count in sorted(told.items())))
    assert '"fault"' not in hosts.log()
    assert "Traceback" not in hosts.log()


class Pair:
    """A primary and its standby, which change places."""

    def __init__(self, primary: Cluster, standby: Cluster) -> None:
        self.primary = primary
        self.standby = standby

    async def standby_goes_and_comes(self, fleet: Fleet, watch: Watch) -> None:
        await asyncio.to_thread(self.standby.kill)
        await watch.until_heard("outcome_unknown")
        await asyncio.sleep(random.uniform(0, 15))
        await asyncio.to_thread(self.standby.start)
        await asyncio.to_thread(await_standby, self.primary)
        await watch.until_all_serve()

    async def operator_gives_the_standby_up(self, fleet: Fleet, watch: Watch) -> None:
        await asyncio.to_thread(self.standby.kill)
        await watch.until_heard("outcome_unknown")
        await asyncio.to_thread(self._give_up)
        await watch.until_all_serve()
        await asyncio.to_thread(follow, self.primary, self.standby)
        await watch.until_all_serve()

    async def primary_goes(self, fleet: Fleet, watch: Watch) -> None:
        await asyncio.to_thread(self.primary.kill)
        await asyncio.sleep(random.uniform(0, 8))
        await asyncio.to_thread(self.standby.promote)
        self.primary, self.standby = self.standby, self.primary
        await watch.until_all_serve()
        await asyncio.to_thread(follow, self.primary, self.standby)
        await watch.until_all_serve()

    async def primary_is_started_anew(self, fleet: Fleet, watch: Watch) -> None:
        await asyncio.to_thread(self.primary.stop, random.choice(["fast", "immediate"]))
        await asyncio.to_thread(self.primary.start)
        await asyncio.to_thread(await_standby, self.primary)
        await watch.until_all_serve()

    def _give_up(self) -> None:
        with self.primary.connect() as admin:
            admin.execute("alter system set synchronous_standby_names = ''")
            admin.execute("select pg_reload_conf()")


def test_the_database_moves_between_two_hosts(
    tmp_path: Path, there_is_time: Callable[[], bool], soak_seconds: float
) -> None:
    with cluster() as primary, standby_of(primary) as standby:
        migrate(primary.url())
        pair = Pair(primary, standby)
        ways = [
            pair.primary_goes,
            pair.standby_goes_and_comes,
            pair.operator_gives_the_standby_up,
            pair.primary_is_started_anew,
        ]

        def turn(number: int) -> tuple[str, Happening]:
            way = ways[number % len(ways)]
            return way.__name__.replace("_", " "), way

        with hosts_on(tmp_path, address_of(primary, standby), workers=2, seconds=soak_seconds) as hosts:
            soak(hosts, there_is_time, turn)


def test_the_pooler_and_the_database_behind_it_go_in_turn(
    tmp_path: Path, there_is_time: Callable[[], bool], soak_seconds: float
) -> None:
    with cluster() as running, pgbouncer(running) as pooler:
        migrate(running.url())

        async def pooler_goes(fleet: Fleet, watch: Watch) -> None:
            await asyncio.to_thread(pooler.stop)
            await asyncio.sleep(random.uniform(0, 3))
            await asyncio.to_thread(pooler.start)
            await watch.until_all_serve()

        async def database_goes(fleet: Fleet, watch: Watch) -> None:
            await asyncio.to_thread(running.kill)
            await asyncio.sleep(random.uniform(0, 3))
            await asyncio.to_thread(running.start)
            await watch.until_all_serve()

        def turn(number: int) -> tuple[str, Happening]:
            return ("the database goes", database_goes) if number % 2 else ("the pooler goes", pooler_goes)

        with hosts_on(tmp_path, pooler.by_way_of(running.url()), pooler="transaction", seconds=soak_seconds) as hosts:
            soak(hosts, there_is_time, turn)


@contextmanager
def database(engine: str) -> Iterator[str | None]:
    """Where it is; ``None`` for a file."""
    with ExitStack() as stack:
        if engine == "sqlite":
            yield None
        else:
            running = stack.enter_context(cluster(**QUICK))
            migrate(running.url())
            yield running.url()


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_processes_are_killed_wherever_they_are(
    tmp_path: Path, there_is_time: Callable[[], bool], soak_seconds: float, engine: Literal["sqlite", "postgres"]
) -> None:
    with database(engine) as url, hosts_on(tmp_path, url, workers=2, seconds=soak_seconds) as hosts:

        async def worker_dies(fleet: Fleet, watch: Watch) -> None:
            for _ in range(3):
                os.kill(random.choice(random.choice(hosts.servers).worker_pids()), signal.SIGKILL)
                await watch.until_all_serve()

        async def host_dies(fleet: Fleet, watch: Watch) -> None:
            host: Host = random.choice(hosts.servers)
            await asyncio.to_thread(host.kill)
            await asyncio.to_thread(host.start)
            await watch.until_all_serve()

        def turn(number: int) -> tuple[str, Happening]:
            return ("a host dies", host_dies) if number % 2 else ("three workers die", worker_dies)

        soak(hosts, there_is_time, turn)
