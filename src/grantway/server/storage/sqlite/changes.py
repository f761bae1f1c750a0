"""Changes by SQL. A guard that finds another state changes nothing and raises ``GuardMissed``."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

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
    MoveGeneration,
    Put,
    PutOffNotice,
    RemoveConnection,
    Replace,
    ReplayNotice,
    ReportDelivery,
    TouchOperatorKey,
    TouchUse,
)
from grantway.protocol.model import Account, Client, Connection, SigningKey, User
from grantway.server.storage.keeping import FORGETTABLE, KEYS, PUTTABLE, REPLACEABLE, allow
from grantway.server.storage.port import GuardMissed
from grantway.server.storage.sql.codec import day_number, micros
from grantway.server.storage.sql.records import CODECS, DELIVERY_ATTEMPT
from grantway.server.storage.sql.statements import connections, grants, house, outbox, people, rows

_PARSED = frozenset({User, Account, Client, Connection, SigningKey})
_TAKEN = frozenset({sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE})
_OF_ONE_STATEMENT = frozenset({
    MoveGeneration, EndGrant, EndUserGrants, EndSessions, LeaseNotice, PutOffNotice, TouchOperatorKey,
    Put, Forget,
})  # fmt: skip
"""Records that are more than one statement to add or to replace."""


def is_one_statement(changes: Sequence[Change]) -> bool:
    """Whether SQLite's own atomicity of a statement is enough, so that no savepoint is needed."""
    return len(changes) == 1 and (
        type(changes[0]) in _OF_ONE_STATEMENT
        or (type(changes[0]) in (Add, Replace) and type(changes[0].record) is not Account)  # type: ignore[union-attr]
    )


def touches_parsed(change: Change) -> bool:
    """Whether the change makes a new version of a record that is kept parsed."""
    if isinstance(change, (Add, Replace, Put, Forget)):
        return type(change.record) in _PARSED
    return isinstance(change, RemoveConnection)


def apply(connection: sqlite3.Connection, change: Change) -> None:
    """Make a change true inside the transaction of the connection.

    Raises ``GuardMissed`` when its guard misses, ``TypeError`` when it makes no sense, ``sqlite3.Error``.
    """
    try:
        _APPLY[type(change)](connection, change)
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorcode in _TAKEN:
            raise GuardMissed(str(error)) from None
        raise


def _guarded(changed: sqlite3.Cursor, otherwise: str) -> None:
    if changed.rowcount == 0:
        raise GuardMissed(otherwise)


def _maybe(time: datetime | None) -> int | None:
    return None if time is None else micros(time)


def _add(connection: sqlite3.Connection, change: Add) -> None:
    record = change.record
    kind: type[Any] = type(record)
    connection.execute(rows.ADD[kind], CODECS[kind].write(record))
    if isinstance(record, Account):
        _add_external_ids(connection, record)


def _replace(connection: sqlite3.Connection, change: Replace) -> None:
    record = change.record
    kind: type[Any] = type(record)
    allow(REPLACEABLE, record, "replaced")
    replaced = connection.execute(rows.REPLACE[kind], CODECS[kind].write(record))
    _guarded(replaced, f"That {kind.__name__} has another version.")
    if isinstance(record, Account):
        connection.execute(people.FORGET_EXTERNAL_IDS, (record.id,))
        _add_external_ids(connection, record)


def _add_external_ids(connection: sqlite3.Connection, account: Account) -> None:
    for dialect, external_id in account.external_ids.items():
        connection.execute(people.ADD_EXTERNAL_ID, (dialect, external_id, account.id))


def _put(connection: sqlite3.Connection, change: Put) -> None:
    kind: type[Any] = type(change.record)
    allow(PUTTABLE, change.record, "put")
    connection.execute(rows.PUT[kind], CODECS[kind].write(change.record))


def _forget(connection: sqlite3.Connection, change: Forget) -> None:
    kind: type[Any] = type(change.record)
    allow(FORGETTABLE, change.record, "forgotten")
    key = KEYS[kind](change.record)
    forgotten = connection.execute(rows.FORGET[kind], key if isinstance(key, tuple) else (key,))
    _guarded(forgotten, f"That {kind.__name__} is gone already.")


def _move_generation(connection: sqlite3.Connection, move: MoveGeneration) -> None:
    idle = move.refresh_idle_expires_at
    moved = connection.execute(
        grants.MOVE_GENERATION,
        (move.grant_id, move.from_generation, micros(move.moved_at), move.move_key, _maybe(idle)),
    )
    if moved.rowcount == 0:
        raise GuardMissed("That grant has moved on.")


def _end_grant(connection: sqlite3.Connection, end: EndGrant) -> None:
    connection.execute(grants.END_GRANT, (end.grant_id, micros(end.at), end.reason, end.by))


def _end_user_grants(connection: sqlite3.Connection, end: EndUserGrants) -> None:
    values = (end.connection_id, end.user_id, micros(end.at), end.reason, end.only_codes)
    connection.execute(grants.END_USER_GRANTS, values)


def _end_sessions(connection: sqlite3.Connection, end: EndSessions) -> None:
    connection.execute(people.END_SESSIONS, (end.user_id, end.keep))


def _remove_connection(connection: sqlite3.Connection, removal: RemoveConnection) -> None:
    key, at = removal.connection_id, micros(removal.at)
    removed = connection.execute(connections.REMOVE_CONNECTION, (key, at, removal.reason, removal.by))
    _guarded(removed, "That connection is removed already.")
    connection.execute(connections.END_WEBHOOKS, (key, at))
    connection.execute(connections.CANCEL_RESOURCES, (key, at, removal.reason))


def _touch_use(connection: sqlite3.Connection, use: TouchUse) -> None:
    day = day_number(use.day)
    connection.execute(grants.TOUCH_GRANT, (use.grant_id, day))
    connection.execute(connections.TOUCH_CONNECTION, (use.connection_id, day))


def _touch_operator_key(connection: sqlite3.Connection, use: TouchOperatorKey) -> None:
    connection.execute(house.TOUCH_OPERATOR_KEY, (use.key_id, day_number(use.day)))


def _add_tallies(connection: sqlite3.Connection, more: AddTallies) -> None:
    hour = micros(more.hour)
    for (kind, label), count in more.counts.items():
        connection.execute(house.ADD_TALLY, (hour, kind, label, count))


_NOT_FREE = "That notice is delivered, dead, or held by another sender."


def _lease_notice(connection: sqlite3.Connection, lease: LeaseNotice) -> None:
    values = (lease.notice_id, micros(lease.at), lease.lease, micros(lease.until))
    _guarded(connection.execute(outbox.LEASE_NOTICE, values), _NOT_FREE)


def _put_off_notice(connection: sqlite3.Connection, later: PutOffNotice) -> None:
    values = (later.notice_id, micros(later.at), micros(later.until))
    _guarded(connection.execute(outbox.PUT_OFF_NOTICE, values), _NOT_FREE)


def _drop_notice(connection: sqlite3.Connection, drop: DropNotice) -> None:
    dropped = connection.execute(outbox.DROP_NOTICE, (drop.notice_id, micros(drop.at), drop.error))
    _guarded(dropped, _NOT_FREE)
    connection.execute(outbox.FIRST_IN_LINE, (drop.notice_id,))


def _replay_notice(connection: sqlite3.Connection, replay: ReplayNotice) -> None:
    replayed = connection.execute(outbox.REPLAY_NOTICE, (replay.notice_id, micros(replay.at)))
    _guarded(replayed, "That notice waits already, or is gone.")
    connection.execute(outbox.FIRST_IN_LINE, (replay.notice_id,))
    connection.execute(outbox.SECOND_IN_LINE, (replay.notice_id,))


def _report_delivery(connection: sqlite3.Connection, report: ReportDelivery) -> None:
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
    reported = connection.execute(outbox.REPORT_DELIVERY, values)
    _guarded(reported, "That notice is not held by this lease any more.")
    connection.execute(rows.ADD[type(attempt)], DELIVERY_ATTEMPT.write(attempt))
    if report.delivered_at is not None or report.dead_at is not None:
        connection.execute(outbox.FIRST_IN_LINE, (attempt.notice_id,))


_APPLY: Mapping[type[Any], Callable[[sqlite3.Connection, Any], None]] = {
    Add: _add,
    Replace: _replace,
    Put: _put,
    Forget: _forget,
    MoveGeneration: _move_generation,
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
}
