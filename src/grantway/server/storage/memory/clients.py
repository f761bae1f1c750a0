"""Facts about clients and their developers, and the catalogue."""

from __future__ import annotations

from datetime import datetime

from grantway.protocol.facts import FIRST_PAGE, Page
from grantway.protocol.model import Client, Developer, Icon, RefusedAuthorization, Scope, User
from grantway.server.storage.memory.tables import Reading, by_id, one_page


class ClientFacts(Reading):
    """See ``grantway.protocol.facts.Facts``."""

    async def client(self, client_id: str) -> Client | None:
        return self._tables.by(Client, "client_id", client_id)

    async def client_by_row(self, row_id: bytes) -> Client | None:
        return self._tables.of(Client).get(row_id)

    async def clients(self, page: Page = FIRST_PAGE, *, name: str | None = None) -> tuple[Client, ...]:
        found = self._all(Client, lambda each: each.ended_at is None and (name is None or each.name.startswith(name)))
        return one_page(found, page)

    async def clients_of_account(self, account_id: bytes, page: Page = FIRST_PAGE) -> tuple[Client, ...]:
        return one_page(self._all(Client, lambda each: each.account_id == account_id and each.ended_at is None), page)

    async def submitted_clients(self) -> tuple[Client, ...]:
        waiting: list[tuple[datetime, bytes, Client]] = [
            (each.submitted_at, each.id, each)
            for each in self._all(Client, lambda each: each.approved_at is None and each.ended_at is None)
            if each.submitted_at is not None
        ]
        return tuple(each for _, _, each in sorted(waiting, key=lambda row: row[:2])[:1000])

    async def icon(self, client_row_id: bytes) -> Icon | None:
        return self._tables.of(Icon).get(client_row_id)

    async def scopes(self) -> tuple[Scope, ...]:
        return tuple(sorted(self._tables.of(Scope).values(), key=lambda scope: scope.name))

    async def developer(self, client_row_id: bytes, user_id: bytes) -> Developer | None:
        return self._tables.of(Developer).get((client_row_id, user_id))

    async def developers(self, client_row_id: bytes) -> tuple[tuple[Developer, User], ...]:
        users = self._tables.of(User)
        found = self._all(Developer, lambda each: each.client_id == client_row_id and each.user_id in users)
        found.sort(key=lambda each: (each.created_at, each.user_id))
        return tuple((each, users[each.user_id]) for each in found)

    async def clients_of_developer(self, user_id: bytes) -> tuple[Client, ...]:
        mine = {each.client_id for each in self._all(Developer, lambda each: each.user_id == user_id)}
        return by_id(self._all(Client, lambda each: each.id in mine and each.ended_at is None))[::-1]

    async def refused_authorizations(self, client_row_id: bytes) -> tuple[RefusedAuthorization, ...]:
        found = self._all(RefusedAuthorization, lambda each: each.client_id == client_row_id)
        return tuple(sorted(found, key=lambda each: (each.last_at, each.slot), reverse=True))
