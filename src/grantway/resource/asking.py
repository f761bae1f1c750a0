"""Puts a verifier's questions to the authorization server: bounded in time and size, without redirects, blocking or not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

import httpx2

from grantway.client.conversation import Now, Operation, Reply, Send
from grantway.client.errors import NotReached
from grantway.client.lines import AsyncLine, Line
from grantway.client.transport import Timeouts
from grantway.resource.refusals import Refused
from grantway.resource.token import AccessToken
from grantway.resource.verifier import Verifier
from grantway.wire.http import HttpRequest

Clock = Callable[[], datetime]

TIMEOUTS = Timeouts(connect=5.0, idle=5.0, whole=10.0)
"""A caller waits meanwhile."""

log = logging.getLogger("grantway.resource")


def _ask(verifier: Verifier, token: str, question: HttpRequest) -> Operation[AccessToken | Refused]:
    """Ask, and hear what the answer makes of the token.

    A lost answer is asked for once more: a kept connection may have been closed at the other end, and asking twice changes
    nothing.
    """
    outcome = yield Send(verifier.url, question)
    if isinstance(outcome, NotReached) and outcome.reason == "lost":
        outcome = yield Send(verifier.url, question)
    now = yield Now()
    if isinstance(outcome, Reply):
        found = verifier.hear(token, outcome.answer, outcome.asked_at, now)
    else:
        found = verifier.hear(token, None, now, now)
    if isinstance(found, Refused) and found.error.status == 503:
        # Whoever runs the API has to see to it; nobody else learns why.
        log.warning("callers are refused: %s", found.reason)
    return found


class Asker:
    """Says what tokens are good for, blocking. For many threads."""

    def __init__(self, verifier: Verifier, http: httpx2.Client | None, clock: Clock) -> None:
        self._verifier = verifier
        self._clock = clock
        # The verifier looked at its address when it was made.
        self._line = Line(http, timeouts=TIMEOUTS, allow_http=True, now=clock)
        self._turn = Lock()

    def token(self, text: str) -> AccessToken | Refused:
        """What this token is good for."""
        found = self._verifier.look(text, self._clock())
        if not isinstance(found, HttpRequest):
            return found
        if not self._verifier.one_asks_for_all:
            return self._line.run(_ask(self._verifier, text, found))
        with self._turn:
            found = self._verifier.look(text, self._clock())
            return self._line.run(_ask(self._verifier, text, found)) if isinstance(found, HttpRequest) else found

    def close(self) -> None:
        """Put the connections down, if they are our own."""
        self._line.close()


@dataclass(frozen=True, slots=True)
class _InLoop:
    loop: asyncio.AbstractEventLoop
    line: AsyncLine
    turn: asyncio.Lock


class AsyncAsker:
    """Says what tokens are good for, in an event loop."""

    def __init__(self, verifier: Verifier, http: httpx2.AsyncClient | None, clock: Clock) -> None:
        self._verifier = verifier
        self._clock = clock
        self._http = http
        self._open: _InLoop | None = None

    async def token(self, text: str) -> AccessToken | Refused:
        """What this token is good for."""
        found = self._verifier.look(text, self._clock())
        if not isinstance(found, HttpRequest):
            return found
        here = self._in_loop()
        if not self._verifier.one_asks_for_all:
            return await here.line.run(_ask(self._verifier, text, found))
        async with here.turn:
            found = self._verifier.look(text, self._clock())
            return await here.line.run(_ask(self._verifier, text, found)) if isinstance(found, HttpRequest) else found

    async def close(self) -> None:
        """Put the connections down, if they are our own."""
        if self._open is not None:
            await self._open.line.close()
        self._open = None

    def _in_loop(self) -> _InLoop:
        """Connections and locks belong to an event loop. A server has one; tests often have one for each request."""
        loop = asyncio.get_running_loop()
        if self._open is None or self._open.loop is not loop:
            line = AsyncLine(self._http, timeouts=TIMEOUTS, allow_http=True, now=self._clock)
            self._open = _InLoop(loop, line, asyncio.Lock())
        return self._open
