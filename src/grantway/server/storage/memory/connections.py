"""Facts about connections, their grants, and what lives by them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

from grantway.protocol.facts import FIRST_PAGE, ConnectionInView, ConnectionState, GrantInUse, Page, WebhookInView
from grantway.protocol.model import (
    Account,
    Client,
    Connection,
    ConnectionKey,
    EndedToken,
    ForeignToken,
    Grant,
    PendingAuthorization,
    Resource,
    User,
    Webhook,
)
from grantway.server.storage.memory.tables import Reading, by_id, one_page


class ConnectionFacts(Reading):
    """See ``grantway.protocol.facts.Facts``."""

    def _in_view(self, connection: Connection | None) -> ConnectionInView | None:
        if connection is None:
            return None
        client = self._tables.of(Client).get(connection.client_id)
        account = self._tables.of(Account).get(connection.account_id)
        if client is None or account is None:
            return None
        return ConnectionInView(connection, client, account, self._tables.of(User).get(connection.approved_by))

    def _views(self, wanted: Callable[[Connection], bool]) -> list[ConnectionInView]:
        views = map(self._in_view, self._all(Connection, wanted))
        return [view for view in views if view is not None]

    async def connection(self, connection_id: bytes) -> ConnectionInView | None:
        return self._in_view(self._tables.of(Connection).get(connection_id))

    async def connection_by_integration_id(self, integration_id: str) -> ConnectionInView | None:
        return self._in_view(self._tables.by(Connection, "integration_id", integration_id))

    async def live_connection(self, client_row_id: bytes, account_id: bytes) -> Connection | None:
        return self._tables.by(Connection, "live", client_row_id, account_id)

    async def connections(
        self,
        page: Page = FIRST_PAGE,
        *,
        account_id: bytes | None = None,
        client_row_id: bytes | None = None,
        state: ConnectionState = "live",
    ) -> tuple[ConnectionInView, ...]:
        def wanted(each: Connection) -> bool:
            return (
                (account_id is None or each.account_id == account_id)
                and (client_row_id is None or each.client_id == client_row_id)
                and _is_in(each, state)
            )

        views = {view.connection.id: view for view in self._views(wanted)}
        return tuple(views[each.id] for each in one_page((view.connection for view in views.values()), page))

    async def connections_approved_by(self, user_id: bytes, account_id: bytes) -> tuple[Connection, ...]:
        granted = {
            each.connection_id
            for each in self._all(Grant, lambda each: each.user_id == user_id and each.revoked_at is None)
        }
        return by_id(
            self._all(
                Connection,
                lambda each: each.account_id == account_id and each.removed_at is None and each.id in granted,
            )
        )

    async def idle_connections(self, before: date, limit: int = 100) -> tuple[ConnectionInView, ...]:
        views = self._views(
            lambda each: each.removed_at is None and each.activated_at is not None and _last_day(each) < before
        )
        return tuple(sorted(views, key=lambda view: (_last_day(view.connection), view.connection.id))[:limit])

    async def abandoned_connections(self, before: datetime, limit: int = 100) -> tuple[ConnectionInView, ...]:
        hopeful = {each.connection_id for each in self._all(Grant, lambda each: _is_live_code(each, self._now))}
        views = self._views(
            lambda each: (
                each.removed_at is None
                and each.activated_at is None
                and each.created_at < before
                and each.id not in hopeful
            )
        )
        return tuple(sorted(views, key=lambda view: (view.connection.created_at, view.connection.id))[:limit])

    async def connection_key(self, key_id: str) -> tuple[ConnectionKey, ConnectionInView] | None:
        key = self._tables.of(ConnectionKey).get(key_id)
        view = None if key is None else self._in_view(self._tables.of(Connection).get(key.connection_id))
        return None if key is None or view is None else (key, view)

    async def grant(self, grant_id: bytes) -> GrantInUse | None:
        grant = self._tables.of(Grant).get(grant_id)
        view = None if grant is None else self._in_view(self._tables.of(Connection).get(grant.connection_id))
        if grant is None or view is None:
            return None
        return GrantInUse(grant, view.connection, view.account, self._tables.of(User).get(grant.user_id), view.client)

    async def live_grants(self, connection_id: bytes, user_id: bytes | None) -> tuple[Grant, ...]:
        live = self._all(
            Grant,
            lambda each: each.connection_id == connection_id and each.user_id == user_id and each.revoked_at is None,
        )
        return tuple(sorted(live, key=lambda each: (_last_day(each), each.created_at, each.id)))

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

    async def count_live_grants(self, connection_id: bytes) -> int:
        return len(self._all(Grant, lambda each: each.connection_id == connection_id and each.revoked_at is None))

    async def permanent_grants(self, client_row_id: bytes, account_id: bytes | None = None) -> tuple[Grant, ...]:
        def wanted(each: Grant) -> bool:
            connection = self._tables.of(Connection).get(each.connection_id)
            return (
                each.origin == "permanent"
                and each.client_id == client_row_id
                and account_id in (None, each.account_id)
                and each.revoked_at is None
                and connection is not None
                and connection.removed_at is None
            )

        return tuple(sorted(self._all(Grant, wanted), key=lambda each: each.id)[:1000])

    async def ended_token(self, serial: bytes) -> EndedToken | None:
        return self._tables.of(EndedToken).get(serial)

    async def foreign_token(self, digest: bytes) -> ForeignToken | None:
        return self._tables.of(ForeignToken).get(digest)

    async def pending(self, digest: bytes) -> PendingAuthorization | None:
        return self._tables.of(PendingAuthorization).get(digest)

    async def webhook(self, webhook_id: bytes) -> WebhookInView | None:
        webhook = self._tables.of(Webhook).get(webhook_id)
        view = None if webhook is None else self._in_view(self._tables.of(Connection).get(webhook.connection_id))
        return None if webhook is None or view is None else WebhookInView(webhook, view)

    async def webhooks(self, connection_id: bytes) -> tuple[Webhook, ...]:
        return by_id(self._all(Webhook, lambda each: each.connection_id == connection_id and each.ended_at is None))

    async def webhooks_of_account(self, account_id: bytes) -> tuple[tuple[Webhook, Connection], ...]:
        connections = {
            each.id: each
            for each in self._all(Connection, lambda each: each.account_id == account_id and each.removed_at is None)
        }
        open_ones = by_id(self._all(Webhook, lambda each: each.ended_at is None and each.disabled_at is None))
        return tuple((each, connections[each.connection_id]) for each in open_ones if each.connection_id in connections)

    async def resource(self, resource_id: bytes) -> Resource | None:
        return self._tables.of(Resource).get(resource_id)

    async def resource_by_reference(self, connection_id: bytes, kind: str, reference: str) -> Resource | None:
        return self._tables.by(Resource, "reference", connection_id, kind, reference)

    async def resources(self, connection_id: bytes, *, live: bool = True, limit: int = 1000) -> tuple[Resource, ...]:
        def wanted(each: Resource) -> bool:
            return each.connection_id == connection_id and not (live and each.cancelled_at is not None)

        return by_id(self._all(Resource, wanted))[:limit]


def _is_in(connection: Connection, state: ConnectionState) -> bool:
    if state == "suspended":
        return connection.suspended_at is not None and connection.removed_at is None
    return state == "all" or (connection.removed_at is not None) == (state == "removed")


def _last_day(used: Connection | Grant) -> date:
    return used.last_used_day or used.created_at.astimezone(UTC).date()


def _is_dead_code(grant: Grant, now: datetime) -> bool:
    expires_at = grant.code_expires_at
    return grant.origin == "code" and grant.generation == 0 and expires_at is not None and expires_at <= now


def _is_live_code(grant: Grant, now: datetime) -> bool:
    expires_at = grant.code_expires_at
    return grant.revoked_at is None and grant.generation == 0 and expires_at is not None and expires_at > now
