"""Secrets that only another server's hash is known of, compared with it: a few at a time (``slow_work.py``)."""

from __future__ import annotations

import asyncio
from hashlib import pbkdf2_hmac, sha256

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from grantway.protocol.digests import digest
from grantway.protocol.foreign_hashes import Bcrypt, ForeignHash, Pbkdf2, read_foreign_hash
from grantway.protocol.keys import same
from grantway.server.slow_work import SlowWork

_BCRYPT_READS = 72
"""Bytes. Those after them did not count where the hash was made."""


class SecretVerifier:
    """Verifies clients' secrets, apart from people's passwords: neither takes the other's places. One per process."""

    def __init__(self) -> None:
        self._work = SlowWork("client-secret")
        self._asked: dict[tuple[tuple[str, ...], bytes], asyncio.Future[str | None]] = {}

    async def fitting(self, secret: str, hashes: tuple[str, ...]) -> str | None:
        """The hash that the secret fits. Raises ``Busy`` when the queue is full.

        A client that comes with all its connections at once is verified once.
        """
        key = (hashes, digest(secret))
        answer = self._asked.get(key)
        if answer is None:
            answer = self._asked[key] = asyncio.ensure_future(self._work.do(_fitting, secret, hashes))
            answer.add_done_callback(lambda done: self._answered(key, done))
        return await asyncio.shield(answer)

    def _answered(self, key: tuple[tuple[str, ...], bytes], answer: asyncio.Future[str | None]) -> None:
        self._asked.pop(key, None)
        if not answer.cancelled():
            answer.exception()  # looked at, should all who asked have gone away

    def close(self) -> None:
        """Let the threads go; what is being verified is finished first."""
        self._work.close()


def _fitting(secret: str, hashes: tuple[str, ...]) -> str | None:
    return next((text for text in hashes if fits(secret, text)), None)


def fits(secret: str, foreign_hash: str) -> bool:
    """Whether the secret is the hash's. What cannot be verified here (any more) fits nothing."""
    try:
        return _fits(secret.encode(), read_foreign_hash(foreign_hash))
    except ValueError:
        return False


def _fits(secret: bytes, known: ForeignHash) -> bool:
    if isinstance(known, Pbkdf2):
        derived = pbkdf2_hmac(known.algorithm, secret, known.salt, known.iterations, len(known.derived))
        return same(derived, known.derived)
    if isinstance(known, Bcrypt):
        import bcrypt  # most servers never verify one

        shown = sha256(secret).hexdigest().encode() if known.is_sha256 else secret[:_BCRYPT_READS]
        return bcrypt.checkpw(shown, known.text.encode())
    try:
        return PasswordHasher().verify(known.text, secret)
    except (Argon2Error, InvalidHashError):
        return False
