"""How Phone.com's dialect says an account's clients: both ends agree, and lists and numbers are as the vendor has them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from grantway.wire.account_client_messages import (
    AccountClientAnswer,
    AccountClientEndAnswer,
    AccountClientListAnswer,
    AccountClientRequest,
    RedirectUriAnswer,
    RedirectUriListAnswer,
    RedirectUriRequest,
)
from grantway.wire.dialects.phonecom import clients
from grantway.wire.dialects.phonecom.failures import status_of, write_error_answer
from grantway.wire.errors import Malformed
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import ErrorAnswer
from tests.wire import phonecom_strategies as its
from tests.wire import strategies as some
from tests.wire.strategies import property_of
from tests.wire.test_any_bytes import reads_or_refuses

numbers = st.integers(0, 2**63 - 1)
texts = st.text(st.characters(categories=["Lu", "Ll", "Nd"], max_codepoint=0x7E), min_size=1)
requests = st.builds(
    AccountClientRequest,
    texts,
    some.maybe(some.bearer_tokens),
    some.maybe(numbers),
    some.maybe(numbers),
    st.integers(0, 2**31),
    st.integers(1, 500),
)
additions = st.builds(RedirectUriRequest, texts, numbers, some.visible, some.maybe(some.bearer_tokens))
told = st.builds(AccountClientAnswer, numbers, some.unicode)
uris = st.builds(RedirectUriAnswer, numbers, some.visible, told)


def pages(kind: Any, items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, st.lists(items, max_size=3).map(tuple), numbers, numbers, numbers)


PAIRS: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "client": (told, clients.write_account_client_answer, clients.read_account_client_answer),
    "clients": (
        pages(AccountClientListAnswer, told),
        clients.write_account_client_list_answer,
        clients.read_account_client_list_answer,
    ),
    "redirect URI": (uris, clients.write_redirect_uri_answer, clients.read_redirect_uri_answer),
    "redirect URIs": (
        pages(RedirectUriListAnswer, uris),
        clients.write_redirect_uri_list_answer,
        clients.read_redirect_uri_list_answer,
    ),
    "end": (
        st.builds(AccountClientEndAnswer),
        clients.write_account_client_end_answer,
        clients.read_account_client_end_answer,
    ),
    "addition": (additions, clients.write_redirect_uri_request, clients.read_redirect_uri_request),
}


@pytest.mark.parametrize("pair", PAIRS)
@property_of
@given(data=st.data())
def test_what_one_end_writes_the_other_reads_back_equal(pair: str, data: st.DataObject) -> None:
    messages, write, read = PAIRS[pair]
    message = data.draw(messages)
    assert read(write(message)) == message


@property_of
@given(requests)
def test_a_call_says_what_it_is_about_in_its_path(message: AccountClientRequest) -> None:
    if message.client is None or message.uri is None:
        message = AccountClientRequest(message.account_id, message.access_token, None, None, 7, 8)
        written = clients.write_account_client_request("GET", clients.CLIENTS_PATH, message)
    else:
        written = clients.write_account_client_request("DELETE", clients.REDIRECT_URI_PATH, message)
    assert clients.read_account_client_request(written) == message
    assert "{" not in written.path


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair != "addition"])
@property_of
@given(refusal=its.refusals, data=st.data())
def test_every_answer_may_be_a_refusal_and_a_spoilt_one_is_malformed(
    pair: str, refusal: ErrorAnswer, data: st.DataObject
) -> None:
    messages, write, read = PAIRS[pair]
    assert read(write_error_answer(refusal)) == refusal
    reads_or_refuses(read, HttpAnswer(200, (), data.draw(some.mutated(messages.map(lambda one: write(one).body)))))


@property_of
@given(request=some.odd_requests, values=st.dictionaries(st.sampled_from(["account", "client", "uri"]), st.text()))
def test_any_request_is_read_or_malformed(request: HttpRequest, values: dict[str, str]) -> None:
    request = HttpRequest(request.method, "/", request.query, request.headers, request.body, values)
    reads_or_refuses(clients.read_account_client_request, request)
    reads_or_refuses(clients.read_redirect_uri_request, request)


@pytest.mark.parametrize(
    ("values", "query", "said"),
    [
        ({"account": "7", "client": "x"}, b"", (404, None)),
        ({"account": "7", "client": "-1"}, b"", (404, None)),
        ({"account": "7", "client": "٣"}, b"", (404, None)),
        ({"account": "7", "client": "1" * 20}, b"", (404, None)),
        ({"account": "7"}, b"limit=0", (422, "limit")),
        ({"account": "7"}, b"limit=501", (422, "limit")),
        ({"account": "7"}, b"offset=-1", (422, "offset")),
        ({"account": "7"}, b"offset=x", (422, "offset")),
    ],
)
def test_a_number_that_is_none_stands_for_nothing_and_a_page_has_bounds(
    values: dict[str, str], query: bytes, said: tuple[int, str | None]
) -> None:
    with pytest.raises(Malformed) as caught:
        clients.read_account_client_request(HttpRequest("GET", "/", query, path_values=values))
    assert (status_of(caught.value.error), caught.value.error.field) == said


def test_lists_on_the_wire() -> None:
    """vendors.md §2.5."""
    dialer = AccountClientAnswer(17, "Dialer")
    page = clients.write_account_client_list_answer(AccountClientListAnswer((dialer,), 3, 1, 1))
    assert (page.status, json.loads(page.body)) == snapshot(
        (
            200,
            {
                "filters": {},
                "sort": {},
                "total": 3,
                "offset": 1,
                "limit": 1,
                "items": [{"id": 17, "client_name": "Dialer"}],
            },
        )
    )
    uri = RedirectUriAnswer(4, "https://app.example/cb", dialer)
    made = clients.write_redirect_uri_answer(uri, 201)
    assert (made.status, json.loads(made.body)) == snapshot(
        (
            201,
            {
                "id": 4,
                "client": {"id": 17, "client_name": "Dialer"},
                "redirect_uri": {"id": 4, "uri": "https://app.example/cb", "type": "redirect"},
            },
        )
    )
    assert json.loads(clients.write_redirect_uri_list_answer(RedirectUriListAnswer((uri,), 1, 0, 25)).body) == snapshot(
        {
            "filters": {},
            "sort": {},
            "total": 1,
            "offset": 0,
            "limit": 25,
            "items": [
                {
                    "id": 4,
                    "client": {"id": 17, "client_name": "Dialer"},
                    "redirect_uri": {"id": 4, "uri": "https://app.example/cb", "type": "redirect"},
                }
            ],
        }
    )
    assert clients.write_account_client_end_answer(AccountClientEndAnswer()).body == snapshot(b'{"success":true}')
