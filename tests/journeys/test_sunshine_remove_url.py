"""After the integration's access is revoked, its removeUrl hears of it: the vendor's call, signed on top."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import orjson
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.helpers.server import Landing, Platform, fetch


def test_the_remove_url_is_told_which_connection_ended_with_a_signature_that_verifies(
    running: Platform, integrator: Landing
) -> None:
    client = running.client(
        "Shoplifter to remove", "--profile", "sunshine", "--redirect-uri", f"{integrator.origin}/cb",
        "--remove-url", f"{integrator.origin}/remove-me",
    )  # fmt: skip
    query = urlencode({"client_id": client["client_id"], "response_type": "code"})
    members = {
        "code": running.customer.connect(f"/oauth/authorize?{query}")["code"],
        "grant_type": "authorization_code",
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
    }
    as_json = [("Content-Type", "application/json")]
    token = fetch("POST", f"{running.base_url}/oauth/token", as_json, orjson.dumps(members)).json()["access_token"]
    listed = running.server.cli("connections", "list")["connections"]
    (connection,) = [one["id"] for one in listed if one["client_id"] == client["client_id"]]
    shown = running.server.cli("connections", "show", connection)

    bearer = [("Authorization", f"Bearer {token}")]
    assert fetch("DELETE", f"{running.base_url}/oauth/authorization", bearer).status == 200

    told = integrator.wait_for("/remove-me")
    assert told.method == "POST"
    assert told.headers["content-type"] == "application/json"
    assert json.loads(told.body) == {
        "integrationId": shown["integration_id"],
        "appId": running.account["external_ids"]["sunshine"],
        "clientId": client["client_id"],
    }
    webhook = Webhook(client["notice_secret"])
    assert webhook.verify(told.body, told.headers) == json.loads(told.body)
    with pytest.raises(WebhookVerificationError):
        webhook.verify(told.body.replace(b"appId", b"appID"), told.headers)
    assert token.encode() not in told.body
