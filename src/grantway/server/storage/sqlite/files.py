"""The database's files: made private, refused on network file systems, opened with the right pragmas, timed."""

from __future__ import annotations

import os
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from grantway.server.disk import sync_directory
from grantway.server.storage.port import StorageError

BUSY_TIMEOUT = 5.0
"""Seconds that a statement waits for a foreign program (``sqlite3``, a backup) to let go of the database."""

_NETWORK = frozenset({
    "nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afs", "ceph", "coda", "glusterfs", "lustre", "beegfs", "gfs", "gpfs",
    "ncpfs", "orangefs", "fuse.sshfs", "fuse.s3fs", "fuse.glusterfs", "fuse.rclone", "fuse.gcsfuse", "fuse.ceph",
    "fuse.mfs", "fuse.juicefs", "fuse.vmhgfs-fuse", "vboxsf", "prl_fs",
})  # fmt: skip
_MOUNTS = Path("/proc/mounts")


def create(path: Path) -> None:
    """Make an empty database file that only its owner can read, and its directory if that is missing."""
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True)
    refuse_network(path)
    # SQLite gives the files beside it (-wal, -shm) the same mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    sync_directory(path.parent)


def refuse_network(path: Path, mounts: str | None = None) -> None:
    """Raise ``StorageError`` when the file would lie on a network file system, as far as ``/proc/mounts`` tells."""
    if mounts is None:
        mounts = _MOUNTS.read_text(errors="surrogateescape") if _MOUNTS.exists() else ""
    where = path.parent.resolve()
    longest, kind = 0, ""
    for line in mounts.splitlines():
        words = line.split(" ")
        if len(words) < 4:
            continue
        point = words[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        if where.is_relative_to(point) and len(point) >= longest:
            # Windows drives appear under WSL as 9p; other uses of 9p are local.
            longest, kind = len(point), "a Windows drive" if "aname=drvfs" in words[3] else words[2]
    if kind in _NETWORK or kind == "a Windows drive":
        raise StorageError(
            f"{where} is on a network file system ({kind}), where SQLite's locks and shared memory do not work. "
            "Put the database on a local disk."
        )


def connect(path: Path, connection_class: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    """A connection in autocommit, for one thread at a time. Raises ``sqlite3.Error``."""
    connection = sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
        factory=connection_class,
    )
    try:
        connection.execute("pragma synchronous = full").close()
        # After a burst the log is cut back to this, in bytes.
        connection.execute("pragma journal_size_limit = 67108864").fetchall()
        connection.execute("pragma temp_store = memory").close()
        connection.execute("pragma trusted_schema = off").close()
    except BaseException:
        connection.close()
        raise
    return connection


def time_to_sync(directory: Path, rounds: int = 7) -> float:
    """The median time of writing and syncing a page there, in seconds."""
    times = []
    with tempfile.TemporaryFile(dir=directory) as file:
        for _ in range(rounds):
            begun = time.perf_counter()
            os.pwrite(file.fileno(), b"\0" * 4096, 0)
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begun)
    return statistics.median(times)
