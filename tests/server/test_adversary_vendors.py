"""Attacks over HTTP on the vendors' addresses: what was made for one vendor's clients shown at another's, tokens that somebody
forged, and what browsers are made to carry."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import orjson
import pytest

from grantway.protocol.administration.clients import CreatedClient
from grantway.protocol.administration.signing_keys import ensure_key
from grantway.server.signing_keys import draw_signing_key
from tests.helpers.asgi import Reply
from tests.helpers.phonecom import Switchboard, switchboard
from tests.helpers.square import VERIFIER, Application
from tests.helpers.world import World, world
from tests.server.test_square import application

REDIRECT_URI = "http://127.0.0.1:9999/cb"
DIALECTS = ("standard", "sunshine", "square", "phonecom")
AUTHORIZE = {
    "standard": "/authorize",
    "sunshine": "/oauth/authorize",
    "square": "/oauth2/authorize",
    "phonecom": "/v4/oauth/authorization",
}
TOKEN = {
    "standard": "/token",
    "sunshine": "/oauth/token",
    "square": "/oauth2/token",
    "phonecom": "/v4/oauth/access-token",
}
BEARER = {
    "standard": ("GET", "/accounts"),
    "sunshine": ("GET", "/v2/tokenInfo"),
    "square": ("POST", "/oauth2/token/status"),
    "phonecom": ("GET", "/v4/oauth/access-token"),
}
ENDING = {
    "sunshine": ("DELETE", "/oauth/authorization"),
    "phonecom": ("DELETE", "/v4/oauth/access-token"),
}


@dataclass
class Vendor:
    """A client of each dialect, as it asks at any dialect's address."""

    there: World
    dialect: str
    made: CreatedClient
    proof: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.proof = {"client_id": self.made.client.client_id, "client_secret": self.made.client_secret or ""}

    def code(self) -> str:
        asked = {"client_id": self.proof["client_id"], "response_type": "code", "redirect_uri": REDIRECT_URI}
        if self.dialect == "standard":
            asked |= {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}
        if self.dialect == "phonecom":
            asked |= {"scope": "account-owner"}
        return self.there.customer().connect(f"{AUTHORIZE[self.dialect]}?{urlencode(asked)}")["code"]

    def exchange(self, code: str) -> dict[str, str]:
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI, **self.proof}
        return asked | ({"code_verifier": VERIFIER} if self.dialect == "standard" else {})

    def post(self, dialect: str, members: dict[str, str]) -> Reply:
        """At that dialect's token endpoint, in a body that it reads."""
        if dialect == "standard":
            return self.there.post_form(TOKEN[dialect], members)
        return self.there.post_json(TOKEN[dialect], members)

    def tokens(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.post(self.dialect, self.exchange(self.code())).json()
        return answer


@pytest.fixture(scope="module")
def there() -> Iterator[World]:
    with world() as one:
        yield one


@pytest.fixture(scope="module")
def vendors(there: World) -> dict[str, Vendor]:
    return {one: Vendor(there, one, there.house.client(f"Of {one}", **_wanted(one))) for one in DIALECTS}


def _wanted(dialect: str) -> dict[str, Any]:
    scopes = {"standard": ("read",), "square": ("PAYMENTS_READ",), "phonecom": ("account-owner",)}
    said = {"scopes": scopes[dialect]} if dialect in scopes else {}
    return {"profile": dialect, "redirect_uris": (REDIRECT_URI,), **said}


# --- one vendor's at another's address


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_code_is_worth_nothing_at_another_vendors_address_and_is_not_spent_there(
    vendors: dict[str, Vendor], dialect: str
) -> None:
    own = vendors[dialect]
    code = own.code()
    for elsewhere in sorted({*DIALECTS} - {dialect}):
        refused(own.post(elsewhere, own.exchange(code)))  # its own client, whom nobody knows there
        refused(own.post(elsewhere, own.exchange(code) | vendors[elsewhere].proof))  # somebody who is known there
    assert own.post(dialect, own.exchange(code)).status in (200, 201)


@pytest.mark.parametrize("dialect", ["standard", "square", "phonecom"])
def test_a_refresh_token_is_worth_nothing_at_another_vendors_address_and_nothing_ends(
    vendors: dict[str, Vendor], dialect: str
) -> None:
    own = vendors[dialect]
    asked = {"grant_type": "refresh_token", "refresh_token": own.tokens()["refresh_token"]}
    for elsewhere in sorted({*DIALECTS} - {dialect}):
        refused(own.post(elsewhere, asked | own.proof))
        refused(own.post(elsewhere, asked | vendors[elsewhere].proof))
    assert own.post(dialect, asked | own.proof).status in (200, 201)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_access_token_tells_and_ends_nothing_at_another_vendors_address(
    there: World, vendors: dict[str, Vendor], dialect: str
) -> None:
    own = vendors[dialect]
    token = own.tokens()["access_token"]
    for elsewhere in sorted({*DIALECTS} - {dialect}):
        for method, path in (BEARER[elsewhere], ENDING.get(elsewhere, BEARER[elsewhere])):
            assert there.caller.request(method, path, [("Authorization", f"Bearer {token}")]).status == 401
        if elsewhere == "square":
            secret = [("Authorization", f"Client {vendors['square'].proof['client_secret']}")]
            square = vendors["square"].proof["client_id"]
            renewed = there.post_json(
                f"/oauth2/clients/{square}/access-token/renew", {"access_token": token}, **dict(secret)
            )
            revoked = there.post_json("/oauth2/revoke", {"client_id": square, "access_token": token}, **dict(secret))
            assert (renewed.status, revoked.status) == (401, 404)
    method, path = BEARER[dialect]
    assert there.caller.request(method, path, [("Authorization", f"Bearer {token}")]).status == 200


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_client_is_unknown_where_another_vendors_customers_come_in(
    there: World, vendors: dict[str, Vendor], dialect: str
) -> None:
    for elsewhere in sorted({*DIALECTS} - {dialect}):
        asked = {
            "client_id": vendors[dialect].proof["client_id"], "response_type": "code", "scope": "read",
            "redirect_uri": REDIRECT_URI,
        }  # fmt: skip
        reply = there.get(f"{AUTHORIZE[elsewhere]}?{urlencode(asked)}")
        assert (reply.status, reply.header("location")) == (400, None)


def refused(reply: Reply) -> None:
    assert 400 <= reply.status < 500, reply.status
    assert "access_token" not in reply.text


# --- Square: tokens that somebody forged


@pytest.fixture(scope="module")
def shop(there: World) -> Application:
    return application(there, "Forged")


def forgeries(token: str, other: str, jwk: dict[str, str], secret: str) -> Iterator[tuple[str, str]]:
    """The JWT as whoever holds it, and knows what is public, can change it."""
    head, body, tail = token.split(".")
    header, payload = read(head), read(body)
    yield "another algorithm named", signed(header | {"alg": "HS512"}, payload, tail)
    for none in ("none", "None", "NONE", ""):
        yield f"alg {none}", signed(header | {"alg": none}, payload, "")
    yield "no signature", f"{head}.{body}."
    yield "the signature of another token", f"{head}.{body}.{other.split('.')[2]}"
    yield "the header of another grant's token", f"{other.split('.', maxsplit=1)[0]}.{body}.{tail}"
    yield "a longer life", signed(header, payload | {"exp": payload["exp"] + 9**9}, tail)
    yield "without end", signed(header, {k: v for k, v in payload.items() if k != "exp"}, tail)
    yield "all permissions", signed(header, payload | {"scp": "f" * 15}, tail)
    yield "as Sunshine's", signed(header, {"scope": "PAYMENTS_READ", "appId": "x", "iat": payload["iat"]}, tail)
    yield "of type at+jwt", signed(header | {"typ": "at+jwt"}, payload, tail)
    for key in (b"", orjson.dumps(jwk), jwk["x"].encode(), secret.encode()):
        yield "an HMAC under what is known", hs256(header, payload, key)
        yield "and as at+jwt", hs256(header | {"typ": "at+jwt", "kid": jwk["kid"]}, payload, key)
    yield "a kid that is a path", signed(header | {"kid": "../../dev/null"}, payload, tail)
    yield "a kid that is none", signed(header | {"kid": {"a": 1}}, payload, tail)


def test_a_forged_jwt_is_none(there: World, shop: Application) -> None:
    there.house.decide(ensure_key, draw_signing_key(there.house.service.vault))
    token, other = (shop.tokens(use_jwt=True)["access_token"] for _ in range(2))
    assert shop.status(token).status == 200
    jwk = there.get("/jwks.json").json()["keys"][0]
    for how, forged in forgeries(token, other, jwk, shop.secret):
        assert shop.status(forged).status == 401, how
        assert shop.renew(forged).status == 401, how
        assert shop.revoke(access_token=forged).status == 404, how
    assert shop.status(token).status == 200


def read(part: str) -> dict[str, Any]:
    members: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return members


def write(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: dict[str, Any], payload: dict[str, Any], tail: str) -> str:
    return f"{write(orjson.dumps(header))}.{write(orjson.dumps(payload))}.{tail}"


def hs256(header: dict[str, Any], payload: dict[str, Any], key: bytes) -> str:
    text = signed(header, payload, "")[:-1]
    return f"{text}.{write(hmac.digest(key, text.encode(), 'sha256'))}"


# --- Phone.com: what a browser is made to carry


@pytest.fixture(scope="module")
def board() -> Iterator[Switchboard]:
    with switchboard() as one:
        yield one


@pytest.mark.parametrize(
    "asked", ["code token", "token code", "token id_token", "id_token token", "token token", "TOKEN", " token", "none"]
)
def test_no_combination_of_response_types_gets_a_token_or_a_code(board: Switchboard, asked: str) -> None:
    for client in (board.implicit, board.confidential, board.browser_client):
        back = board.customer.decide(board.url(client, response_type=asked))
        assert "unsupported_response_type" in back
        assert "access_token=" not in back
        assert "code=" not in back.replace("code_challenge", "")


def test_a_token_goes_to_no_page_but_the_fragment_and_the_page_before_is_not_told(board: Switchboard) -> None:
    back = urlsplit(board.customer.decide(board.url(board.implicit, response_type="token", response_mode="query")))
    token = parse_qs(back.fragment)["access_token"][0]
    assert back.query == ""
    last = board.customer.visited[-1]
    assert (last.status, last.header("referrer-policy")) == (303, "no-referrer")
    assert "no-store" in (last.header("cache-control") or "")
    assert token not in last.text


@pytest.mark.parametrize(
    "state", ["x&access_token=evil", "x#access_token=evil", "x\r\nSet-Cookie: a=b", "&token_type=mac"]
)
def test_a_state_adds_nothing_to_the_fragment(board: Switchboard, state: str) -> None:
    back = board.customer.decide(board.url(board.implicit, response_type="token", state=state))
    _, _, fragment = back.partition("#")
    assert "#" not in fragment
    answer = parse_qs(fragment)
    assert answer["state"] == [state]
    assert all(len(values) == 1 for values in answer.values())
    assert answer["access_token"][0].startswith("gwa_")


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/cb#", "https://app.example/cb?", "https://app.example/cb/", "https://APP.example/cb",
        "https://app.example:443/cb", "https://app.example/cb%2f..", "https://app.example@evil.example/cb",
        "https://app.example.evil.example/cb", "//app.example/cb", "javascript:alert(1)//https://app.example/cb",
    ],
)  # fmt: skip
def test_no_token_is_sent_to_an_address_that_only_looks_like_the_clients(board: Switchboard, uri: str) -> None:
    reply = board.get(board.url(board.implicit, response_type="token", redirect_uri=uri))
    assert (reply.status, reply.header("location")) == (400, None)
    assert f'href="{uri}' not in reply.text


@pytest.mark.parametrize("name", ["client_secret", "password", "code", "refresh_token"])
def test_a_secret_in_an_address_is_repeated_on_no_page_and_in_no_redirect(board: Switchboard, name: str) -> None:
    secret = "zq7-a-secret-of-somebody"
    for path in ("/v4/oauth/authorization", "/v4/oauth/access-token", "/v4/oauth/nowhere"):
        for good in ("", board.url().partition("?")[2]):
            for method in ("GET", "POST", "DELETE", "OPTIONS"):
                reply = board.caller.request(method, f"{path}?{good}&{name}={secret}")
                assert reply.status < 500
                assert secret not in reply.text + repr(reply.headers), (method, path)


def test_a_name_that_is_spelled_otherwise_is_the_same_parameter(board: Switchboard) -> None:
    """What a proxy takes for another name must not be looked past."""
    asked = board.exchange(board.code())
    for query in ("client%5Fid=other", "client_id=a&client_id=b", "client_id=other", f"client_id={quote('é')}"):
        reply = board.caller.request(
            "POST", f"/v4/oauth/access-token?{query}", [("Content-Type", "application/json")], orjson.dumps(asked)
        )
        assert reply.status in (401, 422), query
    assert board.post(asked).status == 201


def test_one_who_brings_passwords_learns_of_no_name(board: Switchboard) -> None:
    board.house.user("nobodys-password@example.com", "No")
    told = set()
    for name in ("ada@example.com", "nobodys-password@example.com", "stranger@example.com", "x" * 300):
        asked = {"grant_type": "password", "username": name, "password": "wrong", **board.proof(board.trusted)}
        reply = board.post(asked)
        error = {key: str(value) for key, value in reply.json()["@error"].items() if key != "@id"}
        told.add((reply.status, *sorted(error.items())))
    assert len(told) == 1
