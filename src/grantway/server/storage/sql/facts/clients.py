"""Facts about clients."""

from __future__ import annotations

from grantway.protocol.facts import FIRST_PAGE, Page
from grantway.protocol.model import Client, Developer, Icon, RefusedAuthorization, Scope, User
from grantway.server.storage.sql import records as r
from grantway.server.storage.sql.facts.reading import Reading, beginning, older
from grantway.server.storage.sql.statements import clients as sql
from grantway.server.storage.sql.statements.rows import BY_KEY


class ClientFacts(Reading):
    """See ``grantway.protocol.facts.Facts``."""

    __slots__ = ()

    async def client(self, client_id: str) -> Client | None:
        return await self._client(sql.CLIENT_VERSION, client_id)

    async def client_by_row(self, row_id: bytes) -> Client | None:
        return await self._client(sql.CLIENT_ROW_VERSION, row_id)

    async def _client(self, version: str, key: str | bytes) -> Client | None:
        rows = await self._rows(version, key)
        if not rows:
            return None
        client = self._parsed.clients.get(rows[0])
        if client is None:
            client = await self._one(r.CLIENT, BY_KEY[Client], rows[0][0])
            if client is not None:
                self._parsed.keep(self._parsed.clients, (client.id, client.version), client)
        return client

    async def clients(self, page: Page = FIRST_PAGE, *, name: str | None = None) -> tuple[Client, ...]:
        if name is None:
            return await self._many(r.CLIENT, sql.CLIENTS, *older(page))
        return await self._many(r.CLIENT, sql.CLIENTS_BY_NAME, *older(page), *beginning(name))

    async def clients_of_account(self, account_id: bytes, page: Page = FIRST_PAGE) -> tuple[Client, ...]:
        return await self._many(r.CLIENT, sql.CLIENTS_OF_ACCOUNT, *older(page), account_id)

    async def submitted_clients(self) -> tuple[Client, ...]:
        return await self._many(r.CLIENT, sql.SUBMITTED_CLIENTS)

    async def icon(self, client_row_id: bytes) -> Icon | None:
        return await self._one(r.ICON, BY_KEY[Icon], client_row_id)

    async def scopes(self) -> tuple[Scope, ...]:
        return await self._many(r.SCOPE, sql.SCOPES)

    async def developer(self, client_row_id: bytes, user_id: bytes) -> Developer | None:
        return await self._one(r.DEVELOPER, BY_KEY[Developer], client_row_id, user_id)

    async def developers(self, client_row_id: bytes) -> tuple[tuple[Developer, User], ...]:
        return await self._pairs(r.DEVELOPER, r.USER, sql.DEVELOPERS, client_row_id)

    async def clients_of_developer(self, user_id: bytes) -> tuple[Client, ...]:
        return await self._many(r.CLIENT, sql.CLIENTS_OF_DEVELOPER, user_id)

    async def refused_authorizations(self, client_row_id: bytes) -> tuple[RefusedAuthorization, ...]:
        return await self._many(r.REFUSED_AUTHORIZATION, sql.REFUSED_AUTHORIZATIONS, client_row_id)
