"""Facts by SQL. Never waits: a rule over these facts is driven by a single ``send(None)``."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from grantway.protocol.facts import ConnectionInView, GrantInUse
from grantway.protocol.model import (
    Account,
    AuditEntry,
    Client,
    Connection,
    ConnectionKey,
    EndedToken,
    FailureBucket,
    Grant,
    Icon,
    Membership,
    Notice,
    PendingAuthorization,
    Scope,
    Session,
    SigningKey,
    User,
)
from grantway.server.storage.sqlite import records as r
from grantway.server.storage.sqlite import statements as sql
from grantway.server.storage.sqlite.parsed import Parsed, Recent

R = TypeVar("R")
Row = Sequence[Any]

_CONNECTION_AT = r.GRANT.width
_ACCOUNT_AT = _CONNECTION_AT + r.CONNECTION.width
_CLIENT_AT = _ACCOUNT_AT + r.ACCOUNT.width
_USER_AT = _CLIENT_AT + r.CLIENT.width
_LAST_USED_DAY = r.CONNECTION.names.index("last_used_day")


class SqliteFacts:
    """The facts on one connection at one time; see ``grantway.protocol.facts.Facts``.

    On the writer's connection they include what the rules before this one have changed in the same group.
    """

    __slots__ = ("_connection", "_now", "_parsed")

    def __init__(self, connection: sqlite3.Connection, parsed: Parsed, now: datetime) -> None:
        self._connection = connection
        self._parsed = parsed
        self._now = now

    def _rows(self, statement: str, *values: Any) -> list[Row]:
        try:
            # Always to the end: an open cursor would hold a read transaction.
            return self._connection.execute(statement, values).fetchall()
        except UnicodeEncodeError:
            return []  # half a surrogate pair is in no stored text

    def _one(self, codec: r.Codec[R], statement: str, *values: Any) -> R | None:
        rows = self._rows(statement, *values)
        return codec.read(rows[0]) if rows else None

    def _many(self, codec: r.Codec[R], statement: str, *values: Any) -> tuple[R, ...]:
        return tuple([codec.read(row) for row in self._rows(statement, *values)])

    # people

    async def user(self, user_id: bytes) -> User | None:
        return self._one(r.USER, sql.BY_KEY[User], user_id)

    async def user_by_email(self, email: str) -> User | None:
        return self._one(r.USER, sql.USER_BY_EMAIL, email)

    async def users(self, limit: int = 1000) -> tuple[User, ...]:
        return self._many(r.USER, sql.USERS, limit)

    async def account(self, account_id: bytes) -> Account | None:
        return self._one(r.ACCOUNT, sql.BY_KEY[Account], account_id)

    async def account_by_external_id(self, dialect: str, external_id: str) -> Account | None:
        return self._one(r.ACCOUNT, sql.ACCOUNT_BY_EXTERNAL_ID, dialect, external_id)

    async def accounts(self, limit: int = 1000) -> tuple[Account, ...]:
        return self._many(r.ACCOUNT, sql.ACCOUNTS, limit)

    async def membership(self, account_id: bytes, user_id: bytes) -> Membership | None:
        return self._one(r.MEMBERSHIP, sql.BY_KEY[Membership], account_id, user_id)

    async def memberships(self, user_id: bytes) -> tuple[tuple[Membership, Account], ...]:
        rows = self._rows(sql.MEMBERSHIPS, user_id)
        return tuple([(r.MEMBERSHIP.read(row), r.ACCOUNT.read(row, r.MEMBERSHIP.width)) for row in rows])

    async def members(self, account_id: bytes) -> tuple[tuple[Membership, User], ...]:
        rows = self._rows(sql.MEMBERS, account_id)
        return tuple([(r.MEMBERSHIP.read(row), r.USER.read(row, r.MEMBERSHIP.width)) for row in rows])

    async def session(self, digest: bytes) -> tuple[Session, User] | None:
        rows = self._rows(sql.SESSION_WITH_USER, digest)
        return (r.SESSION.read(rows[0]), r.USER.read(rows[0], r.SESSION.width)) if rows else None

    async def failures(self, digest: bytes) -> FailureBucket | None:
        return self._one(r.FAILURE_BUCKET, sql.BY_KEY[FailureBucket], digest)

    # clients

    async def client(self, client_id: str) -> Client | None:
        return self._client(sql.CLIENT_VERSION, client_id)

    async def client_by_row(self, row_id: bytes) -> Client | None:
        return self._client(sql.CLIENT_ROW_VERSION, row_id)

    def _client(self, version: str, key: str | bytes) -> Client | None:
        rows = self._rows(version, key)
        if not rows:
            return None
        client = self._parsed.clients.get(rows[0])
        if client is None:
            client = self._one(r.CLIENT, sql.BY_KEY[Client], rows[0][0])
            if client is not None:
                self._parsed.keep(self._parsed.clients, (client.id, client.version), client)
        return client

    async def clients(self, limit: int = 1000) -> tuple[Client, ...]:
        return self._many(r.CLIENT, sql.CLIENTS, limit)

    async def icon(self, client_row_id: bytes) -> Icon | None:
        return self._one(r.ICON, sql.BY_KEY[Icon], client_row_id)

    async def scopes(self) -> tuple[Scope, ...]:
        return self._many(r.SCOPE, sql.SCOPES)

    # connections and grants

    def _views(self, statement: str, *values: Any) -> tuple[ConnectionInView, ...]:
        return tuple([_view(row) for row in self._rows(statement, *values)])

    async def connection(self, connection_id: bytes) -> ConnectionInView | None:
        return _first(self._views(sql.CONNECTION_VIEW, connection_id))

    async def connection_by_integration_id(self, integration_id: str) -> ConnectionInView | None:
        return _first(self._views(sql.CONNECTION_VIEW_BY_INTEGRATION_ID, integration_id))

    async def live_connection(self, client_row_id: bytes, account_id: bytes) -> Connection | None:
        return self._one(r.CONNECTION, sql.LIVE_CONNECTION, client_row_id, account_id)

    async def connections(
        self,
        *,
        account_id: bytes | None = None,
        client_row_id: bytes | None = None,
        live: bool = True,
        limit: int = 1000,
    ) -> tuple[ConnectionInView, ...]:
        statement = sql.CONNECTIONS[account_id is not None, client_row_id is not None]
        return self._views(statement, account_id, client_row_id, limit, live)

    async def connections_of_user(self, user_id: bytes) -> tuple[ConnectionInView, ...]:
        return self._views(sql.CONNECTIONS_OF_USER, user_id)

    async def connection_key(self, key_id: str) -> tuple[ConnectionKey, ConnectionInView] | None:
        key = self._one(r.CONNECTION_KEY, sql.BY_KEY[ConnectionKey], key_id)
        view = None if key is None else _first(self._views(sql.CONNECTION_VIEW, key.connection_id))
        return None if key is None or view is None else (key, view)

    async def grant(self, grant_id: bytes) -> GrantInUse | None:
        rows = self._connection.execute(sql.GRANT_IN_USE, (grant_id,)).fetchall()
        if not rows:
            return None
        row = rows[0]
        grant = r.GRANT.read(row)
        connection_version, day, account_version, user_version, client_version = row[_CONNECTION_AT:]
        parsed = self._parsed
        connection = parsed.connections.get((grant.connection_id, connection_version, day)) or self._read(
            r.CONNECTION, Connection, parsed.connections, (grant.connection_id, connection_version, day)
        )
        account = parsed.accounts.get((grant.account_id, account_version)) or self._read(
            r.ACCOUNT, Account, parsed.accounts, (grant.account_id, account_version)
        )
        client = parsed.clients.get((grant.client_id, client_version)) or self._read(
            r.CLIENT, Client, parsed.clients, (grant.client_id, client_version)
        )
        user = None
        if user_version is not None:
            user = parsed.users.get((grant.user_id, user_version)) or self._read(
                r.USER, User, parsed.users, (grant.user_id, user_version)
            )
        if connection is None or account is None or client is None or (user is None and user_version is not None):
            return self._grant_in_full(grant_id)
        return GrantInUse(grant, connection, account, user, client)

    def _read(self, codec: r.Codec[R], kind: type[Any], parsed: Recent[R], key: tuple[Any, ...]) -> R | None:
        """The record in just the version that the grant's query told; ``None`` when there is a newer one by now."""
        rows = self._connection.execute(sql.BY_KEY[kind], (key[0],)).fetchall()
        record: Any = codec.read(rows[0]) if rows else None
        if record is None or record.version != key[1]:
            return None
        if kind is Connection and rows[0][_LAST_USED_DAY] != key[2]:
            return None
        self._parsed.keep(parsed, key, record)
        found: R = record
        return found

    def _grant_in_full(self, grant_id: bytes) -> GrantInUse | None:
        # Another process committed in between. One statement with everything cannot be torn apart.
        rows = self._connection.execute(sql.GRANT_IN_USE_IN_FULL, (grant_id,)).fetchall()
        if not rows:
            return None
        row = rows[0]
        return GrantInUse(
            r.GRANT.read(row),
            r.CONNECTION.read(row, _CONNECTION_AT),
            r.ACCOUNT.read(row, _ACCOUNT_AT),
            None if row[_USER_AT] is None else r.USER.read(row, _USER_AT),
            r.CLIENT.read(row, _CLIENT_AT),
        )

    async def live_grants(self, connection_id: bytes, user_id: bytes | None) -> tuple[Grant, ...]:
        return self._many(r.GRANT, sql.LIVE_GRANTS, connection_id, user_id)

    async def has_live_grant_beside(
        self, connection_id: bytes, *, grant_id: bytes | None = None, user_id: bytes | None = None
    ) -> bool:
        return bool(self._rows(sql.HAS_LIVE_GRANT_BESIDE, connection_id, grant_id, user_id, r.micros(self._now)))

    async def ended_token(self, serial: bytes) -> EndedToken | None:
        return self._one(r.ENDED_TOKEN, sql.BY_KEY[EndedToken], serial)

    async def pending(self, digest: bytes) -> PendingAuthorization | None:
        return self._one(r.PENDING, sql.BY_KEY[PendingAuthorization], digest)

    # the house

    async def signing_keys(self) -> tuple[SigningKey, ...]:
        now = r.micros(self._now)
        in_force = tuple(self._rows(sql.SIGNING_KEY_VERSIONS, now))
        keys = self._parsed.signing_keys.get(in_force)
        if keys is None:
            keys = self._many(r.SIGNING_KEY, sql.SIGNING_KEYS, now)
            read = tuple([(key.kid, key.version, r.micros(key.created_at)) for key in keys])
            self._parsed.keep(self._parsed.signing_keys, read, keys)
        return keys

    async def due_notices(self, at: datetime, limit: int = 100) -> tuple[Notice, ...]:
        return self._many(r.NOTICE, sql.DUE_NOTICES, r.micros(at), limit)

    async def notices(self, connection_id: bytes) -> tuple[Notice, ...]:
        return self._many(r.NOTICE, sql.NOTICES, connection_id)

    async def audit(self, *, connection_id: bytes | None = None, limit: int = 100) -> tuple[AuditEntry, ...]:
        if connection_id is None:
            return self._many(r.AUDIT_ENTRY, sql.AUDIT, limit)
        return self._many(r.AUDIT_ENTRY, sql.AUDIT_OF_CONNECTION, limit, connection_id)


_VIEW_CLIENT_AT = r.CONNECTION.width
_VIEW_ACCOUNT_AT = _VIEW_CLIENT_AT + r.CLIENT.width
_VIEW_USER_AT = _VIEW_ACCOUNT_AT + r.ACCOUNT.width


def _view(row: Row) -> ConnectionInView:
    return ConnectionInView(
        r.CONNECTION.read(row),
        r.CLIENT.read(row, _VIEW_CLIENT_AT),
        r.ACCOUNT.read(row, _VIEW_ACCOUNT_AT),
        None if row[_VIEW_USER_AT] is None else r.USER.read(row, _VIEW_USER_AT),
    )


def _first(found: tuple[R, ...]) -> R | None:
    return found[0] if found else None
