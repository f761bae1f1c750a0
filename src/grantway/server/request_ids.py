"""The id of a request: on its answer, its log line and its error page; and what trusted proxies say of both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from grantway.server.pages.address import is_trusted
from grantway.server.service import Service

HEADER = b"x-request-id"
_THEIRS = re.compile(r"[A-Za-z0-9_-]{8,64}")


def request_id_of(service: Service, scope: Mapping[str, Any]) -> str:
    """A new id; a trusted proxy's own, so that one id leads through both logs. Nobody else chooses what we log."""
    theirs = from_proxy(service, scope, HEADER)
    return theirs if theirs is not None and _THEIRS.fullmatch(theirs) else service.draw(8).hex()


def from_proxy(service: Service, scope: Mapping[str, Any], header: bytes) -> str | None:
    """A header that counts only when it comes from a trusted proxy, and once."""
    trusted = service.settings.trusted_proxies
    if not trusted:
        return None
    client = scope.get("client")
    if client is None or not is_trusted(client[0], trusted):
        return None
    values = [value for name, value in scope["headers"] if name == header]
    return values[0].decode("latin-1") if len(values) == 1 else None
