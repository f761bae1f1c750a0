"""The database moves to another host under load: nothing that was acknowledged is lost, no code or refresh token is spent
twice, and whoever repeats keeps what they had."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from grantway.server.storage.postgres import migrate
from tests.helpers.fleet import Fleet, Watch, under_load
from tests.helpers.hosts import REFRESHING, hosts_on
from tests.helpers.owned import free_port
from tests.helpers.postgres import Cluster, await_standby, cluster, pgbouncer, standby_of
from tests.helpers.server import GRANTWAY, fetch

pytestmark = pytest.mark.own_storage


def is_ready(address: str) -> bool:
    return fetch("GET", f"{address}/health/ready").status == 200


def address_of(*clusters: Cluster) -> str:
    """With all of them."""
    return "postgresql://postgres@" + ",".join(f"127.0.0.1:{each.port}" for each in clusters) + "/postgres"


def test_a_server_whose_database_is_away_says_so_and_ends(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GRANTWAY_")}
    url = f"postgresql://ada:zq7secret@127.0.0.1:{free_port()}/grantway"
    done = subprocess.run(
        [GRANTWAY, "serve"],
        env=kept | {"GRANTWAY_DATA": str(tmp_path / "data"), "GRANTWAY_DATABASE": url},
        capture_output=True,
        timeout=60,
    )
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 1
    assert "The database cannot be reached" in said
    assert "refused" in said
    assert "zq7secret" not in said
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_standby_goes_and_comes_and_then_the_primary_goes_for_good(tmp_path: Path) -> None:
    with cluster() as primary, standby_of(primary) as standby:
        migrate(primary.url())

        async def happen(fleet: Fleet, watch: Watch) -> None:
            await asyncio.to_thread(standby.kill)
            # What was being committed is not known, and then nothing is begun any more; who only asks is answered.
            await watch.until_heard("outcome_unknown")
            await watch.until_heard("temporarily_unavailable", REFRESHING)
            assert await fleet.is_active(hosts.holdings.access_token) == (200, True)
            await asyncio.to_thread(standby.start)
            await asyncio.to_thread(await_standby, primary)
            await watch.until_all_serve()

            await asyncio.to_thread(primary.kill)
            await watch.until_heard("temporarily_unavailable", REFRESHING)
            assert [await asyncio.to_thread(is_ready, each) for each in hosts.addresses] == [False, False]
            await asyncio.to_thread(standby.promote)
            assert await watch.until_all_serve() < 20
            assert all([await asyncio.to_thread(is_ready, each) for each in hosts.addresses])

        with hosts_on(tmp_path, address_of(primary, standby)) as hosts:
            ledger = asyncio.run(under_load(hosts, happen))
        assert ledger.slowest < 12
        assert '"fault"' not in hosts.log()
        assert "Traceback" not in hosts.log()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_pooler_that_is_started_anew_and_a_database_behind_it(tmp_path: Path) -> None:
    with cluster() as running, pgbouncer(running) as pooler:
        migrate(running.url())

        async def happen(fleet: Fleet, watch: Watch) -> None:
            await asyncio.to_thread(pooler.stop)
            await watch.until_heard("temporarily_unavailable", REFRESHING)
            await asyncio.to_thread(pooler.start)
            assert await watch.until_all_serve() < 20
            await asyncio.to_thread(running.kill)
            await watch.until_heard("temporarily_unavailable", REFRESHING)
            await asyncio.to_thread(running.start)
            await watch.until_all_serve()

        url = pooler.by_way_of(running.url())
        with hosts_on(tmp_path, url, pooler="transaction") as hosts:
            asyncio.run(under_load(hosts, happen))
