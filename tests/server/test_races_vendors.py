"""Races at the vendors' addresses on the real server: two worker processes on one SQLite file, ten requests at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.helpers.asgi import Reply
from tests.helpers.customer import FORM, forms
from tests.helpers.server import Platform, fetch, populate, serving
from tests.helpers.square import CHALLENGE, REDIRECT_URI, VERIFIER

AT_ONCE = 10
ROUNDS = 4


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with serving(tmp_path_factory.mktemp("races") / "data", workers=2) as server:
        yield populate(server)


class Caller:
    """A client of a vendor's dialect, over connections of its own."""

    def __init__(self, platform: Platform, profile: str, *arguments: str) -> None:
        self.platform = platform
        made = platform.client(f"A {profile}", "--profile", profile, "--redirect-uri", REDIRECT_URI, *arguments)
        self.client_id, self.secret = made["client_id"], made["client_secret"]

    def post(self, path: str, members: dict[str, Any], authorization: str = "") -> Reply:
        headers = [("Content-Type", "application/json"), *([("Authorization", authorization)] if authorization else [])]
        return fetch("POST", self.platform.base_url + path, headers, json.dumps(members).encode())

    def ask(self, method: str, path: str, token: str) -> int:
        return fetch(method, self.platform.base_url + path, [("Authorization", f"Bearer {token}")]).status

    # Square

    def tokens(self, **asked: str) -> dict[str, Any]:
        """Those of a new code; with a challenge where one is asked for."""
        query = urlencode({"client_id": self.client_id, **asked})
        code = self.platform.customer.connect(f"/oauth2/authorize?{query}")["code"]
        proof = {"code_verifier": VERIFIER} if "code_challenge" in asked else {"client_secret": self.secret}
        sent = {"client_id": self.client_id, "grant_type": "authorization_code", "code": code, **proof}
        answer: dict[str, Any] = self.post("/oauth2/token", sent).json()
        return answer

    def refresh(self, token: str) -> Reply:
        return self.post(
            "/oauth2/token", {"client_id": self.client_id, "grant_type": "refresh_token", "refresh_token": token}
        )

    def renew(self, token: str) -> Reply:
        path = f"/oauth2/clients/{self.client_id}/access-token/renew"
        return self.post(path, {"access_token": token}, f"Client {self.secret}")

    def revoke(self, **members: Any) -> Reply:
        return self.post("/oauth2/revoke", {"client_id": self.client_id, **members}, f"Client {self.secret}")

    def status(self, token: str) -> int:
        return self.ask("POST", "/oauth2/token/status", token)

    # Phone.com

    def details(self, token: str) -> int:
        return self.ask("GET", "/v4/oauth/access-token", token)

    def sign_out(self, token: str) -> int:
        return self.ask("DELETE", "/v4/oauth/access-token", token)


def at_once(*asked: Callable[[], Any]) -> list[Any]:
    """What comes of these, all begun in the same moment."""
    barrier = Barrier(len(asked))

    def one(ask: Callable[[], Any]) -> Any:
        barrier.wait(30)
        return ask()

    with ThreadPoolExecutor(len(asked)) as pool:
        return list(pool.map(one, asked))


@pytest.fixture(scope="module")
def till(platform: Platform) -> Caller:
    return Caller(platform, "square", "--scope", "PAYMENTS_READ", "--create-scopes")


def test_ten_at_once_with_a_single_use_token_get_one_successor_which_works(till: Caller) -> None:
    token = till.tokens(code_challenge=CHALLENGE)["refresh_token"]
    for _ in range(ROUNDS):
        answers = at_once(*[partial(till.refresh, token)] * AT_ONCE)
        assert [reply.status for reply in answers] == [200] * AT_ONCE
        (successor,) = {reply.json()["refresh_token"] for reply in answers}
        assert successor != token
        token = successor
    assert till.refresh(token).status == 200


def test_of_ten_renewals_and_a_revocation_at_once_nothing_is_left_alive(till: Caller) -> None:
    for _ in range(ROUNDS):
        tokens = till.tokens()
        token = tokens["access_token"]
        renewals = [partial(till.renew, token)] * (AT_ONCE - 1)
        *renewed, revoked = at_once(*renewals, partial(till.revoke, access_token=token))
        assert revoked.status == 200
        assert {reply.status for reply in renewed} <= {200, 401}
        alive = [reply.json()["access_token"] for reply in renewed if reply.status == 200] + [token]
        assert {till.status(one) for one in alive} == {401}
        again = {"client_secret": till.secret, "refresh_token": tokens["refresh_token"], "grant_type": "refresh_token"}
        assert till.post("/oauth2/token", {"client_id": till.client_id, **again}).status == 401


def test_of_ten_revocations_at_once_all_are_told_that_it_is_done(till: Caller) -> None:
    tokens = till.tokens()
    by_token = [partial(till.revoke, access_token=tokens["access_token"])] * 5
    by_merchant = [partial(till.revoke, merchant_id=tokens["merchant_id"])] * 5
    assert [reply.status for reply in at_once(*by_token, *by_merchant)] == [200] * AT_ONCE


def test_ten_clicks_on_allow_make_one_grant_whose_tokens_end_together(platform: Platform) -> None:
    widget = Caller(
        platform, "phonecom", "--public", "--scope", "account-owner", "--create-scopes", "--set", "grant_types=implicit"
    )
    customer = platform.new_browser()
    customer.sign_in()
    asked = {"client_id": widget.client_id, "response_type": "token", "scope": "account-owner"}
    query = urlencode(asked | {"redirect_uri": REDIRECT_URI})
    page = customer.go("GET", f"/v4/oauth/authorization?{query}").header("location") or ""
    form = forms(customer.go("GET", page).text)[0]
    body = urlencode(form.fields | {"decision": "allow"}).encode()
    headers = [("Cookie", customer.cookie_header), ("Content-Type", FORM)]
    replies = at_once(*[partial(fetch, "POST", platform.base_url + form.action, headers, body)] * AT_ONCE)
    found = [parse_qs(urlsplit(reply.header("location") or "").fragment) for reply in replies]
    tokens = [answer["access_token"][0] for answer in found]
    assert {widget.details(token) for token in tokens} == {200}
    assert set(at_once(*[partial(widget.sign_out, one) for one in tokens])) <= {200, 401}
    assert {widget.details(token) for token in tokens} == {401}


def test_ten_first_calls_with_a_password_make_one_connection(platform: Platform) -> None:
    importer = Caller(
        platform,
        "phonecom",
        "--scope",
        "account-owner",
        "--create-scopes",
        "--set",
        "grant_types=password refresh_token",
    )
    asked = {
        "grant_type": "password", "client_id": importer.client_id, "client_secret": importer.secret,
        "username": platform.customer.email, "password": platform.customer.password, "scope": "account-owner",
    }  # fmt: skip
    answers = at_once(*[partial(importer.post, "/v4/oauth/access-token", asked)] * AT_ONCE)
    assert {reply.status for reply in answers} <= {201, 503}  # beyond the queue of passwords: come again
    assert {importer.details(reply.json()["access_token"]) for reply in answers if reply.status == 201} == {200}
    listed = platform.server.cli("connections", "list", "--client", importer.client_id)["connections"]
    assert len(listed) == 1
