"""Rules one after another in one transaction: what a writer does with the jobs that came together.

SQLite rolls back the whole transaction after some errors (disk full, I/O, memory) and runs what comes after it in
autocommit. So after every error that is not a constraint the connection is asked whether its transaction is still there.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from grantway.protocol.decision import Change, Decision
from grantway.protocol.facts import Rule
from grantway.server.storage.port import ATTEMPTS, Contended, GuardMissed, OutcomeUnknown, StorageError, drive
from grantway.server.storage.sql.facts import SqlFacts
from grantway.server.storage.sql.parsed import Parsed
from grantway.server.storage.sqlite.asking import asking
from grantway.server.storage.sqlite.changes import apply, is_one_statement, touches_parsed
from grantway.server.storage.sqlite.turnstile import Turnstile

Work = Callable[[sqlite3.Connection, datetime], Any]

_PRIMARY = 0xFF
"""The bits of an extended result code that say the primary one."""
_COMMIT_ATTEMPTS = 3


class Job:
    """Something to do in a transaction, and what came of it. Either a rule, or work that gets a transaction of its own.

    ``proposed`` is what the rule decided on a plain read: it comes true if its guards hold.
    """

    __slots__ = ("error", "future", "proposed", "rule", "value", "work")

    def __init__(
        self,
        future: asyncio.Future[Any],
        rule: Rule[Any] | None = None,
        work: Work | None = None,
        proposed: Decision[Any] | None = None,
    ) -> None:
        self.future = future
        self.rule = rule
        self.work = work
        self.proposed = proposed
        self.value: Any = None
        self.error: BaseException | None = None


class _Void(Exception):
    """The transaction is gone, and with it all that was done in it. Raised from the error that took it."""


class Committer:
    """Runs groups of jobs on the writing connection. For one thread at a time.

    ``failed`` says why nothing is done any more, after a commit of unknown outcome. ``groups`` and ``jobs`` count what
    was committed and what was done, for metrics.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        turnstile: Turnstile,
        clock: Callable[[], datetime],
        on_unknown_outcome: Callable[[BaseException], None],
    ) -> None:
        self._connection = connection
        self._ask = asking(connection)
        self.turnstile = turnstile
        self._clock = clock
        self._on_unknown_outcome = on_unknown_outcome
        self._parsed = Parsed()
        self._commit_begun = False
        self._trouble: BaseException | None = None
        self.failed: str | None = None
        self.groups = 0
        self.jobs = 0

    def run(self, jobs: Sequence[Job]) -> None:
        """Do the jobs and commit. Afterwards each has a value, which is durable, or an error. Raises only to stop."""
        with self.turnstile:
            self.open(jobs)
            self.finish(jobs)

    def open(self, jobs: Sequence[Job]) -> None:
        """Begin a transaction and let the jobs have their say, while the turnstile is held. What fails is for ``finish``."""
        self._commit_begun = False
        self._trouble = None
        self.jobs += len(jobs)
        try:
            if self.failed is not None:
                raise StorageError(self.failed)
            self._begin()
            for job in jobs:
                self._do(job)
        except BaseException as error:  # noqa: BLE001  told by finish, which comes in any case
            self._trouble = error

    def finish(self, jobs: Sequence[Job]) -> None:
        """Commit what was opened, while the turnstile is still held; what ``run`` says of its end is true of this one."""
        try:
            if self._trouble is not None:
                raise self._trouble
            self._commit()
        except _Void:
            self._roll_back()
            self._run_singly(jobs)
        except OutcomeUnknown as unknown:
            for job in jobs:
                job.value, job.error = None, OutcomeUnknown(*unknown.args)
            self._stop(unknown)
        except BaseException as error:
            self._roll_back()
            for job in jobs:
                job.value, job.error = None, self._interrupted(error)
            if not isinstance(error, Exception):
                raise

    def _interrupted(self, error: BaseException) -> BaseException:
        if self._commit_begun:
            return OutcomeUnknown(f"Whether the commit happened is unknown: {type(error).__name__}.")
        if isinstance(error, Exception):
            return _storage_error(error)
        return StorageError(f"The storage was stopped by {type(error).__name__}.")

    def _run_singly(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            job.value = job.error = None
            try:
                if self.failed is not None:
                    raise StorageError(self.failed)
                self._begin()
                self._do(job)
                self._commit()
            except OutcomeUnknown as unknown:
                job.value, job.error = None, unknown
                self._stop(unknown)
            except (StorageError, sqlite3.Error, _Void) as error:
                self._roll_back()
                job.value, job.error = None, _storage_error(error)

    def _do(self, job: Job) -> None:
        """Let a job have its say. Raises ``_Void``."""
        try:
            if job.rule is not None:
                self._settle(job, job.rule)
            elif job.work is not None:
                job.value = job.work(self._connection, self._clock())
        except _Void:
            raise
        except sqlite3.Error as error:
            self._still_here(error)
            job.error = _storage_error(error)
        except Exception as error:  # noqa: BLE001  the rule's own, for whoever asked for it
            self._still_here(error)
            job.error = error

    def _still_here(self, error: Exception | None = None) -> None:
        """Raise ``_Void`` when the transaction is gone: what comes next would be committed at once and by itself."""
        if not self._connection.in_transaction:
            raise _Void from error or sqlite3.OperationalError("the transaction was rolled back")

    def _settle(self, job: Job, rule: Rule[Any]) -> None:
        missed: GuardMissed | None = None
        decision = job.proposed
        for _ in range(ATTEMPTS):
            if decision is None:
                now = self._clock()
                decision = drive(rule(SqlFacts(self._ask, self._parsed, now), now))
                self._still_here()  # a rule may have caught the error that took it
            try:
                if decision.changes:
                    self._apply(decision.changes)
            except GuardMissed as miss:
                missed, decision = miss, None
            else:
                job.value = decision
                return
        raise Contended(str(missed)) from missed

    def _apply(self, changes: Sequence[Change]) -> None:
        connection = self._connection
        for change in changes:
            if touches_parsed(change):
                self._parsed.committed = False
        if is_one_statement(changes):
            apply(connection, changes[0])
            return
        connection.execute("savepoint rule")
        try:
            for change in changes:
                apply(connection, change)
        except BaseException:
            if connection.in_transaction:
                self._or_void("rollback to rule")
                self._or_void("release rule")
            raise
        self._or_void("release rule")

    def _or_void(self, statement: str) -> None:
        try:
            self._connection.execute(statement)
        except sqlite3.Error as error:
            raise _Void from error

    def _begin(self) -> None:
        self._parsed.committed = True
        self._connection.execute("begin immediate")

    def _commit(self) -> None:
        for attempt in range(1, _COMMIT_ATTEMPTS + 1):
            try:
                self._commit_begun = True
                self._connection.execute("commit")
            except sqlite3.Error as error:
                code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY
                busy = code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                if busy and self._connection.in_transaction and attempt < _COMMIT_ATTEMPTS:
                    continue
                # Full: the frame that makes the commit could not be written. Busy: writing had not begun.
                if busy or code == sqlite3.SQLITE_FULL:
                    raise _Void from error
                raise OutcomeUnknown(f"Whether the commit happened is unknown: {error}.") from error
            else:
                self.groups += 1
                return

    def _roll_back(self) -> None:
        """Have no transaction. A connection that cannot even do that is not used again."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("rollback")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self.failed = f"The storage has stopped: it could not roll back ({error})."

    def _stop(self, unknown: OutcomeUnknown) -> None:
        self.failed = "The storage has stopped: the outcome of a commit is unknown. Recovery at the next start decides."
        self._on_unknown_outcome(unknown)


def _storage_error(error: Exception) -> Exception:
    if isinstance(error, _Void):
        error = error.__cause__ if isinstance(error.__cause__, Exception) else error
    if isinstance(error, StorageError):
        return type(error)(*error.args)
    wrapped = StorageError(f"The database refused: {error}.")
    wrapped.__cause__ = error
    return wrapped
