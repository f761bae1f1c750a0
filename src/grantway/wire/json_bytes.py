"""JSON as bytes: orjson where it is installed (the server always has it), else the standard library, as strict.

The client is installed without the server's libraries, so nothing outside this module names orjson for messages.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from math import isfinite
from typing import Any

JSONDecodeError = json.JSONDecodeError
"""What ``loads`` raises; orjson's own is a subclass of it."""


def _constant(name: str) -> Any:
    raise JSONDecodeError(f"{name} is no JSON", name, 0)


def _whole(digits: str) -> int | float:
    # What does not fit into 64 bits is a float, as with orjson; and nobody's thousand digits are worked on.
    value = int(digits) if len(digits) <= 20 else _decimal(digits)
    return value if -(2**63) <= value < 2**64 else float(value)


def _decimal(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise JSONDecodeError("a number beyond all bounds", "", 0)
    return value


def _loads(data: bytes) -> Any:
    # RFC 8259: UTF-8 without a byte order mark; NaN and the infinities are none of its numbers.
    try:
        text = data.decode()
        value = json.loads(text, parse_constant=_constant, parse_int=_whole, parse_float=_decimal)
        if "\\u" in text:
            _dumps(value)  # half of a surrogate pair is no character, and cannot be written again
    except UnicodeError:
        raise JSONDecodeError("not UTF-8", "", 0) from None
    except RecursionError:
        raise JSONDecodeError("nested too deeply", "", 0) from None
    return value


def _dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


loads: Callable[[bytes], Any]
"""The value that these bytes say. Raises ``JSONDecodeError``."""
dumps: Callable[[Any], bytes]
"""The value as compact UTF-8."""

try:
    import orjson
except ImportError:
    loads, dumps = _loads, _dumps
else:
    loads, dumps = orjson.loads, orjson.dumps
