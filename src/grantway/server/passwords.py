"""People's passwords: argon2id. One hash fills 19 MiB and a core for some tens of milliseconds."""

from __future__ import annotations

import unicodedata
from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError

from grantway.server.slow_work import SlowWork

LONGEST_PASSWORD = 1024
"""Characters. Longer ones are wrong without a look: nobody may make us normalise megabytes."""

# OWASP's second recommendation, and RFC 9106 §4 in spirit: t=2, m=19 MiB, p=1.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)


class PasswordVerifier:
    """Verifies passwords, a few at a time (``slow_work.py``). One per process."""

    def __init__(self) -> None:
        self._work = SlowWork("password")

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether the password is the hash's. Without a hash it is not, after the same work.

        Raises ``Busy`` when the queue is full.
        """
        return await self._work.do(verify_password, password, password_hash)

    async def hash(self, password: str) -> str:
        """The hash of a new password, in the same queue. Raises ``Busy``, and ``ValueError`` as ``hash_password``."""
        return await self._work.do(hash_password, password)

    def close(self) -> None:
        """Let the threads go; what is being verified is finished first."""
        self._work.close()


def hash_password(password: str) -> str:
    """The password's hash, with its own salt. Raises ``ValueError`` with a sentence when it cannot be one."""
    if not password:
        raise ValueError("A password has at least one character.")
    if len(password) > LONGEST_PASSWORD:
        raise ValueError(f"A password has at most {LONGEST_PASSWORD} characters.")
    return _HASHER.hash(_prepared(password))


def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether the password is the hash's. ``None`` takes the same time and says no."""
    known = password_hash is not None and len(password) <= LONGEST_PASSWORD
    try:
        matched = _HASHER.verify(password_hash or _dummy_hash(), _prepared(password[:LONGEST_PASSWORD]))
    except (Argon2Error, InvalidHashError):
        return False
    return known and matched


@cache
def _dummy_hash() -> str:
    return _HASHER.hash("nobody's password")


def _prepared(password: str) -> bytes:
    # RFC 8265 §4.2: the same password typed on another keyboard is the same password.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
