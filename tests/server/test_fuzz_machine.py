"""Whatever a machine endpoint is sent, it answers in its dialect's own shape, never with a fault, and logs none of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from tests.helpers.asgi import Disconnected, Reply
from tests.helpers.fuzzing import MARK, Known, Sent, Template, Watch, fill, requests, watching
from tests.helpers.world import PASSWORD, World, basic, world

PROOF = (("client_id", Known("standard_id")), ("client_secret", Known("standard_secret")))
BASIC = (("authorization", ("Basic ", Known("basic"))),)
CODE = (("grant_type", "authorization_code"), ("code", Known("code")), ("redirect_uri", Known("redirect_uri")),
        ("code_verifier", Known("verifier")))  # fmt: skip
REFRESH = (("grant_type", "refresh_token"), ("refresh_token", Known("refresh_token")), ("scope", "read"))
SUNSHINE_CODE = (("code", Known("sunshine_code")), ("grant_type", "authorization_code"),
                 ("client_id", Known("sunshine_id")), ("client_secret", Known("sunshine_secret")))  # fmt: skip
BEARER = (("authorization", ("Bearer ", Known("sunshine_token"))),)

STANDARD = (
    Template("POST", "/token", (*CODE, *PROOF)),
    Template("POST", "/token", (*REFRESH, *PROOF), (("idempotency-key", "k1"),)),
    Template("POST", "//token", (("grant_type", "client_credentials"), ("scope", "read")), BASIC),
    Template("POST", "/introspect", (("token", Known("access_token")), *PROOF)),
    Template("POST", "/introspect", (("token", Known("refresh_token")), ("token_type_hint", "refresh_token")), BASIC),
    Template("POST", "/revoke", (("token", Known("access_token")), *PROOF)),
    Template("GET", "/.well-known/oauth-authorization-server"),
    Template("GET", "/.well-known/openid-configuration"),
    Template("GET", "/jwks.json"),
)
SUNSHINE = (
    Template("POST", "/oauth/token", SUNSHINE_CODE, kind="json"),
    Template("POST", "/sc//oauth/token", SUNSHINE_CODE),
    Template("GET", "/v2/tokenInfo", headers=BEARER),
    Template("GET", "/sc/v2/TOKENINFO", headers=BEARER),
    Template("DELETE", "/oauth/authorization", headers=(("authorization", ("Bearer ", Known("sunshine_token"))),)),
    Template("DELETE", "//oauth/authorization", headers=(("authorization", ("Basic ", Known("key"))),)),
)
KNOWN = (
    "standard_id", "standard_secret", "public_id", "sunshine_id", "sunshine_secret", "access_token", "refresh_token", "old_refresh",
    "public_refresh", "code", "sunshine_code", "sunshine_token", "basic", "key", "redirect_uri", "verifier",
)  # fmt: skip

FUZZ = settings(max_examples=600)


class Attacked:
    """The world, what is known of it, and what is logged meanwhile."""

    def __init__(self, there: World, watch: Watch) -> None:
        self.there = there
        self.watch = watch
        client = there.standard.client.client_id
        self.known = {
            "standard_id": client,
            "standard_secret": there.standard.client_secret or "",
            "public_id": there.public.client.client_id,
            "sunshine_id": there.sunshine.client.client_id,
            "sunshine_secret": there.sunshine.client_secret or "",
            "basic": basic(client, there.standard.client_secret or "").partition(" ")[2],
            "public_refresh": there.standard_tokens(there.public)["refresh_token"],
            "redirect_uri": "http://127.0.0.1:9999/cb",
            "verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        }
        self.never_told = {there.standard.client_secret or "", there.sunshine.client_secret or "", PASSWORD}
        self.renew("/token")
        self.renew("/oauth/authorization")

    def renew(self, path: str) -> None:
        """What a request to this address has used up is made anew, so that the next one finds something to spend."""
        there = self.there
        if path.endswith("/oauth/authorization"):
            self.known["sunshine_token"] = there.sunshine_token()
            key_id, key_secret = there.connection_key()
            self.known["key"] = basic(key_id, key_secret).partition(" ")[2]
            self.never_told.add(key_secret)
        if path.endswith("/oauth/token") or "sunshine_code" not in self.known:
            self.known["sunshine_code"] = there.sunshine_code()
        if path.endswith(("/token", "/revoke")):
            tokens = there.standard_tokens()
            self.known["old_refresh"] = tokens["refresh_token"]
            refreshed = there.refresh(tokens["refresh_token"]).json()
            self.known |= {name: refreshed[name] for name in ("access_token", "refresh_token")}
            self.known["code"] = there.standard_code()
        for reply in there.browser.visited:
            self.watch.remember(reply)
        there.browser.visited.clear()
        secret = {value for name, value in self.known.items() if name in KNOWN and not name.endswith(("_id", "_uri"))}
        self.watch.secrets |= secret | self.never_told

    def send(self, sent: Sent) -> Reply | None:
        try:
            reply = self.there.caller.raw(**fill(sent, self.known))
        except Disconnected:
            assert sent.hangs_up
            return None
        self.watch.remember(reply)
        assert reply.status < 500, reply.body
        told = reply.body.decode() + "\n".join(value for _, value in reply.headers)
        assert MARK not in told
        assert not any(secret in told for secret in self.never_told)
        if reply.status == 200 and sent.method in ("POST", "DELETE"):
            self.renew(sent.path)
        return reply


@pytest.fixture(scope="module")
def attacked() -> Iterator[Attacked]:
    with watching() as watch, world(watch.log) as there:
        yield Attacked(there, watch)
        watch.settle()


@FUZZ
@given(sent=requests(STANDARD, KNOWN))
def test_standard_endpoints_refuse_anything_in_the_standards_shape(attacked: Attacked, sent: Sent) -> None:
    reply = attacked.send(sent)
    if reply is not None and reply.status >= 400:
        assert_standard_refusal(reply)


@FUZZ
@given(sent=requests(SUNSHINE, KNOWN))
def test_sunshine_endpoints_refuse_anything_in_the_vendors_shape(attacked: Attacked, sent: Sent) -> None:
    reply = attacked.send(sent)
    if reply is not None and reply.status >= 400:
        assert_sunshine_refusal(reply)


def assert_standard_refusal(reply: Reply) -> None:
    """RFC 6749 §5.2."""
    assert reply.header("content-type") == "application/json"
    assert reply.header("cache-control") == "no-store"
    refusal: dict[str, Any] = reply.json()
    state = {"connection_state"} if refusal["error"] == "access_denied" else set()
    assert set(refusal) == {"error", "error_description"} | state
    assert all(isinstance(text, str) and text for text in refusal.values())


def assert_sunshine_refusal(reply: Reply) -> None:
    """The vendor's shape, and no CORS: server-to-server."""
    assert reply.header("content-type") == "application/json"
    assert reply.header("access-control-allow-origin") is None
    refusal: dict[str, Any] = reply.json()
    assert set(refusal) == {"errors"}
    (entry,) = refusal["errors"]
    assert set(entry) == {"code", "title"}
    assert all(isinstance(text, str) and text for text in entry.values())
