"""What the two lines do around an operation: whole times, stores that block and stores that are awaited, letting go."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from grantway.client import AsyncClient, Client, ClientError, MemoryPending, Pending, TimedOut, Timeouts, UnsafeAddress
from grantway.client.conversation import Do, Operation, Pause, Reply, Send
from grantway.client.lines import AsyncLine, Line
from grantway.client.standard import Metadata, Standard
from grantway.client.transport import checked
from grantway.wire.http import HttpRequest
from tests.helpers.hostile import Hostile, says

SERVER = Standard("https://login.example", Metadata("https://login.example", "https://login.example/authorize"))
GET = HttpRequest("GET", "/", headers=((b"accept", b"application/json"),))


class AwaitedPending:
    """A store of somebody's own, of coroutine functions; it has no length, and is not taken for missing all the same."""

    def __init__(self) -> None:
        self.inner = MemoryPending()

    def __len__(self) -> int:
        return 0

    async def put(self, state: str, pending: Pending) -> None:
        await asyncio.sleep(0)
        self.inner.put(state, pending)

    async def take(self, state: str) -> Pending | None:
        await asyncio.sleep(0)
        return self.inner.take(state)


def test_a_store_may_be_awaited() -> None:
    async def story() -> None:
        store = AwaitedPending()
        async with AsyncClient(SERVER, client_id="app", pending=store) as client:
            begun = await client.begin()
        assert store.inner.take(begun.state) is not None

    asyncio.run(story())


def test_a_store_that_has_to_be_awaited_is_told_to_the_blocking_client() -> None:
    with (
        Client(SERVER, client_id="app", pending=AwaitedPending()) as client,
        pytest.raises(TypeError, match="AsyncClient"),
    ):
        client.begin()


def test_a_store_that_blocks_does_not_block_the_loop() -> None:
    has_begun, may_go_on = threading.Event(), threading.Event()

    class Slow(MemoryPending):
        def put(self, state: str, pending: Pending) -> None:  # type: ignore[explicit-override]
            has_begun.set()
            assert may_go_on.wait(60), "the loop did not turn meanwhile"

    async def story() -> None:
        async with AsyncClient(SERVER, client_id="app", pending=Slow()) as client:
            beginning = asyncio.create_task(client.begin())
            while not has_begun.is_set():
                await asyncio.sleep(0.01)
            may_go_on.set()
            await beginning

    asyncio.run(story())


@pytest.mark.parametrize("times", [1, 3])
def test_work_that_has_begun_is_finished_before_its_operation_lets_go(times: int) -> None:
    """However often it is cancelled: a write that outlives its lock would meet the next holder's."""
    story: list[str] = []

    has_begun, may_end = threading.Event(), threading.Event()

    def slow() -> None:
        has_begun.set()
        assert may_end.wait(60)
        story.append("written")

    def operation() -> Operation[None]:
        try:
            yield Do(slow)
        finally:
            story.append("let go")

    async def cancelled() -> None:
        running = asyncio.create_task(AsyncLine().run(operation()))
        while not has_begun.is_set():
            await asyncio.sleep(0.01)
        for _ in range(times):
            running.cancel()
            await asyncio.sleep(0.01)
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(cancelled())
    assert story == ["written", "let go"]


@pytest.mark.parametrize("line", [Line, AsyncLine])
def test_whatever_ends_an_operation_it_lets_go(line: Callable[..., Any]) -> None:
    released: list[str] = []

    def operation(step: Any) -> Operation[None]:
        try:
            yield step
        finally:
            released.append(type(step).__name__)

    def fail() -> None:
        raise OSError("the disk is full")

    for step, error in ((Do(fail), OSError), (Send("http://login.example/", GET), UnsafeAddress)):
        with pytest.raises(error):
            _run(line(), operation(step))
    assert released == ["Do", "Send"]


def test_a_stop_iteration_of_a_store_is_not_taken_for_the_end() -> None:
    def operation() -> Operation[str]:
        yield Do(lambda: next(iter(())))
        return "the end"

    with pytest.raises(StopIteration):
        _run(Line(), operation())


@pytest.mark.parametrize("line", [Line, AsyncLine])
def test_a_pause_that_is_longer_than_what_is_left_is_not_begun(line: Callable[..., Any]) -> None:
    def operation() -> Operation[Any]:
        return (yield Pause(600))

    before = time.monotonic()
    came = _run(line(timeouts=Timeouts(whole=60)), operation())
    assert isinstance(came, TimedOut)
    assert time.monotonic() - before < 30


@pytest.mark.parametrize("line", [Line, AsyncLine])
def test_the_time_of_a_call_is_that_of_all_its_requests(line: Callable[..., Any], twin: Hostile) -> None:
    def silence(connection: Any) -> None:
        connection.recv(1)  # until the client hangs up

    def operation() -> Operation[list[Any]]:
        came = []
        for _ in range(4):
            came.append((yield Send(twin.base_url, GET)))
        return came

    twin.play(says(200, {}), says(200, {}), silence)
    came = _run(line(timeouts=Timeouts(whole=3)), operation())
    assert [type(each) for each in came] == [Reply, Reply, TimedOut, TimedOut]
    assert [each.outcome_unknown for each in came[2:]] == [True, False]


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example/token",
        "ftp://login.example/",
        "https://user:secret@login.example/",
        "https://user@login.example/",
        "//login.example/",
        "login.example",
        "",
        "https://",
        "https://[::1",
        "https://login.example:99999/",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/",
        "file:///etc/passwd",
    ],
)
def test_secrets_are_not_sent_there(url: str) -> None:
    with pytest.raises(UnsafeAddress) as raised:
        checked(url, allow_http=False)
    assert raised.value.__context__ is None


@pytest.mark.parametrize(
    "url", ["https://login.example/token", "http://127.0.0.1:8080/", "http://localhost/", "http://[::1]:8080/token"]
)
def test_secrets_are_sent_by_https_and_to_this_machine(url: str) -> None:
    checked(url, allow_http=False)


def test_http_elsewhere_has_to_be_allowed() -> None:
    checked("http://login.internal/token", allow_http=True)
    with pytest.raises(ClientError):
        checked("ftp://login.internal/token", allow_http=True)


def _run(line: Any, operation: Operation[Any]) -> Any:
    if isinstance(line, Line):
        try:
            return line.run(operation)
        finally:
            line.close()

    async def story() -> Any:
        try:
            return await line.run(operation)
        finally:
            await line.close()

    return asyncio.run(story())
