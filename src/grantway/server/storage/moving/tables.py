"""What an engine gives and takes when an installation moves: tables, and their rows at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

from grantway.wire.record import record

Kind = Literal["bytes", "text", "integer"]
Row = Sequence[Any]

STAY = frozenset({"migrations", "leases"})
"""Tables of the database itself, and of who is at work on it."""

PEOPLE = ("users", "accounts", "clients", "connections", "grants")
"""Where none of these has a row, an installation is empty: what a first start makes is replaced."""


@record
class Table:
    """A table and its columns that hold what was said to them. Those that an engine computes for itself are left out."""

    name: str
    columns: Mapping[str, Kind]
    key: tuple[str, ...]
    """The columns of its primary key: in this order rows leave, so that they come in by it."""


class Source(Protocol):
    """All rows of one moment."""

    def tables(self) -> Sequence[Table]:
        """By name."""
        ...

    def count(self, table: Table) -> int:
        """How many rows there are."""
        ...

    def rows(self, table: Table) -> Iterator[Row]:
        """All of them, a few at a time in memory, by key."""
        ...

    def meta(self, key: str) -> bytes | None:
        """A value about the database itself."""
        ...


class Target(Protocol):
    """A database that takes rows in; all of them or none."""

    def tables(self) -> Sequence[Table]:
        """By name."""
        ...

    def count(self, table: Table) -> int:
        """How many rows there are."""
        ...

    def clear(self, table: Table) -> None:
        """Have none of its rows."""
        ...

    def add(self, table: Table, rows: Iterable[Row]) -> None:
        """Have these as well."""
        ...

    def count_on(self) -> None:
        """Have the numbers that the database gives go on after those that came."""
        ...
