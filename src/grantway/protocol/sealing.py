"""Seals over the audit: what was written once cannot be changed, taken out or put in without the chain telling.

Entries are written without one another, so that nobody waits for the entry before; a moment later one process seals
what came, in order. A seal's hash covers its entries and the seal before it, so whoever noted the newest hash elsewhere
(it is in the log) can prove every entry up to there. The bytes that are hashed are the same on every engine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from grantway.protocol import audit
from grantway.protocol.decision import Add, Decision, RetireSeals
from grantway.protocol.facts import Facts, NumberedEntry
from grantway.protocol.model import AuditEntry, AuditSeal
from grantway.protocol.moment import Moment
from grantway.wire import json_bytes
from grantway.wire.record import record

MOST = 10_000
"""Entries under one seal."""

BEGINNING = bytes(32)
"""What stands before the first seal."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SEALS_AT_ONCE = 1000


def day_of(entry: AuditEntry) -> date:
    """The day (UTC) that an entry's id was drawn on: entries are kept, and go, by it."""
    return (_EPOCH + timedelta(milliseconds=int.from_bytes(entry.id[:6], "big"))).date()


class Range:
    """Entries in order, as they come, under one hash."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256(b"grantway audit entries 1\n")
        self.first = self.last = self.count = 0
        self.day: date | None = None

    def take(self, entries: Iterable[NumberedEntry]) -> bool:
        """Take them up to the end of a day and to what fits under one seal; whether all of them did."""
        for each in entries:
            day = day_of(each.entry)
            if self.count == MOST or self.day not in (None, day):
                return False
            self.add(each)
            self.day = day
        return True

    def add(self, each: NumberedEntry) -> None:
        """One more."""
        self._hash.update(_bytes_of(each))
        self.first = self.first or each.number
        self.last = each.number
        self.count += 1

    @property
    def digest(self) -> bytes:
        return self._hash.digest()


def hash_of(seal: AuditSeal) -> bytes:
    """What the seal's hash has to be. When its entries were retired is not part of it."""
    parts = (seal.number, seal.first, seal.last, seal.count, seal.day.isoformat(), _micros(seal.sealed_at))
    told = "\n".join(("grantway audit seal 1", *map(str, parts), seal.digest.hex(), seal.previous.hex()))
    return hashlib.sha256(told.encode()).digest()


@record
class Sealed:
    """The new seal; ``None`` if another process was faster."""

    seal: AuditSeal | None


async def add_seal(facts: Facts, at: Moment, before: AuditSeal | None, taken: Range) -> Decision[Sealed]:
    """A seal over a range that follows the seal ``before``. Its number is its guard: of two at once one comes to be."""
    last = await facts.last_seal()
    if (last and last.hash) != (before and before.hash):
        return Decision(Sealed(None), reason="sealed_by_another")
    if taken.day is None:
        raise ValueError("nothing to seal")
    seal = AuditSeal(
        number=last.number + 1 if last else 1,
        first=taken.first,
        last=taken.last,
        count=taken.count,
        day=taken.day,
        digest=taken.digest,
        previous=last.hash if last else BEGINNING,
        hash=b"",
        sealed_at=at.now,
    )
    sealed = replace(seal, hash=hash_of(seal))
    return Decision(Sealed(sealed), (Add(sealed),), "sealed")


async def retire_seals(facts: Facts, at: Moment) -> Decision[int]:
    """The entries under the oldest seals go once their days are older than the installation keeps. How many seals.

    Only what is sealed goes, and in the order in which it came, so nothing stands between what is gone and what is there.
    """
    if at.house.audit_kept is None:
        return Decision(0, reason="audit_kept")
    cutoff = (at.now - at.house.audit_kept).date()
    old: list[AuditSeal] = []
    for seal in await facts.seals(0, _SEALS_AT_ONCE, kept=True):
        if seal.day >= cutoff:
            break
        old.append(seal)
    if not old:
        return Decision(0, reason="nothing_to_retire")
    entries = sum(seal.count for seal in old)
    written = audit.note(
        at, "system", "audit_retired", reason="retention", up_to=old[-1].day.isoformat(), entries=entries
    )
    return Decision(len(old), (RetireSeals(old[-1].number, at.now), written), "audit_retired")


def _bytes_of(each: NumberedEntry) -> bytes:
    entry = each.entry
    fields = (
        str(each.number), entry.id, str(_micros(entry.at)), entry.actor, entry.action, entry.reason, entry.client_id,
        entry.account_id, entry.connection_id, entry.grant_id, entry.user_id, json_bytes.dumps(_sorted(entry.detail)),
    )  # fmt: skip
    return b"".join(map(_framed, fields))


def _framed(value: bytes | str | None) -> bytes:
    # What is not there is not what is empty, and where a field ends is not for its content to say.
    if value is None:
        return b"-"
    data = value.encode() if isinstance(value, str) else value
    return b"+" + len(data).to_bytes(4, "big") + data


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, (list, tuple)) else value


def _micros(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)
