"""Bytes as one word of letters and digits: what a token's body is written in.

Base64 would be cut by a double click at ``-`` and ``+``, and base 62 costs twelve times as much (7 µs for an
access token, docs/decisions/0006). So this is base64 with an escape: ``z0`` for ``+``, ``z1`` for ``/`` and ``z2`` for ``z``.
Lengths vary by a few characters; there is exactly one way to write the same bytes.
"""

from __future__ import annotations

import zlib
from binascii import Error, a2b_base64, b2a_base64

from grantway.wire.base62 import PAIRS

CHECKSUM_LENGTH = 6
_PADDING = ("", "===", "==", "=")


def write_word(data: bytes) -> str:
    """The bytes as letters and digits."""
    text = b2a_base64(data, newline=False).rstrip(b"=").decode()
    return text.replace("z", "z2").replace("+", "z0").replace("/", "z1")


def read_word(text: str) -> bytes | None:
    """The bytes that ``write_word`` made this word from, or ``None`` when it did not."""
    plain = text.replace("z0", "+").replace("z1", "/").replace("z2", "z")
    try:
        data = a2b_base64((plain + _PADDING[len(plain) % 4]).encode("ascii"), strict_mode=True)
    except (Error, UnicodeEncodeError):
        return None
    return data if write_word(data) == text else None


def checksum(text: str) -> str:
    """Six characters that a scanner can check without knowing any key (CRC-32; proves nothing, excludes typos)."""
    rest, low = divmod(zlib.crc32(text.encode()), 3844)
    high, middle = divmod(rest, 3844)
    return PAIRS[high] + PAIRS[middle] + PAIRS[low]
