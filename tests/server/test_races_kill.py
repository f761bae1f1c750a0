"""``kill -9`` under load: what was acknowledged is there after the restart, and nothing is spent twice."""

from __future__ import annotations

import http.client
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.helpers.integration import Integration
from tests.helpers.server import Platform, populate, serving
from tests.helpers.waiting import until

THREADS = 6
CODES = 40


@dataclass
class Load:
    """One integration's process that refreshes as fast as it can, and repeats what got no answer."""

    integration: Integration
    acknowledged: list[str]
    refused: list[dict[str, object]] = field(default_factory=list)
    broken: int = 0

    def run(self, stop: threading.Event) -> None:
        connection = self.integration.connection()
        while not stop.is_set():
            try:
                status, answer = self.integration.refresh(self.acknowledged[-1], connection)
            except (OSError, http.client.HTTPException):
                self.broken += 1
                connection.close()
                connection = self.integration.connection()
                time.sleep(0.02)
                continue
            if status == 200:
                self.acknowledged.append(answer["refresh_token"])
            else:
                self.refused.append(answer)
        connection.close()


@dataclass
class Exchanges:
    """Codes that are exchanged one after the other; what was answered for each, and which got no answer."""

    integration: Integration
    codes: list[str]
    answered: dict[str, int] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        while self.codes and not stop.is_set():
            code = self.codes.pop()
            try:
                self.answered[code] = self.integration.exchange(code)[0]
            except (OSError, http.client.HTTPException):
                self.unknown.append(code)


@dataclass
class Operator:
    """Somebody who registers clients by the command all the while."""

    platform: Platform
    made: list[str] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            made = self.platform.client(f"Client {len(self.made)}", "--redirect-uri", "https://x.example/cb")
            self.made.append(made["client_id"])


def moves_on(loads: list[Load]) -> None:
    """Everybody is answered again, some times."""
    before = [len(load.acknowledged) for load in loads]
    until(lambda: all(len(load.acknowledged) > so_far + 3 for load, so_far in zip(loads, before, strict=True)), "load")


@pytest.mark.parametrize("victim", ["a worker", "everything"])
def test_nothing_acknowledged_is_lost_and_nothing_is_spent_twice(tmp_path: Path, victim: str) -> None:
    with serving(tmp_path / "data", workers=2) as server:
        platform = populate(server)
        integration = Integration.register(platform, "Helpdesk")
        first = [integration.exchange(integration.code(platform))[1]["refresh_token"] for _ in range(THREADS)]
        loads = [Load(integration, [token]) for token in first]
        exchanges = Exchanges(integration, [integration.code(platform) for _ in range(CODES)])
        operator = Operator(platform)
        stop = threading.Event()
        work = [*(load.run for load in loads), exchanges.run, operator.run]
        threads = [threading.Thread(target=run, args=(stop,)) for run in work]
        for thread in threads:
            thread.start()
        until(lambda: operator.made and exchanges.answered, "there is load")
        moves_on(loads)
        if victim == "a worker":
            for worker in server.worker_pids():
                os.kill(worker, signal.SIGKILL)
                until(lambda: len(set(server.worker_pids()) - {worker}) == 2, "another one has taken its place")  # noqa: B023
                moves_on(loads)
            stop.set()
        else:
            server.kill()
            stop.set()
        for thread in threads:
            thread.join(30)
        if victim == "everything":
            server.start()

        assert not any(load.refused for load in loads), "an acknowledged token was refused meanwhile"
        assert sum(load.broken for load in loads) > 0, "the kill hit nobody"
        for load in loads:
            assert len(set(load.acknowledged)) == len(load.acknowledged)
            status, newest = integration.refresh(load.acknowledged[-1])
            assert status == 200, "the newest acknowledged token was lost"
            status, again = integration.refresh(load.acknowledged[-1])
            assert (status, again.get("refresh_token")) == (200, newest["refresh_token"]), "it was spent twice"
            assert integration.introspect(newest["access_token"])["active"] is True
        for code, status in exchanges.answered.items():
            assert status == 200
            assert integration.exchange(code)[0] == 400, "a code was spent twice"
        for code in exchanges.unknown:
            assert integration.exchange(code)[0] in (200, 400)
            assert integration.exchange(code)[0] == 400
        known = {client["client_id"] for client in server.cli("clients", "list")["clients"]}
        assert operator.made
        assert known.issuperset(operator.made)
        assert integration.refresh(loads[0].acknowledged[0])[0] == 400, "an old token still works"
        assert integration.introspect(newest["access_token"])["active"] is True, "one grant's end is not another's"
