"""Machine endpoints without ASGI in between: a sixth of what an opaque token cost was the way through it.

uvicorn's protocol goes on to read HTTP, and everything that is not a plain request of known length to a machine endpoint
takes its usual way. The application stays an ASGI application; in another server nothing here is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from grantway.server.answer import Endpoint
from grantway.server.log import log, where

if TYPE_CHECKING:
    from grantway.server.app import Application

MAX_BODY = 64 * 1024
"""Bytes."""

MAX_HEAD = 64 * 1024
"""Bytes that may come, after what came at once, before they make a head, a piece of a body or an end."""

MAX_WAITING = 100
"""Requests on a connection that may wait for the answers to those before them. A few dozen kilobytes bring thousands, and
each of them takes a hundred times its size here."""

Header = tuple[bytes, bytes]


class DirectProtocol(HttpToolsProtocol):
    """Reads HTTP for a uvicorn whose application is a ``grantway.server.run.Worker``.

    It bounds what a connection may keep here, which uvicorn leaves to a proxy.
    """

    _unread = 0
    """Bytes that came and are nothing yet."""

    @override
    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        super().data_received(data)
        if self._unread > MAX_HEAD and not self.transport.is_closing():
            # RFC 6585 §5
            lines = [STATUS_LINE[431], b"content-length: 0\r\nconnection: close\r\n\r\n"]
            self.transport.write(b"".join(lines))
            self.transport.close()

    @override
    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    @override
    def on_message_begin(self) -> None:
        self._unread = 0
        # What ASGI wants to know is gathered when ASGI is taken.
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    @override
    def on_headers_complete(self) -> None:
        self._unread = 0
        if len(self.pipeline) == MAX_WAITING:
            raise _TooMany  # to the parser, which reads no more
        cycle: Any = self._direct_cycle()
        if cycle is not None:
            self.cycle = cycle
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)  # the scope's own list
        super().on_headers_complete()
        # Fields behind a body are none of its head's (RFC 9110 §6.5.1): a proxy that sets X-Forwarded-For did not see them.
        self.headers = []

    def _direct_cycle(self) -> DirectCycle | None:
        application: Application | None = self.app.application
        before: Any = self.cycle
        if application is None or self.expect_100_continue or not (before is None or before.response_complete):
            return None
        path, _, query = self.url.partition(b"?")
        method = self.parser.get_method().decode()
        endpoint = application.direct(method, path.decode("latin-1"))
        if endpoint is None or self.parser.get_http_version() != "1.1" or self.parser.should_upgrade():
            return None
        if not _has_known_length(self.headers):
            return None
        return DirectCycle(self, application, endpoint, (method, path.decode(), query))


class _TooMany(Exception):
    """More requests at once than are kept waiting."""


def _has_known_length(headers: Sequence[Header]) -> bool:
    """Whether the body is one that is taken in, and not in chunks."""
    for name, value in headers:
        if name == b"transfer-encoding" or (name == b"content-length" and (len(value) > 5 or int(value) > MAX_BODY)):
            return False
    return True


class DirectCycle:
    """One request and its answer, in the place of uvicorn's own: the protocol fills ``body`` and calls ``set``."""

    __slots__ = (
        "_application", "_asked", "_endpoint", "_protocol", "body", "disconnected", "keep_alive", "more_body",
        "response_complete",
    )  # fmt: skip

    def __init__(
        self, protocol: DirectProtocol, application: Application, endpoint: Endpoint, asked: tuple[str, str, bytes]
    ) -> None:
        self._protocol = protocol
        self._application = application
        self._endpoint = endpoint
        self._asked: tuple[str, str, bytes] | None = asked
        self.body = bytearray()
        self.more_body = True
        self.keep_alive = bool(protocol.parser.should_keep_alive())
        self.disconnected = False
        self.response_complete = False

    @property
    def message_event(self) -> DirectCycle:
        """What the protocol sets when more of the body, all of it, or the end of the connection has come."""
        return self

    def set(self) -> None:
        """Answer once the request is there. Half a request is none: nothing is done for one that ends in between."""
        asked = self._asked
        if asked is None or (self.more_body and not self.disconnected):
            return
        self._asked = None
        if self.more_body:
            self._application.caller_gone(self._endpoint)
            return
        protocol = self._protocol
        task = protocol.loop.create_task(self._answer(*asked, protocol.headers))
        protocol.tasks.add(task)
        task.add_done_callback(protocol.tasks.discard)

    async def _answer(self, method: str, path: str, query: bytes, headers: list[Header]) -> None:
        protocol = self._protocol
        peer = protocol.client[0] if protocol.client else ""
        try:
            status, said, body = await self._application.answer_directly(
                self._endpoint, method, path, query, headers, bytes(self.body), peer
            )
            if protocol.flow.write_paused and not self.disconnected:
                await protocol.flow.drain()
            if not self.disconnected:
                protocol.transport.write(
                    _bytes(status, [*protocol.server_state.default_headers, *said], body, self.keep_alive)
                )
        except asyncio.CancelledError:
            protocol.transport.close()
            raise
        except Exception as error:  # noqa: BLE001  nothing of an exception is said, and its message may hold what was sent
            log.error("fault", route=self._endpoint.name, error=type(error).__name__, at=where(error))
            protocol.transport.close()
        finally:
            self.response_complete = True
            if not self.keep_alive:
                protocol.transport.close()
            protocol.on_response_complete()


def _bytes(status: int, headers: Sequence[Header], body: bytes, keep_alive: bool) -> bytes:
    """An answer as it is sent. Raises ``ValueError`` for a header that would be two."""
    head = b"\r\n".join([b"%b: %b" % header for header in headers])
    lines = head.count(b"\n")
    if lines != len(headers) - 1 or head.count(b"\r") != lines:
        raise ValueError("A header holds the end of a line.")
    closing = b"\r\n\r\n" if keep_alive else b"\r\nconnection: close\r\n\r\n"
    return b"".join((STATUS_LINE[status], head, closing, body))
