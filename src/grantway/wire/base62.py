"""Base62: bytes as digits and letters, so that a token is one word to a double click and to a secret scanner."""

from __future__ import annotations

import zlib
from math import ceil, log

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = [a + b for a in ALPHABET for b in ALPHABET]
_VALUES = {pair: value for value, pair in enumerate(_PAIRS)}
_BASE = len(_PAIRS)
CHECKSUM_LENGTH = 6


def encoded_length(size: int) -> int:
    """How many characters ``size`` bytes take: always even, because two characters are written at a time."""
    return 2 * ceil(size * 8 / log(_BASE, 2))


def encode(data: bytes) -> str:
    """The bytes as text of exactly ``encoded_length(len(data))`` characters."""
    number = int.from_bytes(data, "big")
    parts = []
    for _ in range(encoded_length(len(data)) // 2):
        number, rest = divmod(number, _BASE)
        parts.append(_PAIRS[rest])
    parts.reverse()
    return "".join(parts)


def decode(text: str, size: int) -> bytes | None:
    """The ``size`` bytes that ``encode`` made this text from, or ``None`` when it did not."""
    if len(text) != encoded_length(size):
        return None
    number = 0
    try:
        for at in range(0, len(text), 2):
            number = number * _BASE + _VALUES[text[at : at + 2]]
        return number.to_bytes(size, "big")
    except (KeyError, OverflowError):
        return None


def encode_any(data: bytes) -> str:
    """Bytes of any length as text that tells its own length."""
    return encode(b"\x01" + data)


def decode_any(text: str) -> bytes | None:
    """What ``encode_any`` made this text from, or ``None`` when it did not."""
    longest = int(len(text) / 2 * log(_BASE, 2) / 8)
    for size in (longest, longest - 1):
        data = decode(text, size)
        if data is not None and data[:1] == b"\x01":
            return data[1:]
    return None


def checksum(text: str) -> str:
    """Six characters that a scanner can check without knowing any key (CRC-32; proves nothing, excludes typos)."""
    return encode(zlib.crc32(text.encode()).to_bytes(4, "big"))
