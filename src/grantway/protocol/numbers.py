"""Ids that are integers on the wire and text everywhere else."""

from __future__ import annotations

import re

from grantway.protocol.moment import Moment

_NUMBER = re.compile(r"[1-9][0-9]{0,15}")
_LEAST_DRAWN = 1_000_000
_MOST_DRAWN = 2**31 - 1


def is_number(text: str) -> bool:
    """Whether a client can read it as a JSON integer: no leading zero, and exact in a double."""
    return _NUMBER.fullmatch(text) is not None and int(text) < 2**53


def draw_number(at: Moment) -> str:
    """One of seven digits or more that fits 31 bits."""
    return str(_LEAST_DRAWN + int.from_bytes(at.draw(8), "big") % (_MOST_DRAWN - _LEAST_DRAWN))
