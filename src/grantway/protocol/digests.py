"""Digests of secrets that only we check. They are random and long, so one fast hash is right (never a slow one)."""

from __future__ import annotations

import hashlib

_OURS = ("gwa_", "gwr_", "gwc_")
_LONGEST = 8192


def digest(secret: str) -> bytes:
    """SHA-256 of the text."""
    return hashlib.sha256(secret.encode()).digest()


def foreign_digest(token: str) -> bytes | None:
    """By what a token of an older system is known here; ``None`` for what looks like one of ours, or like no token."""
    if not token or len(token) > _LONGEST or not token.isascii() or token.startswith(_OURS):
        return None
    return digest(token)
