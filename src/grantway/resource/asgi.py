"""The middleware for ASGI applications."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import httpx2

from grantway.client.lines import utc_now
from grantway.resource.asking import AsyncAsker, Clock
from grantway.resource.guard import KEY, InsufficientScope, admit, read_token, wanted
from grantway.resource.refusals import Refused, write_refusal
from grantway.resource.token import AccessToken
from grantway.resource.verifier import Verifier
from grantway.wire.http import HttpAnswer

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY_VIOLATION = 1008  # RFC 6455 §7.4.1


class Protect:
    """Lets only callers with a good access token for this API in; the application finds it by ``token_of(scope)``.

    Every HTTP request needs one, whatever its path and method. WebSockets are refused: browsers cannot send the header, and
    a token that ends would not end what is open. Lifespan messages pass.
    """

    def __init__(
        self,
        app: AsgiApp,
        verifier: Verifier,
        *,
        audience: str | None,
        required_scope: str | Iterable[str] = (),
        http: httpx2.AsyncClient | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._app = app
        self._wanted = wanted(verifier, audience, required_scope)
        self._asker = AsyncAsker(verifier, http, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._guard(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            raise RuntimeError(f"Nobody said how to protect {scope['type']}.")

    async def aclose(self) -> None:
        """Put the connections to the authorization server down. The end of the lifespan does it; what is mounted has none."""
        await self._asker.close()

    async def _guard(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = await self._token(scope)
        if isinstance(token, Refused):
            await _say(send, write_refusal(token))
            return
        has_begun = False

        async def sending(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app({**scope, KEY: token}, receive, sending)
        except InsufficientScope as error:
            if has_begun:
                raise
            await _say(send, error.answer)

    async def _token(self, scope: Scope) -> AccessToken | Refused:
        text = read_token(scope["headers"], scope["query_string"])
        if isinstance(text, Refused):
            return text
        found = await self._asker.token(text)
        if isinstance(found, Refused):
            return found
        return admit(found, self._wanted) or found

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application's own life; our connections end with it."""
        try:
            await self._app(scope, receive, send)
        finally:
            await self.aclose()


async def _say(send: Send, answer: HttpAnswer) -> None:
    headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
