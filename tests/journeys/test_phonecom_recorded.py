"""Each request that Phone.com's own SDK was recorded to send, byte for byte: as it is, and with what is ours put in."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.helpers.asgi import Reply
from tests.helpers.recorded import Recorded, authorization_of, each_of, members_of, recordings, send, with_ours
from tests.helpers.server import PASSWORD, Landing, Platform

REQUESTS = each_of("phonecom")
AUTHORIZE = "/v4/oauth/authorization"
TOKEN = "/v4/oauth/access-token"
SCOPES = "account-owner extension-user methods:ALL"


@pytest.fixture(scope="module")
def integration(running: Platform, integrator: Landing) -> dict[str, Any]:
    """Confidential and the account's own; an operator has turned on the two grants that are off for others."""
    return running.client(
        "Dialer recorded", "--profile", "phonecom", "--redirect-uri", f"{integrator.origin}/cb", "--scope", SCOPES,
        "--create-scopes", "--account", running.account["id"],
        "--set", "grant_types=authorization_code refresh_token client_credentials password implicit",
    )  # fmt: skip


def is_authorize(request: Recorded) -> bool:
    return urlsplit(request["target"]).path == AUTHORIZE


def lacks_what_it_needs(request: Recorded) -> bool:
    """Recorded without a client, its secret, or a token: there is nothing to put in, and it stays refused."""
    if request["method"] == "POST":
        return "client_secret" not in members_of(request)
    return not is_authorize(request) and authorization_of(request) is None


def assert_mason(reply: Reply, status: int, code: str) -> None:
    assert reply.status == status, reply.body
    assert reply.header("content-type") == "application/vnd.mason+json"
    error = reply.json()["@error"]
    assert (error["@httpStatusCode"], error["@code"]) == (status, code)
    assert isinstance(error["@message"], str)


def assert_refused(request: Recorded, reply: Reply) -> None:
    if request["method"] == "GET":
        assert_mason(reply, 401, "invalid_token")
    elif not request["body"]:
        assert_mason(reply, 422, "invalid_request")
        assert list(reply.json()["@error"]["fields"]) == ["grant_type"]
    else:
        assert_mason(reply, 401, "invalid_client")


@pytest.mark.parametrize("recorded", REQUESTS)
def test_as_it_was_recorded_it_gets_the_vendors_failure(recorded: Recorded, running: Platform) -> None:
    reply = send(running.base_url, with_ours(recorded, running.base_url))
    if is_authorize(recorded):
        # An unknown client: never redirected, told to the person.
        assert (reply.status, reply.header("content-type")) == (400, "text/html; charset=utf-8")
        assert reply.header("location") is None
    else:
        assert_refused(recorded, reply)


@pytest.mark.parametrize("recorded", REQUESTS)
def test_with_ours_put_in_it_succeeds(
    recorded: Recorded, running: Platform, integrator: Landing, integration: dict[str, Any]
) -> None:
    fitted = fit(recorded, running, integrator, integration)
    if is_authorize(recorded):
        assert send(running.base_url, fitted).status == 302
        comes_back(fitted, running.customer.decide(fitted["target"]), integrator)
        return
    reply = send(running.base_url, fitted)
    if lacks_what_it_needs(recorded):
        assert_refused(recorded, reply)
    elif recorded["method"] == "GET":
        assert reply.status == 200, reply.body
        answer = reply.json()
        assert answer["scope"] == SCOPES
        assert type(answer["expires_at"]) is int
        assert answer["scope_details"][0]["voip_id"] == int(running.account["external_ids"]["phonecom"])
    else:
        assert reply.status == 201, reply.body
        assert reply.header("content-type") == "application/json"
        has_tokens(members_of(recorded), reply.json())


def comes_back(fitted: Recorded, back: str, integrator: Landing) -> None:
    """With a code in the query, or with a token in the fragment; with the state that was never sent."""
    asked = dict(parse_qsl(urlsplit(fitted["target"]).query))
    assert back.startswith(f"{integrator.origin}/cb")
    if asked["response_type"] == "code":
        code, state = urlsplit(back).query.split("&")
        assert (code.partition("=")[0], state) == ("code", "state=")
        return
    assert urlsplit(back).query == ""
    answer = dict(parse_qsl(urlsplit(back).fragment, keep_blank_values=True))
    assert set(answer) == {"access_token", "token_type", "expires_in", "scope", "state"}
    assert (answer["token_type"], answer["scope"], answer["state"]) == ("Bearer", asked["scope"], "")


def has_tokens(sent: dict[str, Any], answer: dict[str, Any]) -> None:
    refreshes = set() if sent["grant_type"] == "client_credentials" else {"refresh_token"}
    assert set(answer) == {"access_token", "token_type", "expires_in", "scope"} | refreshes
    assert answer["token_type"] == "Bearer"
    assert type(answer["expires_in"]) is int
    assert answer["scope"] == sent.get("scope", SCOPES)


def fit(recorded: Recorded, running: Platform, integrator: Landing, integration: dict[str, Any]) -> Recorded:
    """The request with a client of ours, and with what it needs for the call, freshly made."""
    port = str(urlsplit(integrator.origin).port)
    members = {name: integration[name] for name in ("client_id", "client_secret")}
    authorization: dict[str, str] = {}
    grant_type = members_of(recorded).get("grant_type")
    if grant_type == "password":
        members |= {"username": running.customer.email, "password": PASSWORD}
    if grant_type == "authorization_code":
        members |= {"code": code(running, integrator, integration), "redirect_uri": f"{integrator.origin}/cb"}
    if grant_type == "refresh_token":
        members["refresh_token"] = tokens(running, integrator, integration)["refresh_token"]
    if recorded["method"] == "GET" and authorization_of(recorded):
        authorization["Bearer"] = "Bearer " + tokens(running, integrator, integration)["access_token"]
    target = {"client_id=CID": f"client_id={integration['client_id']}", "PORT": port}
    return with_ours(recorded, running.base_url, members=members, target=target, authorization=authorization)


def code(running: Platform, integrator: Landing, integration: dict[str, Any]) -> str:
    asked = {
        "client_id": integration["client_id"], "response_type": "code", "scope": SCOPES,
        "redirect_uri": f"{integrator.origin}/cb",
    }  # fmt: skip
    return running.customer.connect(f"{AUTHORIZE}?{urlencode(asked)}")["code"]


def tokens(running: Platform, integrator: Landing, integration: dict[str, Any]) -> dict[str, Any]:
    """Those of a fresh code, exchanged as the SDK does it."""
    (requests,) = recordings("phonecom").values()
    answer: dict[str, Any] = send(running.base_url, fit(requests[0], running, integrator, integration)).json()
    return answer
