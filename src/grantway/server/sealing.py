"""The audit is sealed beside the requests: entries are read in small pages, so that nobody waits while they are hashed."""

from __future__ import annotations

import asyncio

from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts, NumberedEntry
from grantway.protocol.model import AuditSeal
from grantway.protocol.moment import Moment
from grantway.protocol.sealing import Range, add_seal, retire_seals
from grantway.server.leases import Hold
from grantway.server.log import log
from grantway.server.service import Service
from grantway.server.turns import run_in_turns

EVERY = 60.0
"""Seconds from one turn to the next: so long an entry is not sealed yet."""
PAGE = 100
"""Entries that are read and hashed at a time: about a millisecond."""
BREATH = 0.005
"""Seconds between two pages, which are the requests'."""


async def run_sealer(service: Service, stop: asyncio.Event, *, every: float = EVERY) -> None:
    """The background task of a server process, until ``stop``. Raises ``OutcomeUnknown`` when storage does."""

    async def turn(hold: Hold) -> int:
        await seal_all(service, hold)
        return (await service.consult(retire_seals)).answer

    await run_in_turns(service, stop, turn, lease="sealer", every=every, done="audit_retired", not_done="not_sealed")


async def seal_all(service: Service, hold: Hold | None = None) -> int:
    """Seal what is there and final; how many entries. The head of the chain is said in the log, seal by seal."""
    up_to, sealed = await service.storage.sealable(), 0
    while hold is None or await hold.is_ours():
        seal = await seal_next(service, up_to)
        if seal is None:
            break
        sealed += seal.count
        log.info("audit_sealed", seal=seal.number, entries=seal.count, head=seal.hash.hex())
    return sealed


async def seal_next(service: Service, up_to: int) -> AuditSeal | None:
    """One more seal over entries with numbers up to this one; ``None`` if there are none, or another process was faster."""
    before = (await service.consult(_last)).answer
    taken, after = Range(), 0 if before is None else before.last
    while True:
        page = (await service.consult(entries_after, after)).answer
        final = [each for each in page if each.number <= up_to]
        if not taken.take(final) or len(final) < PAGE:
            break
        after = taken.last
        await asyncio.sleep(BREATH)
    if taken.count == 0:
        return None
    return (await service.propose(add_seal, before, taken)).answer.seal


async def entries_after(facts: Facts, at: Moment, after: int, limit: int = PAGE) -> Decision[tuple[NumberedEntry, ...]]:
    """The next page of the audit, in order."""
    return Decision(await facts.audit_in_order(after, limit))


async def _last(facts: Facts, at: Moment) -> Decision[AuditSeal | None]:
    return Decision(await facts.last_seal())
