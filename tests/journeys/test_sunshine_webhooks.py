"""The vendor's published Python client manages webhooks against us, unmodified, and what they hear is as it says."""

from __future__ import annotations

import importlib
import json
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from standardwebhooks import Webhook

from tests.helpers.server import Landing, Platform, fetch

sunshine: Any = importlib.import_module("sunshine_conversations_client")


@pytest.mark.parametrize("base", ["", "/sc"])
def test_the_vendors_client_makes_lists_changes_and_deletes_a_webhook(
    running: Platform, integrator: Landing, base: str
) -> None:
    client = running.client(
        f"Shoplifter hooks {base}", "--profile", "sunshine", "--redirect-uri", f"{integrator.origin}/cb"
    )
    app = running.account["external_ids"]["sunshine"]
    configuration = sunshine.Configuration(host=running.base_url + base, access_token=token_of(running, client))
    with sunshine.ApiClient(configuration) as connected:
        api = sunshine.WebhooksApi(connected)
        target, triggers = f"{integrator.origin}/hook", ["conversation:message"]
        made = api.create_webhook(app, "me", sunshine.WebhookCreateBody(target=target, triggers=triggers)).webhook
        assert (made.target, made.triggers, made.version) == (target, triggers, "v2")
        assert made.secret
        assert api.list_webhooks(app, "me").webhooks == [made]
        assert api.get_webhook(app, "me", made.id).webhook == made
        changed = api.update_webhook(
            app, "me", made.id, sunshine.WebhookBody(triggers=["*"], includeFullUser=True)
        ).webhook
        assert (changed.triggers, changed.include_full_user, changed.target) == (["*"], True, target)

        event = publish(running, app, "conversation:message", {"text": "Hi"})
        heard = integrator.wait_for("/hook")
        assert heard.headers["x-api-key"] == made.secret
        key = running.server.cli("clients", "notice-secret", client["client_id"])["notice_secret"]
        told = Webhook(key).verify(heard.body, heard.headers)
        assert told == json.loads(heard.body)
        assert (told["app"], told["webhook"]) == ({"id": app}, {"id": made.id, "version": "v2"})
        assert [(one["id"], one["type"], one["payload"]) for one in told["events"]] == [
            (event, "conversation:message", {"text": "Hi"})
        ]

        assert api.delete_webhook(app, "me", made.id) == {}
        assert api.list_webhooks(app, "me").webhooks == []
        with pytest.raises(sunshine.exceptions.NotFoundException):
            api.get_webhook(app, "me", made.id)
        with pytest.raises(sunshine.exceptions.ForbiddenException):
            api.list_webhooks("00" * 12, "me")


def token_of(running: Platform, client: dict[str, Any]) -> str:
    query = urlencode({"client_id": client["client_id"], "response_type": "code"})
    members = {
        "code": running.customer.connect(f"/oauth/authorize?{query}")["code"],
        "grant_type": "authorization_code",
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
    }
    as_json = [("Content-Type", "application/json")]
    token: str = fetch("POST", f"{running.base_url}/oauth/token", as_json, orjson.dumps(members)).json()["access_token"]
    return token


def publish(running: Platform, app: str, event_type: str, payload: dict[str, Any]) -> str:
    """The platform says what happened, with an operator key."""
    key = running.server.cli("operator-keys", "create", "--name", "events", "--scope", "events:publish")["key"]
    headers = [("Authorization", f"Bearer {key}"), ("Content-Type", "application/json")]
    said = {"account": running.account["id"], "type": event_type, "payload": payload}
    answer = fetch("POST", f"{running.base_url}/v1/events", headers, orjson.dumps(said))
    assert answer.status == 202, answer.text
    event: str = answer.json()["id"]
    return event
