"""Tokens that were made by hand, at the vendors' own calls: they have no end, and an application cannot prolong or end them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.helpers.server import Platform, fetch
from tests.helpers.square_sdk import ApiError, Sdk, by_secret

JSON = ("Content-Type", "application/json")


def made(running: Platform, client: dict[str, Any], scope: str) -> dict[str, Any]:
    named = ("--client", client["client_id"], "--account", running.account["id"], "--scope", scope)
    return running.server.cli("tokens", "create", *named)


def test_squares_library_is_told_of_no_expiry_and_the_application_can_neither_renew_nor_revoke(
    running: Platform,
) -> None:
    till = running.client("Personal", "--profile", "square", "--redirect-uri", "https://client.example/callback")
    token = made(running, till, "PAYMENTS_READ ITEMS_READ")
    sdk, text = Sdk(running.base_url), token["access_token"]
    status = sdk.call("retrieve_token_status", text)
    assert not status.expires_at
    assert (set(status.scopes), status.client_id) == ({"PAYMENTS_READ", "ITEMS_READ"}, till["client_id"])
    assert status.merchant_id == running.account["external_ids"]["square"]
    renew = f"{running.base_url}/oauth2/clients/{till['client_id']}/access-token/renew"
    secret = ("Authorization", f"Client {till['client_secret']}")
    assert fetch("POST", renew, [JSON, secret], json.dumps({"access_token": text}).encode()).status == 401
    with pytest.raises(ApiError) as refused:
        sdk.call(
            "revoke_token",
            client_id=till["client_id"],
            access_token=text,
            request_options=by_secret(till["client_secret"]),
        )
    error: Any = refused.value
    assert error.status_code == 400
    assert sdk.call("retrieve_token_status", text).scopes
    running.server.cli("tokens", "end", token["id"])
    with pytest.raises(ApiError):
        sdk.call("retrieve_token_status", text)


def test_phonecoms_details_have_no_expiry_and_its_account(running: Platform) -> None:
    dialer = running.client("Permanent", "--profile", "phonecom", "--redirect-uri", "https://client.example/callback")
    token = made(running, dialer, "account-owner")
    bare = ("Authorization", token["access_token"])
    told = fetch("GET", f"{running.base_url}/v4/oauth/access-token", [bare])
    details = json.loads(told.body)
    assert (told.status, details["scope"]) == (200, "account-owner")
    assert not details.get("expires_at")
    assert str(details["scope_details"][0]["voip_id"]) == running.account["external_ids"]["phonecom"]
    running.server.cli("connections", "remove", token["connection_id"])
    assert fetch("GET", f"{running.base_url}/v4/oauth/access-token", [bare]).status == 401
