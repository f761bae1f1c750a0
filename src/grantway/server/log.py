"""Logs: one JSON line per decision, written at the edge. Lines name routes and reasons, never queries or secrets."""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, BinaryIO, Protocol

import orjson

from grantway.server.metrics import Metrics

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Log:
    """What happens beside requests, one JSON line each: an event and its fields, to standard error."""

    def __init__(self) -> None:
        self.least = logging.INFO
        self.stream: BinaryIO | None = None

    def info(self, event: str, **fields: Any) -> None:
        """Something was done."""
        self._write("info", event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Something could not be done and is tried again."""
        self._write("warning", event, fields)

    def error(self, event: str, **fields: Any) -> None:
        """A fault: somebody has to look."""
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, Any]) -> None:
        if LEVELS[level] < self.least:
            return
        line = {**fields, "event": event, "level": level, "timestamp": datetime.now(UTC)}
        stream = self.stream or sys.stderr.buffer
        stream.write(orjson.dumps(line, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE))
        stream.flush()


log = Log()
"""The log of this process."""


def configure_logs(level: str) -> None:
    """Write lines of this level and above. Called once by each process."""
    log.least = LEVELS[level]


class Traces(Protocol):
    """Who makes spans of requests (``grantway.server.traces``)."""

    def begin(self, traceparent: str | None) -> None: ...

    def answered(
        self, route: str, status: int, reason: str, client: str | None, ms: float, request_id: str
    ) -> None: ...

    def close(self) -> None: ...


class DecisionLog:
    """Where every answer is known: the line that each request gets, its counts, and its span if there are traces.

    The line goes straight to the stream, at a quarter of a logger's cost.
    """

    def __init__(
        self,
        level: str,
        stream: BinaryIO | None = None,
        *,
        metrics: Metrics | None = None,
        traces: Traces | None = None,
    ) -> None:
        self._stream = (stream or sys.stderr.buffer) if LEVELS[level] <= logging.INFO else None
        self._metrics = metrics or Metrics()
        self._traces = traces

    def write(
        self, route: str, status: int, reason: str, client: str | None, ms: float, request_id: str, quiet: bool = False
    ) -> None:
        """A request was answered. ``quiet``: it is counted only (probes, every few seconds for years)."""
        self._metrics.answered(route, status, reason, ms)
        if self._traces is not None:
            self._traces.answered(route, status, reason, client, ms, request_id)
        if self._stream is None or quiet:
            return
        line = {
            "event": "answered",
            "route": route,
            "status": status,
            "reason": reason,
            "client": client,
            "ms": ms,
            "request_id": request_id,
            "level": "info",
            "timestamp": datetime.now(UTC),
        }
        self._stream.write(orjson.dumps(line, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE))
        self._stream.flush()


def where(error: BaseException) -> list[str]:
    """Where an error came from: files, lines and functions. Not its message, which may hold what somebody sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rpartition('grantway/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
