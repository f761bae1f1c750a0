"""What SQLite keeps for itself: the head of each line, and the range of what begins alike."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grantway.protocol.decision import Add, Change, DropNotice, LeaseNotice, PutOffNotice, ReplayNotice, ReportDelivery
from grantway.server.storage.port import GuardMissed
from grantway.server.storage.sql.facts.reading import beginning
from grantway.server.storage.sqlite.changes import apply
from tests.storage.asking import MINUTE, NOON, an_id, attempt, notice

NUMBERS = st.integers(1, 5)
WORDS = st.text(st.sampled_from("ab\x00\ud7ff\ue000\U0010ffff"), max_size=4)


@pytest.fixture
def connection(database: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(database, isolation_level=None)
    yield connection
    connection.close()


def steps(number: int, line: int, try_number: int) -> tuple[tuple[Change, ...], ...]:
    """What may happen to a notice."""
    leased = LeaseNotice(an_id(number), b"lease", NOON, NOON + MINUTE)
    tried = attempt(try_number, number)
    return (
        (Add(notice(number, line=an_id(line))),),
        (leased, ReportDelivery(b"lease", tried, delivered_at=NOON)),
        (leased, ReportDelivery(b"lease", tried, dead_at=NOON)),
        (leased, ReportDelivery(b"lease", tried, next_attempt_at=NOON + MINUTE)),
        (PutOffNotice(an_id(number), NOON, NOON + MINUTE),),
        (DropNotice(an_id(number), NOON, "gone"),),
        (ReplayNotice(an_id(number), NOON),),
    )


def test_whatever_happens_the_head_of_a_line_is_the_first_added_that_waits(connection: sqlite3.Connection) -> None:
    @settings(max_examples=60)
    @given(st.permutations(range(1, 6)), st.lists(st.tuples(NUMBERS, st.integers(1, 6)), min_size=8, max_size=16))
    def is_so(added: list[int], history: list[tuple[int, int]]) -> None:
        connection.execute("begin")
        try:
            # Some come late, to a line that was empty or not, whatever their ids are.
            adds = [(number, 0) for number in added]
            for try_number, (number, step) in enumerate([*adds[:3], *history[:5], *adds[3:], *history[5:]]):
                connection.execute("savepoint rule")
                try:
                    for change in steps(number, 100 + number % 2, try_number)[step]:
                        apply(connection, change)
                except GuardMissed:
                    connection.execute("rollback to rule")
                waiting = connection.execute(
                    "select line, id, head from notices where delivered_at is null and dead_at is null order by sequence"
                ).fetchall()
                oldest = {line: key for line, key, _ in reversed(waiting)}
                assert {(line, key) for line, key, head in waiting if head} == set(oldest.items())
        finally:
            connection.execute("rollback")

    is_so()


def test_what_begins_alike_lies_in_one_range(connection: sqlite3.Connection) -> None:
    @settings(max_examples=200)
    @given(WORDS, WORDS)
    def is_so(word: str, prefix: str) -> None:
        first, after = beginning(prefix)
        lies_in_it = connection.execute("select ?1 >= ?2 and ?1 < ?3", (word, first, after)).fetchone()
        assert bool(lies_in_it[0]) == word.startswith(prefix)

    is_so()
