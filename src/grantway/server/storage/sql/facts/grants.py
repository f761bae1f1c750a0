"""Facts about grants and what hangs from them."""

from __future__ import annotations

from typing import Any

from grantway.protocol.facts import GrantInUse
from grantway.protocol.model import (
    Client,
    EndedToken,
    ForeignToken,
    Grant,
    PendingAuthorization,
    User,
)
from grantway.server.storage.sql import records as r
from grantway.server.storage.sql.codec import Codec, micros
from grantway.server.storage.sql.facts.reading import Reading
from grantway.server.storage.sql.parsed import Recent
from grantway.server.storage.sql.statements import grants as sql
from grantway.server.storage.sql.statements.rows import BY_KEY

_CONNECTION_AT = r.GRANT.width
_ACCOUNT_AT = _CONNECTION_AT + r.CONNECTION.width
_CLIENT_AT = _ACCOUNT_AT + r.ACCOUNT.width
_USER_AT = _CLIENT_AT + r.CLIENT.width
_VERSION = r.CONNECTION.names.index("version") + _CONNECTION_AT, r.ACCOUNT.names.index("version") + _ACCOUNT_AT
_LAST_USED_DAY = r.CONNECTION.names.index("last_used_day") + _CONNECTION_AT


class GrantFacts(Reading):
    """See ``grantway.protocol.facts.Facts``."""

    __slots__ = ()

    async def grant(self, grant_id: bytes) -> GrantInUse | None:
        rows = await self._rows(sql.GRANT_IN_USE, grant_id)
        if not rows:
            return None
        row = rows[0]
        grant = r.GRANT.read(row)
        user_version, client_version = row[_CLIENT_AT:]
        parsed = self._parsed
        key: tuple[Any, ...] = (grant.connection_id, row[_VERSION[0]], row[_LAST_USED_DAY])
        connection = parsed.connections.get(key)
        if connection is None:
            connection = r.CONNECTION.read(row, _CONNECTION_AT)
            parsed.keep(parsed.connections, key, connection)
        key = (grant.account_id, row[_VERSION[1]])
        account = parsed.accounts.get(key)
        if account is None:
            account = r.ACCOUNT.read(row, _ACCOUNT_AT)
            parsed.keep(parsed.accounts, key, account)
        key = (grant.client_id, client_version)
        client = parsed.clients.get(key) or await self._read(r.CLIENT, Client, parsed.clients, key)
        user = None
        if user_version is not None:
            key = (grant.user_id, user_version)
            user = parsed.users.get(key) or await self._read(r.USER, User, parsed.users, key)
        if client is None or (user is None and user_version is not None):
            return await self._grant_in_full(grant_id)
        return GrantInUse(grant, connection, account, user, client)

    async def _read(self, codec: Codec[Any], kind: type[Any], parsed: Recent[Any], key: tuple[Any, ...]) -> Any:
        """The record in just the version that the grant's query told; ``None`` when there is a newer one by now."""
        rows = await self._rows(BY_KEY[kind], key[0])
        record = codec.read(rows[0]) if rows else None
        if record is None or record.version != key[1]:
            return None
        self._parsed.keep(parsed, key, record)
        return record

    async def _grant_in_full(self, grant_id: bytes) -> GrantInUse | None:
        # Another process committed in between. One statement with everything cannot be torn apart.
        rows = await self._rows(sql.GRANT_IN_USE_IN_FULL, grant_id)
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
        return await self._many(r.GRANT, sql.LIVE_GRANTS, connection_id, user_id)

    async def has_live_grant_beside(
        self, connection_id: bytes, *, grant_id: bytes | None = None, user_id: bytes | None = None
    ) -> bool:
        return bool(await self._rows(sql.HAS_LIVE_GRANT_BESIDE, connection_id, grant_id, user_id, micros(self._now)))

    async def count_live_grants(self, connection_id: bytes) -> int:
        rows = await self._rows(sql.COUNT_LIVE_GRANTS, connection_id)
        count: int = rows[0][0]
        return count

    async def permanent_grants(self, client_row_id: bytes, account_id: bytes | None = None) -> tuple[Grant, ...]:
        return await self._many(r.GRANT, sql.PERMANENT_GRANTS, client_row_id, account_id)

    async def ended_token(self, serial: bytes) -> EndedToken | None:
        return await self._one(r.ENDED_TOKEN, BY_KEY[EndedToken], serial)

    async def foreign_token(self, digest: bytes) -> ForeignToken | None:
        return await self._one(r.FOREIGN_TOKEN, BY_KEY[ForeignToken], digest)

    async def pending(self, digest: bytes) -> PendingAuthorization | None:
        return await self._one(r.PENDING, BY_KEY[PendingAuthorization], digest)
