"""The audit is sealed by one process beside the requests, and whatever is done to it afterwards is found."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.decision import Add, Decision
from grantway.protocol.model import AuditEntry, AuditSeal
from grantway.protocol.sealing import MOST, hash_of, retire_seals
from grantway.server.leases import Hold
from grantway.server.sealing import PAGE, run_sealer, seal_all, seal_next
from grantway.server.service import Service
from grantway.server.settings import Settings
from grantway.server.storage.memory import MemoryStorage
from grantway.server.verification import Verified, verify
from tests.helpers.logs import logged
from tests.helpers.receiver import VAULT, Clock


class House:
    """Storage in memory with an audit, a service on it, and somebody who can get at the rows."""

    def __init__(self, **settings: Any) -> None:
        self.clock = Clock()
        self.storage = MemoryStorage(self.clock)
        self.service = Service(Settings(**settings), self.storage, VAULT, os.urandom)
        self._drawn = 0

    def audit(self, count: int, **changed: Any) -> None:
        """So many entries at this time."""
        now = self.clock()
        milliseconds = int(now.timestamp() * 1000).to_bytes(6, "big")

        def entry() -> AuditEntry:
            self._drawn += 1
            fields: dict[str, Any] = {
                "id": milliseconds + self._drawn.to_bytes(10, "big"), "at": now, "actor": "operator",
                "action": "client_changed", "detail": {"fields": ("name", "scopes"), "n": self._drawn},
            }  # fmt: skip
            return AuditEntry(**fields | changed)

        entries = [entry() for _ in range(count)]

        async def rule(facts: Any, at: Any) -> Decision[None]:
            return Decision(None, tuple(Add(each) for each in entries))

        asyncio.run(self.storage.settle(rule))

    def seal(self) -> int:
        with logged():
            return asyncio.run(seal_all(self.service))

    def verify(self, head: bytes | None = None) -> Verified:
        return asyncio.run(verify(self.service, head))

    def flaw(self, head: bytes | None = None) -> tuple[int, str] | None:
        found = self.verify(head).flaw
        return None if found is None else (found.seal, found.reason)

    def retire(self) -> int:
        return asyncio.run(self.service.settle(retire_seals)).answer

    @property
    def seals(self) -> list[AuditSeal]:
        return sorted(self.storage._tables.of(AuditSeal).values(), key=lambda each: each.number)

    def tamper(self, kind: type[Any], key: Any, record: Any) -> None:
        """What somebody does who can write to the database itself."""
        self.storage._tables.set(kind, key, record)
        self.storage._tables.commit()

    @property
    def entries(self) -> list[AuditEntry]:
        tables = self.storage._tables
        return [tables.of(AuditEntry)[key] for _, key in sorted((n, key) for key, n in tables.numbers.items())]


@pytest.fixture
def house() -> House:
    return House()


def test_an_audit_that_is_as_it_was_says_how_much_of_it_is_sealed(house: House) -> None:
    house.audit(3)
    assert house.seal() == 3
    house.audit(2)
    found = house.verify()
    assert (found.flaw, found.seals, found.entries, found.not_yet_sealed) == (None, 1, 3, 2)
    assert found.head == house.seals[0].hash
    assert house.seal() == 2
    assert house.verify().not_yet_sealed == 0


def test_nothing_to_seal_makes_no_seal(house: House) -> None:
    assert house.seal() == 0
    assert house.seals == []
    assert house.verify() == Verified()


def test_each_seal_follows_the_one_before_and_names_its_entries(house: House) -> None:
    for count in (PAGE + 1, 1, PAGE):
        house.audit(count)
        house.seal()
    first, second, third = house.seals
    assert [each.previous for each in house.seals] == [bytes(32), first.hash, second.hash]
    assert [(each.first, each.last, each.count) for each in house.seals] == [
        (1, PAGE + 1, PAGE + 1), (PAGE + 2, PAGE + 2, 1), (PAGE + 3, 2 * PAGE + 2, PAGE),
    ]  # fmt: skip
    assert len({each.digest for each in house.seals}) == 3
    assert third.hash == hash_of(third)


def test_a_seal_holds_no_more_than_its_most(house: House) -> None:
    house.audit(MOST + 1)
    assert house.seal() == MOST + 1
    assert [each.count for each in house.seals] == [MOST, 1]
    assert house.flaw() is None


def test_a_seal_ends_with_its_day_so_that_retention_takes_whole_ones(house: House) -> None:
    house.audit(2)
    house.clock.turn(days=1)
    house.audit(3)
    house.seal()
    assert [each.count for each in house.seals] == [2, 3]
    assert house.seals[1].day - house.seals[0].day == timedelta(days=1)


@pytest.mark.parametrize(
    "changed",
    [
        {"actor": "system"},
        {"action": "client_created"},
        {"reason": "customer"},
        {"reason": ""},
        {"client_id": b"c" * 16},
        {"account_id": b"a" * 16},
        {"connection_id": b"n" * 16},
        {"grant_id": b"g" * 16},
        {"user_id": b"u" * 16},
        {"at": None},
        {"detail": {"fields": ("name",), "n": 4}},
        {"detail": {"fields": ("namescopes",), "n": 4}},
    ],
)
def test_a_changed_entry_is_found_whatever_of_it_was_changed(house: House, changed: dict[str, Any]) -> None:
    for _ in range(3):
        house.audit(2)
        house.seal()
    entry = house.entries[3]
    if changed == {"at": None}:
        changed = {"at": entry.at + timedelta(microseconds=1)}
    house.tamper(AuditEntry, entry.id, replace(entry, **changed))
    assert house.flaw() == (2, "entries_changed")
    house.tamper(AuditEntry, entry.id, entry)
    assert house.flaw() is None


def test_a_missing_entry_is_found(house: House) -> None:
    house.audit(5)
    house.seal()
    house.tamper(AuditEntry, house.entries[4].id, None)
    assert house.flaw() == (1, "entries_missing")


def test_an_entry_that_was_put_in_between_is_found(house: House) -> None:
    house.audit(5)
    house.seal()
    house.audit(1)
    house.seal()
    late = house.entries[5]
    house.storage._tables.numbers[late.id] = 5  # beside the fifth
    assert house.flaw() == (1, "entries_inserted")


def test_a_changed_seal_is_found_and_so_is_one_that_was_made_anew_over_changed_entries(house: House) -> None:
    for _ in range(2):
        house.audit(2)
        house.seal()
    first = house.seals[0]
    house.tamper(AuditSeal, 1, replace(first, count=1))
    assert house.flaw() == (1, "seal_changed")
    forged = replace(first, digest=b"f" * 32)
    house.tamper(AuditSeal, 1, replace(forged, hash=hash_of(forged)))
    assert house.flaw() == (1, "entries_changed")
    house.tamper(AuditSeal, 1, replace(first, sealed_at=first.sealed_at + timedelta(days=1), hash=b"h" * 32))
    assert house.flaw() == (1, "seal_changed")


def test_a_chain_that_was_forged_as_a_whole_does_not_have_the_head_that_was_noted(house: House) -> None:
    house.audit(2)
    house.seal()
    noted = house.seals[0].hash
    house.audit(2)
    house.seal()
    assert house.verify(noted).since_head == 1
    forged = replace(house.seals[0], sealed_at=house.clock() + timedelta(seconds=1))
    forged = replace(forged, hash=hash_of(forged))
    house.tamper(AuditSeal, 1, forged)
    second = replace(house.seals[1], previous=forged.hash)
    house.tamper(AuditSeal, 2, replace(second, hash=hash_of(second)))
    assert house.flaw() is None
    assert house.flaw(noted) == (2, "head_missing")


def test_an_end_that_was_cut_off_is_found_by_the_head_that_was_noted(house: House) -> None:
    for _ in range(2):
        house.audit(2)
        house.seal()
    noted = house.seals[1].hash
    assert house.verify(noted).since_head == 0
    for entry in house.entries[2:]:
        house.tamper(AuditEntry, entry.id, None)
    house.tamper(AuditSeal, 2, None)
    assert house.flaw() is None
    assert house.flaw(noted) == (1, "head_missing")


def test_a_seal_in_the_middle_cannot_be_left_out(house: House) -> None:
    for _ in range(3):
        house.audit(1)
        house.seal()
    house.tamper(AuditSeal, 2, None)
    assert house.flaw() == (2, "seal_missing")


def test_of_two_that_seal_at_once_one_seal_comes_to_be(house: House) -> None:
    house.audit(4)

    async def both() -> list[AuditSeal | None]:
        return list(await asyncio.gather(seal_next(house.service, 4), seal_next(house.service, 4)))

    made = asyncio.run(both())
    assert len(house.seals) == 1
    assert [each is not None for each in made].count(True) == 1
    assert house.flaw() is None


def test_what_may_still_come_is_not_sealed(house: House) -> None:
    house.audit(4)
    seal = asyncio.run(seal_next(house.service, 3))
    assert seal is not None
    assert seal.last == 3
    assert asyncio.run(seal_next(house.service, 3)) is None


# --- retention


def test_old_entries_go_by_whole_seals_and_the_chain_still_verifies() -> None:
    house = House(audit_retention_days=30)
    for _ in range(3):
        house.audit(2)
        house.seal()
        house.clock.turn(days=20)
    # The first are 60 days old, the second 40, the third 20.
    assert house.retire() == 2
    before_the_sweep = house.verify()
    assert (before_the_sweep.flaw, before_the_sweep.not_yet_removed) == (None, 4)
    house.clock.turn(seconds=1)
    assert asyncio.run(house.storage.sweep()) == 4
    found = house.verify()
    assert (found.flaw, found.retired_seals, found.retired_entries, found.not_yet_removed) == (None, 2, 4, 0)
    assert found.retired_up_to == house.seals[1].day.isoformat()
    assert found.entries == 2
    assert [each.action for each in house.entries][-1] == "audit_retired"
    assert house.entries[-1].detail == {"up_to": found.retired_up_to, "entries": 4}
    assert house.retire() == 0


def test_what_is_not_sealed_stays_however_old_it_is() -> None:
    house = House(audit_retention_days=30)
    house.audit(2)
    house.clock.turn(days=400)
    assert house.retire() == 0
    assert asyncio.run(house.storage.sweep()) == 0
    assert len(house.entries) == 2


def test_nothing_new_gets_a_number_that_was_retired() -> None:
    house = House(audit_retention_days=30)
    house.audit(3)
    house.seal()
    house.clock.turn(days=60)
    house.retire()
    house.clock.turn(seconds=1)
    assert asyncio.run(house.storage.sweep()) == 3
    house.audit(1)
    house.seal()
    assert house.seals[-1].first == 4
    assert house.flaw() is None


def test_somebody_who_takes_entries_out_and_calls_it_retention_is_found() -> None:
    house = House(audit_retention_days=30)
    for _ in range(2):
        house.audit(1)
        house.seal()
    house.tamper(AuditEntry, house.entries[1].id, None)
    house.tamper(AuditSeal, 2, replace(house.seals[1], removed_at=house.clock()))
    assert house.flaw() == (2, "retired_out_of_order")


# --- in the background


def run_for(house: House, *, workers: int, seconds: float) -> list[Any]:
    async def go() -> list[Any]:
        stop = asyncio.Event()
        with logged() as logs:
            tasks = [asyncio.create_task(run_sealer(house.service, stop, every=0.02)) for _ in range(workers)]
            await asyncio.wait(tasks, timeout=seconds)
            stop.set()
            await asyncio.gather(*tasks)
        return list(logs)

    return asyncio.run(go())


@pytest.mark.parametrize("workers", [1, 3])
def test_one_process_of_all_seals_and_says_the_head_in_the_log(house: House, workers: int) -> None:
    house.audit(7)
    logs = run_for(house, workers=workers, seconds=0.3)
    (seal,) = house.seals
    said = {"event": "audit_sealed", "seal": 1, "entries": 7, "head": seal.hash.hex(), "level": "info"}
    assert [each for each in logs if each["event"] == "audit_sealed"] == [said]


def test_a_lease_is_one_owners_until_it_ends_or_is_given_back(house: House) -> None:
    async def go() -> None:
        first, second = Hold(house.service, "sealer", 60), Hold(house.service, "sealer", 60)
        other = Hold(house.service, "sweeper", 60)
        assert [await each.is_ours() for each in (first, second, first, other)] == [True, False, True, True]
        await second.give_back()
        assert not await second.is_ours()
        await first.give_back()
        assert [await each.is_ours() for each in (second, first)] == [True, False]
        house.clock.turn(seconds=61)  # the process of the second is gone
        assert await first.is_ours()

    asyncio.run(go())
