"""Facts about what the installation itself keeps."""

from __future__ import annotations

from datetime import datetime

from grantway.protocol.facts import FIRST_PAGE, Page
from grantway.protocol.ids import show
from grantway.protocol.model import AuditEntry, IdempotentAnswer, OperatorKey, Restoration, SigningKey, Tally
from grantway.server.storage.sql import records as r
from grantway.server.storage.sql.codec import micros
from grantway.server.storage.sql.facts.reading import Reading, older
from grantway.server.storage.sql.statements import house as sql
from grantway.server.storage.sql.statements.rows import BY_KEY

HOUR = 3_600_000_000
"""Microseconds."""


class HouseFacts(Reading):
    """See ``grantway.protocol.facts.Facts``."""

    __slots__ = ()

    async def signing_keys(self) -> tuple[SigningKey, ...]:
        now = micros(self._now)
        in_force = tuple(await self._rows(sql.SIGNING_KEY_VERSIONS, now))
        keys = self._parsed.signing_keys.get(in_force)
        if keys is None:
            keys = await self._many(r.SIGNING_KEY, sql.SIGNING_KEYS, now)
            read = tuple([(key.kid, key.version, micros(key.created_at)) for key in keys])
            self._parsed.keep(self._parsed.signing_keys, read, keys)
        return keys

    async def operator_key(self, key_id: bytes) -> OperatorKey | None:
        return await self._one(r.OPERATOR_KEY, BY_KEY[OperatorKey], key_id)

    async def operator_keys(self) -> tuple[OperatorKey, ...]:
        return await self._many(r.OPERATOR_KEY, sql.OPERATOR_KEYS)

    async def restoration(self) -> Restoration | None:
        return await self._one(r.RESTORATION, sql.RESTORATION_THAT_COUNTS, micros(self._now))

    async def idempotent_answer(self, digest: bytes) -> IdempotentAnswer | None:
        return await self._one(r.IDEMPOTENT_ANSWER, BY_KEY[IdempotentAnswer], digest)

    async def tallies(self, since: datetime, kind: str | None = None, *, hours: int = 1) -> tuple[Tally, ...]:
        return await self._many(r.TALLY, sql.TALLIES, micros(since), kind, hours * HOUR)

    async def audit(
        self,
        page: Page = FIRST_PAGE,
        *,
        connection_id: bytes | None = None,
        client_row_id: bytes | None = None,
        account_id: bytes | None = None,
        user_id: bytes | None = None,
        reason: str | None = None,
        action: str | None = None,
    ) -> tuple[AuditEntry, ...]:
        actor = None if user_id is None else show("us", user_id)
        values = (*older(page), connection_id, user_id, actor, account_id, client_row_id, reason, action)
        criteria = ((connection_id,), (user_id, actor), (account_id,), (client_row_id,), (reason,), (action,))
        named = {by: marks for by, marks in zip(sql.AUDIT_COUNT, criteria, strict=True) if marks[0] is not None}
        by = next(iter(named), None)
        if len(named) > 1:
            # What fits the fewest entries finds them: of the others' all would be read for the few that fit it, too.
            counts = {each: (await self._rows(sql.AUDIT_COUNT[each], *named[each]))[0][0] for each in named}
            by = min(counts, key=lambda each: int(counts[each]))
        return await self._many(r.AUDIT_ENTRY, sql.AUDIT[by], *values)
