"""Row ids as people and logs see them: a prefix and base62, ``ac_4kT…``."""

from __future__ import annotations

from functools import lru_cache

from grantway.wire import base62

ID_LENGTH = 16


@lru_cache(maxsize=4096)
def show(prefix: str, row_id: bytes) -> str:
    """The text form of a row id, such as ``cn_…`` for a connection."""
    return f"{prefix}_{base62.encode(row_id)}"


def parse(prefix: str, text: str) -> bytes | None:
    """The row id, or ``None`` when the text is not one with this prefix."""
    head, _, tail = text.partition("_")
    return base62.decode(tail, ID_LENGTH) if head == prefix else None
