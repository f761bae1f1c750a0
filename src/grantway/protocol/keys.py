"""Keys of a row: everything that hangs from a row is derived from its own random secret (docs/explanation/tokens.md).

The secret is uniformly random, so HKDF's extract step may be left out (RFC 5869 §3.3) and one block of its expand step
gives 32 bytes: one HMAC for one purpose. Whoever forges a token needs the row and the master key that opens it.
"""

from __future__ import annotations

import hmac
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

CODE = b"grantway code"
REFRESH = b"grantway refresh"
ACCESS = b"grantway access"
ACCOUNT_JWT = b"grantway account jwt"
MOVE = b"grantway move"
NOTICES = b"grantway notices"

MAC_LENGTH = 16


def derive(secret: bytes, purpose: bytes, info: bytes = b"") -> bytes:
    """32 bytes for one purpose (HKDF-Expand with SHA-256, one block, RFC 5869 §2.3)."""
    return hmac.digest(secret, purpose + b"\0" + info + b"\1", "sha256")


def mac(secret: bytes, purpose: bytes, info: bytes) -> bytes:
    """16 bytes that only the holder of the row's secret can make."""
    return hmac.digest(secret, purpose + b"\0" + info + b"\1", "sha256")[:MAC_LENGTH]


def same(first: bytes, second: bytes) -> bool:
    """Whether two values are equal, in constant time."""
    return hmac.compare_digest(first, second)


@lru_cache(maxsize=1024)
def access_cipher(secret: bytes) -> AESSIV:
    """The cipher that seals a row's opaque access tokens (AES-SIV, RFC 5297: no nonce to run out of)."""
    return AESSIV(derive(secret, ACCESS))
