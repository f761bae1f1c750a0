"""Values as PostgreSQL takes them: parameters of a statement, and arrays of them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

_BYTEA, _INT8, _TEXT = 17, 20, 25
"""Object ids of types: src/include/catalog/pg_type.dat."""


class Array(NamedTuple):
    """A list of values as one parameter: ``element`` is the type of each (an object id of PostgreSQL)."""

    element: int
    items: Sequence[Any]


def blobs(items: Sequence[bytes | None]) -> Array:
    """An array of byte strings."""
    return Array(_BYTEA, items)


def integers(items: Sequence[int | None]) -> Array:
    """An array of integers of eight bytes."""
    return Array(_INT8, [None if item is None else struct.pack("!q", item) for item in items])


def texts(items: Sequence[str]) -> Array:
    """An array of texts."""
    return Array(_TEXT, [item.encode() for item in items])


def _binary(array: Array) -> bytes:
    # src/backend/utils/adt/arrayfuncs.c, array_recv: dimensions, has nulls, element type, length, lower bound, elements.
    parts = [struct.pack("!iiIii", 1, 1, array.element, len(array.items), 1)]
    for item in array.items:
        if item is None:
            parts.append(b"\xff\xff\xff\xff")
        else:
            parts.append(struct.pack("!i", len(item)))
            parts.append(item)
    return b"".join(parts)


def dumped(values: Sequence[Any]) -> tuple[list[bytes | None], list[int]]:
    """Parameters, and which of them are binary. Integers go as text, so the server takes them for whatever it expects."""
    sent: list[bytes | None] = []
    formats: list[int] = []
    for value in values:
        kind = type(value)
        if value is None:
            sent.append(None)
            formats.append(0)
        elif kind is bytes:
            sent.append(value)
            formats.append(1)
        elif kind is int:
            sent.append(b"%d" % value)
            formats.append(0)
        elif kind is str:
            sent.append(value.encode())  # binary, for a text of libpq ends at a NUL
            formats.append(1)
        else:
            sent.append(_binary(value))
            formats.append(1)
    return sent, formats
