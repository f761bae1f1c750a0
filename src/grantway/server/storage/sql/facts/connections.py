"""Facts about connections and what lives by them."""

from __future__ import annotations

from datetime import date, datetime

from grantway.protocol.facts import FIRST_PAGE, ConnectionInView, ConnectionState, Page, WebhookInView
from grantway.protocol.model import Connection, ConnectionKey, Resource, Webhook
from grantway.server.storage.sql import records as r
from grantway.server.storage.sql.codec import day_number, micros
from grantway.server.storage.sql.facts.reading import Reading, first, older, view_of
from grantway.server.storage.sql.statements import connections as sql
from grantway.server.storage.sql.statements.rows import BY_KEY


class ConnectionFacts(Reading):
    """See ``grantway.protocol.facts.Facts``."""

    __slots__ = ()

    async def connection(self, connection_id: bytes) -> ConnectionInView | None:
        return first(await self._views(sql.CONNECTION_VIEW, connection_id))

    async def connection_by_integration_id(self, integration_id: str) -> ConnectionInView | None:
        return first(await self._views(sql.CONNECTION_VIEW_BY_INTEGRATION_ID, integration_id))

    async def live_connection(self, client_row_id: bytes, account_id: bytes) -> Connection | None:
        return await self._one(r.CONNECTION, sql.LIVE_CONNECTION, client_row_id, account_id)

    async def connections(
        self,
        page: Page = FIRST_PAGE,
        *,
        account_id: bytes | None = None,
        client_row_id: bytes | None = None,
        state: ConnectionState = "live",
    ) -> tuple[ConnectionInView, ...]:
        statement = sql.CONNECTIONS[account_id is not None, client_row_id is not None, state]
        return await self._views(statement, *older(page), account_id, client_row_id)

    async def connections_approved_by(self, user_id: bytes, account_id: bytes) -> tuple[Connection, ...]:
        return await self._many(r.CONNECTION, sql.CONNECTIONS_APPROVED_BY, user_id, account_id)

    async def idle_connections(self, before: date, limit: int = 100) -> tuple[ConnectionInView, ...]:
        return await self._views(sql.IDLE_CONNECTIONS, day_number(before), limit)

    async def abandoned_connections(self, before: datetime, limit: int = 100) -> tuple[ConnectionInView, ...]:
        return await self._views(sql.ABANDONED_CONNECTIONS, micros(before), micros(self._now), limit)

    async def connection_key(self, key_id: str) -> tuple[ConnectionKey, ConnectionInView] | None:
        key = await self._one(r.CONNECTION_KEY, BY_KEY[ConnectionKey], key_id)
        view = None if key is None else first(await self._views(sql.CONNECTION_VIEW, key.connection_id))
        return None if key is None or view is None else (key, view)

    async def webhook(self, webhook_id: bytes) -> WebhookInView | None:
        row = first(await self._rows(sql.WEBHOOK_VIEW, webhook_id))
        return None if row is None else WebhookInView(r.WEBHOOK.read(row), view_of(row[r.WEBHOOK.width :]))

    async def webhooks(self, connection_id: bytes) -> tuple[Webhook, ...]:
        return await self._many(r.WEBHOOK, sql.WEBHOOKS, connection_id)

    async def webhooks_of_account(self, account_id: bytes) -> tuple[tuple[Webhook, Connection], ...]:
        return await self._pairs(r.WEBHOOK, r.CONNECTION, sql.WEBHOOKS_OF_ACCOUNT, account_id)

    async def resource(self, resource_id: bytes) -> Resource | None:
        return await self._one(r.RESOURCE, BY_KEY[Resource], resource_id)

    async def resource_by_reference(self, connection_id: bytes, kind: str, reference: str) -> Resource | None:
        return await self._one(r.RESOURCE, sql.RESOURCE_BY_REFERENCE, connection_id, kind, reference)

    async def resources(self, connection_id: bytes, *, live: bool = True, limit: int = 1000) -> tuple[Resource, ...]:
        return await self._many(r.RESOURCE, sql.RESOURCES[live], connection_id, limit)
