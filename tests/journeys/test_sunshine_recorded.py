"""Each request that the vendor's packages were recorded to send, byte for byte: as it is, and with what is ours put in."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.helpers.recorded import Recorded, authorization_of, each_of, recordings, send, with_ours
from tests.helpers.server import Landing, Platform

REQUESTS = each_of("sunshine")
UNAUTHORIZED = {"errors": [{"code": "unauthorized", "title": "Authorization is required"}]}
RECORDED_ID = "5e4af71a81966cfff3ef6550"


@pytest.fixture(scope="module")
def integration(running: Platform, integrator: Landing) -> dict[str, Any]:
    return running.client("Shoplifter recorded", "--profile", "sunshine", "--redirect-uri", f"{integrator.origin}/cb")


def fitted(request: Recorded, running: Platform, integrator: Landing, **ours: str) -> Recorded:
    """The request for our server, with our client, code and credentials in the places of those that were recorded."""
    port = str(urlsplit(integrator.origin).port)
    return with_ours(
        request,
        running.base_url,
        members=ours,
        target={RECORDED_ID: ours.get("client_id", RECORDED_ID), "PORT": port},
        authorization={scheme: ours[scheme] for scheme in ("Bearer", "Basic") if ours.get(scheme)},
    )


@pytest.mark.parametrize("recorded", REQUESTS)
def test_as_it_was_recorded_it_gets_the_vendors_failure(
    recorded: Recorded, running: Platform, integrator: Landing
) -> None:
    reply = send(running.base_url, fitted(recorded, running, integrator))
    if recorded["target"].startswith("/oauth/authorize"):
        # An unknown client: never redirected, told to the person.
        assert reply.status == 400
        assert reply.header("content-type") == "text/html; charset=utf-8"
        assert reply.header("location") is None
        return
    assert reply.status == 401
    assert reply.header("content-type") == "application/json"
    if recorded["target"] == "/oauth/token":
        expected = {"errors": [{"code": "invalid_client", "title": "Client authentication failed."}]}
        assert reply.json() == expected
    else:
        assert reply.json() == UNAUTHORIZED


@pytest.mark.parametrize("recorded", REQUESTS)
def test_with_ours_put_in_it_succeeds(
    recorded: Recorded, running: Platform, integrator: Landing, integration: dict[str, Any]
) -> None:
    ours = ours_for(recorded, running, integrator, integration)
    reply = send(running.base_url, fitted(recorded, running, integrator, **ours))
    if recorded["target"].startswith("/oauth/authorize"):
        assert reply.status == 302
        back = running.customer.decide(fitted(recorded, running, integrator, **ours)["target"])
        assert back.startswith(f"{integrator.origin}/cb?")
        assert ("state=st%20ate%261" in back) == ("state=" in recorded["target"])
        return
    if authorization_of(recorded) is None and recorded["method"] != "POST":
        # Recorded without credentials: there is nothing to put in, and it stays refused.
        assert (reply.status, reply.json()) == (401, UNAUTHORIZED)
        return
    assert reply.status == 200, reply.body
    assert reply.header("content-type") == "application/json"
    answer = reply.json()
    if recorded["target"] == "/oauth/token":
        assert set(answer) == {"access_token", "token_type"}
        assert answer["token_type"] == "Bearer"
    elif recorded["target"] == "/v2/tokenInfo":
        assert answer["app"]["id"] == running.account["external_ids"]["sunshine"]
        assert answer["app"]["subdomain"] == "acme"
    else:
        assert answer == {}


def ours_for(recorded: Recorded, running: Platform, integrator: Landing, integration: dict[str, Any]) -> dict[str, str]:
    """What is put into this request: a client, and what it needs for the call, freshly made."""
    ours = {"client_id": integration["client_id"], "client_secret": integration["client_secret"]}
    if recorded["target"].startswith("/oauth/authorize"):
        return ours
    query = urlencode({"client_id": integration["client_id"], "response_type": "code"})
    ours["code"] = running.customer.connect(f"/oauth/authorize?{query}")["code"]
    if recorded["method"] == "POST":
        return ours
    exchange = recordings("sunshine")["sunshine-conversations-client 17.0.1 (PyPI)"][2]
    token = send(running.base_url, fitted(exchange, running, integrator, **ours)).json()["access_token"]
    ours["Bearer"] = f"Bearer {token}"
    if (authorization_of(recorded) or "").startswith("Basic"):
        listed = running.server.cli("connections", "list")["connections"]
        (connection,) = [one["id"] for one in listed if one["client_id"] == integration["client_id"]]
        key = running.server.cli("connections", "create-key", connection)
        ours["Basic"] = "Basic " + base64.b64encode(f"{key['key_id']}:{key['key_secret']}".encode()).decode()
    return ours
