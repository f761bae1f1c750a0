"""Facts about events, notices, and what came of each attempt."""

from __future__ import annotations

from datetime import datetime

from grantway.protocol.facts import FIRST_PAGE, DueNotice, NoticeState, Page
from grantway.protocol.model import DeliveryAttempt, Event, Notice
from grantway.server.storage.memory.tables import Reading, one_page


class OutboxFacts(Reading):
    """See ``grantway.protocol.facts.Facts``."""

    async def event(self, event_id: bytes) -> Event | None:
        return self._tables.of(Event).get(event_id)

    async def due_notices(self, at: datetime, limit: int = 100) -> tuple[DueNotice, ...]:
        heads: dict[bytes, Notice] = {}
        for notice in self._all(Notice, lambda each: _state_of(each) == "waiting"):  # in the order of adding
            heads.setdefault(notice.line, notice)
        due = [
            head
            for head in heads.values()
            if head.next_attempt_at <= at and (head.leased_until is None or head.leased_until <= at)
        ]
        longest = sorted(due, key=lambda notice: (notice.next_attempt_at, notice.id))[:limit]
        return tuple(DueNotice(each.id, each.client_id, each.webhook_id, each.kind, each.url) for each in longest)

    async def notice(self, notice_id: bytes) -> Notice | None:
        return self._tables.of(Notice).get(notice_id)

    async def notices(
        self,
        page: Page = FIRST_PAGE,
        *,
        connection_id: bytes | None = None,
        client_row_id: bytes | None = None,
        state: NoticeState = "all",
    ) -> tuple[Notice, ...]:
        def wanted(each: Notice) -> bool:
            return (
                (connection_id is None or each.connection_id == connection_id)
                and (client_row_id is None or each.client_id == client_row_id)
                and state in ("all", _state_of(each))
            )

        return one_page(self._all(Notice, wanted), page)

    async def attempts(self, notice_id: bytes) -> tuple[DeliveryAttempt, ...]:
        found = self._all(DeliveryAttempt, lambda each: each.notice_id == notice_id)
        return tuple(sorted(found, key=lambda each: each.number))


def _state_of(notice: Notice) -> NoticeState:
    if notice.delivered_at is not None:
        return "delivered"
    return "dead" if notice.dead_at is not None else "waiting"
