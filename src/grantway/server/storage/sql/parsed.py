"""Records that were read before, by id *and version*. The version comes with every query, so nothing stale is used."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from grantway.protocol.model import Account, Client, Connection, SigningKey, User

V = TypeVar("V")


class Recent(Generic[V]):
    """The most recently used values: at most ``size``, at least half of that. Finding one costs a dict look-up."""

    __slots__ = ("_new", "_old", "_size")

    def __init__(self, size: int) -> None:
        self._size = size // 2
        self._new: dict[Any, V] = {}
        self._old: dict[Any, V] = {}

    def get(self, key: Any) -> V | None:
        """The value, if it is remembered."""
        value = self._new.get(key)
        if value is None:
            value = self._old.get(key)
            if value is not None:
                self.put(key, value)
        return value

    def put(self, key: Any, value: V) -> None:
        """Remember a value and, when there are too many, forget those that were not used for longest."""
        if len(self._new) >= self._size:
            self._old = self._new
            self._new = {}
        self._new[key] = value


class Parsed:
    """What one connection has read.

    ``committed`` is false while the connection's transaction has changed such a record: a version that is not committed
    may yet be rolled back and mean something else later, so it is not kept.
    """

    __slots__ = ("_size", "accounts", "clients", "committed", "connections", "signing_keys", "users")

    def __init__(self, size: int = 4096) -> None:
        self.committed = True
        self._size = size
        self.forget()

    def forget(self) -> None:
        """Read everything anew: the database may be another one, where the same version is not the same record."""
        size = self._size
        self.users: Recent[User] = Recent(size)
        self.accounts: Recent[Account] = Recent(size)
        self.clients: Recent[Client] = Recent(size)
        self.connections: Recent[Connection] = Recent(size)
        self.signing_keys: Recent[tuple[SigningKey, ...]] = Recent(4)

    def keep(self, where: Recent[V], key: Any, value: V) -> None:
        """Remember a value that was just read, if it is committed."""
        if self.committed:
            where.put(key, value)
