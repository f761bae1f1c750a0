"""Records by kind and key, with their unique keys and an undo log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from grantway.protocol.facts import Page
from grantway.protocol.model import Account, AuditEntry, Client, Connection, Resource, User
from grantway.server.storage.keeping import KEYS
from grantway.server.storage.port import GuardMissed

R = TypeVar("R")


def _user_keys(user: User) -> list[tuple[Any, ...]]:
    keys = [("email", user.email), ("external_id", user.external_id)]
    return [key for key in keys if key[1] is not None]


def _connection_keys(connection: Connection) -> list[tuple[Any, ...]]:
    keys: list[tuple[Any, ...]] = [("integration_id", connection.integration_id)]
    if connection.removed_at is None:
        keys.append(("live", connection.client_id, connection.account_id))
    return keys


def _resource_keys(resource: Resource) -> list[tuple[Any, ...]]:
    if resource.cancelled_at is not None:
        return []
    return [("reference", resource.connection_id, resource.kind, resource.reference)]


_UNIQUE: Mapping[type[Any], Callable[[Any], list[tuple[Any, ...]]]] = {
    User: _user_keys,
    Account: lambda account: [("external_id", *pair) for pair in account.external_ids.items()],
    Client: lambda client: [("client_id", client.client_id)],
    Connection: _connection_keys,
    Resource: _resource_keys,
}


class Tables:
    """Records by kind and key, unique keys, and what has to be undone. One writer at a time.

    ``numbers``: those of audit entries, in the order in which they were added; none is given twice.
    """

    def __init__(self) -> None:
        self._rows: dict[type[Any], dict[Any, Any]] = {kind: {} for kind in KEYS}
        self._unique: dict[type[Any], dict[tuple[Any, ...], Any]] = {kind: {} for kind in _UNIQUE}
        self._undo: list[tuple[type[Any], Any, Any]] = []
        self._last_number = 0
        self.numbers: dict[bytes, int] = {}

    def of(self, kind: type[R]) -> dict[Any, R]:
        """All records of a kind by key. To be read only."""
        return self._rows[kind]

    def by(self, kind: type[R], *unique: Any) -> R | None:
        """The record that holds a unique key."""
        key = self._unique[kind].get(unique)
        return None if key is None else self._rows[kind][key]

    def set(self, kind: type[R], key: Any, record: R | None) -> None:
        """A record is so from now on, or gone. Raises ``GuardMissed`` when a unique key belongs to another."""
        if kind in _UNIQUE and record is not None:
            for unique in _UNIQUE[kind](record):
                if self._unique[kind].get(unique, key) != key:
                    raise GuardMissed(f"Another {kind.__name__} has the same {unique[0]}.")
        self._undo.append((kind, key, self._rows[kind].get(key)))
        self._write(kind, key, record)

    def commit(self) -> None:
        """What was set stays."""
        self._undo.clear()

    def roll_back(self) -> None:
        """What was set since the last commit never was."""
        while self._undo:
            self._write(*self._undo.pop())

    def _write(self, kind: type[Any], key: Any, record: Any) -> None:
        rows = self._rows[kind]
        old = rows.pop(key, None) if record is None else rows.get(key)
        if record is not None:
            rows[key] = record
        if kind is AuditEntry:
            self._number(key, record is not None)
        if kind in _UNIQUE:
            index = self._unique[kind]
            for unique in _UNIQUE[kind](old) if old is not None else ():
                del index[unique]
            for unique in _UNIQUE[kind](record) if record is not None else ():
                index[unique] = key

    def _number(self, key: bytes, is_there: bool) -> None:
        if not is_there:
            self.numbers.pop(key, None)
        elif key not in self.numbers:
            self._last_number += 1
            self.numbers[key] = self._last_number


class Reading:
    """The tables at one time. What every subject's facts read from."""

    def __init__(self, tables: Tables, now: datetime) -> None:
        self._tables = tables
        self._now = now

    def _all(self, kind: type[R], wanted: Callable[[R], bool] = lambda _: True) -> list[R]:
        return [each for each in self._tables.of(kind).values() if wanted(each)]


def by_id(records: Iterable[R]) -> tuple[R, ...]:
    """Oldest first."""
    return tuple(sorted(records, key=_id_of))


def one_page(records: Iterable[R], page: Page) -> tuple[R, ...]:
    """Newest first, and only those that are older than the one at which the last page ended."""
    older = [each for each in records if page.after is None or _id_of(each) < page.after]
    return tuple(sorted(older, key=_id_of, reverse=True)[: page.limit])


def _id_of(record: Any) -> bytes:
    found: bytes = record.id
    return found
