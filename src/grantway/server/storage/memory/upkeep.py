"""Facts for keeping house."""

from __future__ import annotations

from datetime import datetime

from grantway.protocol.facts import GrantAtRest, NumberedEntry
from grantway.protocol.model import AuditEntry, AuditSeal, Client, Connection, ForeignToken, Grant, Lease
from grantway.server.storage.keeping import FIRST_LOOK
from grantway.server.storage.memory.tables import Reading


class UpkeepFacts(Reading):
    """See ``grantway.protocol.facts.Facts``."""

    async def lease(self, name: str) -> Lease | None:
        return self._tables.of(Lease).get(name)

    async def grants_to_look_at(self, before: datetime, limit: int = 100) -> tuple[GrantAtRest, ...]:
        due = sorted(
            self._all(Grant, lambda each: each.revoked_at is None and _next_look(each) < before), key=_next_look
        )
        seen = (self._at_rest(each) for each in due)
        return tuple(each for each in seen if each is not None)[:limit]

    def _at_rest(self, grant: Grant) -> GrantAtRest | None:
        holding = self._all(
            ForeignToken,
            lambda each: each.grant_id == grant.id and (each.kind == "access" or grant.generation == 0),
        )
        connection, client = (
            self._tables.of(Connection).get(grant.connection_id),
            self._tables.of(Client).get(grant.client_id),
        )
        return None if connection is None or client is None else GrantAtRest(grant, connection, client, bool(holding))

    async def audit_in_order(self, after: int = 0, limit: int = 100) -> tuple[NumberedEntry, ...]:
        entries = self._tables.of(AuditEntry)
        later = sorted((number, key) for key, number in self._tables.numbers.items() if number > after)
        return tuple(NumberedEntry(number, entries[key]) for number, key in later[:limit])

    async def last_seal(self) -> AuditSeal | None:
        return max(self._all(AuditSeal), key=lambda each: each.number, default=None)

    async def seal(self, number: int) -> AuditSeal | None:
        return self._tables.of(AuditSeal).get(number)

    async def seals(self, after: int = 0, limit: int = 100, *, kept: bool = False) -> tuple[AuditSeal, ...]:
        wanted = self._all(AuditSeal, lambda each: each.number > after and not (kept and each.removed_at is not None))
        return tuple(sorted(wanted, key=lambda each: each.number)[:limit])


def _next_look(grant: Grant) -> datetime:
    return grant.look_again_at or grant.created_at + FIRST_LOOK
