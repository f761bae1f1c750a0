"""Waiting for what comes true, and not for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(true: Callable[[], Found], what: str, seconds: float = 60) -> Found:
    """What it gives once it gives something. The time is for a machine that does ten things at once."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, f"in vain: {what}"
        time.sleep(0.02)
    return found
