"""Changes in a transaction of SQLite. A guard that finds another state changes nothing and raises ``GuardMissed``."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from grantway.protocol.decision import (
    Add,
    Change,
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
    TouchOperatorKey,
)
from grantway.protocol.model import Account, Client, Connection, SigningKey, User
from grantway.server.storage.port import GuardMissed
from grantway.server.storage.sql.changes import steps

_PARSED = frozenset({User, Account, Client, Connection, SigningKey})
_TAKEN = frozenset({sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE})
_OF_ONE_STATEMENT = frozenset({
    MoveGeneration, EndGrant, EndUserGrants, EndSessions, LeaseNotice, PutOffNotice, TouchOperatorKey,
    Put, Forget,
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
        for statement, values, missed in steps(change):
            changed = connection.execute(statement, values)
            if missed is not None and changed.rowcount == 0:
                raise GuardMissed(missed)
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorcode in _TAKEN:
            raise GuardMissed(str(error)) from None
        raise
