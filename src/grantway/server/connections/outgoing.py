"""The one guard for requests to addresses that strangers give us (a ``removeUrl``, a webhook's target).

Without it, whoever registers an integration could make this server speak to its own network: to a metadata service,
a database, an admin page. So: https only, ordinary ports, the name resolved once, every address of it checked, the
connection made to an address that was checked while TLS proves the name; no proxy from the environment, no redirect, no
cookie; one deadline for everything and a bounded answer.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from grantway.protocol.notices import ATTEMPT_TIMEOUT
from grantway.server.connections.addresses import AddressRules
from grantway.wire.sentence import worded

if TYPE_CHECKING:
    import httpx2

    from grantway.server.connections.carrier import Carrier

MAX_URL = 2048
MAX_ADDRESSES = 4
"""How many of a name's addresses are tried, one after the other."""

NAMES_AT_A_TIME = 64
"""Names that are asked for at once. A name server that never answers holds a thread beyond the deadline of its request,
and one integration may have sixteen requests under way: there have to be threads left for the others."""

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host name, as text. Raises ``OSError`` when there are none."""

_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:\d+|0[xX][0-9a-fA-F]*)\.?")


class Failed(Exception):
    """No answer. ``reason`` is a slug: ``target_refused``, ``unresolvable``, ``timeout``, ``unreachable``, ``tls``…"""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """What the target said. ``cut`` when there was more of it, or it broke off: its status counts all the same.

    ``retry_after`` is its ``Retry-After`` as it was sent.
    """

    status: int
    body: bytes
    cut: bool = False
    retry_after: str | None = None


def check_target(url: str, rules: AddressRules | None = None) -> httpx2.URL:
    """The address that requests may be sent to, read. Raises ``ValueError`` with a sentence for who registers it.

    What a name resolves to is not asked here: that can be another address by the time of the request, which is when it
    is checked (``Outgoing.post``).
    """
    import httpx2  # which takes its time to read, and no start waits for it

    rules = rules or AddressRules()
    if len(url) > MAX_URL:
        raise ValueError(worded("The address has at most %(most)s characters.", most=MAX_URL))
    # One parser reads it, here and at the request; what parsers disagree about does not get through.
    if not url.isascii() or any(char <= " " or char in '"<>\\^`{|}\x7f' for char in url):
        raise ValueError("The address has ASCII characters only, none of them blank; percent-encode the others.")
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL:
        raise ValueError("This address cannot be read.") from None
    if parsed.scheme not in ("https", "http") or not parsed.host:
        raise ValueError("The address begins with https:// and names a host.")
    if parsed.userinfo:
        raise ValueError("The address has no user name or password.")
    if "#" in url:
        raise ValueError("The address has no fragment.")
    _check_host(parsed, rules)
    port = _port(parsed)
    if port != 443 and not 1024 <= port <= 65535:
        raise ValueError("The address uses port 443, or one from 1024 on.")
    return parsed


def _check_host(url: httpx2.URL, rules: AddressRules) -> None:
    host = url.host
    literal = rules.read(host)
    if literal is None and (":" in host or "%" in host or _ENDS_IN_NUMBER.fullmatch(host)):
        raise ValueError("The address names its host, or gives an IP address in its usual form.")
    is_local_name = host == "localhost" or host.endswith(".localhost")
    if url.scheme == "http":
        # http is for a developer's own machine only, and only while this server runs there as well.
        is_loopback = literal.is_loopback if literal is not None else is_local_name
        if not (rules.development and is_loopback):
            raise ValueError("The address is https.")
    if literal is not None and not rules.permit(literal):
        raise ValueError("The address is public: not of a private, local or reserved network.")
    if is_local_name and not rules.development and not rules.names(host):
        raise ValueError("The address is public: localhost is this server itself.")


def _port(url: httpx2.URL) -> int:
    return url.port if url.port is not None else (443 if url.scheme == "https" else 80)


class Outgoing:
    """Sends requests to strangers' addresses. One per process; ``close`` lets its threads go.

    ``deadline`` bounds everything from the name to the answer's last byte. ``resolve`` and ``tls`` are for tests.
    """

    def __init__(
        self,
        rules: AddressRules,
        *,
        deadline: timedelta = ATTEMPT_TIMEOUT,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._rules = rules
        self._deadline = deadline.total_seconds()
        # Threads of its own: a name server that hangs must not use up the ones that others wait for.
        self._threads = ThreadPoolExecutor(NAMES_AT_A_TIME, thread_name_prefix="resolve")
        self._resolve = resolve or self._ask_system
        self._tls = tls
        self._opening: asyncio.Task[Carrier] | None = None

    async def open(self) -> Carrier:
        """What carries requests, made at the first call, which a sender makes when the server has started.

        It takes a tenth of a second, in a thread: neither the start nor a request waits for it.
        """
        if self._opening is None:
            self._opening = asyncio.create_task(asyncio.to_thread(_carrier, self._tls))
        return await asyncio.shield(self._opening)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """POST the body and give back the answer, whatever its status; a redirect is an answer. Raises ``Failed``."""
        ends_at = asyncio.get_running_loop().time() + self._deadline
        try:
            async with asyncio.timeout_at(ends_at):
                target, addresses = await self._checked(url)
                carrier = await self.open()
                response = await carrier.send(target, addresses, headers, body)
        except TimeoutError:
            raise Failed("timeout") from None
        return await carrier.read(response, ends_at)

    async def _checked(self, url: str) -> tuple[httpx2.URL, list[str]]:
        """The target and its addresses, all of which are allowed."""
        try:
            target = check_target(url, self._rules)
        except ValueError:
            raise Failed("target_refused") from None
        try:
            addresses = await self._resolve(target.host, _port(target))
        except OSError:
            raise Failed("unresolvable") from None
        if not addresses:
            raise Failed("unresolvable")
        # One bad address refuses the name: a public one beside it is how a rebinding name gets past a check.
        if not all(self._rules.permit_resolved(address, target.host, target.scheme) for address in addresses):
            raise Failed("address_refused")
        return target, addresses[:MAX_ADDRESSES]

    async def _ask_system(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()

        def ask() -> list[str]:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            return list(dict.fromkeys(str(each[4][0]) for each in found))

        try:
            return await loop.run_in_executor(self._threads, ask)
        except UnicodeError:  # a label too long for the idna codec
            raise OSError("not a host name") from None

    async def close(self) -> None:
        """Let threads and connections go. A name that is still being asked for is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._opening is not None:
            (carrier,) = await asyncio.gather(self._opening, return_exceptions=True)
            if not isinstance(carrier, BaseException):
                await carrier.close()


def _carrier(tls: ssl.SSLContext | None) -> Carrier:
    from grantway.server.connections.carrier import Carrier

    return Carrier(tls)
