"""Storage in dictionaries, for tests and the sandbox. It guards and rolls back like the others and never waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, TypeVar, assert_never

from grantway.protocol.decision import (
    Add,
    Change,
    Decision,
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
from grantway.protocol.facts import Rule
from grantway.protocol.model import (
    Connection,
    EndedToken,
    FailureBucket,
    Grant,
    Notice,
    PendingAuthorization,
    Record,
    Session,
)
from grantway.server.storage.keeping import (
    CODES_KEPT,
    ENDED_GRANTS_KEPT,
    FORGETTABLE,
    KEYS,
    NOTICES_KEPT,
    PUTTABLE,
    REPLACEABLE,
    allow,
)
from grantway.server.storage.memory_facts import MemoryFacts, Tables
from grantway.server.storage.port import ATTEMPTS, Contended, GuardMissed, StorageError, drive

A = TypeVar("A")


class MemoryStorage:
    """Everything in this process and gone with it. ``clock`` gives the aware time by which rules decide."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._tables = Tables()
        self._meta: dict[str, bytes] = {}
        self._closed = False

    async def settle(self, rule: Rule[A]) -> Decision[A]:
        """See ``Storage.settle``. Never waits, so it may be driven by a single ``send(None)``, too."""
        self._refuse_when_closed()
        missed: GuardMissed | None = None
        for _ in range(ATTEMPTS):
            now = self._clock()
            decision = drive(rule(MemoryFacts(self._tables, now), now))
            try:
                for change in decision.changes:
                    self._apply(change)
            except GuardMissed as miss:
                self._tables.roll_back()
                missed = miss
            except BaseException:
                self._tables.roll_back()
                raise
            else:
                self._tables.commit()
                return decision
        raise Contended(str(missed)) from missed

    async def propose(self, rule: Rule[A]) -> Decision[A]:
        """See ``Storage.propose``. Nothing comes between reading and changing here, so it is the same as to settle."""
        return await self.settle(rule)

    async def consult(self, rule: Rule[A]) -> Decision[A]:
        """See ``Storage.consult``."""
        self._refuse_when_closed()
        now = self._clock()
        decision = drive(rule(MemoryFacts(self._tables, now), now))
        return await self.settle(rule) if decision.changes else decision

    async def now(self) -> datetime:
        """The clock's time."""
        return self._clock()

    async def read_meta(self, key: str) -> bytes | None:
        """See ``Storage.read_meta``."""
        return self._meta.get(key)

    async def write_meta_once(self, key: str, value: bytes) -> bytes:
        """See ``Storage.write_meta_once``."""
        self._refuse_when_closed()
        return self._meta.setdefault(key, value)

    async def sweep(self, limit: int = 500) -> int:
        """See ``Storage.sweep``."""
        self._refuse_when_closed()
        now = self._clock()
        swept = 0
        for kind, is_over in _OVER:
            over = [key for key, record in self._tables.of(kind).items() if is_over(record, now)][:limit]
            for key in over:
                self._tables.set(kind, key, None)
            swept += len(over)
        self._tables.commit()
        return swept

    async def close(self) -> None:
        """Refuse everything from now on."""
        self._closed = True

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise StorageError("The storage is closed.")

    def _apply(self, change: Change) -> None:
        tables = self._tables
        match change:
            case Add(record):
                _refuse_naive_times(record)
                kind, key = type(record), KEYS[type(record)](record)
                if key in tables.of(kind):
                    raise GuardMissed(f"That {kind.__name__} is there already.")
                tables.set(kind, key, record)
            case Replace(record):
                _refuse_naive_times(record)
                allow(REPLACEABLE, record, "replaced")
                kind, key = type(record), KEYS[type(record)](record)
                stored = tables.of(kind).get(key)
                if stored is None or stored.version != record.version - 1:  # type: ignore[union-attr]
                    raise GuardMissed(f"That {kind.__name__} has another version.")
                tables.set(kind, key, record)
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
            case MoveGeneration():
                self._move(change)
            case EndGrant(grant_id, at, reason, by):
                grant = tables.of(Grant).get(grant_id)
                if grant is not None and grant.revoked_at is None:
                    ended = replace(grant, revoked_at=at, revoked_reason=reason, revoked_by=by)
                    tables.set(Grant, grant_id, ended)
            case EndUserGrants(connection_id, user_id, at, reason):
                for grant in list(tables.of(Grant).values()):
                    if grant.connection_id == connection_id and grant.user_id == user_id and grant.revoked_at is None:
                        tables.set(Grant, grant.id, replace(grant, revoked_at=at, revoked_reason=reason))
            case RemoveConnection(connection_id, at, reason, by):
                connection = tables.of(Connection).get(connection_id)
                if connection is None or connection.removed_at is not None:
                    raise GuardMissed("That connection is removed already.")
                removed = replace(
                    connection, removed_at=at, removed_reason=reason, removed_by=by, version=connection.version + 1
                )
                tables.set(Connection, connection_id, removed)
            case TouchUse(grant_id, connection_id, day):
                for kind, key in ((Grant, grant_id), (Connection, connection_id)):
                    used: Any = tables.of(kind).get(key)
                    if used is not None and (used.last_used_day is None or used.last_used_day < day):
                        tables.set(kind, key, replace(used, last_used_day=day))
            case LeaseNotice():
                self._lease(change)
            case ReportDelivery():
                self._report(change)
            case _:
                assert_never(change)

    def _move(self, move: MoveGeneration) -> None:
        grant = self._tables.of(Grant).get(move.grant_id)
        if grant is None or grant.generation != move.from_generation or grant.revoked_at is not None:
            raise GuardMissed("That grant has moved on.")
        moved = replace(
            grant,
            generation=grant.generation + 1,
            previous_moved_at=grant.moved_at,
            moved_at=max(grant.moved_at or move.moved_at, move.moved_at),
            move_key=move.move_key,
            refresh_idle_expires_at=move.refresh_idle_expires_at or grant.refresh_idle_expires_at,
        )
        self._tables.set(Grant, grant.id, moved)

    def _lease(self, change: LeaseNotice) -> None:
        notice = self._tables.of(Notice).get(change.notice_id)
        if (
            notice is None
            or notice.delivered_at is not None
            or notice.dead_at is not None
            or (notice.leased_until is not None and notice.leased_until > change.at)
        ):
            raise GuardMissed("That notice is delivered, dead, or held by another sender.")
        self._tables.set(Notice, notice.id, replace(notice, lease=change.lease, leased_until=change.until))

    def _report(self, change: ReportDelivery) -> None:
        notice = self._tables.of(Notice).get(change.notice_id)
        if notice is None or notice.lease != change.lease:
            raise GuardMissed("That notice is not held by this lease any more.")
        reported = replace(
            notice,
            attempts=notice.attempts + 1,
            last_status=change.status,
            last_error=change.error,
            delivered_at=change.delivered_at,
            dead_at=change.dead_at,
            next_attempt_at=change.next_attempt_at or notice.next_attempt_at,
            lease=None,
            leased_until=None,
        )
        self._tables.set(Notice, notice.id, reported)


def _refuse_naive_times(record: Record) -> None:
    for each in fields(record):
        value = getattr(record, each.name)
        if isinstance(value, datetime) and value.tzinfo is None:
            raise TypeError(f"{type(record).__name__}.{each.name} has no time zone.")


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


_OVER: tuple[tuple[type[Any], Callable[[Any, datetime], bool]], ...] = (
    (EndedToken, lambda ended, now: ended.keep_until < now),
    (Session, lambda session, now: session.expires_at < now),
    (PendingAuthorization, lambda pending, now: pending.expires_at < now),
    (FailureBucket, lambda bucket, now: bucket.expires_at < now),
    (Grant, _grant_is_over),
    (Notice, _notice_is_over),
)
