"""Facts about events, notices, and what came of each attempt."""

from __future__ import annotations

from datetime import datetime

from grantway.protocol.facts import FIRST_PAGE, DueNotice, NoticeState, Page
from grantway.protocol.model import DeliveryAttempt, Event, Notice
from grantway.server.storage.sql import records as r
from grantway.server.storage.sql.codec import micros
from grantway.server.storage.sql.facts.reading import Reading, older
from grantway.server.storage.sql.statements import outbox as sql
from grantway.server.storage.sql.statements.rows import BY_KEY


class OutboxFacts(Reading):
    """See ``grantway.protocol.facts.Facts``."""

    __slots__ = ()

    async def event(self, event_id: bytes) -> Event | None:
        return await self._one(r.EVENT, BY_KEY[Event], event_id)

    async def due_notices(self, at: datetime, limit: int = 100) -> tuple[DueNotice, ...]:
        return await self._many(r.DUE_NOTICE, sql.DUE_NOTICES, micros(at), limit)

    async def notice(self, notice_id: bytes) -> Notice | None:
        return await self._one(r.NOTICE, BY_KEY[Notice], notice_id)

    async def notices(
        self,
        page: Page = FIRST_PAGE,
        *,
        connection_id: bytes | None = None,
        client_row_id: bytes | None = None,
        state: NoticeState = "all",
    ) -> tuple[Notice, ...]:
        statement = sql.NOTICES[connection_id is not None, client_row_id is not None, state]
        return await self._many(r.NOTICE, statement, *older(page), connection_id, client_row_id)

    async def attempts(self, notice_id: bytes) -> tuple[DeliveryAttempt, ...]:
        return await self._many(r.DELIVERY_ATTEMPT, sql.ATTEMPTS, notice_id)
