"""What a seal's hash is over: the same bytes for the same entries for ever, and other bytes for others."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grantway.protocol.facts import NumberedEntry
from grantway.protocol.model import AuditEntry, AuditSeal
from grantway.protocol.sealing import BEGINNING, Range, day_of, hash_of

NOON = datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)
ENTRY = AuditEntry(
    id=int(NOON.timestamp() * 1000).to_bytes(6, "big") + bytes(range(10)),
    at=NOON,
    actor="us_1",
    action="connection_removed",
    reason="customer",
    client_id=b"c" * 16,
    account_id=b"a" * 16,
    connection_id=b"n" * 16,
    grant_id=None,
    user_id=b"u" * 16,
    detail={"é": [1, None, True], "a": {"y": "\u0000", "x": ""}},
)


def digest_of(*entries: AuditEntry, first: int = 1) -> bytes:
    taken = Range()
    for number, entry in enumerate(entries, first):
        taken.add(NumberedEntry(number, entry))
    return taken.digest


def test_the_same_entries_have_the_same_digest_for_ever() -> None:
    assert (
        digest_of(ENTRY, replace(ENTRY, reason=None)).hex()
        == "e368d13eff0dd778280d3ec52eb19a2ba1ae00017495efdc57f1acce99445b22"
    )
    seal = AuditSeal(1, 1, 2, 2, NOON.date(), digest_of(ENTRY), BEGINNING, b"", NOON)
    assert hash_of(seal).hex() == "eaa8794c715a7e3a6aaa3ac725873ebb018a91fa69bac208d60ed7a167171292"


def test_the_order_of_what_a_detail_names_is_not_part_of_it() -> None:
    turned = dict(reversed(list(ENTRY.detail.items())))
    assert list(turned) != list(ENTRY.detail)
    assert digest_of(replace(ENTRY, detail=turned)) == digest_of(ENTRY)


@pytest.mark.parametrize("field", [each.name for each in fields(AuditEntry)])
def test_every_field_is_part_of_it_and_what_is_empty_is_not_what_is_missing(field: str) -> None:
    value = getattr(ENTRY, field)
    empty: Any = {bytes: b"", str: "", dict: {}, datetime: NOON + timedelta(microseconds=1), type(None): b""}
    others: list[dict[str, Any]] = [{}, {field: empty[type(value)]}]
    if field in ("reason", "client_id", "account_id", "connection_id", "user_id"):
        others.append({field: None})
    assert len({digest_of(replace(ENTRY, **other)) for other in others}) == len(others)


def test_what_stands_in_one_field_cannot_stand_in_the_next_one_instead() -> None:
    assert digest_of(replace(ENTRY, actor="us_1c", action="onnection_removed")) != digest_of(ENTRY)
    assert digest_of(replace(ENTRY, reason=None, client_id=b"customer")) != digest_of(ENTRY)


def test_the_order_of_entries_and_their_numbers_are_part_of_it() -> None:
    other = replace(ENTRY, reason="operator")
    assert len({digest_of(ENTRY, other), digest_of(other, ENTRY), digest_of(ENTRY, other, first=2)}) == 3


@pytest.mark.parametrize(
    "changed",
    [
        {"number": 9}, {"first": 9}, {"last": 9}, {"count": 9}, {"day": NOON.date() + timedelta(days=1)},
        {"digest": b"x" * 32}, {"previous": b"x" * 32}, {"sealed_at": NOON + timedelta(microseconds=1)},
    ],
)  # fmt: skip
def test_every_field_of_a_seal_is_part_of_its_hash(changed: dict[str, Any]) -> None:
    seal = AuditSeal(1, 1, 2, 2, NOON.date(), b"d" * 32, BEGINNING, b"", NOON)
    assert hash_of(replace(seal, **changed)) != hash_of(seal)


def test_when_its_entries_were_removed_is_no_part_of_a_seals_hash() -> None:
    seal = AuditSeal(1, 1, 2, 2, NOON.date(), b"d" * 32, BEGINNING, b"", NOON)
    assert hash_of(replace(seal, removed_at=NOON)) == hash_of(seal)


def test_the_day_of_an_entry_is_that_of_its_id() -> None:
    late = replace(ENTRY, at=NOON + timedelta(days=1))
    assert day_of(late) == NOON.date()
