"""What another server keeps of a client's secret: which hashes can be verified here, and how much they may cost.

Reading is all that happens here; verifying takes long, and so happens outside of rules. The forms are those of Ory Hydra
(``$pbkdf2-sha256$…`` and ``$2a$…``) and of Django (``pbkdf2_sha256$…``, ``argon2$…``, ``bcrypt_sha256$…``, ``bcrypt$…``).
"""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import field
from typing import Literal

from grantway.wire.record import record
from grantway.wire.sentence import worded

MAX_BCRYPT_COST = 14
"""About a second. Hydra's default is 10, Django's 12."""
MAX_ITERATIONS = 3_000_000
"""Of PBKDF2, about a second. Hydra's default is 25,000, Django's a million and growing."""
MAX_MEMORY = 128 * 1024
"""KiB of argon2. Django's default is 100 MiB."""
MAX_PASSES = 10
MAX_LANES = 16
LONGEST = 512
"""Characters of a hash, with its salt."""

_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_PBKDF2 = re.compile(r"\$pbkdf2-(sha1|sha256|sha512)\$i=(\d{1,10}),l=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")
_DJANGO_PBKDF2 = re.compile(r"pbkdf2_(sha1|sha256)\$(\d{1,10})\$([^$]+)\$([A-Za-z0-9+/]+=*)")
_ARGON2 = re.compile(
    r"\$argon2(?:id|i|d)\$v=\d{1,3}\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+"
)

_UNKNOWN = "The hash of the secret is of a kind that cannot be verified here: bcrypt, PBKDF2 and argon2 can."
_DEAR = "To verify the hash of the secret costs too much: bcrypt up to cost %(cost)s, PBKDF2 up to %(iterations)s iterations, argon2 up to %(mebibytes)s MiB, %(passes)s passes and %(lanes)s lanes."


@record
class Bcrypt:
    """``is_sha256``: of the secret's SHA-256 in hexadecimal digits, as Django does because bcrypt reads 72 bytes."""

    text: str = field(repr=False)
    is_sha256: bool = False


@record
class Pbkdf2:
    """RFC 8018 §5.2."""

    algorithm: str
    iterations: int
    salt: bytes = field(repr=False)
    derived: bytes = field(repr=False)


@record
class Argon2:
    """RFC 9106, in the form of its reference implementation."""

    text: str = field(repr=False)


ForeignHash = Bcrypt | Pbkdf2 | Argon2
Kind = Literal["bcrypt", "pbkdf2", "argon2"]


def kind_of(found: ForeignHash) -> Kind:
    """What it is called."""
    if isinstance(found, Bcrypt):
        return "bcrypt"
    return "pbkdf2" if isinstance(found, Pbkdf2) else "argon2"


def read_foreign_hash(text: str) -> ForeignHash:
    """What has to be computed to verify a secret. Raises ``ValueError`` with a sentence that repeats nothing of it."""
    if len(text) > LONGEST:
        raise ValueError(_UNKNOWN)
    if text.startswith("argon2$"):
        return _argon2("$" + text.removeprefix("argon2$"))
    if text.startswith("bcrypt_sha256$"):
        return _bcrypt(text.removeprefix("bcrypt_sha256$"), is_sha256=True)
    if text.startswith("bcrypt$"):
        return _bcrypt(text.removeprefix("bcrypt$"))
    if found := _DJANGO_PBKDF2.fullmatch(text):
        algorithm, iterations, salt, derived = found.groups()
        return _pbkdf2(algorithm, iterations, salt.encode(), _bytes_of(derived.rstrip("=")))
    if found := _PBKDF2.fullmatch(text):
        algorithm, iterations, length, salt, derived = found.groups()
        key = _bytes_of(derived)
        if len(key) != int(length):
            raise ValueError(_UNKNOWN)
        return _pbkdf2(algorithm, iterations, _bytes_of(salt), key)
    return _argon2(text) if text.startswith("$argon2") else _bcrypt(text)


def _bcrypt(text: str, *, is_sha256: bool = False) -> Bcrypt:
    found = _BCRYPT.fullmatch(text)
    if found is None or int(found[1]) < 4:
        raise ValueError(_UNKNOWN)
    _bound(int(found[1]), MAX_BCRYPT_COST)
    return Bcrypt(text, is_sha256)


def _pbkdf2(algorithm: str, iterations: str, salt: bytes, derived: bytes) -> Pbkdf2:
    _bound(int(iterations), MAX_ITERATIONS)
    if int(iterations) < 1 or not 16 <= len(derived) <= 64:
        raise ValueError(_UNKNOWN)
    return Pbkdf2(algorithm, int(iterations), salt, derived)


def _argon2(text: str) -> Argon2:
    found = _ARGON2.fullmatch(text)
    if found is None:
        raise ValueError(_UNKNOWN)
    memory, passes, lanes = (int(number) for number in found.groups())
    _bound(memory, MAX_MEMORY)
    _bound(passes, MAX_PASSES)
    _bound(lanes, MAX_LANES)
    return Argon2(text)


def _bound(cost: int, most: int) -> None:
    if cost > most:
        raise ValueError(
            worded(
                _DEAR,
                cost=MAX_BCRYPT_COST,
                iterations=MAX_ITERATIONS,
                mebibytes=MAX_MEMORY // 1024,
                passes=MAX_PASSES,
                lanes=MAX_LANES,
            )
        )


def _bytes_of(text: str) -> bytes:
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise ValueError(_UNKNOWN) from None
