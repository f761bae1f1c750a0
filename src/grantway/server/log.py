"""Logs: one JSON line per decision, written at the edge. Lines name routes and reasons, never queries or secrets."""

from __future__ import annotations

import logging
import sys
import traceback

import orjson
import structlog

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


def where(error: BaseException) -> list[str]:
    """Where an error came from: files, lines and functions. Not its message, which may hold what somebody sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rpartition('grantway/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
