"""What goes because it can have no effect any more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from grantway.protocol.model import (
    AuditEntry,
    AuditSeal,
    Connection,
    ConnectionKey,
    DeliveryAttempt,
    EndedToken,
    Event,
    FailureBucket,
    ForeignToken,
    Grant,
    IdempotentAnswer,
    Notice,
    OneTimeLink,
    PendingAuthorization,
    Resource,
    Session,
    SignInRequest,
    Tally,
    Webhook,
)
from grantway.server.storage.keeping import (
    CANCELLED_RESOURCES_KEPT,
    CODES_KEPT,
    ENDED_GRANTS_KEPT,
    ENDED_WEBHOOKS_KEPT,
    EVENTS_KEPT,
    FOREIGN_TOKENS_KEPT,
    NOTICES_KEPT,
    REMOVED_CONNECTIONS_KEPT,
    TALLIES_BY_HOUR,
    TALLIES_KEPT,
)
from grantway.server.storage.memory.tables import Tables


def sweep(tables: Tables, now: datetime, limit: int) -> int:
    """See ``Storage.sweep``. Attempts go with their notice, foreign tokens with their grant; neither is counted."""
    swept = 0
    for kind, is_over in _OVER:
        over = [key for key, record in tables.of(kind).items() if is_over(record, now)][:limit]
        for key in over:
            tables.set(kind, key, None)
        swept += len(over)
    swept += _add_up_tallies(tables, now, limit)
    swept += _sweep_audit(tables, now, limit)
    swept += _sweep_connections(tables, now, limit)
    grants = tables.of(Grant)
    for orphan in [key for key, token in tables.of(ForeignToken).items() if token.grant_id not in grants]:
        tables.set(ForeignToken, orphan, None)
    notices = tables.of(Notice)
    for attempt in [key for key in tables.of(DeliveryAttempt) if key[0] not in notices]:
        tables.set(DeliveryAttempt, attempt, None)
    tables.commit()
    return swept


def _add_up_tallies(tables: Tables, now: datetime, limit: int) -> int:
    """Counts of old hours become those of their days."""
    until = _midnight(now - TALLIES_BY_HOUR)
    hourly = sorted(key for key in tables.of(Tally) if key[0] < until and key[0] != _midnight(key[0]))[:limit]
    for hour, kind, label in hourly:
        of_day = (_midnight(hour), kind, label)
        known = tables.of(Tally).get(of_day)
        count = tables.of(Tally)[hour, kind, label].count + (known.count if known else 0)
        tables.set(Tally, of_day, Tally(*of_day, count))
        tables.set(Tally, (hour, kind, label), None)
    return len(hourly)


def _sweep_audit(tables: Tables, now: datetime, limit: int) -> int:
    """Entries under seals that are retired."""
    retired = [each for each in tables.of(AuditSeal).values() if each.removed_at is not None and each.removed_at < now]
    last = max((each.last for each in retired), default=0)
    over = sorted((number, key) for key, number in tables.numbers.items() if number <= last)[:limit]
    for _, key in over:
        tables.set(AuditEntry, key, None)
    return len(over)


def _sweep_connections(tables: Tables, now: datetime, limit: int) -> int:
    """Connections that were removed long ago, with their keys. What still hangs from one keeps it."""
    held = {each.connection_id for each in tables.of(Grant).values() if each.revoked_at is None}
    over = [
        each.id
        for each in tables.of(Connection).values()
        if each.removed_at is not None and each.removed_at < now - REMOVED_CONNECTIONS_KEPT and each.id not in held
    ][:limit]
    for key in [key for key, each in tables.of(ConnectionKey).items() if each.connection_id in over]:
        tables.set(ConnectionKey, key, None)
    for connection_id in over:
        tables.set(Connection, connection_id, None)
    return len(over)


def _midnight(when: datetime) -> datetime:
    return when.replace(hour=0, minute=0, second=0, microsecond=0)


def _notice_is_over(notice: Notice, now: datetime) -> bool:
    over_at = notice.delivered_at or notice.dead_at
    return over_at is not None and over_at < now - NOTICES_KEPT


def _grant_is_over(grant: Grant, now: datetime) -> bool:
    if grant.revoked_at is not None:
        return grant.revoked_at < now - ENDED_GRANTS_KEPT
    return (
        grant.origin == "code"
        and grant.generation == 0
        and grant.code_expires_at is not None
        and grant.code_expires_at < now - CODES_KEPT
    )


def _foreign_token_is_over(token: ForeignToken, now: datetime) -> bool:
    return token.expires_at is not None and token.expires_at < now - FOREIGN_TOKENS_KEPT


def _webhook_is_over(webhook: Webhook, now: datetime) -> bool:
    return webhook.ended_at is not None and webhook.ended_at < now - ENDED_WEBHOOKS_KEPT


def _resource_is_over(resource: Resource, now: datetime) -> bool:
    return resource.cancelled_at is not None and resource.cancelled_at < now - CANCELLED_RESOURCES_KEPT


def _has_expired(record: Any, now: datetime) -> bool:
    expired: bool = record.expires_at < now
    return expired


_OVER: tuple[tuple[type[Any], Callable[[Any, datetime], bool]], ...] = (
    (EndedToken, lambda ended, now: ended.keep_until < now),
    (ForeignToken, _foreign_token_is_over),
    (Session, _has_expired),
    (OneTimeLink, _has_expired),
    (SignInRequest, _has_expired),
    (PendingAuthorization, _has_expired),
    (FailureBucket, _has_expired),
    (IdempotentAnswer, _has_expired),
    (Grant, _grant_is_over),
    (Webhook, _webhook_is_over),
    (Resource, _resource_is_over),
    (Notice, _notice_is_over),
    (Event, lambda event, now: event.created_at < now - EVENTS_KEPT),
    (Tally, lambda tally, now: tally.hour < now - TALLIES_KEPT),
)
