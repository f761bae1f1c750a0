"""Facts about what the installation itself keeps."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from grantway.protocol.facts import FIRST_PAGE, Page
from grantway.protocol.ids import show
from grantway.protocol.model import AuditEntry, IdempotentAnswer, OperatorKey, Restoration, SigningKey, Tally
from grantway.server.storage.memory.tables import Reading, by_id, one_page


class HouseFacts(Reading):
    """See ``grantway.protocol.facts.Facts``."""

    async def signing_keys(self) -> tuple[SigningKey, ...]:
        current = self._all(SigningKey, lambda key: key.retires_at is None or key.retires_at > self._now)
        return tuple(sorted(current, key=lambda key: (key.signs_from, key.kid)))

    async def operator_key(self, key_id: bytes) -> OperatorKey | None:
        return self._tables.of(OperatorKey).get(key_id)

    async def operator_keys(self) -> tuple[OperatorKey, ...]:
        return by_id(self._all(OperatorKey))[::-1][:1000]

    async def restoration(self) -> Restoration | None:
        counting = self._all(Restoration, lambda each: each.until > self._now)
        return max(counting, key=lambda each: each.restored_at, default=None)

    async def idempotent_answer(self, digest: bytes) -> IdempotentAnswer | None:
        return self._tables.of(IdempotentAnswer).get(digest)

    async def tallies(self, since: datetime, kind: str | None = None, *, hours: int = 1) -> tuple[Tally, ...]:
        added: Counter[tuple[datetime, str, str]] = Counter()
        for each in self._all(Tally, lambda each: each.hour >= since and kind in (None, each.kind)):
            first = each.hour - (each.hour - datetime.fromtimestamp(0, UTC)) % timedelta(hours=hours)
            added[first, each.kind, each.label] += each.count
        return tuple(Tally(*key, count) for key, count in sorted(added.items()))

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
        def wanted(each: AuditEntry) -> bool:
            return (
                connection_id in (None, each.connection_id)
                and client_row_id in (None, each.client_id)
                and account_id in (None, each.account_id)
                and (user_id is None or each.user_id == user_id or each.actor == show("us", user_id))
                and reason in (None, each.reason)
                and action in (None, each.action)
            )

        return one_page(self._all(AuditEntry, wanted), page)
