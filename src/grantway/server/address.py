"""Where a request comes from, as far as it can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from starlette.requests import HTTPConnection

from grantway.server.proxies import Network, is_trusted
from grantway.wire.http import HttpRequest


def client_address(connection: HTTPConnection, trusted: Sequence[Network]) -> str:
    """The address of the client; ``""`` for a local socket.

    ``X-Forwarded-For`` counts only when the peer is a trusted proxy, and then from its right end: each trusted proxy
    vouches for the one before it, and the first that is not trusted is the client, whatever it wrote further left.
    """
    peer = connection.client.host if connection.client else ""
    return _behind(peer, ",".join(connection.headers.getlist("x-forwarded-for")), trusted)


def address_of(request: HttpRequest, trusted: Sequence[Network]) -> str:
    """The same for a request to a machine endpoint."""
    forwarded = [value.decode("latin-1") for name, value in request.headers if name == b"x-forwarded-for"]
    return _behind(request.peer, ",".join(forwarded), trusted)


def _behind(address: str, forwarded: str, trusted: Sequence[Network]) -> str:
    if not is_trusted(address, trusted):
        return address
    for text in reversed(forwarded.split(",")):
        candidate = text.strip().removeprefix("[").split("]")[0]
        if not _is_address(candidate):
            break
        address = candidate
        if not is_trusted(address, trusted):
            break
    return address


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
