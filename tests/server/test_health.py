"""Whether a server lives, whether it is ready, and how it goes: without losing a request that it took."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from grantway.server import health
from grantway.server.app import Application, build_app
from grantway.server.signing_keys import ensure_signing_key
from grantway.server.storage.port import OutcomeUnknown, StorageError
from tests.helpers.asgi import Caller, Reply
from tests.helpers.people import House
from tests.helpers.server import Server, fetch, serving
from tests.helpers.waiting import until
from tests.server.test_app import Troubled


@pytest.fixture
def house() -> House:
    made = House.in_memory(log_level="error")
    asyncio.run(ensure_signing_key(made.service))
    return made


@pytest.fixture
def app(house: House) -> Application:
    made = build_app(house.service)
    made.health.state = "ready"
    return made


@pytest.fixture
def caller(app: Application) -> Iterator[Caller]:
    one = Caller(app)
    yield one
    one.close()


def ready(caller: Caller) -> tuple[int, dict[str, Any]]:
    reply = caller.request("GET", "/health/ready")
    return reply.status, reply.json()


def test_a_server_that_runs_is_live_and_ready_and_tells_no_more_than_that(caller: Caller) -> None:
    live = caller.request("GET", "/health/live")
    assert (live.status, live.json(), live.header("cache-control")) == (200, {"status": "live"}, "no-store")
    assert ready(caller) == (
        200,
        {"status": "ready", "checks": {"process": "ready", "storage": "ok", "signing_key": "ok"}},
    )


def test_before_its_background_work_runs_it_is_live_and_not_ready(app: Application, caller: Caller) -> None:
    app.health.state = "starting"
    assert caller.request("GET", "/health/live").status == 200
    assert ready(caller)[0] == 503


def test_a_storage_that_does_not_answer_is_not_ready_and_still_live(house: House) -> None:
    broken = build_app(replace(house.service, storage=Troubled(StorageError("the disk of /secret/path"))))
    broken.health.state = "ready"
    caller = Caller(broken)
    assert ready(caller) == (503, {"status": "not_ready", "checks": {"process": "ready", "storage": "not_answering"}})
    assert caller.request("GET", "/health/live").status == 200
    caller.close()


def test_a_storage_that_says_nothing_is_not_waited_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        async def consult(self, rule: Any) -> Any:
            await asyncio.Event().wait()

    monkeypatch.setattr(health, "DEADLINE", 0.05)
    storage: Any = Silent()
    silent = build_app(replace(house.service, storage=storage))
    silent.health.state = "ready"
    caller = Caller(silent)
    assert ready(caller) == (503, {"status": "not_ready", "checks": {"process": "ready", "storage": "not_answering"}})
    caller.close()


def test_when_a_commit_has_an_unknown_outcome_nothing_is_said(house: House) -> None:
    caller = Caller(build_app(replace(house.service, storage=Troubled(OutcomeUnknown()))))
    with pytest.raises(OutcomeUnknown):
        ready(caller)
    caller.close()


def test_without_a_signing_key_it_is_not_ready() -> None:
    app = build_app(House.in_memory(log_level="error").service)
    app.health.state = "ready"
    caller = Caller(app)
    assert ready(caller)[1]["checks"]["signing_key"] == "missing"
    caller.close()


def test_a_server_that_goes_says_so_and_every_answer_is_the_last_on_its_connection(
    app: Application, caller: Caller
) -> None:
    assert caller.request("GET", "/jwks.json").header("connection") is None
    app.health.state = "draining"
    assert ready(caller)[0] == 503
    assert ready(caller)[1]["status"] == "draining"
    for path in ("/jwks.json", "/", "/static/favicon.png", "/nothing", "/token"):
        assert caller.request("GET", path).header("connection") == "close"


def test_the_lifespan_makes_it_ready_and_then_drains(house: House) -> None:
    app = build_app(house.service)
    seen: list[str] = []

    async def live() -> None:
        arrived: asyncio.Queue[dict[str, str]] = asyncio.Queue()

        async def send(message: Any) -> None:
            seen.append(app.health.state)
            if message["type"] == "lifespan.startup.complete":
                await arrived.put({"type": "lifespan.shutdown"})

        await arrived.put({"type": "lifespan.startup"})
        await app({"type": "lifespan"}, arrived.get, send)

    asyncio.run(live())
    assert seen == ["ready", "draining"]


def test_probes_are_counted_and_not_logged_unless_they_fail(house: House) -> None:
    log = BytesIO()
    service = replace(House.in_memory(log_level="info").service, storage=house.service.storage, log_stream=log)
    app = build_app(service)
    app.health.state = "ready"
    caller = Caller(app)
    for _ in range(3):
        caller.request("GET", "/health/ready")
    assert log.getvalue() == b""
    assert service.metrics.answers["health.ready", 200, "health_ready"].count == 3
    app.health.state = "draining"
    caller.request("GET", "/health/ready")
    assert json.loads(log.getvalue())["reason"] == "health_draining"
    caller.close()


# --- the end, under load


class Load:
    """Clients that each keep a connection and ask one thing after the other until they are asked to go elsewhere."""

    def __init__(self, server: Server, body: bytes, clients: int = 8) -> None:
        self._address = urlsplit(server.base_url).netloc
        self._body = body
        self.statuses: Counter[int] = Counter()
        self.lost: list[str] = []
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()

    def _run(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=20)
        headers = {"content-type": "application/x-www-form-urlencoded"}
        while True:
            try:
                connection.request("POST", "/token", self._body, headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(type(error).__name__)
                connection.close()
                return
            self.statuses[answer.status] += 1
            if answer.getheader("connection") == "close":
                connection.close()
                return


def wait_until_draining(server: Server) -> Reply:
    def ready() -> list[Reply]:
        reply = fetch("GET", f"{server.base_url}/health/ready")
        return [reply] if reply.status == 503 else []

    return until(ready, "the server says that it drains")[0]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_that_is_stopped_under_load_loses_no_request_that_it_took(tmp_path: Path, workers: int) -> None:
    with serving(tmp_path / "data", workers=workers, GRANTWAY_LINGER_SECONDS="5") as server:
        made = server.cli("clients", "create", "--name", "Machine", "--scope", "a")
        fields = f"grant_type=client_credentials&client_id={made['client_id']}&client_secret={made['client_secret']}"
        assert fetch("GET", f"{server.base_url}/health/ready").status == 200
        load = Load(server, fields.encode())
        load.start()
        until(lambda: load.statuses[200] > 20, "there is load")
        process = server.process
        assert process is not None
        process.send_signal(signal.SIGTERM)
        draining = wait_until_draining(server)
        assert (draining.status, draining.json()["status"]) == (503, "draining")
        load.join()
        assert server.ended() == 0
        assert load.lost == []
        assert set(load.statuses) == {200}
    assert not (tmp_path / "data/grantway.db-wal").exists()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_signal_does_not_wait_and_ends_in_order_as_well(tmp_path: Path, workers: int) -> None:
    with serving(tmp_path / "data", workers=workers, GRANTWAY_LINGER_SECONDS="60") as server:
        process = server.process
        assert process is not None
        assert fetch("GET", f"{server.base_url}/health/ready").status == 200
        process.send_signal(signal.SIGTERM)
        assert wait_until_draining(server).status == 503
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert server.ended() == 0
        assert time.monotonic() - began < 30
    assert not (tmp_path / "data/grantway.db-wal").exists()
