"""From what a process counts to what pictures show: once a minute the difference goes into the hour's tallies.

What was counted since the last time is lost when a process is killed; tallies are for pictures, not for accounts.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

from grantway.protocol.tallies import add_tallies
from grantway.server.log import log
from grantway.server.metrics import Metrics
from grantway.server.service import Service
from grantway.server.storage.port import OutcomeUnknown, StorageError

EVERY = 60.0
"""Seconds between two times."""

CONNECTIONS = {
    "connection_removed": "removed",
    "connection_suspended": "suspended",
    "connection_resumed": "resumed",
}
"""Audit actions that are counted as steps in the life of a connection."""
SIGN_INS = {
    "sign_in_unknown_user": "unknown_user",
    "sign_in_wrong_password": "wrong_password",
    "sign_in_overtaken": "overtaken",
    "sign_in_address_limited": "limited",
}
"""Reasons of refusals that are outcomes of a sign-in; they are no refusals of an integration."""
NOBODY = frozenset({"page_unknown", "method_not_allowed", "caller_gone"})
"""Reasons that say nothing of anybody's integration: scanners, and people who typed an address."""

Counts = Counter[tuple[str, str]]


def totals(metrics: Metrics) -> Counts:
    """What the process has counted since its start, as tallies have it."""
    found: Counts = Counter()
    for (_, status, reason), cell in metrics.answers.items():
        if reason in SIGN_INS:
            found["sign_ins", SIGN_INS[reason]] += cell.count
        elif 400 <= status < 500 and reason not in NOBODY:
            found["refusals", reason] += cell.count
    for (what, first, second), count in metrics.counts.items():
        if what == "tokens":
            found["tokens", first] += count
        elif what == "deliveries":
            found["deliveries", second] += count
        elif what == "connections":
            found["connections", first] += count
        elif what == "audited" and first in CONNECTIONS:
            found["connections", CONNECTIONS[first]] += count
        elif what == "audited" and first == "signed_in":
            found["sign_ins", "signed_in"] += count
    return found


class Tallies:
    """What has been told to the storage already, and what has not."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._told: Counts = Counter()

    async def flush(self) -> None:
        """Tell what is new. What the storage does not take is told the next time. Raises ``OutcomeUnknown``."""
        now = totals(self._service.metrics)
        new = now - self._told
        if not new:
            return
        try:
            await self._service.settle(add_tallies, dict(new))
        except OutcomeUnknown:
            raise
        except StorageError as error:
            log.warning("not_tallied", error=type(error).__name__)
        else:
            self._told = now


async def run_tallies(tallies: Tallies, stop: asyncio.Event, every: float = EVERY) -> None:
    """The background task of a server process: once a minute until ``stop``; whoever stops it flushes at last."""
    while not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)
        if not stop.is_set():
            await tallies.flush()
