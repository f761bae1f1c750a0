"""Sunshine Conversations' quirks and traps, each a sentence."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest

from grantway.server.passwords import hash_password
from tests.helpers.customer import Customer, forms
from tests.helpers.world import PASSWORD, PUBLIC_URL, REDIRECT_URI, World, basic, world
from tests.server.test_fuzz_machine import assert_sunshine_refusal

UNAUTHORIZED = {"errors": [{"code": "unauthorized", "title": "Authorization is required"}]}


@pytest.fixture(scope="module")
def there() -> Iterator[World]:
    with world() as one:
        yield one


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


# --- authorize


def test_without_a_redirect_uri_the_first_registered_one_is_used(there: World) -> None:
    assert there.browser.decide(there.sunshine_url()).startswith(f"{REDIRECT_URI}?code=")
    second = there.browser.decide(there.sunshine_url(redirect_uri=f"{REDIRECT_URI}2"))
    assert second.startswith(f"{REDIRECT_URI}2?code=")


@pytest.mark.parametrize(
    "query",
    [
        "state=st%20ate%261&redirect_uri=http%3A//127.0.0.1%3A9999/cb",  # Python 17
        "state=st+ate%261&redirect_uri=http%3A%2F%2F127.0.0.1%3A9999%2Fcb",  # Python 12
        "state=st%20ate%261&redirect_uri=http%3A%2F%2F127.0.0.1%3A9999%2Fcb",  # JavaScript
    ],
)
def test_the_same_request_is_the_same_however_it_is_encoded(there: World, query: str) -> None:
    back = there.browser.decide(f"/oauth/authorize?client_id=shoplifter&response_type=code&{query}")
    assert dict(parse_qsl(urlsplit(back).query))["state"] == "st ate&1"


@pytest.mark.parametrize(
    "uri", [f"{REDIRECT_URI}/", f"{REDIRECT_URI}%2F", "http://127.0.0.1:9999/CB", "https://evil.example/cb"]
)
def test_a_redirect_uri_that_is_not_registered_is_never_redirected_to(there: World, uri: str) -> None:
    reply = there.get(there.sunshine_url(redirect_uri=uri))
    assert reply.status == 400
    assert reply.header("location") is None


@pytest.mark.parametrize("state", ["", " ", "a=b&c#d%41+", "späße \U0001f511", "\"<script>'", "x" * 8192])
def test_the_state_comes_back_byte_for_byte(there: World, state: str) -> None:
    parameters = there.browser.connect(there.sunshine_url(state=state))
    assert parameters["state"] == state
    assert set(parameters) == {"code", "state"}


def test_another_response_type_goes_back_with_its_error_and_state_after_sign_in(there: World) -> None:
    url = there.sunshine_url(response_type="token", state="s1")
    opened = there.get(url)
    assert (opened.header("location") or "").startswith("/authorize/"), "nobody has signed in yet"
    parameters = there.browser.connect(url)
    assert (parameters["error"], parameters["state"]) == ("unsupported_response_type", "s1")
    missing = there.browser.connect("/oauth/authorize?client_id=shoplifter&state=s2")
    assert (missing["error"], missing["state"]) == ("invalid_request", "s2")


def test_deny_goes_back_as_access_denied_with_the_state(there: World) -> None:
    fresh = there.house.client("Another", profile="sunshine", redirect_uris=(REDIRECT_URI,)).client.client_id
    parameters = there.browser.connect(there.sunshine_url(client_id=fresh, state="s"), "deny")
    assert (parameters["error"], parameters["state"]) == ("access_denied", "s")
    assert "code" not in parameters


def test_the_dialog_describes_the_access_although_there_is_no_scope_parameter(there: World) -> None:
    fresh = there.house.client("Third", profile="sunshine", redirect_uris=(REDIRECT_URI,)).client.client_id
    customer = there.customer()
    customer.sign_in()
    page = customer.go("GET", there.sunshine_url(client_id=fresh)).header("location") or ""
    text = customer.go("GET", page).text
    assert "decision" in forms(text)[0].buttons
    assert "It can:" in text
    assert "It cannot:" in text


# --- token


def test_the_exchange_is_taken_as_json_and_as_a_form(there: World) -> None:
    for post in (there.post_json, there.post_form):
        reply = post("/oauth/token", there.sunshine_exchange(there.sunshine_code()))
        assert reply.status == 200
        assert reply.header("content-type") == "application/json"
        assert reply.header("cache-control") == "no-store"
        assert set(reply.json()) == {"access_token", "token_type"}
        assert reply.json()["token_type"] == "Bearer"


@pytest.mark.parametrize(
    "header", ["Bearer JUNK", "Basic Og==", "Basic ???", basic("shoplifter", "wrong"), "Client x", "\xe9"]
)
def test_an_authorization_header_at_the_token_endpoint_is_not_looked_at(there: World, header: str) -> None:
    members = there.sunshine_exchange(there.sunshine_code())
    assert there.post_json("/oauth/token", members, authorization=header).status == 200


def test_credentials_in_a_header_alone_do_not_do(there: World) -> None:
    members = there.sunshine_exchange(there.sunshine_code())
    header = basic(members.pop("client_id"), members.pop("client_secret"))
    reply = there.post_json("/oauth/token", members, authorization=header)
    assert reply.status == 400
    assert_sunshine_refusal(reply)


def test_a_second_presentation_is_refused_and_leaves_the_first_ones_token_alive(there: World) -> None:
    members = there.sunshine_exchange(there.sunshine_code())
    token = there.post_json("/oauth/token", members).json()["access_token"]
    for _ in range(3):
        again = there.post_json("/oauth/token", members)
        assert again.status == 400, "neither 409 nor 5xx: SDKs repeat those by themselves"
        assert_sunshine_refusal(again)
    assert there.get("/v2/tokenInfo", **bearer(token)).status == 200


def test_refresh_and_client_credentials_are_not_for_this_dialect(there: World) -> None:
    for grant_type in ("refresh_token", "client_credentials", "password"):
        reply = there.post_json("/oauth/token", there.sunshine_exchange("x", grant_type=grant_type))
        assert reply.status == 400
        assert_sunshine_refusal(reply)


def test_integrations_of_one_dialect_are_unknown_at_the_others_endpoints(there: World) -> None:
    members = there.sunshine_exchange(there.sunshine_code())
    assert there.post_form("/token", members).status == 401
    assert there.post_json("/oauth/token", members | there.proof()).status == 401
    assert there.get("/v2/tokenInfo", **bearer(there.standard_tokens()["access_token"])).status == 401
    assert there.get(there.sunshine_url(client_id=there.standard.client.client_id)).status == 400
    assert there.post_json("/oauth/token", members).status == 200


@pytest.mark.parametrize(
    ("target", "method"),
    [("/oauth/token", "POST"), ("/v2/tokenInfo", "GET"), ("/oauth/authorization", "DELETE")],
)
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain"])
def test_a_content_type_without_a_body_is_never_held_against_anybody(
    there: World, target: str, method: str, kind: str
) -> None:
    reply = there.caller.request(method, target, [("Content-Type", kind)])
    assert reply.status == (400 if method == "POST" else 401)
    assert_sunshine_refusal(reply)


def test_a_body_on_calls_that_take_none_is_not_looked_at(there: World) -> None:
    headers = [("Authorization", f"Bearer {there.sunshine_token()}"), ("Content-Type", "application/json")]
    assert there.caller.request("GET", "/v2/tokenInfo", headers, b"{broken").status == 200
    assert there.caller.request("DELETE", "/oauth/authorization", headers, b"{broken").status == 200


# --- the token itself


def test_the_jwt_is_shaped_like_the_vendors_and_never_expires(there: World) -> None:
    header, payload, _ = there.sunshine_token().split(".")
    head, claims = unpacked(header), unpacked(payload)
    assert {name: head[name] for name in ("alg", "typ", "azp")} == {"alg": "HS256", "typ": "JWT", "azp": "shoplifter"}
    assert isinstance(head["kid"], str)
    assert set(claims) == {"scope", "appId", "iat"}
    assert (claims["scope"], claims["appId"]) == ("integration", there.account.external_ids["sunshine"])
    kids = {key["kid"] for key in there.get("/jwks.json").json()["keys"]}
    assert head["kid"] not in kids


@pytest.mark.parametrize("algorithm", ["none", "HS512", "ES256", "hs256", ""])
def test_a_jwt_of_another_algorithm_is_no_token(there: World, algorithm: str) -> None:
    header, payload, signature = there.sunshine_token().split(".")
    forged = packed(unpacked(header) | {"alg": algorithm})
    for token in (f"{forged}.{payload}.{signature}", f"{forged}.{payload}."):
        assert there.get("/v2/tokenInfo", **bearer(token)).json() == UNAUTHORIZED


def test_a_jwt_that_was_changed_by_one_claim_is_no_token(there: World) -> None:
    header, payload, signature = there.sunshine_token().split(".")
    changed = packed(unpacked(payload) | {"scope": "app"})
    assert there.get("/v2/tokenInfo", **bearer(f"{header}.{changed}.{signature}")).status == 401


# --- token info


@pytest.mark.parametrize(
    "path", ["/v2/tokenInfo", "/v2/tokeninfo", "/V2/TOKENINFO", "/sc/v2/tokeninfo", "//v2/tokenInfo"]
)
def test_token_info_is_found_in_any_case_and_below_the_prefix(there: World, path: str) -> None:
    told = there.get(path, **bearer(there.sunshine_token())).json()
    assert told["app"]["id"] == there.account.external_ids["sunshine"]
    assert told["app"]["subdomain"] == "acme"


def test_token_info_without_a_token_is_told_in_the_vendors_words(there: World) -> None:
    for headers in ({}, {"authorization": "Bearer"}, {"authorization": "Basic Og=="}, bearer("JWT"), bearer("a b")):
        reply = there.get("/v2/tokenInfo", **headers)
        assert (reply.status, reply.json()) == (401, UNAUTHORIZED)
        assert (reply.header("www-authenticate") or "").startswith("Bearer")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_scheme_is_read_in_any_case(there: World, scheme: str) -> None:
    assert there.get("/v2/tokenInfo", authorization=f"{scheme} {there.sunshine_token()}").status == 200


def test_a_display_name_is_never_one_that_the_sdk_refuses(there: World) -> None:
    account = there.house.account("N" * 150)
    there.house.member(account, there.house.user("long@example.com", "Long", hash_password(PASSWORD)))
    customer = Customer(there.caller.request, PUBLIC_URL, "long@example.com", PASSWORD)
    code = customer.connect(there.sunshine_url())["code"]
    token = there.post_json("/oauth/token", there.sunshine_exchange(code)).json()["access_token"]
    assert there.get("/v2/tokenInfo", **bearer(token)).json()["app"]["displayName"] == "N" * 100


# --- revoke access


def test_revoking_by_bearer_ends_the_connection_at_once(there: World) -> None:
    first, second = there.sunshine_token(), there.sunshine_token()
    reply = there.delete("/oauth/authorization", **bearer(first))
    assert (reply.status, reply.body, reply.header("content-type")) == (200, b"{}", "application/json")
    for token in (first, second):
        assert there.get("/v2/tokenInfo", **bearer(token)).json() == UNAUTHORIZED
    assert there.delete("/oauth/authorization", **bearer(first)).json() == UNAUTHORIZED


def test_revoking_by_a_key_of_the_connection_does_the_same(there: World) -> None:
    token = there.sunshine_token()
    header = basic(*there.connection_key())
    assert there.delete("/sc/oauth/authorization", authorization=header.replace("Basic", "bAsIc")).status == 200
    assert there.get("/v2/tokenInfo", **bearer(token)).status == 401
    assert there.delete("/oauth/authorization", authorization=header).json() == UNAUTHORIZED, "the key died with it"


@pytest.mark.parametrize("header", ["Basic Og==", "Basic YXBwX2tleTpzZWM=", "Basic !", "Digest x", "Bearer", ""])
def test_revoking_without_good_credentials_is_unauthorized(there: World, header: str) -> None:
    reply = there.delete("/oauth/authorization", authorization=header)
    assert reply.status == 401
    assert_sunshine_refusal(reply)


def test_a_code_from_before_the_removal_is_worth_nothing(there: World) -> None:
    code = there.sunshine_code()
    assert there.delete("/oauth/authorization", **bearer(there.sunshine_token())).status == 200
    assert there.post_json("/oauth/token", there.sunshine_exchange(code)).status == 400


# --- servers to servers


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/oauth/token"), ("GET", "/v2/tokenInfo"), ("DELETE", "/oauth/authorization")]
)
def test_browsers_of_other_origins_get_no_leave_and_no_special_treatment(there: World, method: str, path: str) -> None:
    asked = [("Origin", "https://evil.example"), ("Access-Control-Request-Method", method)]
    preflight = there.caller.request("OPTIONS", path, asked)
    assert preflight.status == 405
    assert not any(name.startswith("access-control") for name, _ in preflight.headers)
    reply = there.caller.request(method, path, asked)
    assert reply.status in (400, 401)
    assert not any(name.startswith("access-control") for name, _ in reply.headers)


def unpacked(part: str) -> dict[str, Any]:
    members: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return members


def packed(members: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(members)).rstrip(b"=").decode()
