"""The ASGI application: machine endpoints by one look-up, everything else is pages. All is handed over here."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import unquote

from grantway.server import api
from grantway.server.answer import Endpoint, answer
from grantway.server.background import Background
from grantway.server.cross_origin import EVERYBODY, preflight
from grantway.server.direct import MAX_BODY
from grantway.server.endpoints import operations, phonecom, phonecom_clients, square, standard, sunshine, webhooks
from grantway.server.hand_off import SignInHook
from grantway.server.health import Health
from grantway.server.metrics.shared import Shelf
from grantway.server.pages.routes import build_pages
from grantway.server.paths import Templates
from grantway.server.proxies import from_proxy, request_id_of
from grantway.server.service import Service
from grantway.wire.dialects import phonecom as phonecom_wire
from grantway.wire.dialects import sunshine as sunshine_wire
from grantway.wire.errors import CONTENT_TOO_LARGE, METHOD_NOT_ALLOWED
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import ErrorAnswer

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_SLASHES = re.compile("//+")
_VENDOR_PREFIX = "/sc"
"""Zendesk serves Sunshine Conversations below this path, so SDKs' base URLs have it."""


def build_app(service: Service, shelf: Shelf | None = None, *, sign_in: SignInHook | None = None) -> Application:
    """The server for this service, pages and all.

    ``shelf``: where several workers share metrics. ``sign_in``: how an application that mounts this one says who its
    users are.
    """
    return Application(service, build_pages(service, sign_in), shelf)


class Application:
    """Grantway as one ASGI application.

    ``pages`` answers whatever is not a machine endpoint.
    """

    def __init__(self, service: Service, pages: AsgiApp, shelf: Shelf | None = None) -> None:
        mint = service.mint
        self.service = service
        self.health = Health()
        self._decisions = service.decisions
        self._pages = pages
        self._background = Background(service, shelf)
        self._endpoints: dict[tuple[str, str], Endpoint] = (
            standard.endpoints(mint)
            | sunshine.endpoints(mint)
            | square.endpoints(mint)
            | phonecom.endpoints(mint)
            | phonecom_clients.endpoints()
            | webhooks.endpoints()
            | api.endpoints(service.issuer)
            | operations.endpoints(self.health, shelf)
        )
        self._api_nowhere = api.nowhere(service.issuer)
        by_path: dict[str, dict[str, Endpoint]] = {}
        by_template: dict[str, dict[str, Endpoint]] = {}
        for (method, path), endpoint in list(self._endpoints.items()):
            (by_template if "{" in path else by_path).setdefault(path, {})[method] = endpoint
            if "{" in path:
                del self._endpoints[method, path]
        self._by_path = by_path
        self._by_template = by_template
        self._templates = Templates(by_template)
        self._vendor_paths = {
            path.lower(): path
            for path in (
                sunshine_wire.AUTHORIZE_PATH,
                sunshine_wire.TOKEN_PATH,
                sunshine_wire.TOKEN_INFO_PATH,
                sunshine_wire.ACCESS_REVOCATION_PATH,
            )
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError(f"Grantway does not speak {scope['type']}.")
        if self.health.is_draining:
            send = _last_on_its_connection(send)
        if self.service.traces is not None:
            self.service.traces.begin(from_proxy(self.service, scope, b"traceparent"))
        endpoint = self._endpoints.get((scope["method"], scope["path"]))
        if endpoint is not None:
            await self._answer(endpoint, scope["path"], scope, receive, send)
            return
        path, values = self._known_path(scope["path"]), None
        methods = self._by_path.get(path)
        if methods is None and (matched := self._fitting(path, scope)) is not None:
            methods, values = self._by_template[matched[0]], matched[1]
        if methods is None and path.startswith(api.PREFIX):
            await self._answer(self._api_nowhere, path, scope, receive, send)
        elif methods is None:
            await self._pages(scope if path == scope["path"] else {**scope, "path": path}, receive, send)
        elif scope["method"] in methods:
            await self._answer(methods[scope["method"]], path, scope, receive, send, values)
        elif scope["method"] == "HEAD" and "GET" in methods:
            # RFC 9110 §9.3.2: as GET; the server leaves the body away.
            await self._answer(methods["GET"], path, scope, receive, send, values)
        else:
            await self._wrong_method(methods, path, scope, send)

    def direct(self, method: str, path: str) -> Endpoint | None:
        """The endpoint at just this address, if it may be answered without ASGI now (see ``grantway.server.direct``)."""
        if self.health.is_draining or self.service.traces is not None:
            return None
        return self._endpoints.get((method, path))

    async def answer_directly(
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        query: bytes,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        peer: str,
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Status, headers and body of the answer to a request whose body is there and small enough."""
        request_id = request_id_of(self.service, {"client": (peer, 0), "headers": headers})
        request = HttpRequest(method, path, query, headers, body, {}, request_id, peer)
        reply = await answer(endpoint, self.service, self._decisions, request, request_id)
        return reply.status, _headers(reply, request_id, endpoint.open_to_browsers), reply.body

    def caller_gone(self, endpoint: Endpoint, request_id: str | None = None) -> None:
        """Half a request is none: a code is not spent for somebody who did not finish asking. It is logged."""
        self._decisions.write(endpoint.name, 499, "caller_gone", None, 0, request_id or self.service.draw(8).hex())

    def _fitting(self, path: str, scope: Scope) -> tuple[str, dict[str, str]] | None:
        """The template that the path fits, and its values. A slash that was sent encoded divides nothing (RFC 3986 §2.2):
        it is part of a value, as in Square's client ids."""
        sent: bytes = scope.get("raw_path") or b""
        if b"%2f" not in sent.lower():
            return self._templates.match(path)
        matched = self._templates.match(self._known_path(sent.decode("latin-1")))
        return matched and (matched[0], {name: unquote(value) for name, value in matched[1].items()})

    def _known_path(self, path: str) -> str:
        """The path as we know it: doubled slashes folded, and vendors' paths with their prefix and in any case."""
        path = _SLASHES.sub("/", path)
        if path == phonecom_wire.AUTHORIZE_PATH + "/":  # the vendor's script writes "/?" behind its address
            return phonecom_wire.AUTHORIZE_PATH
        bare = path[len(_VENDOR_PREFIX) :] if path.startswith(_VENDOR_PREFIX + "/") else path
        if bare.startswith("/v2/apps/"):
            return bare
        known = self._vendor_paths.get(bare.lower())
        if known is None or known not in (bare, sunshine_wire.TOKEN_INFO_PATH):
            return path
        return known

    async def _answer(
        self,
        endpoint: Endpoint,
        path: str,
        scope: Scope,
        receive: Receive,
        send: Send,
        values: Mapping[str, str] | None = None,
    ) -> None:
        request_id = request_id_of(self.service, scope)
        try:
            body = await _read_body(scope, receive)
        except _CallerGone:
            self.caller_gone(endpoint, request_id)
            return
        request = HttpRequest(
            scope["method"],
            path,
            scope["query_string"],
            scope["headers"],
            body or b"",
            values or {},
            request_id,
            (scope.get("client") or ("",))[0],
        )
        if body is None:
            reply = endpoint.write_error(ErrorAnswer(CONTENT_TOO_LARGE), request)
            self._decisions.write(endpoint.name, reply.status, "content_too_large", None, 0, request_id)
        else:
            reply = await answer(endpoint, self.service, self._decisions, request, request_id)
        await _send(send, reply, request_id, endpoint.open_to_browsers)

    async def _wrong_method(self, methods: dict[str, Endpoint], path: str, scope: Scope, send: Send) -> None:
        request_id = request_id_of(self.service, scope)
        allowed = (b"allow", ", ".join(sorted({*methods, *(["HEAD"] if "GET" in methods else [])})).encode())
        endpoint = next(iter(methods.values()))
        asked = preflight(endpoint, scope["headers"], allowed[1]) if scope["method"] == "OPTIONS" else None
        if asked is not None:
            self._decisions.write(endpoint.name, 204, "preflight", None, 0, request_id)
            await _send(send, HttpAnswer(204, (allowed, *asked)), request_id)
            return
        request = HttpRequest(scope["method"], path, request_id=request_id)
        reply = endpoint.write_error(ErrorAnswer(METHOD_NOT_ALLOWED), request)
        self._decisions.write(endpoint.name, reply.status, "method_not_allowed", None, 0, request_id)
        await _send(send, HttpAnswer(reply.status, (*reply.headers, allowed), reply.body), request_id)

    async def _live(self, receive: Receive, send: Send) -> None:
        """The server's life: background work while it runs, and everything put down in order at its end."""
        await receive()
        self._background.start()
        self.health.state = "ready"
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.health.state = "draining"
        await self._background.stop()
        await self.service.storage.close()
        if self.service.traces is not None:
            await asyncio.to_thread(self.service.traces.close)
        await send({"type": "lifespan.shutdown.complete"})


class _CallerGone(Exception):
    """The connection ended before the request did."""


async def _read_body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body, or ``None`` when it is too large: then no more of it is read. Raises ``_CallerGone``."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise _CallerGone
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body if len(body) <= MAX_BODY else None
    parts, size = [body], len(body)
    while message.get("more_body", False):
        if size > MAX_BODY:
            return None
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _CallerGone
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
    return b"".join(parts) if size <= MAX_BODY else None


def _last_on_its_connection(send: Send) -> Send:
    """Answers that ask the other side to come back on a new connection, which another server will take."""

    async def closing(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await send(message)

    return closing


async def _send(send: Send, reply: HttpAnswer, request_id: str, open_to_browsers: bool = False) -> None:
    headers = _headers(reply, request_id, open_to_browsers)
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def _headers(reply: HttpAnswer, request_id: str, open_to_browsers: bool) -> list[tuple[bytes, bytes]]:
    headers = [
        *reply.headers,
        (b"content-length", str(len(reply.body)).encode()),
        (b"x-request-id", request_id.encode()),
    ]
    if open_to_browsers:
        headers.append(EVERYBODY)
    return headers
