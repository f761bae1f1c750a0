"""Base62: bytes as digits and letters, so that a token is one word to a double click and to a secret scanner."""

from __future__ import annotations

import zlib
from functools import lru_cache
from math import ceil, log

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = [a + b for a in ALPHABET for b in ALPHABET]
_VALUES = {pair: value for value, pair in enumerate(_PAIRS)}
_PAIR = 62**2
_HALF = 62**4
_CHUNK = 62**8
"""Eight characters at a time: the largest power whose arithmetic stays in small integers."""
CHECKSUM_LENGTH = 6


@lru_cache(maxsize=256)
def encoded_length(size: int) -> int:
    """How many characters ``size`` bytes take: always even, because two characters are written at a time."""
    return 2 * ceil(size * 8 / log(_PAIR, 2))


def encode(data: bytes) -> str:
    """The bytes as text of exactly ``encoded_length(len(data))`` characters."""
    length = encoded_length(len(data))
    number = int.from_bytes(data, "big")
    text = ""
    while len(text) < length:
        number, chunk = divmod(number, _CHUNK)
        high, low = divmod(chunk, _HALF)
        text = _PAIRS[high // _PAIR] + _PAIRS[high % _PAIR] + _PAIRS[low // _PAIR] + _PAIRS[low % _PAIR] + text
    return text[-length:] if length else ""


def decode(text: str, size: int) -> bytes | None:
    """The ``size`` bytes that ``encode`` made this text from, or ``None`` when it did not."""
    if len(text) != encoded_length(size):
        return None
    values = _VALUES
    number = 0
    try:
        short = len(text) % 8
        for at in range(0, short, 2):
            number = number * _PAIR + values[text[at : at + 2]]
        for at in range(short, len(text), 8):
            high = values[text[at : at + 2]] * _PAIR + values[text[at + 2 : at + 4]]
            low = values[text[at + 4 : at + 6]] * _PAIR + values[text[at + 6 : at + 8]]
            number = number * _CHUNK + high * _HALF + low
        return number.to_bytes(size, "big")
    except (KeyError, OverflowError):
        return None


def encode_any(data: bytes) -> str:
    """Bytes of any length as text that tells its own length."""
    return encode(b"\x01" + data)


def decode_any(text: str) -> bytes | None:
    """What ``encode_any`` made this text from, or ``None`` when it did not."""
    longest = int(len(text) / 2 * log(_PAIR, 2) / 8)
    for size in (longest, longest - 1):
        data = decode(text, size)
        if data is not None and data[:1] == b"\x01":
            return data[1:]
    return None


def checksum(text: str) -> str:
    """Six characters that a scanner can check without knowing any key (CRC-32; proves nothing, excludes typos)."""
    return encode(zlib.crc32(text.encode()).to_bytes(4, "big"))
