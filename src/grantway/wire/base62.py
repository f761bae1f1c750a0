"""Base62 of fixed width: how row ids are written, so that each is one word of always the same length."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, log2

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PAIRS = [a + b for a in ALPHABET for b in ALPHABET]
"""All words of two characters, in order."""
_VALUES = {pair: value for value, pair in enumerate(PAIRS)}
_PAIR = 62**2
_HALF = 62**4
_CHUNK = 62**8
"""Eight characters at a time: the largest power whose arithmetic stays in small integers."""


@lru_cache(maxsize=256)
def encoded_length(size: int) -> int:
    """How many characters ``size`` bytes take: always even, because two characters are written at a time."""
    return 2 * ceil(size * 8 / log2(_PAIR))


def encode(data: bytes) -> str:
    """The bytes as text of exactly ``encoded_length(len(data))`` characters."""
    length = encoded_length(len(data))
    number = int.from_bytes(data, "big")
    text = ""
    while len(text) < length:
        number, chunk = divmod(number, _CHUNK)
        high, low = divmod(chunk, _HALF)
        text = PAIRS[high // _PAIR] + PAIRS[high % _PAIR] + PAIRS[low // _PAIR] + PAIRS[low % _PAIR] + text
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
