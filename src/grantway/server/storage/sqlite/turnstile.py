"""Processes take turns at writing.

SQLite's own lock is taken by whoever happens to ask when it is free, and ``busy_timeout`` sleeps between askings: under
load some wait for seconds. Two lock files make a queue of it: take ``next``, take ``lock``, let go of ``next``. The one
that holds ``next`` is the next to write.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from grantway.server.storage.port import StorageError


class Turnstile:
    """The right to write to one database, for one holder in all processes; a context manager that waits for it.

    The files are opened by whoever uses them, after any fork: a child that inherited them would hold its parent's locks.
    """

    def __init__(self, database: Path) -> None:
        self._process = os.getpid()
        self._next = _open(database.with_name(f"{database.name}.next"))
        try:
            self._lock = _open(database.with_name(f"{database.name}.lock"))
        except BaseException:
            os.close(self._next)
            raise

    def try_enter(self) -> bool:
        """Whether it was free and is held now. Does not wait."""
        self._refuse_forked()
        try:
            fcntl.flock(self._next, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            return True
        finally:
            fcntl.flock(self._next, fcntl.LOCK_UN)

    def leave(self) -> None:
        """The turn is over."""
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _refuse_forked(self) -> None:
        if os.getpid() != self._process:
            raise StorageError("A storage cannot be used in a process forked after it was opened; open it there.")

    def __enter__(self) -> None:
        self._refuse_forked()
        fcntl.flock(self._next, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._next, fcntl.LOCK_UN)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.leave()

    def close(self) -> None:
        """Let go of the files. They stay where they are: removing a lock file would make two of it."""
        os.close(self._next)
        os.close(self._lock)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
