"""Any bytes at all are read or ``Malformed``, never another error; and what is read can be said again."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantway.wire import encoding, headers
from grantway.wire.dialects import phonecom, square, standard, sunshine
from grantway.wire.errors import Malformed
from grantway.wire.http import HttpAnswer, HttpRequest
from tests.wire import strategies as some
from tests.wire.strategies import property_of

FORM = (b"content-type", b"application/x-www-form-urlencoded")
JSON = (b"content-type", b"application/json")

REQUESTS = {
    f"{dialect.__name__.rpartition('.')[2]}.{name}": getattr(dialect, name)
    for dialect in (phonecom, square, standard, sunshine)
    for name in dir(dialect)
    if name.startswith("read_") and name.endswith("_request")
}
ANSWERS = {
    f"{dialect.__name__.rpartition('.')[2]}.{name}": getattr(dialect, name)
    for dialect in (phonecom, square, standard, sunshine)
    for name in dir(dialect)
    if name.startswith("read_") and name.endswith("_answer") and name != "read_authorization_answer"
}


def reads_or_refuses(read: Callable[..., Any], *arguments: Any) -> None:
    with suppress(Malformed):
        read(*arguments)


def test_every_reading_function_is_tried() -> None:
    assert len(REQUESTS) == 18
    assert len(ANSWERS) == 18


@pytest.mark.parametrize("name", REQUESTS)
@property_of
@given(request=some.odd_requests)
def test_any_request_is_read_or_malformed(name: str, request: HttpRequest) -> None:
    reads_or_refuses(REQUESTS[name], request)
    for kind in (FORM, JSON):
        others = [header for header in request.headers if header[0] != b"content-type"]
        reads_or_refuses(REQUESTS[name], replace(request, method="POST", headers=(*others, kind)))


@pytest.mark.parametrize("name", ANSWERS)
@property_of
@given(
    status=st.sampled_from([200, 201, 204, 302, 400, 401, 429, 500, 502]), headers=some.odd_headers, body=some.odd_bytes
)
def test_any_answer_is_read_or_malformed(name: str, status: int, headers: Any, body: bytes) -> None:
    reads_or_refuses(ANSWERS[name], HttpAnswer(status, headers, body))


@pytest.mark.parametrize("name", [name for name in REQUESTS if name.startswith("standard")])
@property_of
@given(body=some.mutated(some.token_requests.map(lambda message: standard.write_token_request(message).body)))
def test_a_spoilt_form_is_read_or_malformed(name: str, body: bytes) -> None:
    reads_or_refuses(REQUESTS[name], HttpRequest("POST", "/", body, (FORM,), body))


@property_of
@given(body=some.mutated(some.sunshine_token_requests.map(lambda message: sunshine.write_token_request(message).body)))
def test_a_spoilt_sunshine_token_request_is_read_or_malformed(body: bytes) -> None:
    reads_or_refuses(sunshine.read_token_request, HttpRequest("POST", "/", headers=(JSON,), body=body))


@property_of
@given(body=some.mutated(some.square_token_requests.map(lambda message: square.write_token_request(message).body)))
def test_a_spoilt_square_token_request_is_read_or_malformed(body: bytes) -> None:
    reads_or_refuses(square.read_token_request, HttpRequest("POST", "/", headers=(JSON,), body=body))


written_answers = st.one_of(
    some.token_answers.map(standard.write_token_answer),
    some.introspection_answers.map(standard.write_introspection_answer),
    some.accounts_answers.map(standard.write_accounts_answer),
    some.error_answers.map(standard.write_error_answer),
    some.token_info_answers.map(sunshine.write_token_info_answer),
    some.error_answers.map(sunshine.write_error_answer),
    some.square_token_answers.map(square.write_token_answer),
    some.square_token_status_answers.map(square.write_token_status_answer),
    some.error_answers.map(square.write_error_answer),
)


@pytest.mark.parametrize("name", ANSWERS)
@property_of
@given(answer=written_answers, data=st.data())
def test_a_spoilt_answer_is_read_or_malformed(name: str, answer: HttpAnswer, data: st.DataObject) -> None:
    reads_or_refuses(ANSWERS[name], answer)
    reads_or_refuses(ANSWERS[name], replace(answer, body=data.draw(some.mutated(st.just(answer.body)))))


members = st.sampled_from(
    [
        "access_token",
        "token_type",
        "expires_in",
        "scope",
        "account",
        "error",
        "errors",
        "active",
        "aud",
        "app",
        "accounts",
        "expires_at",
        "scope_details",
        "success",
        "@error",
        "scopes",
        "message",
        "type",
    ]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "name", "code"]), inner),
    max_leaves=5,
)


@pytest.mark.parametrize("name", ANSWERS)
@property_of
@given(values=st.dictionaries(members, anything, max_size=6), status=st.sampled_from([200, 401, 503]))
def test_members_of_any_type_are_read_or_malformed(name: str, values: dict[str, Any], status: int) -> None:
    reads_or_refuses(ANSWERS[name], HttpAnswer(status, body=json.dumps(values).encode()))


@property_of
@given(url=st.text(max_size=60) | some.odd_bytes.map(lambda query: "https://app.example/?" + query.decode("latin-1")))
def test_any_address_is_read_or_malformed(url: str) -> None:
    reads_or_refuses(standard.read_authorization_answer, url)
    reads_or_refuses(sunshine.read_authorization_answer, url)
    reads_or_refuses(square.read_authorization_answer, url)


@pytest.mark.parametrize("read", [encoding.read_form, encoding.read_query, encoding.read_json_object])
@property_of
@given(body=some.odd_bytes)
def test_any_bytes_are_read_or_malformed(read: Callable[[bytes], Any], body: bytes) -> None:
    reads_or_refuses(read, body)


@pytest.mark.parametrize("read", [headers.read_basic, headers.read_bearer, encoding.read_scope])
@property_of
@given(
    text=st.text(max_size=20)
    | st.sampled_from(["Basic ", "Bearer ", "basic Og=="]).flatmap(
        lambda scheme: st.text(st.characters(max_codepoint=0x7F), max_size=12).map(scheme.__add__)
    )
)
def test_any_header_text_is_read_or_malformed(read: Callable[[str], Any], text: str) -> None:
    reads_or_refuses(read, text)
