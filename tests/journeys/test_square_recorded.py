"""Each request that Square's packages were recorded to send, byte for byte: as it is, and with what is ours put in."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest

from tests.helpers.asgi import Reply
from tests.helpers.recorded import Recorded, authorization_of, each_of, members_of, recordings, send, with_ours
from tests.helpers.server import Landing, Platform

REQUESTS = each_of("square")
NOT_AUTHORIZED = {"message": "Not Authorized", "type": "service.not_authorized"}
SECRET_MISSING = {
    "errors": [
        {
            "category": "INVALID_REQUEST_ERROR",
            "code": "MISSING_REQUIRED_PARAMETER",
            "detail": "missing required parameter 'client_secret'",
            "field": "client_secret",
        }
    ]
}
BEARER_NOT_GOOD = {
    "errors": [
        {
            "category": "AUTHENTICATION_ERROR",
            "code": "UNAUTHORIZED",
            "detail": "The `Authorization` http header of your request was malformed, incorrect or expired.",
        }
    ]
}
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def application(running: Platform, integrator: Landing) -> dict[str, Any]:
    return running.client("Till recorded", "--profile", "square", "--redirect-uri", f"{integrator.origin}/square")


def path_of(request: Recorded) -> str:
    return urlsplit(request["target"]).path


def lacks_the_secret(request: Recorded) -> bool:
    """The one that was recorded without secret, verifier and code: no id of ours makes it any better."""
    return members_of(request).keys() == {"client_id", "grant_type"}


@pytest.mark.parametrize("recorded", REQUESTS)
def test_as_it_was_recorded_it_gets_the_vendors_failure(recorded: Recorded, running: Platform) -> None:
    reply = send(running.base_url, with_ours(recorded, running.base_url))
    path = path_of(recorded)
    if path == "/oauth2/authorize":
        # An unknown client, or none: never redirected, told to the person.
        assert (reply.status, reply.header("content-type")) == (400, "text/html; charset=utf-8")
        assert reply.header("location") is None
        return
    assert reply.header("content-type") == "application/json"
    if lacks_the_secret(recorded):
        assert (reply.status, reply.json()) == (400, SECRET_MISSING)
    elif path == "/oauth2/token/status":
        assert (reply.status, reply.json()) == (401, BEARER_NOT_GOOD)
    else:
        assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)


@pytest.mark.parametrize("recorded", REQUESTS)
def test_with_ours_put_in_it_succeeds(
    recorded: Recorded, running: Platform, integrator: Landing, application: dict[str, Any]
) -> None:
    fitted = fit(recorded, running, integrator, application)
    if path_of(recorded) == "/oauth2/authorize":
        asks_to_sign_in_or_says_whose_mistake(fitted, running)
        return
    reply = send(running.base_url, fitted)
    if lacks_the_secret(recorded):
        assert (reply.status, reply.json()) == (400, SECRET_MISSING)
    elif path_of(recorded) == "/oauth2/revoke" and (authorization_of(recorded) or "").startswith("Bearer"):
        # What the newest libraries send by default is wrong at the vendor's, too, whatever the bearer.
        assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)
    else:
        assert reply.status == 200, reply.body
        assert reply.header("content-type") == "application/json"
        has_succeeded(recorded, reply, running, application)


def asks_to_sign_in_or_says_whose_mistake(fitted: Recorded, running: Platform) -> None:
    reply = send(running.base_url, fitted)
    sent = dict(parse_qsl(urlsplit(fitted["target"]).query))
    if not sent:
        assert reply.status == 400, "recorded without a client, there is nothing to put in"
        return
    assert reply.status == 302
    back = running.customer.connect(fitted["target"])
    assert back == {"code": back["code"], "response_type": "code", "state": "s"}


def has_succeeded(recorded: Recorded, reply: Reply, running: Platform, application: dict[str, Any]) -> None:
    answer, sent = reply.json(), members_of(recorded)
    merchant = running.account["external_ids"]["square"]
    path = path_of(recorded)
    if path == "/oauth2/revoke":
        assert answer == {"success": True}
    elif path == "/oauth2/token/status":
        assert set(answer) == {"scopes", "expires_at", "client_id", "merchant_id"}
        assert (answer["client_id"], answer["merchant_id"]) == (application["client_id"], merchant)
    elif path == "/oauth2/token":
        pkce = {"refresh_token_expires_at"} if "code_verifier" in sent and "client_secret" not in sent else set()
        members = {"access_token", "token_type", "expires_at", "merchant_id", "refresh_token", "short_lived"}
        assert set(answer) == members | pkce
        assert (answer["token_type"], answer["merchant_id"]) == ("bearer", merchant)
        assert answer["short_lived"] is bool(sent.get("short_lived"))
        assert (answer["access_token"].count(".") == 2) is bool(sent.get("use_jwt"))
    else:
        assert set(answer) == {"access_token", "token_type", "expires_at", "merchant_id"}
        assert (reply.header("deprecation") or "").startswith("@")


def fit(recorded: Recorded, running: Platform, integrator: Landing, application: dict[str, Any]) -> Recorded:
    """The request with a client of ours in it, and what it needs for the call, freshly made."""
    client_id, secret = application["client_id"], application["client_secret"]
    members: dict[str, Any] = {"client_id": client_id, "client_secret": secret}
    members["redirect_uri"] = f"{integrator.origin}/square"
    target = dict.fromkeys(("sq0idp-APP", quote("sq0 idp/A&P", safe="")), client_id)
    authorization = {"Client": f"Client {secret}"}
    sent = members_of(recorded)
    if "code" in sent:
        members["code"] = code_of(running, application, pkce="code_verifier" in sent)
    elif "migration_token" in sent:
        members["migration_token"] = bring_along(running, application)
    elif recorded["method"] == "POST" and not lacks_the_secret(recorded):
        tokens = tokens_of(running, application)
        members |= {name: tokens[name] for name in ("access_token", "refresh_token", "merchant_id")}
        authorization["Bearer"] = f"Bearer {tokens['access_token']}"
    return with_ours(recorded, running.base_url, members=members, target=target, authorization=authorization)


def code_of(running: Platform, application: dict[str, Any], *, pkce: bool = False) -> str:
    asked = {"client_id": application["client_id"]} | ({"code_challenge": CHALLENGE} if pkce else {})
    return running.customer.connect(f"/oauth2/authorize?{urlencode(asked)}")["code"]


def tokens_of(running: Platform, application: dict[str, Any]) -> dict[str, Any]:
    """What the first recorded exchange gives."""
    exchange = recordings("square")["squareup 46.0.0.20260916 (PyPI)"][0]
    members = {name: application[name] for name in ("client_id", "client_secret")}
    members |= {"code": code_of(running, application), "redirect_uri": application["redirect_uris"][0]}
    tokens: dict[str, Any] = send(running.base_url, with_ours(exchange, running.base_url, members=members)).json()
    return tokens


def bring_along(running: Platform, application: dict[str, Any]) -> str:
    """A token of an older system, as an operator brings it along."""
    token = f"sq0atp-{secrets.token_urlsafe(16)}"
    line = {
        "client_id": application["client_id"],
        "account": running.account["id"],
        "tokens": [{"kind": "migration", "token": token}],
    }
    imported = running.server.cli("tokens", "import", "-", stdin=json.dumps(line) + "\n")
    assert imported["tokens"] == 1
    return token
