"""What requests and answers are bounded by, and httpx2's clients as both lines use them.

No proxy is taken from the environment: a variable that somebody set must not decide who sees client secrets. Who needs
one hands in an httpx2 client.
"""

from __future__ import annotations

import ssl
import sys
import threading
from collections.abc import Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import monotonic
from typing import Any

import httpcore2
import httpx2

from grantway import __version__
from grantway.client.errors import ClientError, NoAnswer, NotReached, TimedOut, UnsafeAddress
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.loopback import is_loopback
from grantway.wire.record import record

if sys.version_info >= (3, 12):
    from typing import override
else:  # httpx2 brings it there
    from typing_extensions import override

LARGEST_ANSWER = 1024 * 1024
# A server that closes idle connections must not do so under a request: ours are put down sooner than servers do.
_LIMITS = httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=2.0)


@record
class Timeouts:
    """Seconds: until a connection stands, without a byte, and for one whole call with all that it takes."""

    connect: float = 5.0
    idle: float = 10.0
    whole: float = 30.0

    def extension(self, left: float) -> dict[str, float]:
        """For one request with so many seconds left, as httpx2 takes it."""
        return {
            "connect": min(self.connect, left),
            "read": min(self.idle, left),
            "write": min(self.idle, left),
            "pool": min(self.connect, left),
        }


def checked(url: str, *, allow_http: bool) -> None:
    """Raises ``UnsafeAddress`` unless secrets may be sent there."""
    if not _is_safe(url, allow_http):
        raise UnsafeAddress


def _is_safe(url: str, allow_http: bool) -> bool:
    try:
        parsed = httpx2.URL(url)  # as it will be read again at the request
    except (httpx2.InvalidURL, UnicodeError):
        return False
    if not parsed.host or parsed.userinfo or (parsed.port or 0) > 65535:
        return False
    if not all(0 < len(label) < 64 for label in parsed.raw_host.removesuffix(b".").split(b".")):  # RFC 1035 §2.3.4
        return False
    return parsed.scheme == "https" or (parsed.scheme == "http" and (allow_http or is_loopback(parsed.host)))


def request_of(url: str, request: HttpRequest, timeouts: Timeouts, left: float) -> httpx2.Request:
    """The request as it leaves: nothing of a client's defaults is added, and nothing packed is asked for."""
    headers = [*request.headers, (b"accept-encoding", b"identity"), (b"user-agent", f"grantway/{__version__}".encode())]
    return httpx2.Request(
        request.method, url, headers=headers, content=request.body or None, extensions={"timeout": timeouts.extension(left)}
    )  # fmt: skip


class Body:
    """The bytes of one answer, as they come; never unpacked, so that a small answer stays small."""

    def __init__(self, response: httpx2.Response, ends_at: float) -> None:
        self._response = response
        self._ends_at = ends_at
        self._bytes = bytearray()

    def add(self, part: bytes) -> ClientError | None:
        """What is wrong with it, so that the rest is not read."""
        self._bytes += part
        if len(self._bytes) > LARGEST_ANSWER:
            return NoAnswer("too_large", status=self._response.status_code)
        return TimedOut(outcome_unknown=True) if monotonic() > self._ends_at else None

    def answer(self) -> HttpAnswer | NoAnswer:
        status, headers = self._response.status_code, self._response.headers
        if headers.get("content-encoding", "identity").lower() != "identity":
            return NoAnswer("encoded", status=status)
        return HttpAnswer(status, tuple((name.lower(), value) for name, value in headers.raw), bytes(self._bytes))


def failure_of(error: httpx2.TransportError) -> NotReached:
    """What became of the request, told without the error, which carries it."""
    if isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout):
        return TimedOut(outcome_unknown=False)
    if isinstance(error, httpx2.TimeoutException):
        return TimedOut(outcome_unknown=True)
    if isinstance(error, httpx2.ConnectError | httpx2.ProxyError | httpx2.UnsupportedProtocol):
        return NotReached("tls" if _is_about_tls(error) else "unreachable", outcome_unknown=False)
    return NotReached("lost", outcome_unknown=True)


def _is_about_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def new_client() -> httpx2.Client:
    """A blocking client of our own."""
    return httpx2.Client(transport=_BoundedTransport(), trust_env=False, cookies=_no_cookies())


def new_async_client() -> httpx2.AsyncClient:
    """An asynchronous client of our own."""
    return httpx2.AsyncClient(verify=_tls(), limits=_LIMITS, trust_env=False, cookies=_no_cookies())


def _tls() -> ssl.SSLContext:
    # Authorities may come from the environment (SSL_CERT_FILE): they vouch for servers, and do not stand in between.
    return httpx2.create_ssl_context()


def _no_cookies() -> CookieJar:
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


# --- a deadline for blocking reads: each is bounded by what is left of the whole call


class Deadline(threading.local):
    """When the call that this thread makes has to be over (``time.monotonic``)."""

    ends_at: float = float("inf")

    def bound(self, timeout: float | None) -> float | None:
        left = self.ends_at - monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout
        return left if timeout is None else min(timeout, left)


deadline = Deadline()


class _BoundedStream(httpcore2.NetworkStream):
    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    @override
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, deadline.bound(timeout))

    @override
    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, deadline.bound(timeout))

    @override
    def close(self) -> None:
        self._inner.close()

    @override
    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _BoundedStream(self._inner.start_tls(ssl_context, server_hostname, timeout))

    @override
    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _BoundedBackend(httpcore2.SyncBackend):
    @override
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        return _BoundedStream(super().connect_tcp(host, port, timeout, local_address, socket_options))


class _BoundedTransport(httpx2.HTTPTransport):
    """httpx2's own, on connections whose every read ends with the call: a server may drip its headers, too."""

    def __init__(self) -> None:
        tls = _tls()
        super().__init__(verify=tls, trust_env=False, limits=_LIMITS)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=tls,
            max_connections=_LIMITS.max_connections,
            max_keepalive_connections=_LIMITS.max_keepalive_connections,
            keepalive_expiry=_LIMITS.keepalive_expiry,
            network_backend=_BoundedBackend(),
        )
