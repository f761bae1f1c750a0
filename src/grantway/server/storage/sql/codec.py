"""How a record stands in a row. A codec's columns are named and ordered like the record's fields.

In a row, times are microseconds since 1970 (UTC), days are days since 1970, lists and mappings JSON text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any, Generic, TypeVar

import orjson

from grantway.protocol.model import ClientSecret, Suspension

R = TypeVar("R")
Way = tuple[Callable[[Any], Any], Callable[[Any], Any]]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1).toordinal()

_KEYWORDS = frozenset({"to"})
"""Columns whose names mean something else in SQL unless they are quoted."""


def micros(time: datetime) -> int:
    """Microseconds since 1970. Raises ``TypeError`` when the time has no zone."""
    since = time - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def time_of(value: int) -> datetime:
    """The time of so many microseconds since 1970, in UTC."""
    return EPOCH + timedelta(0, 0, value)


def day_number(day: date) -> int:
    """Days since 1970."""
    return day.toordinal() - EPOCH_DAY


def day_of(value: int) -> date:
    """The day of so many days since 1970."""
    return date.fromordinal(value + EPOCH_DAY)


def document(value: Any) -> str:
    """A JSON value as text. Raises ``TypeError`` when it is none."""
    return orjson.dumps(value, default=_plain).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"A {type(value).__name__} is no JSON value.")


@lru_cache(maxsize=4096)
def names_of(text: str) -> tuple[str, ...]:
    """A JSON list of strings. Few different ones are stored, so reading them once is enough."""
    return tuple(orjson.loads(text))


def _pairs_of(text: str) -> tuple[tuple[str, Any], ...]:
    return tuple((name, value) for name, value in orjson.loads(text))


def _write_secrets(secrets: tuple[ClientSecret, ...]) -> str:
    return document(
        [
            [
                each.digest.hex(),
                micros(each.created_at),
                None if each.expires_at is None else micros(each.expires_at),
                *(() if each.foreign_hash is None else (each.foreign_hash,)),
            ]
            for each in secrets
        ]
    )


def _secrets_of(text: str) -> tuple[ClientSecret, ...]:
    return tuple(
        ClientSecret(bytes.fromhex(digest), time_of(created), None if expires is None else time_of(expires), *foreign)
        for digest, created, expires, *foreign in orjson.loads(text)
    )


def _write_suspensions(suspensions: tuple[Suspension, ...]) -> str:
    return document([[micros(each.at), each.reason, each.actor] for each in suspensions])


def _suspensions_of(text: str) -> tuple[Suspension, ...]:
    return tuple(Suspension(time_of(at), reason, actor) for at, reason, actor in orjson.loads(text))


def _lists_of(text: str) -> dict[str, tuple[str, ...]]:
    return {language: tuple(entries) for language, entries in orjson.loads(text).items()}


TIME: Way = (time_of, micros)
DAY: Way = (day_of, day_number)
FLAG: Way = (bool, int)
NAMES: Way = (names_of, document)
DOCUMENT: Way = (orjson.loads, document)
PAIRS: Way = (_pairs_of, document)
SECRETS: Way = (_secrets_of, _write_secrets)
SUSPENSIONS: Way = (_suspensions_of, _write_suspensions)
LISTS: Way = (_lists_of, document)


class Codec(Generic[R]):
    """How one kind of record stands in a row. Fields without a way of their own stand as they are."""

    __slots__ = ("_reads", "_record", "_values", "_writes", "names", "width")

    def __init__(self, record: type[R], **ways: Way) -> None:
        self._record = record
        self.names = tuple(each.name for each in fields(record))  # type: ignore[arg-type]
        self.width = len(self.names)
        self._values = attrgetter(*self.names)
        self._reads = tuple((self.names.index(name), way[0]) for name, way in ways.items())
        self._writes = tuple((self.names.index(name), way[1]) for name, way in ways.items())

    def columns(self, alias: str = "") -> str:
        """The columns for a statement, of a table known there by ``alias``."""
        names = (f'"{name}"' if name in _KEYWORDS else name for name in self.names)
        return ", ".join(f"{alias}.{name}" if alias else name for name in names)

    def marks(self) -> str:
        """As many numbered marks as there are columns."""
        return ", ".join(f"?{number}" for number in range(1, self.width + 1))

    def read(self, row: Sequence[Any], start: int = 0) -> R:
        """The record that stands in a row from column ``start`` on."""
        values = list(row[start : start + self.width])
        for index, read in self._reads:
            value = values[index]
            if value is not None:
                values[index] = read(value)
        return self._record(*values)

    def write(self, record: R) -> list[Any]:
        """The row of a record. Raises ``TypeError`` for a time without a zone or something that JSON cannot say."""
        values = list(self._values(record))
        for index, write in self._writes:
            value = values[index]
            if value is not None:
                values[index] = write(value)
        return values
