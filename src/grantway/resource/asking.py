"""Puts a verifier's questions to the authorization server: in time, bounded, without redirects, blocking or not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from time import monotonic

import httpx2

from grantway.resource.refusals import Refused
from grantway.resource.token import AccessToken
from grantway.resource.verifier import Verifier
from grantway.wire.http import HttpAnswer, HttpRequest

Clock = Callable[[], datetime]

TIMEOUT = httpx2.Timeout(5.0)
LONGEST = 10.0
"""Seconds for a whole answer: one that drips is none."""
LARGEST = 256 * 1024

_LOST = (httpx2.ConnectError, httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError)

log = logging.getLogger("grantway.resource")


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class _Unusable(Exception):
    """An answer that is too large, too slow, or packed although nobody asked for that."""


class _Body:
    """The bytes of one answer, as they come."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._until = monotonic() + LONGEST

    def add(self, part: bytes) -> None:
        self._bytes += part
        if len(self._bytes) > LARGEST or monotonic() > self._until:
            raise _Unusable

    def answer(self, response: httpx2.Response) -> HttpAnswer:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise _Unusable
        headers = tuple((name.lower(), value) for name, value in response.headers.raw)
        return HttpAnswer(response.status_code, headers, bytes(self._bytes))


def _headers(question: HttpRequest) -> list[tuple[bytes, bytes]]:
    return [*question.headers, (b"accept-encoding", b"identity")]


def _told(found: AccessToken | Refused) -> AccessToken | Refused:
    """The same; that nobody could say is logged, since whoever runs the API has to see to it."""
    if isinstance(found, Refused) and found.error.status == 503:
        log.warning("callers are refused: %s", found.reason)
    return found


class Asker:
    """Says what tokens are good for, blocking. For many threads."""

    def __init__(self, verifier: Verifier, http: httpx2.Client | None, clock: Clock) -> None:
        self._verifier = verifier
        self._is_own = http is None
        self._http = http or httpx2.Client(timeout=TIMEOUT, trust_env=False)
        self._clock = clock
        self._turn = Lock()

    def token(self, text: str) -> AccessToken | Refused:
        """What this token is good for."""
        found = self._verifier.look(text, self._clock())
        if not isinstance(found, HttpRequest):
            return found
        if not self._verifier.one_asks_for_all:
            return self._ask(text, found)
        with self._turn:
            found = self._verifier.look(text, self._clock())
            return self._ask(text, found) if isinstance(found, HttpRequest) else found

    def close(self) -> None:
        """Put the connections down, if they are our own."""
        if self._is_own:
            self._http.close()

    def _ask(self, text: str, question: HttpRequest) -> AccessToken | Refused:
        asked_at = self._clock()
        try:
            answer = self._send(question)
        except _LOST:
            answer = self._again(question)
        return _told(self._verifier.hear(text, answer, asked_at, self._clock()))

    def _again(self, question: HttpRequest) -> HttpAnswer | None:
        """A kept connection may have been closed at the other end meanwhile, and asking twice changes nothing."""
        try:
            return self._send(question)
        except _LOST:
            return None

    def _send(self, question: HttpRequest) -> HttpAnswer | None:
        body = _Body()
        try:
            with self._http.stream(
                question.method, self._verifier.url, content=question.body, headers=_headers(question),
                follow_redirects=False,
            ) as response:  # fmt: skip
                for part in response.iter_raw():
                    body.add(part)
                return body.answer(response)
        except _LOST:
            raise
        except (httpx2.HTTPError, _Unusable):
            return None


@dataclass(frozen=True, slots=True)
class _InLoop:
    loop: asyncio.AbstractEventLoop
    http: httpx2.AsyncClient
    turn: asyncio.Lock


class AsyncAsker:
    """Says what tokens are good for, in an event loop."""

    def __init__(self, verifier: Verifier, http: httpx2.AsyncClient | None, clock: Clock) -> None:
        self._verifier = verifier
        self._given = http
        self._clock = clock
        self._open: _InLoop | None = None

    async def token(self, text: str) -> AccessToken | Refused:
        """What this token is good for."""
        found = self._verifier.look(text, self._clock())
        if not isinstance(found, HttpRequest):
            return found
        if not self._verifier.one_asks_for_all:
            return await self._ask(text, found)
        async with self._in_loop().turn:
            found = self._verifier.look(text, self._clock())
            return await self._ask(text, found) if isinstance(found, HttpRequest) else found

    async def close(self) -> None:
        """Put the connections down, if they are our own."""
        if self._open is not None and self._given is None:
            await self._open.http.aclose()
        self._open = None

    def _in_loop(self) -> _InLoop:
        """Connections and locks belong to an event loop. A server has one; tests often have one for each request."""
        loop = asyncio.get_running_loop()
        if self._open is None or self._open.loop is not loop:
            http = self._given or httpx2.AsyncClient(timeout=TIMEOUT, trust_env=False)
            self._open = _InLoop(loop, http, asyncio.Lock())
        return self._open

    async def _ask(self, text: str, question: HttpRequest) -> AccessToken | Refused:
        asked_at = self._clock()
        try:
            answer = await self._send(question)
        except _LOST:
            answer = await self._again(question)
        return _told(self._verifier.hear(text, answer, asked_at, self._clock()))

    async def _again(self, question: HttpRequest) -> HttpAnswer | None:
        try:
            return await self._send(question)
        except _LOST:
            return None

    async def _send(self, question: HttpRequest) -> HttpAnswer | None:
        body = _Body()
        try:
            async with asyncio.timeout(LONGEST), self._in_loop().http.stream(
                question.method, self._verifier.url, content=question.body, headers=_headers(question),
                follow_redirects=False,
            ) as response:  # fmt: skip
                async for part in response.aiter_raw():
                    body.add(part)
                return body.answer(response)
        except _LOST:
            raise
        except (httpx2.HTTPError, TimeoutError, _Unusable):
            return None
