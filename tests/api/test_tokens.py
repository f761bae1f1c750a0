"""Tokens without end, and whose client one is, by the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import REDIRECT_URI, Api, Furnished

TOKENS = "/v1/clients/till/tokens"


@pytest.fixture
def furnished(api: Api) -> Furnished:
    return api.furnish()


def test_a_token_is_shown_once_listed_without_its_text_and_ended(furnished: Furnished) -> None:
    api = furnished.api
    api.house.clock.turn(seconds=1)
    made = api.tell("POST", TOKENS, {"account": "acme", "scopes": ["ORDERS_READ"]}, 201)
    assert made["access_token"].startswith("gwa_")
    listed = api.tell("GET", TOKENS)["data"]
    assert listed[-1] == made["token"]
    assert (made["token"]["scopes"], made["token"]["made_by"]) == (["ORDERS_READ"], None)
    assert [one["id"] for one in listed] == [furnished.ids["token"], made["token"]["id"]]
    api.tell("DELETE", f"/v1/tokens/{made['token']['id']}", status=204)
    assert api.refuse("DELETE", f"/v1/tokens/{made['token']['id']}", status=409)["reason"] == "token_ended"
    assert [one["id"] for one in api.tell("GET", TOKENS)["data"]] == [furnished.ids["token"]]


def test_with_the_last_token_the_connection_goes(furnished: Furnished) -> None:
    api = furnished.api
    (token,) = api.tell("GET", TOKENS)["data"]
    api.tell("DELETE", f"/v1/tokens/{token['id']}", status=204)
    assert api.tell("GET", f"/v1/connections/{token['connection_id']}")["state"] == "removed"


def test_a_repetition_gets_the_same_token(furnished: Furnished) -> None:
    api = furnished.api
    first = api.tell("POST", TOKENS, {"account": "acme"}, 201, Idempotency_Key="k")
    assert api.tell("POST", TOKENS, {"account": "acme"}, 201, Idempotency_Key="k") == first
    assert len(api.tell("GET", TOKENS)["data"]) == 2


def test_the_audit_names_the_key_that_made_it(furnished: Furnished) -> None:
    entry = furnished.api.tell("GET", "/v1/audit?action=permanent_token_made")["data"][0]
    assert entry["actor"].startswith("ok_")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"account": "none"}, "account_unknown"),
        ({"account": "acme", "scopes": ["everything"]}, "scope_exceeds_client"),
        ({"account": "acme", "scopes": []}, "scope_exceeds_client"),
    ],
)
def test_a_token_that_cannot_be_is_refused(furnished: Furnished, body: dict[str, Any], reason: str) -> None:
    furnished.api.refuse("POST", TOKENS, body, 422)
    assert furnished.api.last_reason() == reason


def test_a_key_that_may_not_make_tokens_makes_none(furnished: Furnished) -> None:
    key = furnished.api.new_key("clients:write", "connections:write")
    furnished.api.refuse("POST", TOKENS, {"account": "acme"}, 403, key=key)


def test_a_suspended_account_gets_no_token(furnished: Furnished) -> None:
    furnished.api.tell("POST", "/v1/accounts/acme/suspend")
    assert furnished.api.refuse("POST", TOKENS, {"account": "acme"}, 409)["reason"] == "account_suspended"


def test_a_client_belongs_to_an_account_until_it_is_said_otherwise(furnished: Furnished) -> None:
    api = furnished.api
    wanted = {"name": "Dialer", "client_id": "dialer", "profile": "phonecom", "redirect_uris": [REDIRECT_URI]}
    account = api.tell("GET", "/v1/accounts/acme")["id"]
    problem = api.refuse("POST", "/v1/clients", {**wanted, "account": "none"}, 422)
    assert problem["errors"][0]["pointer"] == "#/account"
    made = api.tell("POST", "/v1/clients", {**wanted, "account": "acme"}, 201)["client"]
    assert made["account_id"] == account
    owned = "/v1/accounts/acme/clients"
    assert [one["client_id"] for one in api.tell("GET", owned)["data"]] == ["dialer"]
    assert api.tell("PATCH", "/v1/clients/dialer", {"name": "Dialler"})["account_id"] == account
    assert api.tell("PATCH", "/v1/clients/dialer", {"account": None})["account_id"] is None
    assert api.tell("GET", owned)["data"] == []
    assert api.tell("PATCH", "/v1/clients/dialer", {"account": "acme"})["account_id"] == account
    api.refuse("PATCH", "/v1/clients/dialer", {"account": "none"}, 422)
    api.refuse("GET", "/v1/accounts/none/clients", status=404)
