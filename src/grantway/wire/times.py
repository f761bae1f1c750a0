"""Points in time as JSON has them: RFC 3339, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from grantway.wire.errors import INVALID_REQUEST, Malformed


def write_time(at: datetime) -> str:
    """The aware time in UTC, with a ``Z``."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_time(text: str) -> datetime:
    """The time, which must say where it is meant (RFC 3339 §4.4). ``Malformed`` when it is none."""
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Malformed(INVALID_REQUEST, "time_malformed")
