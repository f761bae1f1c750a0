"""What is written into a row is read back equal, for every kind of record and whatever it holds."""

from __future__ import annotations

import sqlite3
import typing
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta, timezone
from types import UnionType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grantway.protocol.model import Client, ClientSecret, PendingAuthorization, Suspension
from grantway.server.storage.keeping import KEYS
from grantway.server.storage.sql.records import CODECS
from grantway.server.storage.sql.statements import rows as sql
from grantway.server.storage.sqlite import migrate

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30)), timezone(timedelta(hours=14))])
TIMES = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=ZONES)  # noqa: DTZ001
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    bytes: st.binary(max_size=40),
    str: TEXT,
    int: st.integers(0, 2**32),
    bool: st.booleans(),
    date: st.dates(),
    datetime: TIMES,
    Any: JSON,
    type(None): st.none(),
    ClientSecret: st.builds(ClientSecret, st.binary(), TIMES, st.none() | TIMES, st.none() | TEXT),
    Suspension: st.builds(Suspension, TIMES, st.sampled_from(["customer", "operator", "member_left"]), TEXT),
}


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value that a field of this type may hold."""
    if hint in PLAIN:
        return PLAIN[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin in (UnionType, typing.Union):
        return st.one_of(*map(values_of, arguments))
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(values_of(arguments[0]), max_size=4).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values_of, arguments))
    if origin is Mapping:
        return st.dictionaries(values_of(arguments[0]), values_of(arguments[1]), max_size=3)
    raise AssertionError(hint)


def records_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{each.name: values_of(hints[each.name]) for each in fields(kind)})


@pytest.mark.parametrize("kind", list(KEYS), ids=lambda kind: kind.__name__)
def test_every_record_comes_back_as_it_was(kind: type[Any], database: Any) -> None:
    connection = sqlite3.connect(database, isolation_level=None)

    @settings(max_examples=60)
    @given(records_of(kind))
    def comes_back(record: Any) -> None:
        row = CODECS[kind].write(record)
        connection.execute("begin")
        try:
            connection.execute(sql.ADD[kind], row)
            rows = connection.execute(sql.BY_KEY[kind], row[: sql.TABLES[kind][1].count("?")]).fetchall()
            assert CODECS[kind].read(rows[0]) == record
        finally:
            connection.execute("rollback")

    comes_back()
    connection.close()


def test_tuples_come_back_as_tuples_so_that_policy_can_be_looked_up() -> None:
    codec = CODECS[Client]
    client = Client(b"1", "c", "C", datetime.now(UTC), b"s", "k", overrides=(("live_grants", 2),), scopes=("a",))
    read = codec.read(codec.write(client))
    assert read.policy.live_grants == 2
    assert hash(read.scopes) == hash(("a",))
    assert CODECS[PendingAuthorization].names[0] == "digest"


def test_the_keys_of_records_are_their_first_columns() -> None:
    for kind, codec in CODECS.items():
        first = codec.names[: sql.TABLES[kind][1].count("?")]
        assert [name in sql.TABLES[kind][1] for name in first] == [True] * len(first)


def test_migrating_twice_does_nothing(database: Any) -> None:
    assert migrate(database) == []
