"""Whatever a page is sent, a person gets a page or a redirect to where it may lead, never a fault, and no log has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.asgi import Disconnected, Reply
from tests.helpers.customer import FORM, forms
from tests.helpers.fuzzing import MARK, Known, Sent, Template, Watch, fill, form, requests, watching
from tests.helpers.world import CHALLENGE, PASSWORD, REDIRECT_URI, World, world

COOKIE = (("cookie", Known("cookie")),)
STANDARD = (("response_type", "code"), ("client_id", Known("standard_id")), ("redirect_uri", REDIRECT_URI),
            ("state", f"{MARK}/ +&"), ("scope", "read"), ("prompt", "consent"), ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"))  # fmt: skip
SUNSHINE = (("client_id", Known("sunshine_id")), ("response_type", "code"), ("state", MARK))
SQUARE = (("client_id", Known("square_id")), ("scope", "PAYMENTS_READ"), ("state", MARK), ("session", "true"),
          ("locale", "de-DE"), ("code_challenge", CHALLENGE), ("redirect_uri", REDIRECT_URI))  # fmt: skip
PHONECOM = (("client_id", Known("phonecom_id")), ("response_type", "token"), ("scope", "account-owner"),
            ("redirect_uri", REDIRECT_URI), ("state", MARK))  # fmt: skip
CSRF = (("csrf", Known("csrf")),)
SHOWN = (*CSRF, ("shown", Known("shown")))
KNOWN = (
    "cookie", "csrf", "shown", "pending", "account", "connection", "standard_id", "sunshine_id", "square_id",
    "phonecom_id", "implicit", "implicit_shown",
)  # fmt: skip

SECRET = ("cookie", "csrf", "shown", "pending", "implicit", "implicit_shown")

PAGES = (
    Template("GET", "/authorize", STANDARD, COOKIE),
    Template("GET", "/authorize", STANDARD),
    Template("POST", "/authorize", STANDARD, COOKIE),
    Template("POST", "/authorize", STANDARD),
    Template("GET", "/oauth/authorize", SUNSHINE, COOKIE),
    Template("GET", "/sc//oauth/authorize", SUNSHINE),
    Template("GET", "/oauth2/authorize", SQUARE, COOKIE),
    Template("POST", "/oauth2/authorize", SQUARE),
    Template("GET", "/v4/oauth/authorization", PHONECOM, COOKIE),
    Template("POST", "/v4/oauth/authorization/", PHONECOM, COOKIE),
    Template(
        "POST",
        "/authorize/<implicit>",
        (*CSRF, ("shown", Known("implicit_shown")), ("decision", "allow"), ("scope:account-owner", "on")),
        COOKIE,
    ),
    Template("GET", "/authorize/<pending>", headers=COOKIE),
    Template("POST", "/authorize/<pending>", (*SHOWN, ("decision", "allow")), COOKIE),
    Template("POST", "/authorize/<pending>", (*CSRF, ("decision", "deny")), COOKIE),
    Template("POST", "/authorize/<pending>/account", (*CSRF, ("account", Known("account"))), COOKIE),
    Template("POST", "/authorize/<pending>/account/change", CSRF, COOKIE),
    Template("GET", "/connections", (("removed", "whole"),), COOKIE),
    Template("GET", "/connections/<connection>", headers=COOKIE),
    Template("POST", "/connections/<connection>/remove", CSRF, COOKIE),
    Template("POST", "/connections/<connection>/suspend", CSRF, COOKIE),
    Template("POST", "/connections/<connection>/resume", CSRF, COOKIE),
    Template("POST", "/connections/nonsense/remove", CSRF, COOKIE),
    Template("GET", "/", headers=COOKIE),
    Template("GET", "/sign-in", (("request", Known("pending")),)),
    Template(
        "POST", "/sign-in", (("csrf", "0"), ("username", MARK), ("password", MARK), ("request", Known("pending")))
    ),
    Template("POST", "/sign-out", (("csrf", "0"), ("request", Known("pending"))), COOKIE),
    Template("GET", "/icons/<standard_id>.png", (("v", "x"),)),
    Template("GET", "/static/..%2fsecrets"),
    Template("GET", "/authorize/\x00é\n"),
    Template("GET", "/nothing/here/<pending>"),
)

KEPT = re.compile(r'(?:request=|/authorize/|name="request" value=")[A-Za-z0-9_-]{1,128}"')
"""What is the id of a waiting request by its looks stays on the way back to it: one word without a special character, in
links and in the sign-in form."""

FUZZ = settings(max_examples=900)


class Attacked:
    """The pages, a customer who is signed in, and what is logged meanwhile."""

    def __init__(self, there: World, watch: Watch) -> None:
        self.there = there
        self.watch = watch
        there.sunshine_code()
        self.known = {
            "standard_id": there.standard.client.client_id,
            "sunshine_id": there.sunshine.client.client_id,
            "square_id": client_of(there, "square", ("PAYMENTS_READ",)),
            "phonecom_id": client_of(there, "phonecom", ("account-owner",), grant_types="implicit"),
            "cookie": there.browser.cookie_header,
        }
        page = there.browser.go("GET", "/connections").text
        self.known["csrf"] = forms(page)[0].fields["csrf"]
        self.renew()

    def renew(self) -> None:
        """An authorization request that waits for Allow, and a connection that can be removed."""
        browser = self.there.browser
        location = browser.go("GET", self.there.standard_url(prompt="consent")).header("location") or ""
        self.known["pending"] = location.rpartition("/")[2]
        self.known["shown"] = forms(browser.go("GET", location).text)[0].fields["shown"]
        asked = {"client_id": self.known["phonecom_id"], "response_type": "token", "scope": "account-owner"}
        asked |= {"redirect_uri": REDIRECT_URI}
        location = browser.go("GET", f"/v4/oauth/authorization?{urlencode(asked)}").header("location") or ""
        self.known["implicit"] = location.rpartition("/")[2]
        self.known["implicit_shown"] = forms(browser.go("GET", location).text)[0].fields["shown"]
        self.known["account"] = "ac_none"
        self.there.sunshine_code()
        listed = re.search(r"/connections/(cn_[A-Za-z0-9]+)", browser.go("GET", "/connections").text)
        assert listed is not None
        self.known["connection"] = listed[1]
        for reply in browser.visited:
            self.watch.remember(reply)
        browser.visited.clear()
        self.watch.secrets |= {self.known[name] for name in SECRET} | {PASSWORD}

    def send(self, sent: Sent) -> Reply | None:
        try:
            reply = self.there.caller.raw(**fill(sent, self.known))
        except Disconnected:
            assert sent.hangs_up
            return None
        self.watch.remember(reply)
        if reply.status in (302, 303) and sent.method == "POST" and "<" in sent.path:
            self.renew()
        return reply


def client_of(there: World, profile: str, scopes: tuple[str, ...], **policy: str) -> str:
    """A client whose only consents are the ones that are waited for: always asked, its redirect URI is on loopback."""
    overrides = tuple(policy.items())
    made = there.house.client(
        f"Of {profile}", profile=profile, scopes=scopes, overrides=overrides, redirect_uris=(REDIRECT_URI,), public=True
    )
    return made.client.client_id


@pytest.fixture(scope="module")
def attacked() -> Iterator[Attacked]:
    with watching() as watch, world(watch.log) as there:
        yield Attacked(there, watch)
        watch.settle()


@FUZZ
@given(sent=requests(PAGES, KNOWN))
def test_pages_refuse_anything_with_a_page_that_repeats_none_of_it(attacked: Attacked, sent: Sent) -> None:
    reply = attacked.send(sent)
    if reply is None:
        return
    assert reply.status < 500, reply.body
    assert PASSWORD not in reply.text
    assert MARK not in KEPT.sub("", reply.text)
    assert MARK not in "".join(value for name, value in reply.headers if name != "location")
    location = reply.header("location")
    if location is not None:
        assert location.startswith(("/", REDIRECT_URI))
        assert not location.startswith("//")
    if reply.status >= 400:
        assert_page(reply)


@settings(FUZZ, max_examples=12)
@given(
    username=st.text(min_size=1, max_size=40).map(lambda text: text + "@x.example"),
    password=st.one_of(st.text(max_size=40), st.just("p" * 5000)).map(lambda text: MARK + text),
)
def test_a_failed_sign_in_repeats_the_name_and_never_the_password(
    attacked: Attacked, username: str, password: str
) -> None:
    customer = attacked.there.customer()
    fields = forms(customer.go("GET", "/sign-in").text)[0].fields
    body = form([*(fields | {"username": username, "password": password}).items()], {})
    headers = [("Content-Type", FORM), ("Cookie", customer.cookie_header)]
    reply = attacked.there.caller.request("POST", "/sign-in", headers, body)
    attacked.watch.remember(reply)
    assert reply.status in (400, 403, 429)
    assert MARK not in reply.text


def assert_page(reply: Reply) -> None:
    """A page of ours, with a way on and a number to ask about."""
    assert reply.header("content-type") == "text/html; charset=utf-8"
    assert "default-src 'none'" in (reply.header("content-security-policy") or "")
    assert reply.header("cache-control") == "no-store"
    assert reply.header("referrer-policy") == "no-referrer"
    assert (reply.header("x-request-id") or "none") in reply.text
    assert "Traceback" not in reply.text
