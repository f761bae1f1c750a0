"""How statements are asked and their rows become records."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from grantway.protocol.facts import ConnectionInView, Page
from grantway.server.storage.sql import records as r
from grantway.server.storage.sql.codec import Codec
from grantway.server.storage.sql.parsed import Parsed

R = TypeVar("R")
S = TypeVar("S")
Row = Sequence[Any]

_NEWEST = b"\xff" * 17
"""Comes after every id."""


class Ask(Protocol):
    """How an engine answers a statement: with its rows, as sequences of columns."""

    def __call__(self, statement: str, values: Sequence[Any], /) -> Awaitable[Sequence[Row]]: ...


class Reading:
    """An engine's answers at one time, and what was parsed before."""

    __slots__ = ("_ask", "_now", "_parsed")

    def __init__(self, ask: Ask, parsed: Parsed, now: datetime) -> None:
        self._ask = ask
        self._parsed = parsed
        self._now = now

    def _rows(self, statement: str, *values: Any) -> Awaitable[Sequence[Row]]:
        return self._ask(statement, values)

    async def _one(self, codec: Codec[R], statement: str, *values: Any) -> R | None:
        rows = await self._rows(statement, *values)
        return codec.read(rows[0]) if rows else None

    async def _many(self, codec: Codec[R], statement: str, *values: Any) -> tuple[R, ...]:
        return tuple([codec.read(row) for row in await self._rows(statement, *values)])

    async def _pairs(self, first: Codec[R], second: Codec[S], statement: str, *values: Any) -> tuple[tuple[R, S], ...]:
        rows = await self._rows(statement, *values)
        return tuple([(first.read(row), second.read(row, first.width)) for row in rows])

    async def _views(self, statement: str, *values: Any) -> tuple[ConnectionInView, ...]:
        return tuple([view_of(row) for row in await self._rows(statement, *values)])


_CLIENT_AT = r.CONNECTION.width
_ACCOUNT_AT = _CLIENT_AT + r.CLIENT.width
_USER_AT = _ACCOUNT_AT + r.ACCOUNT.width


def view_of(row: Row) -> ConnectionInView:
    """The connection in view that a row begins with."""
    return ConnectionInView(
        r.CONNECTION.read(row),
        r.CLIENT.read(row, _CLIENT_AT),
        r.ACCOUNT.read(row, _ACCOUNT_AT),
        None if row[_USER_AT] is None else r.USER.read(row, _USER_AT),
    )


def first(found: Sequence[R]) -> R | None:
    """The one that was found."""
    return found[0] if found else None


def older(page: Page) -> tuple[bytes, int]:
    """The id that a page's records are older than, and how many there are at most."""
    return (_NEWEST if page.after is None else page.after, page.limit)


def beginning(prefix: str) -> tuple[str, str | bytes]:
    """All texts that begin so lie from the first of these on, and before the second."""
    for length in range(len(prefix), 0, -1):
        last = ord(prefix[length - 1])
        if last < 0x10FFFF:
            # Half a surrogate pair is in no text.
            following = 0xE000 if last == 0xD7FF else last + 1
            return prefix, prefix[: length - 1] + chr(following)
    return prefix, b""  # a blob comes after every text
