"""Phone.com's dialect: what one end writes the other reads back equal, and anything else is read or ``Malformed``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grantway.wire.dialects import phonecom
from grantway.wire.encoding import MAX_VALUE, read_json_object, write_form
from grantway.wire.errors import ACCESS_DENIED
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import (
    AuthorizationAnswer,
    AuthorizationRequest,
    ErrorAnswer,
    SignOutAnswer,
    TokenRequest,
)
from tests.wire import phonecom_strategies as its
from tests.wire import strategies as some
from tests.wire.strategies import property_of
from tests.wire.test_any_bytes import FORM, JSON, reads_or_refuses
from tests.wire.test_both_ends import by_query, then

PAIRS: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], Any]]] = {
    "authorization request": (
        its.authorization_requests,
        by_query(phonecom.write_authorization_request, phonecom.read_authorization_request),
    ),
    "authorization answer": (
        its.authorization_answers,
        then(phonecom.write_authorization_answer, phonecom.read_authorization_answer),
    ),
    "token request": (its.token_requests, then(phonecom.write_token_request, phonecom.read_token_request)),
    "token answer": (its.token_answers, then(phonecom.write_token_answer, phonecom.read_token_answer)),
    "token status request": (
        its.token_status_requests,
        then(phonecom.write_token_status_request, phonecom.read_token_status_request),
    ),
    "token status answer": (
        its.token_status_answers,
        then(phonecom.write_token_status_answer, phonecom.read_token_status_answer),
    ),
    "sign-out request": (its.sign_out_requests, then(phonecom.write_sign_out_request, phonecom.read_sign_out_request)),
    "sign-out answer": (
        st.builds(SignOutAnswer),
        then(phonecom.write_sign_out_answer, phonecom.read_sign_out_answer),
    ),
    "refusal": (its.refusals, then(phonecom.write_error_answer, phonecom.read_error_answer)),
}


@pytest.mark.parametrize("pair", PAIRS)
@property_of
@given(data=st.data())
def test_what_one_end_writes_the_other_reads_back_equal(pair: str, data: st.DataObject) -> None:
    messages, through = PAIRS[pair]
    message = data.draw(messages)
    assert through(message) == message


@pytest.mark.parametrize(
    "read", [phonecom.read_token_answer, phonecom.read_token_status_answer, phonecom.read_sign_out_answer]
)
@property_of
@given(refusal=its.refusals)
def test_every_answer_may_be_a_refusal(read: Callable[..., Any], refusal: ErrorAnswer) -> None:
    assert read(phonecom.write_error_answer(refusal)) == refusal


@property_of
@given(message=its.token_requests, data=st.data())
def test_parameters_may_stand_in_the_query_in_the_body_or_some_here_and_some_there(
    message: TokenRequest, data: st.DataObject
) -> None:
    written = phonecom.write_token_request(message)
    pairs = list(read_json_object(written.body).plain.items())
    in_query = [data.draw(st.booleans()) for _ in pairs]
    query = write_form([pair for pair, here in zip(pairs, in_query, strict=True) if here]).encode()
    body = write_form([pair for pair, here in zip(pairs, in_query, strict=True) if not here]).encode()
    headers = (*(header for header in written.headers if header[0] != b"content-type"), FORM)
    assert phonecom.read_token_request(replace(written, query=query, body=body, headers=headers)) == message
    # The same in both is the same.
    assert phonecom.read_token_request(replace(written, query=write_form(pairs).encode())) == message


@property_of
@given(some.unicode)
@example("")
@example("+%2B% &=#")
@example("🔑" * (MAX_VALUE // 4))
def test_a_state_comes_back_byte_for_byte_in_the_query_and_in_the_fragment(state: str) -> None:
    asking = AuthorizationRequest("a", "code", "https://a/cb", ("s",), state)
    query = phonecom.write_authorization_request(asking).encode()
    asked = phonecom.read_authorization_request(HttpRequest("GET", phonecom.AUTHORIZE_PATH, query))
    for answer in (
        AuthorizationAnswer("https://a/cb", "c", state=asked.state),
        AuthorizationAnswer("https://a/cb", error=ACCESS_DENIED, state=asked.state, response_type="token"),
    ):
        location = phonecom.write_authorization_answer(answer)
        assert phonecom.read_authorization_answer(location).state == state


@property_of
@given(answer=its.authorization_answers.filter(lambda answer: answer.response_type == "token"))
def test_a_parser_that_splits_at_ampersands_and_equals_reads_the_fragment(answer: AuthorizationAnswer) -> None:
    """vendors.md §2.4: the vendor's script does just that, and decodes each value; §4 trap 13: ``token_type=Bearer``."""
    fragment = phonecom.write_authorization_answer(answer).partition("#")[2]
    read = {}
    for pair in fragment.split("&"):
        name, value = pair.split("=")
        read[name] = unquote(value)
    assert read["state"] == answer.state
    if answer.token is not None:
        assert read["access_token"] == answer.token.access_token
        assert read["token_type"] == answer.token.token_type


@property_of
@given(body=some.mutated(its.token_requests.map(lambda message: phonecom.write_token_request(message).body)))
def test_a_spoilt_token_request_is_read_or_malformed(body: bytes) -> None:
    reads_or_refuses(phonecom.read_token_request, HttpRequest("POST", phonecom.TOKEN_PATH, headers=(JSON,), body=body))
    reads_or_refuses(phonecom.read_token_request, HttpRequest("POST", phonecom.TOKEN_PATH, body))


written_answers = st.one_of(
    its.token_answers.map(phonecom.write_token_answer),
    its.token_status_answers.map(phonecom.write_token_status_answer),
    its.refusals.map(phonecom.write_error_answer),
)


@pytest.mark.parametrize(
    "read",
    [
        phonecom.read_token_answer,
        phonecom.read_token_status_answer,
        phonecom.read_sign_out_answer,
        phonecom.read_error_answer,
    ],
)
@property_of
@given(answer=written_answers, data=st.data())
def test_a_spoilt_answer_is_read_or_malformed(
    read: Callable[..., Any], answer: HttpAnswer, data: st.DataObject
) -> None:
    reads_or_refuses(read, answer)
    reads_or_refuses(read, replace(answer, body=data.draw(some.mutated(st.just(answer.body)))))


@property_of
@given(url=st.text(max_size=60) | some.odd_bytes.map(lambda query: "https://app.example/#" + query.decode("latin-1")))
def test_any_address_is_read_or_malformed(url: str) -> None:
    reads_or_refuses(phonecom.read_authorization_answer, url)
