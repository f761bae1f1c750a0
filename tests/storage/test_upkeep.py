"""What keeping house asks of every storage: leases, grants to look at again, the audit in order, seals."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import Any

import pytest

from grantway.protocol.decision import Forget, LookAgain, Put, RetireSeals, SweepGrant
from grantway.protocol.facts import NumberedEntry
from grantway.protocol.leases import take
from grantway.protocol.model import AuditEntry, AuditSeal, Lease
from grantway.protocol.sealing import Range
from grantway.server.sealing import seal_all, seal_next
from grantway.server.service import Service
from grantway.server.settings import Settings
from grantway.server.verification import verify
from tests.helpers.receiver import VAULT
from tests.storage.asking import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    account,
    add,
    an_id,
    ask,
    audit_entry,
    client,
    connection,
    connection_key,
    do,
    foreign_token,
    grant,
    numbers_of,
    user,
)
from tests.storage.conftest import Clock

SEAL = AuditSeal(1, 1, 2, 2, NOON.date(), b"d" * 32, bytes(32), b"h" * 32, NOON)


def service(storage: Any) -> Service:
    return Service(Settings(), storage, VAULT, os.urandom)


def aged(number: int, **fields: Any) -> AuditEntry:
    """An entry whose id was drawn on a day, as all real ones are."""
    at = fields.get("at", NOON)
    return audit_entry(number, id=int(at.timestamp() * 1000).to_bytes(6, "big") + an_id(number)[6:], **fields)


# --- leases


def test_a_lease_is_put_found_and_given_back(storage: Any) -> None:
    lease = Lease("sweeper", b"a" * 16, NOON + MINUTE)
    do(storage, Put(lease))
    assert ask(storage, lambda facts: facts.lease("sweeper")) == lease
    assert ask(storage, lambda facts: facts.lease("sealer")) is None
    do(storage, Put(replace(lease, owner=b"b" * 16)))
    assert ask(storage, lambda facts: facts.lease("sweeper")).owner == b"b" * 16
    do(storage, Forget(lease))
    assert ask(storage, lambda facts: facts.lease("sweeper")) is None


def test_of_ten_that_want_a_lease_at_once_one_has_it(storage: Any) -> None:
    async def all_at_once() -> list[bool]:
        asked = [service(storage).settle(take, "sweeper", bytes([n]) * 16, MINUTE) for n in range(10)]
        return [decision.answer for decision in await asyncio.gather(*asked)]

    assert asyncio.run(all_at_once()).count(True) == 1


# --- grants to look at


def the_world(storage: Any) -> None:
    add(storage, user(), account(), client(), connection())


def to_look_at(storage: Any, at: Any = NOON, limit: int = 100) -> list[int]:
    found = ask(storage, lambda facts: facts.grants_to_look_at(at, limit))
    return numbers_of([each.grant for each in found])


def test_a_grant_is_looked_at_a_month_after_it_was_made_and_then_when_it_was_put_off_to(storage: Any) -> None:
    the_world(storage)
    young, old, older = (grant(number, created_at=NOON - days * DAY) for number, days in ((51, 30), (52, 31), (53, 32)))
    ended = grant(54, created_at=NOON - 99 * DAY, revoked_at=NOON)
    add(storage, young, old, older, ended)
    assert to_look_at(storage) == [53, 52]
    assert to_look_at(storage, limit=1) == [53]
    do(storage, LookAgain(an_id(53), NOON + HOUR))
    assert to_look_at(storage) == [52]
    assert to_look_at(storage, NOON + 2 * HOUR) == [52, 51, 53]


def test_a_grant_is_looked_at_with_what_says_whether_it_can_still_be_used(storage: Any) -> None:
    the_world(storage)
    add(storage, grant(51, created_at=NOON - 40 * DAY))
    (found,) = ask(storage, lambda facts: facts.grants_to_look_at(NOON))
    assert (found.grant.id, found.connection, found.client) == (an_id(51), connection(), client())
    assert not found.has_foreign


@pytest.mark.parametrize(
    ("kind", "generation", "holds"),
    [
        ("access", 0, True), ("access", 1, True), ("refresh", 0, True), ("refresh", 1, False),
        ("migration", 0, True), ("migration", 1, False),
    ],
)  # fmt: skip
def test_a_token_of_an_older_system_holds_its_grant_while_it_is_good_for_something(
    storage: Any, kind: Any, generation: int, holds: bool
) -> None:
    the_world(storage)
    add(storage, grant(51, created_at=NOON - 40 * DAY, generation=generation), grant(52, created_at=NOON - 39 * DAY))
    add(storage, foreign_token(181, grant_id=an_id(51), kind=kind))
    found = ask(storage, lambda facts: facts.grants_to_look_at(NOON))
    assert [each.has_foreign for each in found] == [holds, False]


def test_a_grant_goes_with_what_of_an_older_system_stands_for_it(storage: Any) -> None:
    the_world(storage)
    add(storage, grant(51, generation=3, last_used_day=NOON.date()), grant(52))
    add(storage, foreign_token(181, grant_id=an_id(51)), foreign_token(182, grant_id=an_id(52)))
    do(storage, SweepGrant(an_id(51), 3, NOON.date()))
    assert ask(storage, lambda facts: facts.grant(an_id(51))) is None
    assert ask(storage, lambda facts: facts.foreign_token(an_id(181) * 2)) is None
    assert ask(storage, lambda facts: facts.grant(an_id(52))) is not None
    assert ask(storage, lambda facts: facts.foreign_token(an_id(182) * 2)) is not None


@pytest.mark.parametrize(
    "meanwhile",
    [{"generation": 4}, {"last_used_day": NOON.date()}, {"revoked_at": NOON}],
)
def test_a_grant_that_was_used_or_ended_meanwhile_stays_with_all_that_hangs_from_it(
    storage: Any, meanwhile: dict[str, Any]
) -> None:
    the_world(storage)
    add(storage, grant(51, **{"generation": 3} | meanwhile), foreign_token(181, grant_id=an_id(51)))
    do(storage, SweepGrant(an_id(51), 3, None))
    assert ask(storage, lambda facts: facts.grant(an_id(51))) is not None
    assert ask(storage, lambda facts: facts.foreign_token(an_id(181) * 2)) is not None


def test_a_connection_goes_long_after_its_removal_with_its_keys_and_after_its_grants(storage: Any) -> None:
    add(storage, user(), account(), client())
    long_ago = NOON - 400 * DAY
    removed = {41: long_ago - HOUR, 42: long_ago + HOUR, 43: long_ago - HOUR, 44: None}
    add(storage, *[connection(n, account_id=an_id(n), removed_at=at) for n, at in removed.items()])
    add(storage, *[connection_key(f"act_{n}", connection_id=an_id(n)) for n in removed])
    add(storage, grant(51, connection_id=an_id(43), account_id=an_id(43)))
    assert asyncio.run(storage.sweep()) == 1
    add(storage, *[account(n) for n in removed])
    left = [n for n in removed if ask(storage, lambda facts, n=n: facts.connection(an_id(n))) is not None]  # type: ignore[misc]
    assert left == [42, 43, 44]
    assert [ask(storage, lambda facts, n=n: facts.connection_key(f"act_{n}")) is None for n in removed] == [  # type: ignore[misc]
        True, False, False, False,
    ]  # fmt: skip
    do(storage, SweepGrant(an_id(51), 0, None))
    assert asyncio.run(storage.sweep()) == 1


# --- the audit in order


def test_entries_are_numbered_in_the_order_of_their_commits_whatever_their_ids_say(storage: Any) -> None:
    for number in (9, 3, 7):
        add(storage, audit_entry(number))
    found = ask(storage, lambda facts: facts.audit_in_order())
    assert numbers_of([each.entry for each in found]) == [9, 3, 7]
    numbers = [each.number for each in found]
    assert numbers == sorted(set(numbers))
    assert ask(storage, lambda facts: facts.audit_in_order(numbers[0], 1)) == found[1:2]
    assert asyncio.run(storage.sealable()) == numbers[-1]


def test_seals_are_found_by_number_and_the_last_one_is_the_head(storage: Any) -> None:
    assert ask(storage, lambda facts: facts.last_seal()) is None
    seals = [replace(SEAL, number=n, first=2 * n - 1, last=2 * n) for n in (1, 2, 3)]
    add(storage, *seals)
    assert ask(storage, lambda facts: facts.last_seal()) == seals[2]
    assert ask(storage, lambda facts: facts.seal(2)) == seals[1]
    assert ask(storage, lambda facts: facts.seals(1, 1)) == (seals[1],)
    do(storage, RetireSeals(2, NOON))
    assert ask(storage, lambda facts: facts.seals(kept=True)) == (seals[2],)
    assert [each.removed_at for each in ask(storage, lambda facts: facts.seals())] == [NOON, NOON, None]
    do(storage, RetireSeals(3, NOON + HOUR))
    assert [each.removed_at for each in ask(storage, lambda facts: facts.seals())] == [NOON, NOON, NOON + HOUR]


def test_retired_entries_go_and_their_numbers_are_not_given_again(storage: Any, clock: Clock) -> None:
    add(storage, *[audit_entry(number) for number in (1, 2, 3)])
    first, second, third = (each.number for each in ask(storage, lambda facts: facts.audit_in_order()))
    add(storage, replace(SEAL, first=first, last=second), replace(SEAL, number=2, first=third, last=third))
    do(storage, RetireSeals(1, NOON))
    clock.now += MINUTE
    assert [asyncio.run(storage.sweep(1)) for _ in range(3)] == [1, 1, 0]
    assert numbers_of(ask(storage, lambda facts: facts.audit())) == [3]
    do(storage, RetireSeals(2, NOON + MINUTE))
    clock.now += MINUTE
    assert asyncio.run(storage.sweep()) == 1
    add(storage, audit_entry(4))
    (newest,) = ask(storage, lambda facts: facts.audit_in_order())
    assert newest.number > third


def test_an_audit_is_sealed_and_verified_and_the_hash_is_the_same_on_every_engine(storage: Any) -> None:
    told = {"é": [1, None, True, {"b": 2, "a": "x\u0000y"}], "a": ""}
    entries = (aged(1, reason="", detail=told), aged(2, client_id=an_id(3), user_id=an_id(1), grant_id=an_id(5)))
    add(storage, *entries)
    assert asyncio.run(seal_all(service(storage))) == 2
    seal = ask(storage, lambda facts: facts.last_seal())
    assert (seal.last - seal.first, seal.count, seal.day) == (1, 2, NOON.date())
    as_written = Range()
    for number, entry in enumerate(entries, seal.first):
        as_written.add(NumberedEntry(number, entry))
    assert seal.digest == as_written.digest
    found = asyncio.run(verify(service(storage), seal.hash))
    assert (found.flaw, found.entries, found.since_head) == (None, 2, 0)


def test_of_five_that_seal_at_once_one_makes_the_seal_and_the_chain_is_whole(storage: Any) -> None:
    add(storage, *[aged(number) for number in range(1, 8)])

    async def at_once() -> list[AuditSeal | None]:
        up_to = await storage.sealable()
        return list(await asyncio.gather(*[seal_next(service(storage), up_to) for _ in range(5)]))

    made = [each for each in asyncio.run(at_once()) if each is not None]
    assert list(ask(storage, lambda facts: facts.seals())) == made
    assert [each.count for each in made] == [7]
    assert asyncio.run(verify(service(storage))).flaw is None


def test_upkeep_changes_nothing_that_anybody_reads(storage: Any) -> None:
    the_world(storage)
    add(storage, audit_entry(1))
    for _ in range(2):
        asyncio.run(storage.upkeep())
    assert ask(storage, lambda facts: facts.connection(an_id(4))) is not None
    add(storage, audit_entry(2))
    assert numbers_of(ask(storage, lambda facts: facts.audit())) == [2, 1]
