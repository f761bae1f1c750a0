"""Reading a listing page by page, for who needs more of it than one page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from grantway.protocol.facts import ConnectionInView, Page

R = TypeVar("R")

_AT_ONCE = 500


async def read_pages(listing: Callable[[Page], Awaitable[tuple[R, ...]]], at_most: int | None = None) -> tuple[R, ...]:
    """The first ``at_most`` of a listing, or all of it."""
    found: list[R] = []
    while at_most is None or len(found) < at_most:
        wanted = _AT_ONCE if at_most is None else min(_AT_ONCE, at_most - len(found))
        page = await listing(Page(wanted, _id_of(found[-1]) if found else None))
        found += page
        if len(page) < wanted:
            break
    return tuple(found)


def _id_of(one: Any) -> bytes:
    found: bytes = (one.connection if isinstance(one, ConnectionInView) else one).id
    return found
