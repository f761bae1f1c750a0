"""What is on the disk, whatever happens next: a file's content, and its name in its directory."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A draft to be written to, for its owner only, which is the file once the block is over: whole and durable, or not at all.

    Raises ``OSError``, and ``FileExistsError`` rather than to overwrite anything.
    """
    if path.exists():
        raise FileExistsError(path)
    draft = draft_of(path)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    try:
        yield draft
        sync_file(draft)
        # A link is as exclusive as O_EXCL, and who finds the name finds the whole content.
        os.link(draft, path)
        sync_directory(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def draft_of(path: Path) -> Path:
    """A name beside a file for what is going to be it."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}")
