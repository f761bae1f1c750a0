"""JSON without orjson: the standard library, made as strict, reads the same bytes alike or refuses them alike."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantway.wire import json_bytes
from grantway.wire.encoding import read_json_object
from grantway.wire.errors import Malformed
from tests.wire import strategies as some
from tests.wire.strategies import property_of

ODD = [
    b'{"a":1,"a":2}', b'{"a":{"b":1,"b":2}}', b'{"\\u0061":1,"a":2}', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}',
    b'{"a":1e999}', b'{"a":-1e999}', b'{"a":1e-999}', b'{"a":' + b"9" * 25 + b"}", b'{"a":' + b"9" * 400 + b"}",
    b'{"a":' + b"9" * 5000 + b"}", b'{"a":18446744073709551615}', b'{"a":18446744073709551616}',
    b'{"a":-9223372036854775808}', b'{"a":-9223372036854775809}', b'{"a":-0}', b'{"a":-0.0}', b'{"a":1.}', b'{"a":.5}',
    b'{"a":01}', b'{"a":+1}', b'{"a":0x1}', b'{"a":"\\ud800"}', b'{"a":"\\udc00\\ud800"}', b'{"a":"\\ud83d\\ude00"}',
    b'{"\\ud800":1}', b'{"a":"\\u0000"}', b'{"a":"\x00"}', b'{"a":"\t"}', b'{"a":"\x7f"}', b'{"a":"\xff"}',
    b'{"a":"\xed\xa0\x80"}', b'{"a":"\\x41"}', b'{"a":"\\u12"}', b"\xef\xbb\xbf{}", "{}".encode("utf-16"),
    b"{}".decode().encode("utf-32"), b"", b" ", b"{", b"{}}", b"{},", b'{"a":1,}', b"{'a':1}", b'{"a":1}//', b"[]", b"7",
    b'"x"', b"null", b"{}\n", b"\x0b{}", b"\xa0{}", b'{"a":' + b"[" * 9 + b"]" * 9 + b"}",
    b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'{"a":' + b'{"a":' * 3000 + b"1" + b"}" * 3001,
    b'{"a":[1,2.5,"x",null,true,{"b":[]}]}', b'{"a":"' + b"x" * 9000 + b'"}', b'{"a":true,"b":"\xc3\xa9"}',
]  # fmt: skip


def read(body: bytes) -> Any:
    """What the reader of all messages makes of it."""
    try:
        return dict(read_json_object(body).plain)
    except Malformed:
        return Malformed


def read_alike(body: bytes) -> None:
    assert json_bytes.loads is orjson.loads, "the server has orjson"
    quick = read(body)
    with patch.object(json_bytes, "loads", json_bytes._loads):
        plain = read(body)
    assert repr(plain) == repr(quick), "types count: 1 is not 1.0"


@pytest.mark.parametrize("body", ODD, ids=lambda body: repr(body[:24]))
def test_odd_json_is_read_alike_or_refused_alike(body: bytes) -> None:
    read_alike(body)


def test_some_of_the_odd_is_read_and_most_is_not() -> None:
    """Should everything be refused, the test above would say nothing."""
    found = [read(body) is Malformed for body in ODD]
    assert found.count(False) > 10
    assert found.count(True) > 30


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
_objects = st.dictionaries(st.text(max_size=4), _values, max_size=4)


@property_of
@given(members=_objects, escaped=st.booleans())
def test_any_object_is_read_alike(members: dict[str, Any], escaped: bool) -> None:
    read_alike(json.dumps(members, ensure_ascii=escaped).encode("utf-8", "surrogatepass"))


@property_of
@given(body=some.mutated(_objects.map(lambda members: json.dumps(members).encode())) | some.odd_bytes)
def test_any_bytes_are_read_alike_or_refused_alike(body: bytes) -> None:
    read_alike(body)


@property_of
@given(members=_objects)
def test_what_is_written_without_orjson_orjson_reads(members: dict[str, Any]) -> None:
    if read(json.dumps(members).encode()) is not Malformed:
        assert repr(orjson.loads(json_bytes._dumps(members))) == repr(orjson.loads(json.dumps(members)))
