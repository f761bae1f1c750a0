"""Making changes true in dictionaries, each with its guard."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any, assert_never

from grantway.protocol.decision import (
    Add,
    AddTallies,
    Change,
    DropNotice,
    EndGrant,
    EndSessions,
    EndUserGrants,
    Forget,
    LeaseNotice,
    LookAgain,
    MoveAhead,
    MoveGeneration,
    Put,
    PutOffNotice,
    RemoveConnection,
    Replace,
    ReplayNotice,
    ReportDelivery,
    RetireSeals,
    SetBack,
    SweepGrant,
    TouchOperatorKey,
    TouchUse,
)
from grantway.protocol.model import (
    AuditSeal,
    Connection,
    ForeignToken,
    Grant,
    Notice,
    OneTimeLink,
    OperatorKey,
    PendingAuthorization,
    Record,
    Resource,
    Session,
    SignInRequest,
    Tally,
    Webhook,
)
from grantway.server.storage.keeping import FORGETTABLE, KEYS, PUTTABLE, REPLACEABLE, allow
from grantway.server.storage.memory.tables import Tables
from grantway.server.storage.port import GuardMissed


def apply(change: Change, tables: Tables) -> None:
    """The change is true, until it is rolled back. Raises ``GuardMissed`` when its guard does not hold."""
    match change:
        case Add(record):
            _add(record, tables)
        case Replace(record):
            _replace(record, tables)
        case Put(record):
            _refuse_naive_times(record)
            allow(PUTTABLE, record, "put")
            tables.set(type(record), KEYS[type(record)](record), record)
        case Forget(record):
            allow(FORGETTABLE, record, "forgotten")
            kind, key = type(record), KEYS[type(record)](record)
            if key not in tables.of(kind):
                raise GuardMissed(f"That {kind.__name__} is gone already.")
            tables.set(kind, key, None)
        case MoveGeneration() | MoveAhead():
            _move(change, tables)
        case SetBack():
            _set_back(tables)
        case EndGrant(grant_id, at, reason, by):
            grant = tables.of(Grant).get(grant_id)
            if grant is not None and grant.revoked_at is None:
                tables.set(Grant, grant_id, replace(grant, revoked_at=at, revoked_reason=reason, revoked_by=by))
        case EndUserGrants():
            _end_user_grants(change, tables)
        case EndSessions(user_id, keep):
            for session in list(tables.of(Session).values()):
                if session.user_id == user_id and session.digest != keep:
                    tables.set(Session, session.digest, None)
        case RemoveConnection():
            _remove(change, tables)
        case TouchUse(grant_id, connection_id, day):
            _touch(Grant, grant_id, day, tables)
            _touch(Connection, connection_id, day, tables)
        case TouchOperatorKey(key_id, day):
            _touch(OperatorKey, key_id, day, tables)
        case LeaseNotice(notice_id, lease, at, until):
            notice = _free(notice_id, at, tables)
            tables.set(Notice, notice_id, replace(notice, lease=lease, leased_until=until))
        case PutOffNotice(notice_id, at, until):
            notice = _free(notice_id, at, tables)
            tables.set(Notice, notice_id, replace(notice, next_attempt_at=until, lease=None, leased_until=None))
        case DropNotice(notice_id, at, error):
            notice = _free(notice_id, at, tables)
            dead = replace(notice, dead_at=at, last_error=error, lease=None, leased_until=None)
            tables.set(Notice, notice_id, dead)
        case ReplayNotice():
            _replay(change, tables)
        case ReportDelivery():
            _report(change, tables)
        case AddTallies(hour, counts):
            for (kind_of_tally, label), more in counts.items():
                known = tables.of(Tally).get((hour, kind_of_tally, label))
                tally = Tally(hour, kind_of_tally, label, more + (known.count if known else 0))
                _refuse_naive_times(tally)
                tables.set(Tally, KEYS[Tally](tally), tally)
        case SweepGrant():
            _sweep_grant(change, tables)
        case LookAgain(grant_id, at):
            grant = tables.of(Grant).get(grant_id)
            if grant is not None:
                tables.set(Grant, grant_id, replace(grant, look_again_at=at))
        case RetireSeals(number, at):
            for seal in list(tables.of(AuditSeal).values()):
                if seal.number <= number and seal.removed_at is None:
                    tables.set(AuditSeal, seal.number, replace(seal, removed_at=at))
        case _:
            assert_never(change)


def _add(record: Record, tables: Tables) -> None:
    _refuse_naive_times(record)
    kind, key = type(record), KEYS[type(record)](record)
    if key in tables.of(kind):
        raise GuardMissed(f"That {kind.__name__} is there already.")
    tables.set(kind, key, record)


def _replace(record: Record, tables: Tables) -> None:
    _refuse_naive_times(record)
    allow(REPLACEABLE, record, "replaced")
    kind, key = type(record), KEYS[type(record)](record)
    stored: Any = tables.of(kind).get(key)
    if stored is None or stored.version != record.version - 1:  # type: ignore[union-attr]
        raise GuardMissed(f"That {kind.__name__} has another version.")
    tables.set(kind, key, record)


def _move(move: MoveGeneration | MoveAhead, tables: Tables) -> None:
    grant = tables.of(Grant).get(move.grant_id)
    if grant is None or grant.generation != move.from_generation or grant.revoked_at is not None:
        raise GuardMissed("That grant has moved on.")
    moved = replace(
        grant,
        generation=move.to_generation if isinstance(move, MoveAhead) else grant.generation + 1,
        previous_moved_at=grant.moved_at,
        moved_at=max(grant.moved_at or move.moved_at, move.moved_at),
        move_key=move.move_key,
        refresh_idle_expires_at=move.refresh_idle_expires_at or grant.refresh_idle_expires_at,
    )
    tables.set(Grant, grant.id, moved)


def _set_back(tables: Tables) -> None:
    for kind in (Session, OneTimeLink, PendingAuthorization, SignInRequest):
        for key in list(tables.of(kind)):
            tables.set(kind, key, None)
    for grant in list(tables.of(Grant).values()):
        if grant.origin == "code" and grant.generation == 0:
            tables.set(Grant, grant.id, replace(grant, code_expires_at=None))


def _sweep_grant(sweep: SweepGrant, tables: Tables) -> None:
    grant = tables.of(Grant).get(sweep.grant_id)
    as_read = (sweep.generation, sweep.last_used_day, None)
    if grant is None or (grant.generation, grant.last_used_day, grant.revoked_at) != as_read:
        return
    tables.set(Grant, grant.id, None)
    for token in list(tables.of(ForeignToken).values()):
        if token.grant_id == grant.id:
            tables.set(ForeignToken, token.digest, None)


def _end_user_grants(end: EndUserGrants, tables: Tables) -> None:
    for grant in list(tables.of(Grant).values()):
        if (
            grant.connection_id == end.connection_id
            and grant.user_id == end.user_id
            and grant.revoked_at is None
            and not (end.only_codes and (grant.origin != "code" or grant.generation != 0))
        ):
            tables.set(Grant, grant.id, replace(grant, revoked_at=end.at, revoked_reason=end.reason))


def _remove(removal: RemoveConnection, tables: Tables) -> None:
    connection = tables.of(Connection).get(removal.connection_id)
    if connection is None or connection.removed_at is not None:
        raise GuardMissed("That connection is removed already.")
    removed = replace(
        connection,
        removed_at=removal.at,
        removed_reason=removal.reason,
        removed_by=removal.by,
        version=connection.version + 1,
    )
    tables.set(Connection, connection.id, removed)
    for webhook in list(tables.of(Webhook).values()):
        if webhook.connection_id == connection.id and webhook.ended_at is None:
            tables.set(Webhook, webhook.id, replace(webhook, ended_at=removal.at, version=webhook.version + 1))
    for resource in list(tables.of(Resource).values()):
        if resource.connection_id == connection.id and resource.cancelled_at is None:
            cancelled = replace(
                resource, cancelled_at=removal.at, cancelled_reason=removal.reason, version=resource.version + 1
            )
            tables.set(Resource, resource.id, cancelled)


def _touch(kind: type[Any], key: bytes, day: date, tables: Tables) -> None:
    used: Any = tables.of(kind).get(key)
    if used is not None and (used.last_used_day is None or used.last_used_day < day):
        tables.set(kind, key, replace(used, last_used_day=day))


def _free(notice_id: bytes, at: datetime, tables: Tables) -> Notice:
    notice = tables.of(Notice).get(notice_id)
    if (
        notice is None
        or notice.delivered_at is not None
        or notice.dead_at is not None
        or (notice.leased_until is not None and notice.leased_until > at)
    ):
        raise GuardMissed("That notice is delivered, dead, or held by another sender.")
    return notice


def _replay(replay: ReplayNotice, tables: Tables) -> None:
    notice = tables.of(Notice).get(replay.notice_id)
    if notice is None or (notice.delivered_at is None and notice.dead_at is None):
        raise GuardMissed("That notice waits to be sent already.")
    again = replace(notice, delivered_at=None, dead_at=None, replayed_at=replay.at, next_attempt_at=replay.at)
    tables.set(Notice, notice.id, again)


def _report(report: ReportDelivery, tables: Tables) -> None:
    attempt = report.attempt
    notice = tables.of(Notice).get(attempt.notice_id)
    if notice is None or notice.lease != report.lease:
        raise GuardMissed("That notice is not held by this lease any more.")
    reported = replace(
        notice,
        attempts=attempt.number,
        last_status=attempt.status,
        last_error=attempt.error,
        delivered_at=report.delivered_at,
        dead_at=report.dead_at,
        next_attempt_at=report.next_attempt_at or notice.next_attempt_at,
        lease=None,
        leased_until=None,
    )
    tables.set(Notice, notice.id, reported)
    _add(attempt, tables)


def _refuse_naive_times(record: Record) -> None:
    for each in fields(record):
        value = getattr(record, each.name)
        if isinstance(value, datetime) and value.tzinfo is None:
            raise TypeError(f"{type(record).__name__}.{each.name} has no time zone.")
