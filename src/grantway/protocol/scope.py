"""Scopes and resources: requests narrow, they never widen (RFC 6749 §3.3, RFC 8707 §2)."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit


def within(asked: Collection[str], allowed: Collection[str]) -> bool:
    """Whether all that is asked is allowed."""
    return all(one in allowed for one in asked)


def common(first: tuple[str, ...], second: Collection[str]) -> tuple[str, ...]:
    """What is in both, in the order of the first."""
    return tuple([one for one in first if one in second])


def is_resource(uri: str) -> bool:
    """Whether this can name a resource: an absolute URI without a fragment (RFC 8707 §2)."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return bool(parts.scheme) and bool(parts.netloc or parts.path) and "#" not in uri


def positions(chosen: Collection[str], ordered: tuple[str, ...]) -> int:
    """The chosen ones as a bitmap over the ordered list: bit 0 is the first."""
    return sum([1 << at for at, one in enumerate(ordered) if one in chosen])


def at_positions(bitmap: int, ordered: tuple[str, ...]) -> tuple[str, ...]:
    """Those that the bitmap names, in order."""
    return tuple([one for at, one in enumerate(ordered) if bitmap >> at & 1])
