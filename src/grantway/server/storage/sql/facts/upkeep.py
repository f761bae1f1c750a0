"""Facts for keeping house."""

from __future__ import annotations

from datetime import datetime

from grantway.protocol.facts import GrantAtRest, NumberedEntry
from grantway.protocol.model import AuditSeal, Lease
from grantway.server.storage.sql import records as r
from grantway.server.storage.sql.codec import micros
from grantway.server.storage.sql.facts.reading import Reading
from grantway.server.storage.sql.statements import upkeep as sql
from grantway.server.storage.sql.statements.rows import BY_KEY

_CONNECTION_AT = r.GRANT.width
_CLIENT_AT = _CONNECTION_AT + r.CONNECTION.width
_FOREIGN_AT = _CLIENT_AT + r.CLIENT.width


class UpkeepFacts(Reading):
    """See ``grantway.protocol.facts.Facts``."""

    __slots__ = ()

    async def lease(self, name: str) -> Lease | None:
        return await self._one(r.LEASE, BY_KEY[Lease], name)

    async def grants_to_look_at(self, before: datetime, limit: int = 100) -> tuple[GrantAtRest, ...]:
        return tuple(
            GrantAtRest(
                r.GRANT.read(row),
                r.CONNECTION.read(row, _CONNECTION_AT),
                r.CLIENT.read(row, _CLIENT_AT),
                row[_FOREIGN_AT] > 0,
            )
            for row in await self._rows(sql.GRANTS_TO_LOOK_AT, micros(before), limit)
        )

    async def audit_in_order(self, after: int = 0, limit: int = 100) -> tuple[NumberedEntry, ...]:
        rows = await self._rows(sql.AUDIT_IN_ORDER, after, limit)
        return tuple(NumberedEntry(row[0], r.AUDIT_ENTRY.read(row, 1)) for row in rows)

    async def last_seal(self) -> AuditSeal | None:
        return await self._one(r.AUDIT_SEAL, sql.LAST_SEAL)

    async def seal(self, number: int) -> AuditSeal | None:
        return await self._one(r.AUDIT_SEAL, BY_KEY[AuditSeal], number)

    async def seals(self, after: int = 0, limit: int = 100, *, kept: bool = False) -> tuple[AuditSeal, ...]:
        return await self._many(r.AUDIT_SEAL, sql.KEPT_SEALS if kept else sql.SEALS, after, limit)
