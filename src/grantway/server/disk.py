"""What is on the disk, whatever happens next: a file's content, and its name in its directory."""

from __future__ import annotations

import os
from pathlib import Path


def sync_directory(path: Path) -> None:
    """The names in a directory are durable: a file whose name is not on the disk is not there."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def sync_file(path: Path) -> None:
    """The content of a file is durable."""
    _sync(path, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
