"""Many callers, several processes, and death at the worst moment, against our real server: no refresh token is lost."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from grantway.client import AsyncClient, Client, FileStore, MemoryStore
from tests.client.conftest import REDIRECT_URI
from tests.helpers.refresher import ALWAYS, ahead
from tests.helpers.server import Platform

ROOT = Path(__file__).parents[2]


class Connected:
    """A connection in files, and processes that use it."""

    def __init__(self, platform: Platform, registered: dict[str, Any], directory: Path) -> None:
        self.who = {"client_id": registered["client_id"], "client_secret": registered.get("client_secret")}
        self.issuer, self.directory = platform.base_url, directory
        with self.client() as client:
            begun = client.begin(scope="read", prompt="consent")
            client.connection("acme").complete(platform.customer.decide(begun.url), state=begun.state)

    def client(self, seconds_ahead: float = 0) -> Client:
        return Client(
            self.issuer,
            **self.who,
            redirect_uri=REDIRECT_URI,
            store=FileStore(self.directory),
            now=ahead(seconds_ahead),
        )

    def process(self, *, seconds_ahead: float = 0, leeway: float = ALWAYS, times: int = 1, dies: bool = False) -> Any:
        task = {
            "issuer": self.issuer,
            **self.who,
            "directory": str(self.directory),
            "name": "acme",
            "ahead": seconds_ahead,
            "leeway": leeway,
            "times": times,
            "dies": dies,
        }
        return subprocess.Popen(
            [sys.executable, "-m", "tests.helpers.refresher", json.dumps(task)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def still_works(self, seconds_ahead: float = 6) -> None:
        """It can be refreshed, and again: the chain is whole. A refresh that was under way is left alone for 5 seconds."""
        with self.client(seconds_ahead) as client:
            connection = client.connection("acme", leeway=ALWAYS)
            found = [connection.access_token() for _ in range(3)]
            assert len(set(found)) == 3
            assert len(set(client.refresh(connection.tokens()).scope or ())) == 1


@pytest.fixture(params=["confidential", "public"])
def connected(request: pytest.FixtureRequest, platform: Platform, tmp_path: Path) -> Connected:
    return Connected(platform, request.getfixturevalue(request.param), tmp_path / "store")


def test_two_processes_that_refresh_all_the_time_do_not_lose_it(connected: Connected) -> None:
    processes = [connected.process(times=15) for _ in range(2)]
    said = [process.communicate(timeout=60) for process in processes]
    assert [err for _, err in said] == ["", ""]
    given = [token for out, _ in said for token in out.split()]
    assert len(given) == 30
    assert len(set(given)) >= 15, "while one refreshes, the other gets the token that still lives"
    connected.still_works()


def test_processes_whose_token_has_expired_wait_for_one_refresh(connected: Connected) -> None:
    for rounds in range(1, 3):
        processes = [connected.process(seconds_ahead=rounds * 601, leeway=60) for _ in range(4)]
        said = [process.communicate(timeout=60) for process in processes]
        assert [err for _, err in said] == [""] * 4
        assert len({out for out, _ in said}) == 1


def test_a_process_killed_between_the_answer_and_its_writing_has_lost_nothing(connected: Connected) -> None:
    for seconds_ahead in (0, 6):
        dying = connected.process(seconds_ahead=seconds_ahead, dies=True)
        out, _err = dying.communicate(timeout=30)
        assert (dying.returncode, out) == (-signal.SIGKILL, "")
    connected.still_works(seconds_ahead=12)


def test_processes_killed_at_any_moment_have_lost_nothing(connected: Connected) -> None:
    dice = random.Random(4)
    used = 0
    for _ in range(6):
        process = connected.process(times=1000)
        assert process.stdout is not None
        used += bool(process.stdout.readline())
        time.sleep(dice.uniform(0, 0.05))
        process.kill()
        process.communicate(timeout=30)
    assert used == 6
    connected.still_works()


def test_ten_threads_get_one_token_for_one_refresh(connected: Connected) -> None:
    with connected.client(seconds_ahead=601) as client:
        connection = client.connection("acme")
        before, found = connection.tokens(), list[str]()
        threads = [threading.Thread(target=lambda: found.append(connection.access_token())) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [connection.tokens().access_token] * 10
        assert found[0] != before.access_token


@pytest.mark.parametrize("store", ["files", "memory"])
def test_ten_tasks_get_one_token_for_one_refresh(connected: Connected, store: str) -> None:
    async def story() -> None:
        kept = FileStore(connected.directory) if store == "files" else MemoryStore()
        with connected.client() as other:
            tokens = other.connection("acme").tokens()
        async with AsyncClient(connected.issuer, **connected.who, store=kept, now=ahead(601)) as client:
            connection = client.connection("acme")
            await connection.keep(tokens)
            found = await asyncio.gather(*(connection.access_token() for _ in range(10)))
            assert found == [(await connection.tokens()).access_token] * 10
            assert found[0] != tokens.access_token

    asyncio.run(story())


def test_a_task_that_is_cancelled_lets_go_and_loses_nothing(connected: Connected) -> None:
    async def story() -> None:
        async with AsyncClient(connected.issuer, **connected.who, store=FileStore(connected.directory)) as client:
            connection = client.connection("acme", leeway=ALWAYS)
            dice = random.Random(7)
            for _ in range(25):
                task = asyncio.create_task(connection.access_token())
                await asyncio.sleep(dice.uniform(0, 0.012))
                task.cancel()
                await asyncio.wait([task])

    asyncio.run(story())
    connected.still_works()
