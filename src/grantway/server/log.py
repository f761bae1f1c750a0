"""Logs: one JSON line per decision, written at the edge. Lines name routes and reasons, never queries or secrets."""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import BinaryIO, Protocol

import orjson
import structlog

from grantway.server.metrics import Metrics

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(level: str) -> None:
    """Write JSON lines of this level and above to standard error. Called once by each process."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=lambda event, **_: orjson.dumps(event, default=str)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )


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
