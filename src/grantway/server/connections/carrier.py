"""How a checked request is carried: an HTTP client that connects where it is told to and keeps nothing.

A module of its own because the client takes its time to read: it is first looked at when the server has started.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterable, Mapping
from typing import cast

import httpx2

from grantway.server.connections.outgoing import Answer, Failed

MAX_ANSWER = 64 * 1024
"""Bytes of an answer that are read; what comes after is cut off."""
CONNECT_TIMEOUT = 5.0
"""Seconds for one address of a name, so that the next gets its chance within the deadline."""


class Carrier:
    """Carries requests to addresses that were checked. One per process."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        # No connection is kept: it was opened to an address for one name and must not serve another name's request.
        self._transport = httpx2.AsyncHTTPTransport(
            # Certificate authorities may come from the operator's environment; a proxy may not: it would not check.
            verify=tls or httpx2.create_ssl_context(),
            trust_env=False,
            http2=False,
            limits=httpx2.Limits(max_keepalive_connections=0),
        )

    async def close(self) -> None:
        """Let connections go."""
        await self._transport.aclose()

    async def send(
        self, target: httpx2.URL, addresses: list[str], headers: Mapping[str, str], body: bytes
    ) -> httpx2.Response:
        """Send it to the first of these addresses that takes a connection. Raises ``Failed``."""
        for address in addresses[:-1]:
            try:
                return await self._send(target, address, headers, body)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue  # nothing was sent yet
        try:
            return await self._send(target, addresses[-1], headers, body)
        except httpx2.ConnectError as error:
            raise Failed("tls" if _is_about_tls(error) else "unreachable") from None
        except httpx2.ConnectTimeout:
            raise Failed("unreachable") from None

    async def _send(self, target: httpx2.URL, address: str, headers: Mapping[str, str], body: bytes) -> httpx2.Response:
        request = httpx2.Request(
            "POST",
            target,
            headers={"User-Agent": "Grantway", "Accept-Encoding": "identity", "Connection": "close", **headers},
            content=body,
            extensions={
                "sni_hostname": target.host,
                "timeout": {"connect": CONNECT_TIMEOUT, "read": None, "write": None, "pool": None},
            },
        )
        # Host header and SNI keep the name, the connection goes to the address that was checked.
        request.url = target.copy_with(host=address)
        try:
            return await self._transport.handle_async_request(request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            raise
        except httpx2.TransportError:
            raise Failed("broken_answer") from None

    async def read(self, response: httpx2.Response, ends_at: float) -> Answer:
        """The answer's first ``MAX_ANSWER`` bytes as they were sent: nothing is unpacked.

        The status is in, so it counts even when the rest breaks off or dribbles on until the deadline (loop time).
        """
        parts: list[bytes] = []
        left = MAX_ANSWER
        cut = False
        try:
            async with asyncio.timeout_at(ends_at):
                async for part in cast("AsyncIterable[bytes]", response.stream):
                    parts.append(part[:left])
                    cut = len(part) > left
                    if cut:
                        break
                    left -= len(part)
        except (TimeoutError, httpx2.TransportError):
            cut = True
        finally:
            await response.aclose()
        return Answer(response.status_code, b"".join(parts), cut, response.headers.get("retry-after"))


def _is_about_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
