"""Is the audit still what was sealed? Every seal is computed anew from its entries, and the chain followed to its head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts
from grantway.protocol.model import AuditSeal
from grantway.protocol.moment import Moment
from grantway.protocol.sealing import BEGINNING, Range, hash_of
from grantway.server.sealing import entries_after
from grantway.server.service import Service
from grantway.wire.record import record

_SEALS = 200
_ENTRIES = 1000
"""Read at a time. Nobody waits for this process."""


@record
class Flaw:
    """The first place that is wrong: what is the matter there in a sentence, and in a slug."""

    seal: int
    reason: str
    sentence: str


@dataclass
class Verified:
    """What was found. ``flaw``: where it stopped. ``since_head``: seals after the one whose hash was given."""

    seals: int = 0
    entries: int = 0
    head: bytes = BEGINNING
    retired_seals: int = 0
    retired_entries: int = 0
    retired_up_to: str | None = None
    not_yet_removed: int = 0
    not_yet_sealed: int = 0
    since_head: int | None = None
    flaw: Flaw | None = None


async def verify(
    service: Service, head: bytes | None = None, progress: Callable[[Verified], None] = lambda _: None
) -> Verified:
    """Verify the whole audit while others write on. ``head``: a hash that was noted earlier has to be in the chain."""
    told, last = Verified(), 0
    while told.flaw is None:
        page = (await service.consult(_seals_after, told.seals)).answer
        for seal in page:
            told.flaw = _flaw_of_seal(seal, told, last) or await _flaw_of_entries(service, seal, told, last)
            if told.flaw is not None:
                break
            told.seals, told.head, last = seal.number, seal.hash, seal.last
            if told.since_head is not None:
                told.since_head += 1
            elif seal.hash == head:
                told.since_head = 0
        progress(told)
        if len(page) < _SEALS:
            break
    if told.flaw is None:
        told.not_yet_sealed = await _count(service, last)
    if told.flaw is None and head is not None and told.since_head is None:
        told.flaw = Flaw(
            told.seals,
            "head_missing",
            "No seal has the hash that was given: the end of the chain is cut off or another.",
        )
    return told


def _flaw_of_seal(seal: AuditSeal, told: Verified, last: int) -> Flaw | None:
    expected = told.seals + 1
    if seal.number != expected:
        return Flaw(expected, "seal_missing", f"Seal {expected} is missing.")
    if seal.previous != told.head or seal.hash != hash_of(seal) or not last < seal.first <= seal.last:
        return Flaw(seal.number, "seal_changed", f"Seal {seal.number} was changed, or does not follow the one before.")
    if seal.removed_at is not None and told.entries:
        return Flaw(
            seal.number,
            "retired_out_of_order",
            f"Seal {seal.number} says that its entries were removed, but older ones are still here.",
        )
    return None


async def _flaw_of_entries(service: Service, seal: AuditSeal, told: Verified, last: int) -> Flaw | None:
    if seal.removed_at is None:
        found = await _range(service, last, seal.last)
        if (found.count, found.digest) == (seal.count, seal.digest):
            told.entries += found.count
            return None
        now = (await service.consult(_seal, seal.number)).answer
        if now is None or now.removed_at is None:
            return _difference(seal, found.count)
    told.not_yet_removed += (await _range(service, last, seal.last)).count
    told.retired_seals += 1
    told.retired_entries += seal.count
    told.retired_up_to = seal.day.isoformat()
    return None


def _difference(seal: AuditSeal, found: int) -> Flaw:
    where = f"Under seal {seal.number} ({seal.day.isoformat()}, numbers {seal.first} to {seal.last})"
    if found < seal.count:
        return Flaw(
            seal.number, "entries_missing", f"{where} {seal.count - found} of {seal.count} entries are missing."
        )
    if found > seal.count:
        return Flaw(
            seal.number, "entries_inserted", f"{where} there are {found} entries where {seal.count} were sealed."
        )
    return Flaw(seal.number, "entries_changed", f"{where} an entry is not what was sealed.")


async def _range(service: Service, after: int, up_to: int) -> Range:
    """All entries of a range, as they are, whatever their days."""
    found = Range()
    while True:
        page = (await service.consult(entries_after, after, _ENTRIES)).answer
        within = [each for each in page if each.number <= up_to]
        for each in within:
            found.add(each)
        if not within or len(within) < len(page):
            return found
        after = within[-1].number


async def _count(service: Service, after: int) -> int:
    count = 0
    while page := (await service.consult(entries_after, after, _ENTRIES)).answer:
        count, after = count + len(page), page[-1].number
    return count


async def _seals_after(facts: Facts, at: Moment, number: int) -> Decision[tuple[AuditSeal, ...]]:
    return Decision(await facts.seals(number, _SEALS))


async def _seal(facts: Facts, at: Moment, number: int) -> Decision[AuditSeal | None]:
    return Decision(await facts.seal(number))
