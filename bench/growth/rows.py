"""Numbered connections as rows: an account with its owner, a connection and its grant, whose tokens work.

A row of each kind is written by the storage's own codec; the others differ from it in their ids, times and secrets. All of
that is derived from the number, so nothing about ten million connections needs to be remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b
from secrets import token_bytes
from typing import Any

from grantway.protocol.model import Account, Client, Connection, Grant, Membership, User
from grantway.protocol.standing import next_idle_end
from grantway.protocol.tokens import SERIAL_LENGTH, Access, write_access_token, write_refresh_token
from grantway.protocol.vault import Vault
from grantway.server.storage.sql.codec import micros
from grantway.server.storage.sql.records import CODECS

Batch = Sequence[tuple[type[Any], list[list[Any]]]]
"""Rows by kind, in an order in which they may be written."""

SCOPES = ("contacts:read", "contacts:write", "calls:write")
KINDS = (Account, User, Membership, Connection, Grant)
_PASSWORD = "$argon2id$v=19$m=19456,t=2,p=1$" + "s" * 22 + "$" + "h" * 43


class _Pattern:
    """Rows like that of a record but for some columns."""

    def __init__(self, record: Any, *differ: str) -> None:
        codec = CODECS[type(record)]
        self._row = codec.write(record)
        self._places = [codec.names.index(name) for name in differ]

    def row(self, *values: Any) -> list[Any]:
        row = self._row.copy()
        for place, value in zip(self._places, values, strict=True):
            row[place] = value
        return row


class Connections:
    """Connections of one client, made a millisecond apart, and their tokens."""

    def __init__(self, vault: Vault, client: Client, now: datetime) -> None:
        self._vault = vault
        self._seed = token_bytes(32)
        self._began = now - timedelta(hours=20)
        self._now = now.replace(microsecond=0)
        account = Account(b"", "Shop", now)
        user = User(b"", "person@example.com", "A Person", now, _PASSWORD, 1)
        membership = Membership(b"", b"", "owner", now)
        connection = Connection(
            b"", client.id, b"", "", SCOPES, now, b"", last_used_day=now.date(), activated_at=now
        )  # fmt: skip
        grant = Grant(
            b"", b"", client.id, b"", b"", "code", SCOPES, (), b"", vault.current, now, generation=1, moved_at=now,
            code_expires_at=now, code_challenge="c" * 43, redirect_uri_digest=bytes(32), redirect_uri_was_sent=True,
            last_used_day=now.date(),
        )  # fmt: skip
        grant = replace(grant, refresh_idle_expires_at=next_idle_end(client, grant, now))
        self._account = _Pattern(account, "id", "name", "created_at")
        self._user = _Pattern(user, "id", "email", "created_at")
        self._membership = _Pattern(membership, "account_id", "user_id", "created_at")
        self._connection = _Pattern(
            connection, "id", "account_id", "integration_id", "created_at", "approved_by", "activated_at"
        )
        self._grant = _Pattern(
            grant, "id", "connection_id", "account_id", "user_id", "secret", "created_at", "moved_at", "code_expires_at"
        )

    def rows(self, numbers: range) -> Batch:
        """The rows of these connections."""
        made: list[list[list[Any]]] = [[] for _ in KINDS]
        for number in numbers:
            for rows, row in zip(made, self._one(number), strict=True):
                rows.append(row)
        return list(zip(KINDS, made, strict=True))

    def _one(self, number: int) -> Iterator[list[Any]]:
        at = micros(self._began) + number * 1000
        account, user, connection, grant = (self._id(kind, number) for kind in range(4))
        yield self._account.row(account, f"Shop {number}", at)
        yield self._user.row(user, f"person{number}@example.com", at)
        yield self._membership.row(account, user, at)
        yield self._connection.row(connection, account, self._drawn(b"integration", number, 12).hex(), at, user, at)
        sealed = self._vault.seal(self._secret(number), grant)
        yield self._grant.row(grant, connection, account, user, sealed, at, at, at + 60_000_000)

    def grant_id(self, number: int) -> bytes:
        return self._id(3, number)

    def connection_id(self, number: int) -> bytes:
        return self._id(2, number)

    def refresh_token(self, number: int, generation: int) -> str:
        return write_refresh_token(self._secret(number), self.grant_id(number), generation)

    def access_token(self, number: int) -> str:
        grant_id, ends = self.grant_id(number), self._now + timedelta(hours=10)
        access = Access("grant", grant_id, token_bytes(SERIAL_LENGTH), self._now, ends, SCOPES, ())
        return write_access_token(self._secret(number), access, (SCOPES, ()))

    def _id(self, kind: int, number: int) -> bytes:
        """As the house makes them: the milliseconds of its time, and what nobody guesses."""
        millisecond = micros(self._began) // 1000 + number
        return millisecond.to_bytes(6, "big") + self._drawn(kind.to_bytes(1, "big"), number, 10)

    def _secret(self, number: int) -> bytes:
        return self._drawn(b"secret", number, 32)

    def _drawn(self, what: bytes, number: int, length: int) -> bytes:
        return blake2b(what + number.to_bytes(8, "big"), key=self._seed, digest_size=length).digest()
