"""What the server logs beside requests, for a test to look at."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any, BinaryIO

from typing_extensions import override

from grantway.server.log import log


class _Lines(BytesIO):
    def __init__(self) -> None:
        super().__init__()
        self.read_so_far: list[dict[str, Any]] = []

    @override
    def write(self, line: Any) -> int:
        told = json.loads(line)
        assert told.pop("timestamp").endswith("Z")
        self.read_so_far.append(told)
        return len(line)


@contextmanager
def logged() -> Iterator[list[dict[str, Any]]]:
    """The lines that are written while the block runs, as they come, without their times."""
    lines = _Lines()
    with log_goes_to(lines):
        yield lines.read_so_far


@contextmanager
def log_goes_to(stream: BinaryIO) -> Iterator[None]:
    """Lines of every level go to this stream while the block runs."""
    before = log.least, log.stream
    log.least, log.stream = logging.DEBUG, stream
    try:
        yield
    finally:
        log.least, log.stream = before
