"""What trusted proxies say, and nobody else: the id of a request, and the trace that it belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from grantway.server.service import Service

Network = IPv4Network | IPv6Network

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


def request_id_of(service: Service, scope: Mapping[str, Any]) -> str:
    """The id of a request: on its answer, its log line and its error page.

    A trusted proxy's own, so that one id leads through both logs; otherwise a new one. Nobody else chooses what we log.
    """
    theirs = from_proxy(service, scope, b"x-request-id")
    return theirs if theirs is not None and _REQUEST_ID.fullmatch(theirs) else service.draw(8).hex()


def from_proxy(service: Service, scope: Mapping[str, Any], header: bytes) -> str | None:
    """A header that counts only when it comes from a trusted proxy, and once."""
    trusted = service.settings.trusted_proxies
    client = scope.get("client") if trusted else None
    if client is None or not is_trusted(client[0], trusted):
        return None
    values = [value for name, value in scope["headers"] if name == header]
    return values[0].decode("latin-1") if len(values) == 1 else None


def is_trusted(text: str, trusted: Sequence[Network]) -> bool:
    """Whether this is the address of one of those networks."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in trusted)
