"""Secrets that clients authenticate with: random, shown once, stored as a digest (RFC 6749 §2.3.1)."""

from __future__ import annotations

from grantway.protocol.digests import digest
from grantway.protocol.model import ClientSecret
from grantway.protocol.moment import Moment
from grantway.wire import base62
from grantway.wire.words import checksum

PREFIX = "gws_"
LIVE_SECRETS = 2
"""How many secrets of one client may be live at once, so that one can be rotated without downtime."""


def draw_client_secret(at: Moment) -> tuple[str, ClientSecret]:
    """A new secret: its text, to be shown once, and what is stored of it."""
    body = base62.encode(at.draw(32))
    text = f"{PREFIX}{body}{checksum(body)}"
    return text, ClientSecret(digest(text), at.now)
