"""A later release's migrations are applied while this one serves: nobody is refused, and nobody waits long."""

from __future__ import annotations

import http.client
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import psycopg
import pytest

from grantway.server.storage.postgres import migrate
from grantway.server.storage.sql.migrations import migrations, read
from tests.helpers.integration import Integration
from tests.helpers.postgres import Cluster
from tests.helpers.server import populate, serving

pytestmark = pytest.mark.own_storage
THREADS = 4
EXPAND = (
    read("9001_columns", "-- expand\nalter table grants add column colour text not null default 'none';\n"
         "alter table connections add column weight bigint;\n"),
    read("9002_table", "-- expand\ncreate table colours (name text primary key, grant_id bytea not null);\n"
         "create index colours_by_grant on colours (grant_id);\n"),
    read("9003_index", "-- expand\n-- one by one\n"
         "create index concurrently if not exists grants_by_colour on grants (colour, created_at);\n"
         "create index concurrently if not exists connections_by_weight on connections (weight);\n"),
)  # fmt: skip


@dataclass
class Load:
    """One integration's process that exchanges a code, refreshes and asks what its tokens are good for, on and on."""

    integration: Integration
    token: str
    took: list[float] = field(default_factory=list)
    refused: list[object] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        connection = self.integration.connection()
        try:
            while not stop.is_set():
                self._once(connection)
        except (OSError, http.client.HTTPException) as error:
            self.refused.append(error)
        finally:
            connection.close()

    def _once(self, connection: http.client.HTTPConnection) -> None:
        for fields in (
            {"grant_type": "refresh_token", "refresh_token": self.token},
            {"grant_type": "client_credentials"},
        ):
            begun = time.monotonic()
            status, answer = self.integration.post("/token", fields, connection)
            self.took.append(time.monotonic() - begun)
            if status != 200:
                self.refused.append(answer)
            self.token = answer.get("refresh_token", self.token)


def test_what_a_later_release_adds_is_added_while_this_one_serves(tmp_path: Path, postgres_cluster: Cluster) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(postgres_cluster.empty())
        server = stack.enter_context(serving(tmp_path / "data", workers=2, GRANTWAY_DATABASE=url))
        platform = populate(server)
        integration = Integration.register(platform, "Helpdesk")
        codes = [integration.code(platform) for _ in range(THREADS)]
        loads = [Load(integration, integration.exchange(code)[1]["refresh_token"]) for code in codes]
        stop = threading.Event()
        threads = [threading.Thread(target=load.run, args=(stop,)) for load in loads]
        for thread in threads:
            thread.start()
        try:
            time.sleep(0.5)
            assert migrate(url, (*migrations("postgres"), *EXPAND)) == [each.name for each in EXPAND]
            time.sleep(0.5)
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)
        assert [load.refused for load in loads] == [[]] * THREADS
        took = [each for load in loads for each in load.took]
        assert len(took) > 100
        assert quantiles(took, n=100)[-1] < 1
        with psycopg.connect(url) as connection:
            written = connection.execute("select generation, colour from grants").fetchall()
        assert {colour for _, colour in written} == {"none"}
        assert sum(generation for generation, _ in written) >= len(took) // 2

        server.stop()
        server.start()  # this release, on what the later one has made of its database
        assert integration.refresh(loads[0].token)[0] == 200
        assert integration.exchange(integration.code(platform))[0] == 200
