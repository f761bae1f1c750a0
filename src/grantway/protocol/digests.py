"""Digests of secrets that only we check. They are random and long, so one fast hash is right (never a slow one)."""

from __future__ import annotations

import hashlib


def digest(secret: str) -> bytes:
    """SHA-256 of the text."""
    return hashlib.sha256(secret.encode()).digest()
