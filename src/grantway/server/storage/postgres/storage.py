"""The front of the storage in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from grantway.protocol.decision import (
    Add,
    Change,
    Decision,
    DropNotice,
    MoveGeneration,
    ReplayNotice,
    ReportDelivery,
)
from grantway.protocol.facts import Rule
from grantway.protocol.model import Notice
from grantway.server.storage.counting import Counts
from grantway.server.storage.port import (
    ATTEMPTS,
    Census,
    Contended,
    Figures,
    OutcomeUntold,
    Overloaded,
    StorageError,
)
from grantway.server.storage.postgres.clock import DatabaseClock
from grantway.server.storage.postgres.commits import CONFLICTS, CONNECTIONS, MISSES, TRIES, Commits, pause
from grantway.server.storage.postgres.gathering import READ_DEADLINE, Reads, cannot_be_stored, rows_of
from grantway.server.storage.postgres.link import Link, Lost, Query, Row, SqlError, Useless
from grantway.server.storage.postgres.migrate import refuse_unmigrated
from grantway.server.storage.postgres.moving import Moves
from grantway.server.storage.postgres.partitions import keep_partitions
from grantway.server.storage.postgres.pool import Pool, Pooler, Unreachable
from grantway.server.storage.postgres.statements import DRAW_TRANSACTION, LAST_NUMBER_DRAWN, OLDEST_TRANSACTION
from grantway.server.storage.postgres.translation import guarded, translated
from grantway.server.storage.sql.changes import steps
from grantway.server.storage.sql.codec import micros
from grantway.server.storage.sql.facts import SqlFacts
from grantway.server.storage.sql.parsed import Parsed
from grantway.server.storage.sql.statements.rows import CENSUS, READ_META, WRITE_META_ONCE
from grantway.server.storage.sql.statements.sweeping import BEFORE, KEPT, SWEEPS

A = TypeVar("A")

_PATIENCE = (0.0, 0.02, 0.2, 1.0)
"""Seconds between looks whether the transactions under way are over; those of requests take milliseconds."""

_IN_LINE = frozenset({DropNotice, ReplayNotice, ReportDelivery})

UPKEEP_DEADLINE = 30.0
"""Seconds after which what no request waits for is given up."""

AT_ONCE = 2
"""Serializable transactions of a process at the same time. PostgreSQL remembers what they read by the page, so those of
neighbouring rows give way to one another: with eight at once 300 revocations were begun 776 times, at twenty times the CPU."""

BEGIN: Query = ("begin isolation level serializable", ())
COMMIT: Query = ("commit", ())
_ORDERLY = {"plan_cache_mode": "force_custom_plan", "enable_sort": "off", "enable_bitmapscan": "off"}
IN_ORDER: Query = (
    "select " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _ORDERLY.items()),
    (),
)
"""In this transaction, a few rows of many that wait are read in the order of an index. A plan for any limit, or by statistics of
a time when few waited, would read them all first."""


class _Again(Exception):
    """The rule has to decide again. ``conflict``: because of others; otherwise a guard of its own missed."""

    def __init__(self, conflict: bool, why: str) -> None:
        super().__init__(why)
        self.conflict = conflict


class _Transaction:
    """A serializable transaction: what a rule reads in it holds still, or it does not come true."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._begun = False

    async def ask(self, statement: str, values: Sequence[Any], /) -> Sequence[Row]:
        if any(cannot_be_stored(value) for value in values):
            return []
        query = (translated(statement), values)
        queries = [query] if self._begun else [BEGIN, query]
        self._begun = True
        try:
            async with asyncio.timeout(READ_DEADLINE):
                return (await self._link.run(queries))[-1].rows
        except TimeoutError:
            raise Unreachable("The database did not answer in time.") from None

    def queries(self, changes: Sequence[Change]) -> list[Query]:
        """All changes and the commit, for one round trip."""
        done = queries_of(changes)
        if self._begun:
            return [*done, COMMIT]
        if any(map(_reads_others, changes)):
            return [BEGIN, *done, COMMIT]
        # Nothing was read that has to hold still but what the guards look at: they see the newest rows where a
        # serializable transaction would give way to a neighbour on the same page of an index.
        return done  # what has no ``begin`` is one transaction, committed at its end

    @property
    def is_begun(self) -> bool:
        """Whether the database was asked anything."""
        return self._begun


def _reads_others(change: Change) -> bool:
    """Whether the change's own statements depend on rows that they do not change: who waits in a notice's line."""
    return type(change) in _IN_LINE or (type(change) is Add and type(change.record) is Notice)


def queries_of(changes: Sequence[Change]) -> list[Query]:
    """The statements that make changes true. Raises ``TypeError`` when one makes no sense."""
    return [
        (translated(statement) if missed is None else guarded(statement), values)
        for change in changes
        for statement, values, missed in steps(change)
    ]


class PostgresStorage:
    """See ``grantway.server.storage.port.Storage``. Made by ``open``; for one event loop."""

    def __init__(self, pool: Pool, clock: DatabaseClock, queue_limit: int) -> None:
        self._pool = pool
        self._clock = clock
        self._parsed = Parsed()
        # A standby that took over may lack what was read here, and give its version to something else.
        pool.when_lost = self._parsed.forget
        self._commits = Commits(pool)
        self._reads = Reads(pool, clock, queue_limit)
        self._moves = Moves(self._commits, queue_limit)
        self._counts = Counts(self._count)
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._queue_limit = queue_limit
        self._under_way = 0
        self._at_rest = asyncio.Event()
        self._closed = False

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        pooler: Pooler = "none",
        connections: int = 8,
        queue_limit: int = 1024,
        clock: Callable[[], datetime] | None = None,
    ) -> PostgresStorage:
        """Open a migrated database (``postgresql://…``), in the process and the event loop that are going to use it.

        ``pooler`` says what stands in between (PgBouncer in transaction mode keeps no prepared statements);
        ``connections`` are made at most, as they are needed. ``clock`` is another than the database's. Raises ``StorageError`` with a sentence.
        """
        pool = Pool(url, pooler=pooler, size=connections, queue_limit=queue_limit)
        storage = cls(pool, DatabaseClock(clock), queue_limit)
        try:
            async with asyncio.timeout(UPKEEP_DEADLINE), pool.link() as link:
                await refuse_unmigrated(link)
            await storage.now()
        except BaseException as error:
            pool.close()
            if isinstance(error, TimeoutError):
                raise Unreachable("The database did not answer in time.") from None
            raise
        return storage

    async def settle(self, rule: Rule[A]) -> Decision[A]:
        """See ``Storage.settle``."""
        return await self._until_it_holds(rule, None)

    async def consult(self, rule: Rule[A]) -> Decision[A]:
        """See ``Storage.consult``."""
        decision = await self._decide(rule)
        return await self.settle(rule) if decision.changes else decision

    async def propose(self, rule: Rule[A]) -> Decision[A]:
        """See ``Storage.propose``."""
        for _ in range(2):
            decision = await self._decide(rule)
            changes = decision.changes
            if not changes:
                return decision
            if len(changes) > 1 or type(changes[0]) is not MoveGeneration:
                return await self._until_it_holds(rule, decision)
            if await self._moves.move(changes[0]):
                return decision
        return await self._until_it_holds(rule, None)

    async def _decide(self, rule: Rule[A]) -> Decision[A]:
        self._refuse()
        now = self._clock.now() or await self.now()
        return await rule(SqlFacts(self._reads.ask, self._parsed, now), now)

    async def _until_it_holds(self, rule: Rule[A], decision: Decision[A] | None) -> Decision[A]:
        """Let the rule decide until its changes come true; ``decision`` is what it decided on a plain read."""
        self._refuse()
        if self._under_way >= self._queue_limit:
            raise Overloaded("More requests wait for the database than the storage takes in.")
        self._under_way += 1
        try:
            return await self._again_and_again(rule, decision)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._at_rest.set()

    async def _again_and_again(self, rule: Rule[A], decision: Decision[A] | None) -> Decision[A]:
        misses = conflicts = losses = 0
        while True:
            try:
                if decision is not None and not any(map(_reads_others, decision.changes)):
                    return await self._attempt(rule, decision)
                async with self._turns:
                    return await self._attempt(rule, decision)
            except _Again as again:
                misses, conflicts = misses + (not again.conflict), conflicts + again.conflict
                if misses >= ATTEMPTS or conflicts >= TRIES:
                    raise Contended(str(again)) from None
                await pause(misses + conflicts)
            except Lost as lost:  # before anything could happen
                losses += 1
                if losses == CONNECTIONS:
                    raise Unreachable(str(lost)) from lost
            decision = None

    async def _attempt(self, rule: Rule[A], decision: Decision[A] | None) -> Decision[A]:
        self._commits.refuse()
        try:
            async with self._pool.link() as link:
                transaction = _Transaction(link)
                if decision is None:
                    now = self._clock.now() or await self.now()
                    decision = await rule(SqlFacts(transaction.ask, self._parsed, now), now)
                if decision.changes or transaction.is_begun:
                    await self._commit(link, transaction.queries(decision.changes))
                return decision
        except SqlError as error:
            if error.state in CONFLICTS or error.state in MISSES:
                raise _Again(error.state in CONFLICTS, str(error)) from None
            raise StorageError(f"The database refused: {error}.") from None

    async def _commit(self, link: Link, queries: Sequence[Query]) -> None:
        try:
            await self._commits.committed(link, queries)
        except Lost as lost:
            if queries == [COMMIT] or isinstance(lost, Useless):
                raise
            raise OutcomeUntold(
                "The connection to the database was lost during a commit: it may have been done."
            ) from lost
        self._commits.count(1)

    async def now(self) -> datetime:
        """The database's time."""
        now = self._clock.now()
        while now is None:
            await self._reads.ask_time()
            now = self._clock.now()
        return now

    async def read_meta(self, key: str) -> bytes | None:
        """See ``Storage.read_meta``."""
        rows = await self._reads.ask(READ_META, (key,))
        return rows[0][0] if rows else None

    async def write_meta_once(self, key: str, value: bytes) -> bytes:
        """See ``Storage.write_meta_once``."""
        queries = [(translated(WRITE_META_ONCE), (key, value)), (translated(READ_META), (key,))]
        for _ in range(ATTEMPTS):
            rows = (await self._commits.retried(queries))[1].rows
            if rows:
                winner: bytes = rows[0][0]
                return winner
        raise Contended("That value is being written by another process.")

    async def sweep(self, limit: int = 500) -> int:
        """See ``Storage.sweep``. A transaction for each kind."""
        now = await self.now()
        swept = 0
        for kind, statement in SWEEPS.items():
            values = (micros(now - KEPT.get(kind, timedelta(0))), limit)
            first = BEFORE.get(kind)
            queries = [IN_ORDER, *((translated(each), values) for each in (first, statement) if each is not None)]
            swept += (await self._commits.retried(queries))[-1].changed
        return swept

    async def upkeep(self) -> None:
        """See ``Storage.upkeep``."""
        try:
            async with asyncio.timeout(UPKEEP_DEADLINE):
                await keep_partitions(self._pool, (await self.now()).date())
        except TimeoutError:
            raise Unreachable("The database did not answer in time.") from None
        except SqlError as error:
            raise StorageError(f"The database refused: {error}.") from None

    async def sealable(self) -> int:
        """See ``Storage.sealable``.

        Whoever has a number has had a transaction id before it, so when all that have an older one than is drawn after
        the last number was read are over, no number up to that one is still to come.
        """
        last: int = (await self._reads.ask(LAST_NUMBER_DRAWN, ()))[0][0]
        drawn: int = (await self._commits.retried([(DRAW_TRANSACTION, ())]))[0].rows[0][0]
        for wait in _PATIENCE:
            await asyncio.sleep(wait)
            if (await self._reads.ask(OLDEST_TRANSACTION, ()))[0][0] >= drawn:
                return last
        return 0

    def figures(self) -> Figures:
        """See ``Storage.figures``."""
        waiting = self._reads.waiting + self._moves.waiting + self._pool.waiting + self._under_way
        return Figures(self._commits.groups, self._commits.jobs, waiting)

    async def census(self) -> Census:
        """See ``Storage.census``."""
        self._refuse()
        return await self._counts.census()

    async def _count(self) -> Census:
        """On a link of its own: with millions of rows it takes long, and no request's read is to leave together with it."""
        try:
            async with asyncio.timeout(UPKEEP_DEADLINE), self._pool.link() as link:
                return Census(*(await rows_of(link, [(translated(CENSUS), ())]))[0][0])
        except TimeoutError:
            raise Unreachable("The database did not answer in time.") from None
        except SqlError as error:
            raise StorageError(f"The database refused: {error}.") from None

    async def close(self) -> None:
        """See ``Storage.close``."""
        if not self._closed:
            self._closed = True
            self._at_rest.clear()
            if self._under_way:
                await self._at_rest.wait()
            await self._moves.drain()
            await self._reads.drain()
            self._pool.close()

    def _refuse(self) -> None:
        if self._closed:
            raise StorageError("The storage is closed.")
