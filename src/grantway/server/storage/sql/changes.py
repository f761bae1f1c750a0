"""Changes as statements, the same for every engine. What a change's guard needs to be true stands with each statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

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
from grantway.protocol.model import Account
from grantway.server.storage.keeping import FORGETTABLE, KEYS, PUTTABLE, REPLACEABLE, allow
from grantway.server.storage.sql.codec import day_number, micros
from grantway.server.storage.sql.records import CODECS, DELIVERY_ATTEMPT
from grantway.server.storage.sql.statements import connections, grants, house, outbox, people, rows, upkeep


class Step(NamedTuple):
    """One statement of a change. ``missed`` says what is the matter when it changes no row; ``None``: that may be."""

    statement: str
    values: Sequence[Any]
    missed: str | None = None


Steps = Iterator[Step]


def steps(change: Change) -> Steps:
    """The statements that make a change true, in order. A taken key violates a unique index.

    Raises ``TypeError`` when the change makes no sense.
    """
    return _STEPS[type(change)](change)


def _maybe(time: datetime | None) -> int | None:
    return None if time is None else micros(time)


def _add(change: Add) -> Steps:
    record = change.record
    kind: type[Any] = type(record)
    yield Step(rows.ADD[kind], CODECS[kind].write(record))
    if isinstance(record, Account):
        yield from _add_external_ids(record)


def _replace(change: Replace) -> Steps:
    record = change.record
    kind: type[Any] = type(record)
    allow(REPLACEABLE, record, "replaced")
    yield Step(rows.REPLACE[kind], CODECS[kind].write(record), f"That {kind.__name__} has another version.")
    if isinstance(record, Account):
        yield Step(people.FORGET_EXTERNAL_IDS, (record.id,))
        yield from _add_external_ids(record)


def _add_external_ids(account: Account) -> Steps:
    for dialect, external_id in account.external_ids.items():
        yield Step(people.ADD_EXTERNAL_ID, (dialect, external_id, account.id))


def _put(change: Put) -> Steps:
    kind: type[Any] = type(change.record)
    allow(PUTTABLE, change.record, "put")
    yield Step(rows.PUT[kind], CODECS[kind].write(change.record))


def _forget(change: Forget) -> Steps:
    kind: type[Any] = type(change.record)
    allow(FORGETTABLE, change.record, "forgotten")
    key = KEYS[kind](change.record)
    values = key if isinstance(key, tuple) else (key,)
    yield Step(rows.FORGET[kind], values, f"That {kind.__name__} is gone already.")


def _move_generation(move: MoveGeneration) -> Steps:
    idle = _maybe(move.refresh_idle_expires_at)
    values = (move.grant_id, move.from_generation, micros(move.moved_at), move.move_key, idle)
    yield Step(grants.MOVE_GENERATION, values, "That grant has moved on.")


def _move_ahead(move: MoveAhead) -> Steps:
    idle = _maybe(move.refresh_idle_expires_at)
    values = (move.grant_id, move.from_generation, micros(move.moved_at), move.move_key, idle, move.to_generation)
    yield Step(grants.MOVE_AHEAD, values, "That grant has moved on.")


def _set_back(change: SetBack) -> Steps:
    for statement in people.SET_BACK.values():
        yield Step(statement, (0,))


def _end_grant(end: EndGrant) -> Steps:
    yield Step(grants.END_GRANT, (end.grant_id, micros(end.at), end.reason, end.by))


def _end_user_grants(end: EndUserGrants) -> Steps:
    values = (end.connection_id, end.user_id, micros(end.at), end.reason, int(end.only_codes))
    yield Step(grants.END_USER_GRANTS, values)


def _end_sessions(end: EndSessions) -> Steps:
    yield Step(people.END_SESSIONS, (end.user_id, end.keep))


def _remove_connection(removal: RemoveConnection) -> Steps:
    key, at = removal.connection_id, micros(removal.at)
    removed = (key, at, removal.reason, removal.by)
    yield Step(connections.REMOVE_CONNECTION, removed, "That connection is removed already.")
    yield Step(connections.END_WEBHOOKS, (key, at))
    yield Step(connections.CANCEL_RESOURCES, (key, at, removal.reason))


def _touch_use(use: TouchUse) -> Steps:
    day = day_number(use.day)
    yield Step(grants.TOUCH_GRANT, (use.grant_id, day))
    yield Step(connections.TOUCH_CONNECTION, (use.connection_id, day))


def _touch_operator_key(use: TouchOperatorKey) -> Steps:
    yield Step(house.TOUCH_OPERATOR_KEY, (use.key_id, day_number(use.day)))


def _add_tallies(more: AddTallies) -> Steps:
    hour = micros(more.hour)
    # In one order, so that two who add to the same ones do not wait for each other.
    for (kind, label), count in sorted(more.counts.items()):
        yield Step(house.ADD_TALLY, (hour, kind, label, count))


_NOT_FREE = "That notice is delivered, dead, or held by another sender."


def _lease_notice(lease: LeaseNotice) -> Steps:
    values = (lease.notice_id, micros(lease.at), lease.lease, micros(lease.until))
    yield Step(outbox.LEASE_NOTICE, values, _NOT_FREE)


def _put_off_notice(later: PutOffNotice) -> Steps:
    yield Step(outbox.PUT_OFF_NOTICE, (later.notice_id, micros(later.at), micros(later.until)), _NOT_FREE)


def _drop_notice(drop: DropNotice) -> Steps:
    yield Step(outbox.DROP_NOTICE, (drop.notice_id, micros(drop.at), drop.error), _NOT_FREE)
    yield Step(outbox.FIRST_IN_LINE, (drop.notice_id,))


def _replay_notice(replay: ReplayNotice) -> Steps:
    waits = "That notice waits already, or is gone."
    yield Step(outbox.REPLAY_NOTICE, (replay.notice_id, micros(replay.at)), waits)
    yield Step(outbox.FIRST_IN_LINE, (replay.notice_id,))
    yield Step(outbox.SECOND_IN_LINE, (replay.notice_id,))


def _report_delivery(report: ReportDelivery) -> Steps:
    attempt = report.attempt
    values = (
        attempt.notice_id,
        report.lease,
        attempt.number,
        attempt.status,
        attempt.error,
        _maybe(report.delivered_at),
        _maybe(report.dead_at),
        _maybe(report.next_attempt_at),
    )
    yield Step(outbox.REPORT_DELIVERY, values, "That notice is not held by this lease any more.")
    yield Step(rows.ADD[type(attempt)], DELIVERY_ATTEMPT.write(attempt))
    if report.delivered_at is not None or report.dead_at is not None:
        yield Step(outbox.FIRST_IN_LINE, (attempt.notice_id,))


def _sweep_grant(sweep: SweepGrant) -> Steps:
    day = -1 if sweep.last_used_day is None else day_number(sweep.last_used_day)
    yield Step(upkeep.SWEEP_GRANT, (sweep.grant_id, sweep.generation, day))
    yield Step(upkeep.SWEEP_ORPHANS, (sweep.grant_id,))


def _look_again(later: LookAgain) -> Steps:
    yield Step(upkeep.LOOK_AGAIN, (later.grant_id, micros(later.at)))


def _retire_seals(retired: RetireSeals) -> Steps:
    yield Step(upkeep.RETIRE_SEALS, (retired.number, micros(retired.at)))


_STEPS: Mapping[type[Any], Callable[[Any], Steps]] = {
    Add: _add,
    Replace: _replace,
    Put: _put,
    Forget: _forget,
    MoveGeneration: _move_generation,
    MoveAhead: _move_ahead,
    SetBack: _set_back,
    EndGrant: _end_grant,
    EndUserGrants: _end_user_grants,
    EndSessions: _end_sessions,
    RemoveConnection: _remove_connection,
    TouchUse: _touch_use,
    TouchOperatorKey: _touch_operator_key,
    AddTallies: _add_tallies,
    LeaseNotice: _lease_notice,
    PutOffNotice: _put_off_notice,
    DropNotice: _drop_notice,
    ReplayNotice: _replay_notice,
    ReportDelivery: _report_delivery,
    SweepGrant: _sweep_grant,
    LookAgain: _look_again,
    RetireSeals: _retire_seals,
}
