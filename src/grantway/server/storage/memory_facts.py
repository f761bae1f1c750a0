"""Reading from dictionaries: the tables of ``memory`` with their unique keys and undo log, and the facts over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
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
from grantway.server.storage.keeping import KEYS
from grantway.server.storage.port import GuardMissed

R = TypeVar("R")


def _connection_keys(connection: Connection) -> list[tuple[Any, ...]]:
    keys: list[tuple[Any, ...]] = [("integration_id", connection.integration_id)]
    if connection.removed_at is None:
        keys.append(("live", connection.client_id, connection.account_id))
    return keys


_UNIQUE: Mapping[type[Any], Callable[[Any], list[tuple[Any, ...]]]] = {
    User: lambda user: [("email", user.email)],
    Account: lambda account: [("external_id", *pair) for pair in account.external_ids.items()],
    Client: lambda client: [("client_id", client.client_id)],
    Connection: _connection_keys,
}


class Tables:
    """Records by kind and key, unique keys, and what has to be undone. One writer at a time."""

    def __init__(self) -> None:
        self._rows: dict[type[Any], dict[Any, Any]] = {kind: {} for kind in KEYS}
        self._unique: dict[type[Any], dict[tuple[Any, ...], Any]] = {kind: {} for kind in _UNIQUE}
        self._undo: list[tuple[type[Any], Any, Any]] = []

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
        if kind in _UNIQUE:
            index = self._unique[kind]
            for unique in _UNIQUE[kind](old) if old is not None else ():
                del index[unique]
            for unique in _UNIQUE[kind](record) if record is not None else ():
                index[unique] = key


def _by_age(records: Iterable[R], limit: int) -> tuple[R, ...]:
    return tuple(sorted(records, key=lambda each: (each.created_at, each.id))[:limit])  # type: ignore[attr-defined]


class MemoryFacts:
    """The facts at one time; see ``grantway.protocol.facts.Facts``."""

    def __init__(self, tables: Tables, now: datetime) -> None:
        self._tables = tables
        self._now = now

    # people

    async def user(self, user_id: bytes) -> User | None:
        return self._tables.of(User).get(user_id)

    async def user_by_email(self, email: str) -> User | None:
        return self._tables.by(User, "email", email)

    async def users(self, limit: int = 1000) -> tuple[User, ...]:
        return _by_age(self._tables.of(User).values(), limit)

    async def account(self, account_id: bytes) -> Account | None:
        return self._tables.of(Account).get(account_id)

    async def account_by_external_id(self, dialect: str, external_id: str) -> Account | None:
        return self._tables.by(Account, "external_id", dialect, external_id)

    async def accounts(self, limit: int = 1000) -> tuple[Account, ...]:
        return _by_age(self._tables.of(Account).values(), limit)

    async def membership(self, account_id: bytes, user_id: bytes) -> Membership | None:
        return self._tables.of(Membership).get((account_id, user_id))

    async def memberships(self, user_id: bytes) -> tuple[tuple[Membership, Account], ...]:
        accounts = self._tables.of(Account)
        found = [
            (each, accounts[each.account_id])
            for each in self._tables.of(Membership).values()
            if each.user_id == user_id and each.account_id in accounts
        ]
        live = [pair for pair in found if pair[1].removed_at is None]
        return tuple(sorted(live, key=lambda pair: (pair[1].name, pair[1].id)))

    async def members(self, account_id: bytes) -> tuple[tuple[Membership, User], ...]:
        users = self._tables.of(User)
        found = [
            (each, users[each.user_id])
            for each in self._tables.of(Membership).values()
            if each.account_id == account_id and each.user_id in users
        ]
        return tuple(sorted(found, key=lambda pair: (pair[0].created_at, pair[0].user_id)))

    async def session(self, digest: bytes) -> tuple[Session, User] | None:
        session = self._tables.of(Session).get(digest)
        user = None if session is None else self._tables.of(User).get(session.user_id)
        return None if session is None or user is None else (session, user)

    async def failures(self, digest: bytes) -> FailureBucket | None:
        return self._tables.of(FailureBucket).get(digest)

    # clients

    async def client(self, client_id: str) -> Client | None:
        return self._tables.by(Client, "client_id", client_id)

    async def client_by_row(self, row_id: bytes) -> Client | None:
        return self._tables.of(Client).get(row_id)

    async def clients(self, limit: int = 1000) -> tuple[Client, ...]:
        return _by_age((each for each in self._tables.of(Client).values() if each.ended_at is None), limit)

    async def icon(self, client_row_id: bytes) -> Icon | None:
        return self._tables.of(Icon).get(client_row_id)

    async def scopes(self) -> tuple[Scope, ...]:
        return tuple(sorted(self._tables.of(Scope).values(), key=lambda scope: scope.name))

    # connections and grants

    def _in_view(self, connection: Connection | None) -> ConnectionInView | None:
        if connection is None:
            return None
        client = self._tables.of(Client).get(connection.client_id)
        account = self._tables.of(Account).get(connection.account_id)
        if client is None or account is None:
            return None
        return ConnectionInView(connection, client, account, self._tables.of(User).get(connection.approved_by))

    def _views(self, wanted: Callable[[Connection], bool]) -> list[ConnectionInView]:
        """Newest first."""
        connections = [each for each in self._tables.of(Connection).values() if wanted(each)]
        connections.sort(key=lambda each: (each.created_at, each.id), reverse=True)
        return [view for view in map(self._in_view, connections) if view is not None]

    async def connection(self, connection_id: bytes) -> ConnectionInView | None:
        return self._in_view(self._tables.of(Connection).get(connection_id))

    async def connection_by_integration_id(self, integration_id: str) -> ConnectionInView | None:
        return self._in_view(self._tables.by(Connection, "integration_id", integration_id))

    async def live_connection(self, client_row_id: bytes, account_id: bytes) -> Connection | None:
        return self._tables.by(Connection, "live", client_row_id, account_id)

    async def connections(
        self,
        *,
        account_id: bytes | None = None,
        client_row_id: bytes | None = None,
        live: bool = True,
        limit: int = 1000,
    ) -> tuple[ConnectionInView, ...]:
        def wanted(each: Connection) -> bool:
            return (
                (account_id is None or each.account_id == account_id)
                and (client_row_id is None or each.client_id == client_row_id)
                and not (live and each.removed_at is not None)
            )

        return tuple(self._views(wanted)[:limit])

    async def connections_of_user(self, user_id: bytes) -> tuple[ConnectionInView, ...]:
        mine = {each.account_id for each in self._tables.of(Membership).values() if each.user_id == user_id}
        views = self._views(lambda each: each.account_id in mine and each.removed_at is None)
        return tuple(sorted(views, key=lambda view: (view.account.name, view.account.id)))

    async def connection_key(self, key_id: str) -> tuple[ConnectionKey, ConnectionInView] | None:
        key = self._tables.of(ConnectionKey).get(key_id)
        view = None if key is None else self._in_view(self._tables.of(Connection).get(key.connection_id))
        return None if key is None or view is None else (key, view)

    async def grant(self, grant_id: bytes) -> GrantInUse | None:
        grant = self._tables.of(Grant).get(grant_id)
        if grant is None:
            return None
        connection = self._tables.of(Connection).get(grant.connection_id)
        account = self._tables.of(Account).get(grant.account_id)
        client = self._tables.of(Client).get(grant.client_id)
        if connection is None or account is None or client is None:
            return None
        return GrantInUse(grant, connection, account, self._tables.of(User).get(grant.user_id), client)

    async def live_grants(self, connection_id: bytes, user_id: bytes | None) -> tuple[Grant, ...]:
        live = [
            each
            for each in self._tables.of(Grant).values()
            if each.connection_id == connection_id and each.user_id == user_id and each.revoked_at is None
        ]
        live.sort(
            key=lambda each: (each.last_used_day or each.created_at.astimezone(UTC).date(), each.created_at, each.id)
        )
        return tuple(live)

    async def has_live_grant_beside(
        self, connection_id: bytes, *, grant_id: bytes | None = None, user_id: bytes | None = None
    ) -> bool:
        return any(
            each.connection_id == connection_id
            and each.revoked_at is None
            and each.id != grant_id
            and (user_id is None or each.user_id != user_id)
            and not _is_dead_code(each, self._now)
            for each in self._tables.of(Grant).values()
        )

    async def ended_token(self, serial: bytes) -> EndedToken | None:
        return self._tables.of(EndedToken).get(serial)

    async def pending(self, digest: bytes) -> PendingAuthorization | None:
        return self._tables.of(PendingAuthorization).get(digest)

    # the house

    async def signing_keys(self) -> tuple[SigningKey, ...]:
        keys = self._tables.of(SigningKey).values()
        current = [key for key in keys if key.retires_at is None or key.retires_at > self._now]
        return tuple(sorted(current, key=lambda key: (key.signs_from, key.kid)))

    async def due_notices(self, at: datetime, limit: int = 100) -> tuple[Notice, ...]:
        heads: dict[bytes, Notice] = {}
        for notice in _by_age(self._tables.of(Notice).values(), len(self._tables.of(Notice))):
            if notice.delivered_at is None and notice.dead_at is None:
                heads.setdefault(notice.connection_id, notice)
        due = [
            head
            for head in heads.values()
            if head.next_attempt_at <= at and (head.leased_until is None or head.leased_until <= at)
        ]
        return tuple(due[:limit])

    async def notices(self, connection_id: bytes) -> tuple[Notice, ...]:
        mine = [each for each in self._tables.of(Notice).values() if each.connection_id == connection_id]
        return _by_age(mine, len(mine))

    async def audit(self, *, connection_id: bytes | None = None, limit: int = 100) -> tuple[AuditEntry, ...]:
        entries = [
            each
            for each in self._tables.of(AuditEntry).values()
            if connection_id is None or each.connection_id == connection_id
        ]
        return tuple(sorted(entries, key=lambda each: (each.at, each.id), reverse=True)[:limit])


def _is_dead_code(grant: Grant, now: datetime) -> bool:
    expires_at = grant.code_expires_at
    return grant.origin == "code" and grant.generation == 0 and expires_at is not None and expires_at <= now
