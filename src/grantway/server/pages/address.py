"""Where a request comes from, as far as it can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.requests import HTTPConnection

Network = IPv4Network | IPv6Network


def client_address(connection: HTTPConnection, trusted: Sequence[Network]) -> str:
    """The address of the client; ``""`` for a local socket.

    ``X-Forwarded-For`` counts only when the peer is a trusted proxy, and then from its right end: each trusted proxy
    vouches for the one before it, and the first that is not trusted is the client, whatever it wrote further left.
    """
    address = connection.client.host if connection.client else ""
    if not is_trusted(address, trusted):
        return address
    forwarded = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
    for text in reversed(forwarded):
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


def is_trusted(text: str, trusted: Sequence[Network]) -> bool:
    """Whether this is the address of one of those networks."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in trusted)
