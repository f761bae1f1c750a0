"""People's passwords: argon2id, a few at a time, never in the event loop and never inside a rule.

One hash fills 19 MiB and a core for some tens of milliseconds. Two at a time and a short queue keep a flood of sign-ins
from starving everything else: beyond the queue the answer is "busy" at once.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError

P = ParamSpec("P")
T = TypeVar("T")

AT_A_TIME = 2
LONGEST_QUEUE = 32
LONGEST_PASSWORD = 1024
"""Characters. Longer ones are wrong without a look: nobody may make us normalise megabytes."""

# OWASP's second recommendation, and RFC 9106 §4 in spirit: t=2, m=19 MiB, p=1.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)


class Busy(Exception):
    """So many passwords are being verified that this one has to come back later."""


class PasswordVerifier:
    """Verifies passwords, ``AT_A_TIME`` at once, at most ``LONGEST_QUEUE`` waiting. One per process."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="password")
        self._under_way = 0

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether the password is the hash's. Without a hash it is not, after the same work.

        Raises ``Busy`` when the queue is full.
        """
        return await self._queued(verify_password, password, password_hash)

    async def hash(self, password: str) -> str:
        """The hash of a new password, in the same queue. Raises ``Busy``, and ``ValueError`` as ``hash_password``."""
        return await self._queued(hash_password, password)

    async def _queued(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._under_way >= AT_A_TIME + LONGEST_QUEUE:
            raise Busy
        loop = asyncio.get_running_loop()
        self._under_way += 1
        future = self._threads.submit(work, *args, **kwargs)
        # A browser that goes away does not shorten the queue: the thread is at it until it is done.
        future.add_done_callback(lambda _: self._done(loop))
        return await asyncio.wrap_future(future)

    def _done(self, loop: asyncio.AbstractEventLoop) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._one_less)

    def _one_less(self) -> None:
        self._under_way -= 1

    def close(self) -> None:
        """Let the threads go; what is being verified is finished first."""
        self._threads.shutdown(wait=False, cancel_futures=True)


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
