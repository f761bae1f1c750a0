"""What was begun and waits for its callback. It is taken once."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Mapping
from dataclasses import field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from grantway.wire.record import record
from grantway.wire.times import read_time, write_time

LIFETIME = timedelta(hours=1)
"""How long a customer may take. What waits longer is not known any more."""


@record
class Pending:
    """One authorization that was begun: where, by whom, to come back where. ``used``: its callback has come already."""

    server: str
    client_id: str
    begun_at: datetime
    redirect_uri: str | None = None
    scope: tuple[str, ...] | None = None
    code_verifier: str | None = field(default=None, repr=False)
    response_type: str = "code"
    used: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Everything, the verifier included, as JSON has it."""
        return {
            "server": self.server,
            "client_id": self.client_id,
            "begun_at": write_time(self.begun_at),
            "redirect_uri": self.redirect_uri,
            "scope": None if self.scope is None else list(self.scope),
            "code_verifier": self.code_verifier,
            "response_type": self.response_type,
            "used": self.used,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Pending:
        """What ``to_dict`` gave."""
        scope = stored["scope"]
        return cls(
            **{
                **stored,
                "begun_at": read_time(stored["begun_at"]),
                "scope": None if scope is None else tuple(scope),
            }
        )


class PendingStore(Protocol):
    """Where what was begun waits, by its state. An application of several processes brings one that they share."""

    def put(self, state: str, pending: Pending) -> Awaitable[None] | None:
        """Remember it for an hour."""

    def take(self, state: str) -> Awaitable[Pending | None] | Pending | None:
        """Give it back, and never again: of two at once one gets it. One that still knows of it may say ``used``."""


class MemoryPending:
    """In this process. The oldest are forgotten where there are too many."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._waiting: dict[str, Pending] = {}
        self._lock = threading.Lock()

    def put(self, state: str, pending: Pending) -> None:
        """Remember it."""
        with self._lock:
            self._forget(pending.begun_at)
            self._waiting[state] = pending

    def take(self, state: str) -> Pending | None:
        """Give it back; the second time, as ``used``."""
        with self._lock:
            found = self._waiting.get(state)
            if found is not None and not found.used:
                self._waiting[state] = replace(found, used=True, code_verifier=None)
            return found

    def _forget(self, now: datetime) -> None:
        # They stand in the order in which they came.
        while self._waiting:
            state, oldest = next(iter(self._waiting.items()))
            if len(self._waiting) < self._most and oldest.begun_at + LIFETIME > now:
                return
            del self._waiting[state]


def is_over(pending: Pending, now: datetime) -> bool:
    """Whether the customer took too long."""
    return now.astimezone(UTC) >= pending.begun_at + LIFETIME
