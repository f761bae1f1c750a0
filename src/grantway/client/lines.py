"""Runs operations over HTTP: ``Line`` blocks, ``AsyncLine`` awaits. All that differs between the two clients is here."""

from __future__ import annotations

import asyncio
import inspect
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypedDict, TypeVar

import httpx2

from grantway.client.conversation import Do, Draw, Now, Operation, Pause, Reply, Send, Step
from grantway.client.errors import ClientError, TimedOut
from grantway.client.transport import (
    Body,
    Timeouts,
    checked,
    deadline,
    failure_of,
    new_async_client,
    new_client,
    request_of,
)
from grantway.wire.http import HttpAnswer

T = TypeVar("T")


class AnyLine(TypedDict, total=False):
    """How a line may be set up; both kinds."""

    timeouts: Timeouts | None
    allow_http: bool
    now: Callable[[], datetime]
    draw: Callable[[int], bytes]


class LineSettings(AnyLine, total=False):
    """What ``Line`` takes."""

    http: httpx2.Client | None


class AsyncLineSettings(AnyLine, total=False):
    """What ``AsyncLine`` takes."""

    http: httpx2.AsyncClient | None


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class Line:
    """Blocks. For as many threads as you like. ``http``: your own httpx2 client, which stays yours to close."""

    def __init__(
        self,
        http: httpx2.Client | None = None,
        *,
        timeouts: Timeouts | None = None,
        allow_http: bool = False,
        now: Callable[[], datetime] = utc_now,
        draw: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._is_own = http is None
        self._http = new_client() if http is None else http
        self._timeouts = timeouts or Timeouts()
        self._allow_http = allow_http
        self._now = now
        self._draw = draw

    def run(self, operation: Operation[T]) -> T:
        """What the operation gives, or the ``ClientError`` that it ends with."""
        ends_at = time.monotonic() + self._timeouts.whole
        outcome: Any = None
        try:
            while True:
                try:
                    step = operation.send(outcome)
                except StopIteration as done:
                    value: T = done.value
                    return value
                outcome = self._came_of(step, ends_at)
        finally:
            operation.close()

    def close(self) -> None:
        """Put the connections down, if they are our own."""
        if self._is_own:
            self._http.close()

    def _came_of(self, step: Step, ends_at: float) -> Any:
        match step:
            case Send():
                return self._send(step, ends_at)
            case Pause(seconds):
                if time.monotonic() + seconds > ends_at:
                    return TimedOut(outcome_unknown=False)
                time.sleep(seconds)
                return None
            case Do(work):
                came = work()
                if inspect.iscoroutine(came):
                    came.close()
                    raise TypeError("This store has to be awaited: use AsyncClient.")
                return came
            case Now():
                return self._now()
            case Draw(size):
                return self._draw(size)

    def _send(self, step: Send, ends_at: float) -> Reply | ClientError:
        checked(step.url, allow_http=self._allow_http)
        asked_at = self._now()
        left = ends_at - time.monotonic()
        if left <= 0:
            return TimedOut(outcome_unknown=False)
        deadline.ends_at = ends_at
        try:
            answer = self._exchange(request_of(step.url, step.request, self._timeouts, left), ends_at)
        except httpx2.TransportError as error:
            return failure_of(error)
        finally:
            deadline.ends_at = float("inf")
        return Reply(answer, asked_at) if isinstance(answer, HttpAnswer) else answer

    def _exchange(self, request: httpx2.Request, ends_at: float) -> HttpAnswer | ClientError:
        response = self._http.send(request, stream=True, auth=None, follow_redirects=False)
        try:
            body = Body(response, ends_at)
            for part in response.iter_raw():
                wrong = body.add(part)
                if wrong is not None:
                    return wrong
            return body.answer()
        finally:
            response.close()


class AsyncLine:
    """Awaits, on asyncio. ``http``: your own httpx2 client, which stays yours to close."""

    def __init__(
        self,
        http: httpx2.AsyncClient | None = None,
        *,
        timeouts: Timeouts | None = None,
        allow_http: bool = False,
        now: Callable[[], datetime] = utc_now,
        draw: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._is_own = http is None
        self._http = new_async_client() if http is None else http
        self._timeouts = timeouts or Timeouts()
        self._allow_http = allow_http
        self._now = now
        self._draw = draw

    async def run(self, operation: Operation[T]) -> T:
        """What the operation gives, or the ``ClientError`` that it ends with."""
        ends_at = time.monotonic() + self._timeouts.whole
        outcome: Any = None
        try:
            while True:
                try:
                    step = operation.send(outcome)
                except StopIteration as done:
                    value: T = done.value
                    return value
                outcome = await self._came_of(step, ends_at)
        finally:
            operation.close()

    async def close(self) -> None:
        """Put the connections down, if they are our own."""
        if self._is_own:
            await self._http.aclose()

    async def _came_of(self, step: Step, ends_at: float) -> Any:
        match step:
            case Send():
                return await self._send(step, ends_at)
            case Pause(seconds):
                if time.monotonic() + seconds > ends_at:
                    return TimedOut(outcome_unknown=False)
                await asyncio.sleep(seconds)
                return None
            case Do(work, quick):
                came = work() if quick else await _in_thread(work)
                return await came if inspect.isawaitable(came) else came
            case Now():
                return self._now()
            case Draw(size):
                return self._draw(size)

    async def _send(self, step: Send, ends_at: float) -> Reply | ClientError:
        checked(step.url, allow_http=self._allow_http)
        asked_at = self._now()
        left = ends_at - time.monotonic()
        if left <= 0:
            return TimedOut(outcome_unknown=False)
        try:
            async with asyncio.timeout(left):
                answer = await self._exchange(request_of(step.url, step.request, self._timeouts, left), ends_at)
        except TimeoutError:
            return TimedOut(outcome_unknown=True)
        except httpx2.TransportError as error:
            return failure_of(error)
        return Reply(answer, asked_at) if isinstance(answer, HttpAnswer) else answer

    async def _exchange(self, request: httpx2.Request, ends_at: float) -> HttpAnswer | ClientError:
        response = await self._http.send(request, stream=True, auth=None, follow_redirects=False)
        try:
            body = Body(response, ends_at)
            async for part in response.aiter_raw():
                wrong = body.add(part)
                if wrong is not None:
                    return wrong
            return body.answer()
        finally:
            await response.aclose()


async def _in_thread(work: Callable[[], Any]) -> Any:
    """The work, done by a thread to its end even when nobody waits any more: a write must not outlive its lock."""
    doing = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        while not doing.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([doing])
        raise
