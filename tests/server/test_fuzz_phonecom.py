"""Whatever Phone.com's endpoints are sent, they answer in Mason, never with a fault, and log none of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from tests.helpers.asgi import Disconnected, Reply
from tests.helpers.fuzzing import MARK, Known, Sent, Template, Watch, fill, requests, watching
from tests.helpers.phonecom import TOKEN, VOIP_ID, Switchboard, switchboard
from tests.helpers.world import EMAIL, PASSWORD

PROOF = (("client_id", Known("client_id")), ("client_secret", Known("client_secret")))
CODE = (("grant_type", "authorization_code"), ("code", Known("code")), ("redirect_uri", Known("redirect_uri")), *PROOF)
REFRESH = (("grant_type", "refresh_token"), ("refresh_token", Known("refresh_token")), *PROOF)
OWN = (("grant_type", "client_credentials"), ("scope", "account-owner"), *PROOF)
PERSON = (("grant_type", "password"), ("username", "nobody@example.com"), ("password", Known("password")),
          ("scope", "account-owner"), *PROOF)  # fmt: skip
BEARER = (("authorization", ("Bearer ", Known("access_token"))), ("origin", "http://127.0.0.1:9999"))
BARE = (("authorization", Known("access_token")),)
CLIENTS = f"/v4/accounts/{VOIP_ID}/oauth/clients"

CALLS = (
    Template("POST", TOKEN, CODE, kind="json"),
    Template("POST", TOKEN, CODE),
    Template("POST", TOKEN, REFRESH, (("idempotency-key", "k1"),), kind="json"),
    Template("POST", f"/{TOKEN}", OWN, BEARER, kind="json"),
    Template("POST", TOKEN, PERSON, kind="json"),
    Template("GET", TOKEN, CODE, BEARER),
    Template("GET", f"{TOKEN}/details", (), BARE),
    Template("DELETE", TOKEN, (), (("authorization", Known("spare_token")),)),
    Template("GET", CLIENTS, (("limit", "5"), ("offset", "1")), BEARER),
    Template("GET", f"{CLIENTS}/<number>", (), BEARER),
    Template("POST", f"{CLIENTS}/<number>/redirect-uris", (("redirect_uri", "https://app.example/x"),), BEARER, "json"),
    Template("DELETE", f"{CLIENTS}/<number>/redirect-uris/7", (), BEARER),
)
KNOWN = (
    "client_id", "client_secret", "code", "refresh_token", "access_token", "spare_token", "redirect_uri", "password",
)  # fmt: skip
FUZZ = settings(max_examples=500)


class Attacked:
    """The platform, what is known of it, and what is logged meanwhile."""

    def __init__(self, there: Switchboard, watch: Watch) -> None:
        self.there, self.watch = there, watch
        self.client = there.trusted
        self.known = there.proof(self.client) | {
            "redirect_uri": self.client.client.redirect_uris[0],
            "password": "not the password at all",
        }
        self.watch.secrets |= {PASSWORD, EMAIL, self.known["client_secret"], self.known["password"]}
        self.renew()
        headers = [("Authorization", self.known["access_token"])]
        self.known["number"] = str(there.caller.request("GET", CLIENTS, headers).json()["items"][0]["id"])

    def renew(self) -> None:
        """What was used up is made anew, so that the next request finds something to spend."""
        tokens, spare = self.there.tokens(self.client), self.there.tokens(self.client)
        self.known |= {name: tokens[name] for name in ("access_token", "refresh_token")}
        self.known |= {"spare_token": spare["access_token"], "code": self.there.code(self.client)}
        for reply in self.there.customer.visited:
            self.watch.remember(reply)
        self.there.customer.visited.clear()
        self.watch.secrets |= {self.known[name] for name in KNOWN if name not in ("client_id", "redirect_uri")}

    def send(self, sent: Sent) -> Reply | None:
        try:
            reply = self.there.caller.raw(**fill(sent, self.known))
        except Disconnected:
            assert sent.hangs_up
            return None
        self.watch.remember(reply)
        told = reply.body.decode() + "\n".join(value for _, value in reply.headers)
        assert MARK not in told
        assert self.known["client_secret"] not in told
        if reply.status < 300 and sent.method in ("POST", "DELETE"):
            self.renew()
        return reply


@pytest.fixture(scope="module")
def attacked() -> Iterator[Attacked]:
    with watching() as watch, switchboard(watch.log) as there:
        yield Attacked(there, watch)
        watch.settle()


@FUZZ
@given(sent=requests(CALLS, KNOWN))
def test_every_call_refuses_anything_in_the_vendors_shape(attacked: Attacked, sent: Sent) -> None:
    reply = attacked.send(sent)
    if reply is None or reply.status < 400:
        return
    assert reply.status < 500, reply.body
    assert reply.header("content-type") == "application/vnd.mason+json"
    assert reply.header("cache-control") == "no-store"
    error: dict[str, Any] = reply.json()["@error"]
    assert type(error["@httpStatusCode"]) is int
    assert error["@httpStatusCode"] == reply.status
    assert error["@messages"] == [error["@message"]]
    assert error["@message"]
    assert error["@code"]
    assert ("fields" in error) == (reply.status == 422)
    assert ("@rateLimit" in error) == (reply.status == 429)
