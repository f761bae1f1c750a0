"""The database moves to another host under load: nothing that was acknowledged is lost, no code or refresh token is spent
twice, and whoever repeats keeps what they had."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grantway.server.storage.postgres import migrate
from tests.helpers.fleet import Fleet, Ledger, nothing_was_lost
from tests.helpers.hosts import Hosts, hosts_on
from tests.helpers.postgres import Cluster, await_standby, cluster, pgbouncer, standby_of
from tests.helpers.server import fetch

REFRESHERS = 10


class Watch:
    """Waits for what the fleet is told."""

    def __init__(self, hosts: Hosts, ledger: Ledger) -> None:
        self._hosts = hosts
        self._ledger = ledger

    async def until(self, true: Callable[[], bool], what: str, seconds: float = 60) -> float:
        """How many seconds it took."""
        began = time.monotonic()
        while not true():
            assert time.monotonic() - began < seconds, f"in vain: {what}; {dict(self._ledger.heard)}"
            assert not self._ledger.wrong, self._ledger.wrong[:5]
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    async def until_all_serve(self) -> float:
        """How many seconds until each host has done twenty more things, and each kind of them."""
        kinds = ("refresh: done", "exchange: done", "revoke: done")
        began, before = time.monotonic(), dict(self._ledger.heard)

        def served() -> bool:
            good = all(self._ledger.last_good.get(each, 0) > began for each in self._hosts.addresses)
            return good and all(self._ledger.heard[kind] >= before.get(kind, 0) + 3 for kind in kinds)

        return await self.until(served, "all hosts serve")

    async def until_heard(self, word: str, more: int = 1) -> float:
        """How many seconds until so many more were told this."""
        before = self._count(word)
        return await self.until(lambda: self._count(word) >= before + more, f"somebody hears {word}")

    def _count(self, word: str) -> int:
        return sum(count for heard, count in self._ledger.heard.items() if heard.endswith(word))


async def under_load(hosts: Hosts, what_happens: Callable[[Fleet, Watch], Any]) -> Ledger:
    """Let it happen while the fleet works; then everything that was said must hold."""
    fleet = Fleet(hosts.addresses, hosts.credentials)
    try:
        refreshing, revoked = hosts.refresh_tokens[:REFRESHERS], hosts.refresh_tokens[REFRESHERS:]
        codes, tokens = iter(hosts.codes), iter(revoked)
        busy = [asyncio.create_task(fleet.refresh_for_ever(token)) for token in refreshing]
        others = [
            *(asyncio.create_task(fleet.exchange_one_after_the_other(codes)) for _ in range(3)),
            asyncio.create_task(fleet.revoke_one_after_the_other(tokens)),
        ]
        await Watch(hosts, fleet.ledger).until_all_serve()
        await what_happens(fleet, Watch(hosts, fleet.ledger))
        fleet.stop.set()
        newest = await asyncio.gather(*busy)
        await asyncio.gather(*others)
        await nothing_was_lost(fleet, newest)
        return fleet.ledger
    finally:
        fleet.stop.set()
        await fleet.close()


def is_ready(address: str) -> bool:
    return fetch("GET", f"{address}/health/ready").status == 200


def address_of(*clusters: Cluster) -> str:
    """With all of them."""
    return "postgresql://postgres@" + ",".join(f"127.0.0.1:{each.port}" for each in clusters) + "/postgres"


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_standby_goes_and_comes_and_then_the_primary_goes_for_good(tmp_path: Path) -> None:
    with cluster() as primary, standby_of(primary) as standby:
        migrate(primary.url())

        async def happen(fleet: Fleet, watch: Watch) -> None:
            await asyncio.to_thread(standby.kill)
            # What was being committed is not known, and then nothing is begun any more; who only asks is answered.
            await watch.until_heard("outcome_unknown")
            await watch.until_heard("temporarily_unavailable", REFRESHERS)
            assert await fleet.is_active(access) == (200, True)
            await asyncio.to_thread(standby.start)
            await asyncio.to_thread(await_standby, primary)
            await watch.until_all_serve()

            await asyncio.to_thread(primary.kill)
            await watch.until_heard("temporarily_unavailable", REFRESHERS)
            assert [await asyncio.to_thread(is_ready, each) for each in hosts.addresses] == [False, False]
            await asyncio.to_thread(standby.promote)
            assert await watch.until_all_serve() < 20
            assert all([await asyncio.to_thread(is_ready, each) for each in hosts.addresses])

        with hosts_on(tmp_path, address_of(primary, standby)) as hosts:
            access = hosts.access_tokens[0]
            ledger = asyncio.run(under_load(hosts, happen))
        assert ledger.slowest < 12
        assert '"fault"' not in hosts.log()
        assert "Traceback" not in hosts.log()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_an_operator_who_gives_the_standby_up_ends_the_wait(tmp_path: Path) -> None:
    with cluster() as primary, standby_of(primary) as standby:
        migrate(primary.url())

        def give_up() -> None:
            with primary.connect() as admin:
                admin.execute("alter system set synchronous_standby_names = ''")
                admin.execute("select pg_reload_conf()")

        async def happen(fleet: Fleet, watch: Watch) -> None:
            await asyncio.to_thread(standby.kill)
            await watch.until_heard("outcome_unknown")
            await asyncio.to_thread(give_up)
            await watch.until_all_serve()

        with hosts_on(tmp_path, primary.url()) as hosts:
            asyncio.run(under_load(hosts, happen))


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_pooler_that_is_started_anew_and_a_database_behind_it(tmp_path: Path) -> None:
    with cluster() as running, pgbouncer(running) as pooler:
        migrate(running.url())

        async def happen(fleet: Fleet, watch: Watch) -> None:
            await asyncio.to_thread(pooler.stop)
            await watch.until_heard("temporarily_unavailable", REFRESHERS)
            await asyncio.to_thread(pooler.start)
            assert await watch.until_all_serve() < 20
            await asyncio.to_thread(running.kill)
            await watch.until_heard("temporarily_unavailable", REFRESHERS)
            await asyncio.to_thread(running.start)
            await watch.until_all_serve()

        url = pooler.by_way_of(running.url())
        with hosts_on(tmp_path, url, pooler="transaction") as hosts:
            asyncio.run(under_load(hosts, happen))
