"""What one end writes the other reads back equal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantway.wire.dialects import square, standard, sunshine
from grantway.wire.encoding import read_form, read_scope, write_form, write_scope
from grantway.wire.errors import INVALID_GRANT, INVALID_TOKEN, OAuthError
from grantway.wire.headers import read_basic, read_bearer, write_basic, write_bearer
from grantway.wire.http import HttpRequest
from grantway.wire.messages import (
    AccessRevocationAnswer,
    AccessRevocationRequest,
    AccountSummary,
    AuthorizationRevocationAnswer,
    ErrorAnswer,
    RevocationAnswer,
    TokenAnswer,
    TokenInfoAnswer,
)
from tests.wire import strategies as some
from tests.wire.strategies import property_of


def by_query(write: Callable[[Any], str], read: Callable[[HttpRequest], Any]) -> Callable[[Any], Any]:
    return lambda message: read(HttpRequest("GET", "/", write(message).encode()))


def by_form(write: Callable[[Any], str], read: Callable[[HttpRequest], Any]) -> Callable[[Any], Any]:
    form = ((b"content-type", b"application/x-www-form-urlencoded"),)
    return lambda message: read(HttpRequest("POST", "/", headers=form, body=write(message).encode()))


def then(write: Callable[[Any], Any], read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda message: read(write(message))


PAIRS = {
    "standard authorization request, in the query": (
        some.authorization_requests,
        by_query(standard.write_authorization_request, standard.read_authorization_request),
    ),
    "standard authorization request, posted": (
        some.authorization_requests,
        by_form(standard.write_authorization_request, standard.read_authorization_request),
    ),
    "standard authorization answer": (
        some.authorization_answers,
        then(standard.write_authorization_answer, standard.read_authorization_answer),
    ),
    "standard token request": (some.token_requests, then(standard.write_token_request, standard.read_token_request)),
    "standard token answer": (some.token_answers, then(standard.write_token_answer, standard.read_token_answer)),
    "standard introspection request": (
        some.introspection_requests,
        then(standard.write_introspection_request, standard.read_introspection_request),
    ),
    "standard introspection answer": (
        some.introspection_answers,
        then(standard.write_introspection_answer, standard.read_introspection_answer),
    ),
    "standard revocation request": (
        some.revocation_requests,
        then(standard.write_revocation_request, standard.read_revocation_request),
    ),
    "standard revocation answer": (
        st.builds(RevocationAnswer),
        then(standard.write_revocation_answer, standard.read_revocation_answer),
    ),
    "standard accounts request": (
        some.accounts_requests,
        then(standard.write_accounts_request, standard.read_accounts_request),
    ),
    "standard accounts answer": (
        some.accounts_answers,
        then(standard.write_accounts_answer, standard.read_accounts_answer),
    ),
    "standard refusal": (some.error_answers, then(standard.write_error_answer, standard.read_error_answer)),
    "standard refusal of a bearer": (
        some.error_answers,
        then(standard.write_bearer_challenge, standard.read_error_answer),
    ),
    "sunshine authorization request": (
        some.sunshine_authorization_requests,
        by_query(sunshine.write_authorization_request, sunshine.read_authorization_request),
    ),
    "sunshine authorization answer": (
        some.sunshine_authorization_answers,
        then(sunshine.write_authorization_answer, sunshine.read_authorization_answer),
    ),
    "sunshine token request": (
        some.sunshine_token_requests,
        then(sunshine.write_token_request, sunshine.read_token_request),
    ),
    "sunshine token answer": (
        some.sunshine_token_answers,
        then(sunshine.write_token_answer, sunshine.read_token_answer),
    ),
    "sunshine token info request": (
        some.token_info_requests,
        then(sunshine.write_token_info_request, sunshine.read_token_info_request),
    ),
    "sunshine token info answer": (
        some.token_info_answers,
        then(sunshine.write_token_info_answer, sunshine.read_token_info_answer),
    ),
    "sunshine access revocation request": (
        some.access_revocation_requests,
        then(sunshine.write_access_revocation_request, sunshine.read_access_revocation_request),
    ),
    "sunshine access revocation answer": (
        st.builds(AccessRevocationAnswer),
        then(sunshine.write_access_revocation_answer, sunshine.read_access_revocation_answer),
    ),
    "sunshine refusal": (some.error_answers, then(sunshine.write_error_answer, sunshine.read_error_answer)),
    "square authorization request": (
        some.square_authorization_requests,
        by_query(square.write_authorization_request, square.read_authorization_request),
    ),
    "square authorization answer": (
        some.sunshine_authorization_answers,
        then(square.write_authorization_answer, square.read_authorization_answer),
    ),
    "square token request": (
        some.square_token_requests,
        then(square.write_token_request, square.read_token_request),
    ),
    "square token answer": (some.square_token_answers, then(square.write_token_answer, square.read_token_answer)),
    "square renewal request": (
        some.square_renewal_requests,
        then(square.write_renewal_request, square.read_renewal_request),
    ),
    "square renewal answer": (
        some.square_renewal_answers,
        then(square.write_renewal_answer, square.read_renewal_answer),
    ),
    "square token status request": (
        some.token_status_requests,
        then(square.write_token_status_request, square.read_token_status_request),
    ),
    "square token status answer": (
        some.square_token_status_answers,
        then(square.write_token_status_answer, square.read_token_status_answer),
    ),
    "square revocation request": (
        some.square_revocation_requests,
        then(square.write_authorization_revocation_request, square.read_authorization_revocation_request),
    ),
    "square revocation answer": (
        st.builds(AuthorizationRevocationAnswer),
        then(square.write_authorization_revocation_answer, square.read_authorization_revocation_answer),
    ),
}


@pytest.mark.parametrize("pair", PAIRS)
@property_of
@given(data=st.data())
def test_what_one_end_writes_the_other_reads_back_equal(pair: str, data: st.DataObject) -> None:
    messages, through = PAIRS[pair]
    message = data.draw(messages)
    assert through(message) == message


@pytest.mark.parametrize(
    "read",
    [
        standard.read_token_answer,
        standard.read_introspection_answer,
        standard.read_revocation_answer,
        standard.read_accounts_answer,
    ],
)
@property_of
@given(refusal=some.error_answers)
def test_every_standard_answer_may_be_a_refusal(read: Callable[..., Any], refusal: ErrorAnswer) -> None:
    assert read(standard.write_error_answer(refusal)) == refusal


@pytest.mark.parametrize(
    "read",
    [
        sunshine.read_token_answer,
        sunshine.read_token_info_answer,
        sunshine.read_access_revocation_answer,
    ],
)
@property_of
@given(refusal=some.error_answers)
def test_every_sunshine_answer_may_be_a_refusal(read: Callable[..., Any], refusal: ErrorAnswer) -> None:
    assert read(sunshine.write_error_answer(refusal)) == refusal


@pytest.mark.parametrize(
    ("read", "refused"),
    [
        (square.read_token_answer, INVALID_GRANT),
        (square.read_renewal_answer, INVALID_GRANT),
        (square.read_token_status_answer, INVALID_TOKEN),
        (square.read_authorization_revocation_answer, INVALID_GRANT),
    ],
)
@property_of
@given(refusal=some.error_answers)
def test_every_square_answer_may_be_a_refusal(
    read: Callable[..., Any], refused: OAuthError, refusal: ErrorAnswer
) -> None:
    """The vendor says one thing of a grant and of a bearer that is not good; which it was, the call tells."""
    written = square.write_error_answer(refusal)
    answer = read(written)
    is_refused = refusal.error in {INVALID_GRANT, INVALID_TOKEN} and refusal.connection_state is None
    assert answer.error.code == (refused if is_refused else refusal.error).code
    assert answer.error.status == written.status
    assert (answer.retry_after, answer.connection_state) == (refusal.retry_after, refusal.connection_state)
    assert read(replace(written, status=200)).error.code == answer.error.code, "an error is none the less one with 200"


@property_of
@given(message=some.sunshine_token_requests)
def test_sunshine_reads_a_form_as_it_reads_json(message: Any) -> None:
    written = standard.write_token_request(message)
    assert sunshine.read_token_request(written) == message


@property_of
@given(st.dictionaries(some.unicode, some.unicode, max_size=8))
def test_a_form_comes_back_as_it_was_written(values: dict[str, str]) -> None:
    parameters = read_form(write_form(values.items()).encode())
    assert {name: parameters.exact(name) for name in values} == values


@property_of
@given(st.lists(st.tuples(some.nqchar.filter(lambda text: not set(text) & set("&=%+")), some.nqchar), max_size=5))
def test_the_short_way_of_reading_a_form_gives_what_the_long_way_gives(pairs: list[tuple[str, str]]) -> None:
    form = "&".join(f"{name}={value}" for name, value in pairs if not set(value) & set("&%+"))

    def read(text: str) -> list[str | None] | str:
        try:
            parameters = read_form(text.encode())
            return [parameters.exact(name) for name, _ in pairs]
        except Exception as problem:  # noqa: BLE001 - whatever it is, both ways give the same
            return repr(problem)

    assert read(form) == read(form + "&" * bool(form) + "other=%20")


@property_of
@given(name=some.visible, password=some.visible)
def test_basic_credentials_come_back_form_encoded(name: str, password: str) -> None:
    assert read_basic(write_basic(name, password)) == (name, password)


@property_of
@given(name=some.names_without_colon, password=some.visible)
def test_basic_credentials_come_back_plain(name: str, password: str) -> None:
    assert read_basic(write_basic(name, password, form_encoded=False), form_encoded=False) == (name, password)


@property_of
@given(some.bearer_tokens)
def test_a_bearer_token_comes_back(token: str) -> None:
    assert read_bearer(write_bearer(token)) == token


@property_of
@given(some.scopes)
def test_a_scope_comes_back_in_its_order(scope: tuple[str, ...]) -> None:
    assert read_scope(write_scope(scope)) == scope


def test_the_end_of_a_connection_asked_with_token_and_key_is_asked_with_the_token() -> None:
    request = AccessRevocationRequest("JWT", "app_key", "sec")
    written = sunshine.write_access_revocation_request(request)
    assert sunshine.read_access_revocation_request(written) == AccessRevocationRequest("JWT")


def test_a_display_name_that_the_vendors_library_refuses_is_cut_or_null() -> None:
    answer = TokenInfoAnswer("5698edbf2a43bd081be982f1", display_name="é" * 101)
    assert sunshine.read_token_info_answer(sunshine.write_token_info_answer(answer)) == replace(
        answer, display_name="é" * 100
    )
    empty = replace(answer, display_name="")
    assert sunshine.read_token_info_answer(sunshine.write_token_info_answer(empty)) == replace(
        answer, display_name=None
    )


def test_an_account_may_have_an_empty_name() -> None:
    answer = standard.write_token_answer(TokenAnswer("t", account=AccountSummary("a", "")))
    assert standard.read_token_answer(answer) == TokenAnswer("t", account=AccountSummary("a", ""))
