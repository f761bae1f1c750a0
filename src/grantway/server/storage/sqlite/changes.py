"""Changes by SQL. A guard that finds another state changes nothing and raises ``GuardMissed``."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from grantway.protocol.decision import (
    Add,
    Change,
    EndGrant,
    EndUserGrants,
    Forget,
    LeaseNotice,
    MoveGeneration,
    Put,
    RemoveConnection,
    Replace,
    ReportDelivery,
    TouchUse,
)
from grantway.protocol.model import Account, Client, Connection, SigningKey, User
from grantway.server.storage.keeping import FORGETTABLE, KEYS, PUTTABLE, REPLACEABLE, allow
from grantway.server.storage.port import GuardMissed
from grantway.server.storage.sqlite import statements as sql
from grantway.server.storage.sqlite.records import CODECS, day_number, micros

_PARSED = frozenset({User, Account, Client, Connection, SigningKey})
_TAKEN = frozenset({sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE})
_OF_ONE_STATEMENT = frozenset({
    MoveGeneration, EndGrant, EndUserGrants, RemoveConnection, LeaseNotice, ReportDelivery, Put, Forget,
})  # fmt: skip


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
    connection.execute(sql.ADD[kind], CODECS[kind].write(record))
    if isinstance(record, Account):
        _add_external_ids(connection, record)


def _replace(connection: sqlite3.Connection, change: Replace) -> None:
    record = change.record
    kind: type[Any] = type(record)
    allow(REPLACEABLE, record, "replaced")
    replaced = connection.execute(sql.REPLACE[kind], CODECS[kind].write(record))
    _guarded(replaced, f"That {kind.__name__} has another version.")
    if isinstance(record, Account):
        connection.execute(sql.FORGET_EXTERNAL_IDS, (record.id,))
        _add_external_ids(connection, record)


def _add_external_ids(connection: sqlite3.Connection, account: Account) -> None:
    for dialect, external_id in account.external_ids.items():
        connection.execute(sql.ADD_EXTERNAL_ID, (dialect, external_id, account.id))


def _put(connection: sqlite3.Connection, change: Put) -> None:
    kind: type[Any] = type(change.record)
    allow(PUTTABLE, change.record, "put")
    connection.execute(sql.PUT[kind], CODECS[kind].write(change.record))


def _forget(connection: sqlite3.Connection, change: Forget) -> None:
    kind: type[Any] = type(change.record)
    allow(FORGETTABLE, change.record, "forgotten")
    key = KEYS[kind](change.record)
    forgotten = connection.execute(sql.FORGET[kind], key if isinstance(key, tuple) else (key,))
    _guarded(forgotten, f"That {kind.__name__} is gone already.")


def _move_generation(connection: sqlite3.Connection, move: MoveGeneration) -> None:
    idle = move.refresh_idle_expires_at
    moved = connection.execute(
        sql.MOVE_GENERATION,
        (move.grant_id, move.from_generation, micros(move.moved_at), move.move_key, _maybe(idle)),
    )
    if moved.rowcount == 0:
        raise GuardMissed("That grant has moved on.")


def _end_grant(connection: sqlite3.Connection, end: EndGrant) -> None:
    connection.execute(sql.END_GRANT, (end.grant_id, micros(end.at), end.reason, end.by))


def _end_user_grants(connection: sqlite3.Connection, end: EndUserGrants) -> None:
    connection.execute(sql.END_USER_GRANTS, (end.connection_id, end.user_id, micros(end.at), end.reason))


def _remove_connection(connection: sqlite3.Connection, removal: RemoveConnection) -> None:
    values = (removal.connection_id, micros(removal.at), removal.reason, removal.by)
    _guarded(connection.execute(sql.REMOVE_CONNECTION, values), "That connection is removed already.")


def _touch_use(connection: sqlite3.Connection, use: TouchUse) -> None:
    day = day_number(use.day)
    connection.execute(sql.TOUCH_GRANT, (use.grant_id, day))
    connection.execute(sql.TOUCH_CONNECTION, (use.connection_id, day))


def _lease_notice(connection: sqlite3.Connection, lease: LeaseNotice) -> None:
    values = (lease.notice_id, lease.lease, micros(lease.at), micros(lease.until))
    leased = connection.execute(sql.LEASE_NOTICE, values)
    _guarded(leased, "That notice is delivered, dead, or held by another sender.")


def _report_delivery(connection: sqlite3.Connection, report: ReportDelivery) -> None:
    values = (
        report.notice_id,
        report.lease,
        report.status,
        report.error,
        _maybe(report.delivered_at),
        _maybe(report.dead_at),
        _maybe(report.next_attempt_at),
    )
    reported = connection.execute(sql.REPORT_DELIVERY, values)
    _guarded(reported, "That notice is not held by this lease any more.")


_APPLY: Mapping[type[Any], Callable[[sqlite3.Connection, Any], None]] = {
    Add: _add,
    Replace: _replace,
    Put: _put,
    Forget: _forget,
    MoveGeneration: _move_generation,
    EndGrant: _end_grant,
    EndUserGrants: _end_user_grants,
    RemoveConnection: _remove_connection,
    TouchUse: _touch_use,
    LeaseNotice: _lease_notice,
    ReportDelivery: _report_delivery,
}
