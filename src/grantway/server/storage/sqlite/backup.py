"""A copy of a database while it is in use, and the way of such a copy back into its place.

A copy is one file of one moment: SQLite's own backup reads page by page from a snapshot that it holds, so writers go on
and nothing begins anew because of them. The log grows meanwhile, and is cut back after it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from grantway.server.disk import new_file, sync_directory, sync_file
from grantway.server.storage.port import StorageError
from grantway.server.storage.sqlite.files import connect
from grantway.server.storage.sqlite.turnstile import Turnstile

BACKUP_AT = "backup_at"
"""Where a copy says of when it is, in its table ``meta``: the time at which copying began."""

PAGES = 256
"""Pages in one step (1 MiB)."""
PAUSE = 0.001
"""Seconds after each step, in which the disk is the requests' alone."""

Progress = Callable[[int, int], None]
"""Is told how many pages are done, and of how many."""


def back_up(database: Path, target: Path, at: datetime, progress: Progress | None = None) -> int:
    """Make a checked copy of the database at ``target``, which must not be there yet. Returns its bytes.

    It is for its owner only, and durable when this returns. Raises ``StorageError``.
    """
    if not database.is_file():
        raise StorageError(f"There is no database at {database}.")
    try:
        with (
            new_file(target) as draft,
            contextlib.closing(connect(database)) as source,
            contextlib.closing(_opened(draft)) as copy,
        ):
            _copy(source, copy, progress)
            copy.execute("pragma journal_mode = delete").fetchall()
            value = at.isoformat().encode()
            copy.execute("insert or replace into meta (key, value) values (?1, ?2)", (BACKUP_AT, value))
            check(copy, draft)
    except FileExistsError:
        raise StorageError(f"There is something at {target} already: a backup overwrites nothing.") from None
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"The backup could not be written to {target}: {error}.") from error
    return target.stat().st_size


def _copy(source: sqlite3.Connection, copy: sqlite3.Connection, progress: Progress | None) -> None:
    def step(status: int, remaining: int, total: int) -> None:
        if progress is not None:
            progress(total - remaining, total)
        time.sleep(PAUSE)

    # Without a snapshot of its own each commit of another process would have it begin anew.
    source.execute("begin")
    source.execute("select count(*) from sqlite_master").fetchall()
    source.backup(copy, pages=PAGES, progress=step)
    source.execute("rollback")


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise ``StorageError`` when the file is damaged, as far as SQLite's quick check tells."""
    try:
        found = connection.execute("pragma quick_check(1)").fetchall()
    except sqlite3.DatabaseError as error:
        raise StorageError(f"{path} is no database of SQLite, or damaged: {error}.") from error
    if found != [("ok",)]:
        raise StorageError(f"{path} is damaged: {found[0][0]}.")


def take_copy(backup: Path, draft: Path) -> datetime | None:
    """Make the draft of a database from a backup; ``None`` unless it says of when it is. Raises ``StorageError``."""
    if not backup.is_file():
        raise StorageError(f"There is no backup {backup}.")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        shutil.copyfile(backup, draft)
        log = _beside(backup, "-wal")
        if log.exists():  # somebody copied the files: what was committed last is in here
            shutil.copyfile(log, _beside(draft, "-wal"))
    except OSError as error:
        raise StorageError(f"The backup {backup} cannot be copied: {error.strerror}.") from error
    with contextlib.closing(_opened(draft)) as connection:
        check(connection, backup)
        names = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
        if not {"migrations", "meta"} <= names:
            raise StorageError(f"{backup} is no database of Grantway.")
        said = connection.execute("select value from meta where key = ?1", (BACKUP_AT,)).fetchall()
        connection.execute("delete from meta where key = ?1", (BACKUP_AT,))
    return datetime.fromisoformat(said[0][0].decode()) if said else None


def refuse_in_use(database: Path) -> None:
    """Raise ``StorageError`` when a process has the database open: its files would be changed under it."""
    if not database.exists():
        return
    connection = sqlite3.connect(database, timeout=0, isolation_level=None)
    try:
        # Whoever has a database in WAL mode open holds a lock that this needs for itself.
        connection.execute("pragma journal_mode = delete").fetchall()
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StorageError(f"The database {database} is in use. Stop the server first.") from None
    except sqlite3.DatabaseError:
        pass  # damaged: that is why it is going to be replaced
    finally:
        connection.close()


def put_in_place(draft: Path, database: Path, aside: Path) -> None:
    """The draft is the database from now on; what was there is kept at ``aside``. Raises ``StorageError``.

    At no moment is there no database: a start would make an empty one.
    """
    try:
        with contextlib.closing(connect(draft)) as connection:
            connection.execute("pragma wal_checkpoint(truncate)").fetchall()
        sync_file(draft)
        turnstile = Turnstile(database)
        try:
            with turnstile:  # a start migrates first, and waits here
                refuse_in_use(database)
                if database.exists():
                    os.link(database, aside)
                for suffix in ("-wal", "-shm"):
                    if _beside(database, suffix).exists():
                        _beside(database, suffix).rename(_beside(aside, suffix))
                draft.replace(database)
                sync_directory(database.parent)
        finally:
            turnstile.close()
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"The database {database} could not be replaced: {error}.") from error


def forget_draft(draft: Path) -> None:
    """What is left of a draft is gone, with the files that SQLite and the turnstile made beside it."""
    for suffix in ("", "-wal", "-shm", "-journal", ".next", ".lock"):
        _beside(draft, suffix).unlink(missing_ok=True)


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
