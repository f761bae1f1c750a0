"""The journal of removals: what stands in it, for how long, and what is read from it again."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from grantway.protocol.administration.restoring import FOUND_BY, STANDING, Gone, Standing, Taken
from grantway.protocol.decision import EndGrant, EndUserGrants, MoveGeneration, Put, RemoveConnection
from grantway.protocol.model import (
    Connection,
    ConnectionKey,
    Developer,
    EndedToken,
    Membership,
    Operator,
    SigningKey,
    Suspension,
    User,
)
from grantway.server.removals import KEPT, Journal
from grantway.server.settings import Settings

NOON = datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)
A, B = b"a" * 16, b"b" * 16

EVERY_KIND: tuple[Taken, ...] = (
    RemoveConnection(A, NOON, "customer", B),
    EndGrant(A, NOON, "integrator"),
    EndUserGrants(A, B, NOON, "member_left", only_codes=True),
    Put(EndedToken(A, NOON, NOON + timedelta(days=1))),
    Put(Membership(A, B, "member", NOON, {"phonecom": "7"})),
    Put(Operator(B, "viewer", NOON)),
    Put(Developer(B, A, NOON)),
    Gone(Membership, (B, A)),
    Gone(Operator, (A,)),
    Gone(ConnectionKey, ("ck_1",)),
    Standing(User, A, {"disabled_at": NOON, "password_version": 3}),
    Standing(SigningKey, "kid", {"retires_at": NOON}),
    Standing(
        Connection, B, {"suspended_at": NOON, "suspensions": (Suspension(NOON, "operator", "operator"),)}
    ),
    Standing(Connection, A, {"suspended_at": None, "suspensions": ()}),
)  # fmt: skip


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "removals")


def test_what_is_written_is_read_back(journal: Journal) -> None:
    journal.append(EVERY_KIND, NOON)
    assert journal.read(NOON).taken == EVERY_KIND


def test_it_is_for_its_owner_only(journal: Journal) -> None:
    journal.append(EVERY_KIND, NOON)
    (day,) = journal.directory.iterdir()
    assert (day.name, day.stat().st_mode & 0o777) == ("2026-05-04.jsonl", 0o600)
    assert journal.directory.stat().st_mode & 0o777 == 0o700


def test_each_line_is_an_object_of_json(journal: Journal) -> None:
    journal.append(EVERY_KIND, NOON)
    lines = (journal.directory / "2026-05-04.jsonl").read_text().splitlines()
    assert len(lines) == len(EVERY_KIND)
    assert json.loads(lines[0]) == {
        "at": {"time": "2026-05-04T12:00:00.123456+00:00"},
        "change": "RemoveConnection",
        "fields": {
            "connection_id": {"hex": A.hex()},
            "at": {"time": "2026-05-04T12:00:00.123456+00:00"},
            "reason": "customer",
            "by": {"hex": B.hex()},
        },
    }


def test_no_secret_can_get_into_it() -> None:
    names = {name for columns in (*STANDING.values(), *FOUND_BY.values()) for name in columns}
    assert not {name for name in names if "secret" in name or "digest" in name or "hash" in name or "sealed" in name}


def test_what_was_taken_and_given_back_stands_as_it_did_in_the_end(journal: Journal) -> None:
    mine = Membership(A, B, "owner", NOON)
    journal.append((Gone(Membership, (A, B)), Standing(User, A, {"disabled_at": NOON})), NOON)
    journal.append((Put(mine), Standing(User, A, {"disabled_at": None})), NOON + timedelta(minutes=1))
    journal.append((EndGrant(A, NOON, "operator"), EndGrant(A, NOON + timedelta(minutes=1), "operator")), NOON)
    read = journal.read(NOON).taken
    assert read == (
        EndGrant(A, NOON + timedelta(minutes=1), "operator"),
        Put(mine),
        Standing(User, A, {"disabled_at": None}),
    )


def test_what_stood_there_long_before_the_backup_is_not_read(journal: Journal) -> None:
    for day in range(4):
        journal.append((RemoveConnection(bytes([day]) * 16, NOON, "operator"),), NOON + timedelta(days=day))
    read = journal.read(NOON + timedelta(days=2)).taken
    assert read == tuple(RemoveConnection(bytes([day]) * 16, NOON, "operator") for day in (2, 3))


def test_files_of_several_hosts_are_read_together_in_the_order_of_time(journal: Journal) -> None:
    """Copied into one directory, each with its host's name behind the day."""
    other = Journal(journal.directory.parent / "other")
    other.append((Standing(User, A, {"disabled_at": None}),), NOON + timedelta(minutes=1))
    journal.append((Standing(User, A, {"disabled_at": NOON}), Gone(Operator, (A,))), NOON)
    (other.directory / "2026-05-04.jsonl").rename(journal.directory / "2026-05-04-a.example.jsonl")
    assert journal.read(NOON).taken == (Gone(Operator, (A,)), Standing(User, A, {"disabled_at": None}))


def test_a_line_that_a_crash_has_torn_is_passed_over_and_told(journal: Journal) -> None:
    journal.append(EVERY_KIND[:1], NOON)
    with (journal.directory / "2026-05-04.jsonl").open("ab") as file:
        file.write(
            b'{"at": {"time": "2026-05-04T12:0\n{"at": 1}\n[]\n{"at": {"time": "2026-05-04T12:00:00+00:00"}}\n{"torn'
        )
    journal.append(EVERY_KIND[1:2], NOON)
    read = journal.read(NOON)
    assert (read.taken, read.unreadable) == (EVERY_KIND[:2], 5)


def test_the_files_of_days_long_past_go_by_themselves(journal: Journal) -> None:
    journal.append(EVERY_KIND, NOON)
    (journal.directory / "notes.jsonl").write_text("mine\n")
    journal.append(EVERY_KIND, NOON + KEPT)
    journal.append(EVERY_KIND, NOON + KEPT + timedelta(days=1))
    assert sorted(each.name for each in journal.directory.iterdir()) == [
        "2026-08-02.jsonl",
        "2026-08-03.jsonl",
        "notes.jsonl",
    ]


def test_many_who_append_at_once_do_not_write_into_one_anothers_lines(journal: Journal) -> None:
    def write(number: int) -> None:
        for each in range(20):
            journal.append((RemoveConnection(bytes([number, each]) * 8, NOON, "x" * 300),) * 3, NOON)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read = journal.read(NOON)
    assert (len(read.taken), read.unreadable) == (160, 0)


def test_where_there_is_none_nothing_is_read_and_that_is_told(journal: Journal) -> None:
    read = journal.read(NOON)
    assert (read.taken, read.was_kept) == ((), False)


def test_what_many_take_away_at_once_is_all_there_when_they_are_answered(journal: Journal) -> None:
    async def end(number: int) -> None:
        ended = EndGrant(number.to_bytes(16, "big"), NOON, "operator")
        await journal.hear((ended,))
        assert ended in journal.read(NOON).taken

    async def all_at_once() -> None:
        await asyncio.gather(*(end(number) for number in range(40)))

    asyncio.run(all_at_once())
    assert len(journal.read(NOON).taken) == 40


def test_who_goes_away_takes_nobodys_line_along(journal: Journal) -> None:
    async def end(number: int) -> None:
        await journal.hear((EndGrant(bytes([number]) * 16, NOON, "operator"),))

    async def one_goes() -> None:
        gone, stays = asyncio.create_task(end(1)), asyncio.create_task(end(2))
        await asyncio.sleep(0)
        gone.cancel()
        await stays

    asyncio.run(one_goes())
    assert len(journal.read(NOON).taken) == 2


def test_what_takes_nothing_away_makes_no_file(journal: Journal) -> None:
    asyncio.run(journal.hear((MoveGeneration(A, 1, NOON),)))
    assert not journal.directory.exists()


def test_a_full_disk_does_not_undo_what_is_true(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    asyncio.run(Journal(tmp_path / "file").hear((RemoveConnection(A, NOON, "operator"),)))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "data/removals"),
        ({"database": "/var/lib/grantway/g.db"}, "/var/lib/grantway/removals"),
        ({"removals_journal": "/journal"}, "/journal"),
        ({"removals_journal": "off"}, None),
    ],
)
def test_it_lies_beside_the_database_unless_something_else_is_said(settings: Any, expected: str | None) -> None:
    journal = Journal.of(Settings(**settings))
    assert (None if journal is None else str(journal.directory)) == expected
