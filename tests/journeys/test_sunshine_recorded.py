"""Each request that the vendor's packages were recorded to send, byte for byte: as it is, and with what is ours put in."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.helpers.asgi import Reply
from tests.helpers.server import Landing, Platform

RECORDED = json.loads((Path(__file__).parents[1] / "wire/recorded/sunshine.json").read_text())
REQUESTS = [
    pytest.param(request, id=f"{package.split()[-1].strip('()')}-{number}-{request['method']}-{path}")
    for package, requests in RECORDED.items()
    for number, request in enumerate(requests)
    for path in [urlsplit(request["target"]).path.strip("/").replace("/", ".")]
]
UNAUTHORIZED = {"errors": [{"code": "unauthorized", "title": "Authorization is required"}]}
RECORDED_ID = "5e4af71a81966cfff3ef6550"


@pytest.fixture(scope="module")
def integration(running: Platform, integrator: Landing) -> dict[str, Any]:
    return running.client("Shoplifter recorded", "--profile", "sunshine", "--redirect-uri", f"{integrator.origin}/cb")


@pytest.fixture
def send(running: Platform) -> Callable[[dict[str, Any]], Reply]:
    def send(request: dict[str, Any]) -> Reply:
        connection = http.client.HTTPConnection(urlsplit(running.base_url).netloc, timeout=30)
        connection.putrequest(request["method"], request["target"], skip_host=True, skip_accept_encoding=True)
        for name, value in request["headers"]:
            connection.putheader(name, value)
        connection.endheaders(request["body"].encode())
        answer = connection.getresponse()
        reply = Reply(answer.status, tuple(answer.getheaders()), answer.read())
        connection.close()
        return reply

    return send


def with_ours(request: dict[str, Any], running: Platform, integrator: Landing, **ours: str) -> dict[str, Any]:
    """The request with our host, client, code and credentials in the places of those that were recorded."""
    port = str(urlsplit(integrator.origin).port)
    target = request["target"].replace(RECORDED_ID, ours.get("client_id", RECORDED_ID)).replace("PORT", port)
    body = request["body"]
    if body and ours:
        compact = '", "' not in body
        sent = {name: ours.get(name, value) for name, value in json.loads(body).items()}
        body = json.dumps(sent, separators=(",", ":") if compact else None)
    changed = {"Host": urlsplit(running.base_url).netloc, "Content-Length": str(len(body))}
    headers = [(name, changed.get(name, value)) for name, value in request["headers"]]
    if ours:
        schemes = {"Bearer": ours.get("bearer"), "Basic": ours.get("basic")}
        headers = [(name, schemes.get(value.partition(" ")[0]) or value) for name, value in headers]
    return request | {"target": target, "headers": headers, "body": body}


@pytest.mark.parametrize("recorded", REQUESTS)
def test_as_it_was_recorded_it_gets_the_vendors_failure(
    recorded: dict[str, Any], send: Callable[[dict[str, Any]], Reply], running: Platform, integrator: Landing
) -> None:
    reply = send(with_ours(recorded, running, integrator))
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
    recorded: dict[str, Any],
    send: Callable[[dict[str, Any]], Reply],
    running: Platform,
    integrator: Landing,
    integration: dict[str, Any],
) -> None:
    ours = ours_for(recorded, send, running, integrator, integration)
    reply = send(with_ours(recorded, running, integrator, **ours))
    if recorded["target"].startswith("/oauth/authorize"):
        assert reply.status == 302
        back = running.customer.decide(with_ours(recorded, running, integrator, **ours)["target"])
        assert back.startswith(f"{integrator.origin}/cb?")
        assert ("state=st%20ate%261" in back) == ("state=" in recorded["target"])
        return
    if not any(name == "Authorization" for name, _ in recorded["headers"]) and recorded["method"] != "POST":
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


def ours_for(
    recorded: dict[str, Any],
    send: Callable[[dict[str, Any]], Reply],
    running: Platform,
    integrator: Landing,
    integration: dict[str, Any],
) -> dict[str, str]:
    """What is put into this request: a client, and what it needs for the call, freshly made."""
    ours = {"client_id": integration["client_id"], "client_secret": integration["client_secret"]}
    if recorded["target"].startswith("/oauth/authorize"):
        return ours
    query = urlencode({"client_id": integration["client_id"], "response_type": "code"})
    ours["code"] = running.customer.connect(f"/oauth/authorize?{query}")["code"]
    if recorded["method"] == "POST":
        return ours
    exchange = RECORDED["sunshine-conversations-client 17.0.1 (PyPI)"][2]
    token = send(with_ours(exchange, running, integrator, **ours)).json()["access_token"]
    ours |= {"bearer": f"Bearer {token}", "basic": ""}
    if any(value.startswith("Basic") for _, value in recorded["headers"]):
        listed = running.server.cli("connections", "list")["connections"]
        (connection,) = [one["id"] for one in listed if one["client_id"] == integration["client_id"]]
        key = running.server.cli("connections", "create-key", connection)
        ours["basic"] = "Basic " + base64.b64encode(f"{key['key_id']}:{key['key_secret']}".encode()).decode()
    return ours
