"""In files of one directory, sealed: one per name, replaced as a whole, behind a lock that the kernel keeps.

A file is ``gwc1``, a nonce and the record sealed by AES-GCM with the name as associated data, so that files cannot be
exchanged. It is written beside, synced, put in place, and the directory is synced: there is always the old one or the new.
Locks are ``flock``'s: they end with the process that holds them.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import platformdirs
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from grantway.client.errors import StoreUnreadable
from grantway.wire import json_bytes

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

_MAGIC = b"gwc1"
_NONCE = 12
_KEY = 32


class FileStore:
    """Sealed files below ``directory``; in the user's own state directory when none is said.

    ``key``: 32 bytes, from wherever your secrets are. Without one it is drawn once and kept in ``key`` beside the files,
    readable by this user only: that guards against a file that gets loose, not against who can read the directory.
    """

    def __init__(self, directory: str | Path | None = None, *, key: bytes | None = None) -> None:
        if fcntl is None:
            raise RuntimeError("FileStore needs a system with flock. Use a store of your own here.")
        if key is not None and len(key) != _KEY:
            raise ValueError("The key has 32 bytes.")
        if directory is None:
            directory = platformdirs.user_state_path("grantway-client", appauthor=False)
        self._directory = Path(directory)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sealer = AESGCM(key or self._own_key())

    def try_hold(self, name: str) -> FileHold | None:
        """The lock file's lock; the file stays, because who waits has it open."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        file = os.fdopen(os.open(self._path(name, "lock"), flags, 0o600), "rb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return FileHold(file)

    def load(self, name: str) -> dict[str, Any] | None:
        """What was saved last. Raises ``StoreUnreadable``."""
        try:
            sealed = self._path(name, "sealed").read_bytes()
        except FileNotFoundError:
            return None
        opened = self._opened(name, sealed)
        if opened is None:
            raise StoreUnreadable
        kept: dict[str, Any] = json_bytes.loads(opened)
        return kept

    def save(self, name: str, kept: dict[str, Any] | None) -> None:
        """Put it in place of what was there."""
        path = self._path(name, "sealed")
        if kept is None:
            path.unlink(missing_ok=True)
        else:
            nonce = secrets.token_bytes(_NONCE)
            sealed = self._sealer.encrypt(nonce, json_bytes.dumps(kept), _MAGIC + name.encode())
            beside = self._write_beside(path, _MAGIC + nonce + sealed)
            beside.replace(path)
        self._sync_directory()

    def _opened(self, name: str, sealed: bytes) -> bytes | None:
        start = len(_MAGIC) + _NONCE
        if not sealed.startswith(_MAGIC) or len(sealed) < start:
            return None
        try:
            return self._sealer.decrypt(sealed[len(_MAGIC) : start], sealed[start:], _MAGIC + name.encode())
        except InvalidTag:
            return None

    def _path(self, name: str, kind: str) -> Path:
        # A digest: names may be addresses or have slashes in them.
        return self._directory / f"{hashlib.sha256(name.encode()).hexdigest()[:40]}.{kind}"

    def _own_key(self) -> bytes:
        path = self._directory / "key"
        if not path.exists():
            beside = self._write_beside(path, secrets.token_bytes(_KEY))
            with suppress(FileExistsError):  # of two that come at once, one draws it
                os.link(beside, path)
            beside.unlink()
            self._sync_directory()
        key = _read_own(path)
        if key is None or len(key) != _KEY:
            raise StoreUnreadable
        return key

    def _write_beside(self, path: Path, data: bytes) -> Path:
        beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return beside

    def _sync_directory(self) -> None:
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _read_own(path: Path) -> bytes | None:
    """What is in the file, if it is one of this user's (or root's) that nobody else reads: a key from a stranger seals nothing."""
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb")
    except OSError:  # a link
        return None
    with file:
        about = os.fstat(file.fileno())
        if about.st_uid not in (os.geteuid(), 0) or about.st_mode & 0o007:
            return None
        return file.read(_KEY + 1)


class FileHold:
    """An open file whose lock is ours."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def release(self) -> None:
        """Let it go; in so many words, because a child that was forked meanwhile has the file open as well."""
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._file.close()
