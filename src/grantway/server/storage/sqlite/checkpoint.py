"""What is in the write-ahead log goes into the main file, off the request path."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path

from grantway.server.storage.sqlite.files import connect
from grantway.server.storage.sqlite.turnstile import Turnstile

IDLE = 30.0
"""Seconds without a write after which the log's file is cut to nothing."""


def checkpoint(path: Path) -> None:
    """Copy what can be copied while others read and write; when nobody has written for a while, empty the log, too.

    For a thread of its own. What a reader keeps from being done is done next time. Raises ``sqlite3.Error``.
    """
    log = Path(f"{path}-wal")
    if not log.exists() or log.stat().st_size == 0:
        return
    is_idle = time.time() - log.stat().st_mtime > IDLE
    with contextlib.closing(connect(path)) as connection:
        connection.execute("pragma busy_timeout = 0").close()
        connection.execute("pragma wal_checkpoint(passive)").fetchall()
        if is_idle:
            _truncate(connection, path)


def _truncate(connection: sqlite3.Connection, path: Path) -> None:
    # Takes the place of a writer for a moment, so in turn with the writers.
    turnstile = Turnstile(path)
    try:
        with turnstile:
            connection.execute("pragma wal_checkpoint(truncate)").fetchall()
    finally:
        turnstile.close()
