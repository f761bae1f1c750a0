"""Where Allow leads, told so that a customer can judge it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Destination:
    """``web``: a site, by its host. ``computer``: a program on the customer's own machine. ``app``: by its scheme."""

    kind: Literal["web", "computer", "app"]
    name: str


def destination_of(redirect_uri: str) -> Destination:
    """The destination of a redirect URI that is registered (and so can be read)."""
    parts = urlsplit(redirect_uri)
    if parts.scheme not in ("http", "https"):
        return Destination("app", parts.scheme)
    host = (parts.hostname or "").rstrip(".")
    if host in ("127.0.0.1", "::1", "localhost"):
        return Destination("computer", parts.netloc)
    return Destination("web", parts.netloc.lower())
