"""An ASGI application called directly: no socket, no server, the same messages."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Reply:
    """What came back, whichever way it was asked for."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return orjson.loads(self.body)


class Disconnected(Exception):
    """The application gave no answer, because the caller had gone."""


class Caller:
    """Calls one application, one request after the other, in an event loop of its own."""

    def __init__(self, app: Any, address: str = "203.0.113.7") -> None:
        self.app = app
        self._address = address
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def request(self, method: str, target: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> Reply:
        """One request, as a client library would send it. ``target`` may be a URL; its host is not looked at."""
        parts = urlsplit(target if "://" in target.partition("?")[0] else f"http://here{target}")
        lower = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        if body and not any(name == b"content-length" for name, _ in lower):
            lower.append((b"content-length", str(len(body)).encode()))
        return self.raw(method, unquote(parts.path) or "/", parts.query.encode(), lower, (body,))

    def raw(
        self,
        method: str,
        path: str,
        query: bytes = b"",
        headers: Headers = (),
        parts: Sequence[bytes] = (b"",),
        *,
        hangs_up: bool = False,
    ) -> Reply:
        """One request as the server hands it over, its body in these parts. ``hangs_up``: the last one never comes."""
        return self._loop.run_until_complete(
            call(self.app, method, path, query, headers, parts, hangs_up=hangs_up, address=self._address)
        )


async def call(
    app: Any,
    method: str,
    path: str,
    query: bytes = b"",
    headers: Headers = (),
    parts: Sequence[bytes] = (b"",),
    *,
    hangs_up: bool = False,
    address: str = "203.0.113.7",
) -> Reply:
    """One request and its reply. Raises ``Disconnected`` when none was sent."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "query_string": query,
        "root_path": "",
        "headers": list(headers),
        "client": (address, 50000),
        "server": ("127.0.0.1", 8080),
    }
    waiting = list(parts)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if waiting and not (hangs_up and len(waiting) == 1):
            part = waiting.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(waiting)}
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    if not sent:
        raise Disconnected
    start = sent[0]
    found = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"])
    return Reply(start["status"], found, b"".join(message.get("body", b"") for message in sent[1:]))
