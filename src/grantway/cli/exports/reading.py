"""Fields of exported entries. What is wrong is said with the entry and the field, and without what stands there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from grantway.protocol.moving_in import OlderClient
from grantway.wire.record import record

LARGEST = 64 * 1024 * 1024
"""Bytes of an export: a realm with its users may be large."""


class Unfit(Exception):
    """Something is not as this server's exports are. ``str`` is the sentence."""


@record
class LeftOut:
    """A client that is none of those that move: of the older server itself, switched off, of another protocol."""

    client_id: str
    why: str


@record
class Broken:
    """An entry that cannot be read, and the client that it is about, if that much can be told."""

    client_id: str | None
    why: str


Entry = OlderClient | LeftOut | Broken


def broken(item: Any, name: str, unfit: Unfit) -> Broken:
    """The entry whose client id is the member ``name``, as unfit."""
    client_id = item.get(name) if isinstance(item, dict) else None
    return Broken(client_id if isinstance(client_id, str) else None, str(unfit))


class Fields:
    """The members of one entry at one place."""

    def __init__(self, members: Any, where: str) -> None:
        if not isinstance(members, dict):
            raise Unfit(f"{where} is no object.")
        self._members: Mapping[str, Any] = members
        self.where = where

    def __contains__(self, name: str) -> bool:
        return self._members.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """The text; ``default`` where there is none. Raises ``Unfit`` when there is neither."""
        value = self._members.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise self._unfit(name, "a text")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Yes or no. SQLite writes 0 and 1."""
        value = self._members.get(name)
        if value is None:
            return default
        if value not in (True, False):
            raise self._unfit(name, "true or false")
        return bool(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, or its JSON (as some databases write it); nothing where there is none."""
        value = self._members.get(name)
        if isinstance(value, str):
            try:
                value = json.loads(value) if value else []
            except ValueError:
                raise self._unfit(name, "a list of texts") from None
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self._unfit(name, "a list of texts")
        return tuple(value)

    def fields(self, name: str) -> Fields:
        """An object within; an empty one where there is none."""
        value = self._members.get(name)
        return Fields({} if value is None else value, f"{self.where}.{name}")

    def items(self, name: str) -> Iterator[tuple[Any, str]]:
        """What is in a list within, and where each stands."""
        value = self._members.get(name)
        if not isinstance(value, list | None):
            raise self._unfit(name, "a list")
        for number, one in enumerate(value or ()):
            yield one, f"{self.where}.{name}[{number}]".removeprefix(".")

    def _unfit(self, name: str, expected: str) -> Unfit:
        return Unfit(f"{self.where}.{name} is not {expected}.".removeprefix("."))
