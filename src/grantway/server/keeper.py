"""Keeping house: connections that nobody uses, and those of clients and accounts that ended, go off the request path."""

from __future__ import annotations

import asyncio

from grantway.protocol.administration.aftermath import remove_connections
from grantway.protocol.lifecycle import remove_neglected
from grantway.server.leases import Hold
from grantway.server.service import Service
from grantway.server.turns import run_in_turns, stopped

EVERY = 300.0
"""Seconds from one turn to the next: what waited for an hour or for months may wait for minutes."""
BATCH = 20
"""Connections of each kind in one transaction. Each may mean a dozen rows: its end, and all who are told of it."""
PAUSE = 0.25
"""Seconds between two batches of a turn."""
BATCHES = 200
"""Batches in one turn; more than that waits for the next one."""


async def run_keeper(
    service: Service, stop: asyncio.Event, *, every: float = EVERY, batch: int = BATCH, pause: float = PAUSE
) -> None:
    """The background task of a server process, until ``stop``. Raises ``OutcomeUnknown`` when storage does.

    One process of all does it at a time; what is removed is settled by storage anyway.
    """

    async def turn(hold: Hold) -> int:
        gone = 0
        for rule in (remove_neglected, remove_connections):
            for _ in range(BATCHES):
                decision = await service.consult(rule, batch)
                gone += decision.answer
                if decision.answer < batch or await stopped(stop, pause) or not await hold.is_ours():
                    break
        return gone

    await run_in_turns(service, stop, turn, lease="keeper", every=every, done="tidied", not_done="not_tidied")
