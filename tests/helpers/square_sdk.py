"""Square's published Python client, unmodified, blocking and awaiting, over connections that are counted and closed."""

from __future__ import annotations

import asyncio
import importlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from typing_extensions import override

square: Any = importlib.import_module("square")
api_error: Any = importlib.import_module("square.core.api_error")
ApiError: type[Any] = api_error.ApiError
_TLS = ssl.create_default_context()  # made once: reading the world's certificates takes longer than a call


class Losing(httpx.HTTPTransport):
    """A line on which the first answer gets lost: the server has done what it was asked, and 503 arrives."""

    lost: httpx.Response | None = None

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if self.lost is None:
            answer.read()
            self.lost = answer
            return httpx.Response(503, request=request)
        return answer


@dataclass
class Sdk:
    """Calls of its OAuth API, each by a client of its own. ``sent`` is every request that it made of them."""

    base_url: str
    awaiting: bool = False
    cookies: dict[str, str] = field(default_factory=dict)
    sent: list[httpx.Request] = field(default_factory=list)
    transport: Callable[[], httpx.HTTPTransport] | None = None

    def call(self, name: str, token: str | None = None, **arguments: Any) -> Any:
        """One call with this token configured; what it gives, or the SDK's own exception."""
        if self.awaiting:
            return asyncio.run(self._call_awaiting(name, token, arguments))
        with httpx.Client(
            follow_redirects=True,
            cookies=self.cookies,
            verify=_TLS,
            transport=None if self.transport is None else self.transport(),
            event_hooks={"request": [self.sent.append]},
        ) as line:
            client = square.Square(base_url=self.base_url, token=token, httpx_client=line)
            return getattr(client.o_auth, name)(**arguments)

    async def _call_awaiting(self, name: str, token: str | None, arguments: dict[str, Any]) -> Any:
        async def note(request: httpx.Request) -> None:
            self.sent.append(request)

        async with httpx.AsyncClient(
            follow_redirects=True, cookies=self.cookies, verify=_TLS, event_hooks={"request": [note]}
        ) as line:
            client = square.AsyncSquare(base_url=self.base_url, token=token, httpx_client=line)
            return await getattr(client.o_auth, name)(**arguments)


def by_secret(secret: str) -> dict[str, Any]:
    """The options with which this SDK revokes as the vendor's documentation says."""
    return {"additional_headers": {"Authorization": f"Client {secret}"}}
