"""Phone.com's customers at the pages: a token in the fragment, and members who allow what is their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from grantway.protocol.administration.clients import CreatedClient
from grantway.protocol.decision import Decision, Put
from grantway.protocol.lifecycle import suspend
from grantway.protocol.model import Membership, User
from tests.pages.browser import Browser, Seen
from tests.pages.conftest import CALLBACK, HASH, PASSWORD, Platform

NewBrowser = Callable[..., Browser]
LOOPBACK = "http://127.0.0.1:5000/cb"


@pytest.fixture
def dialer(site: Platform) -> CreatedClient:
    return site.house.client(
        "Dialer",
        profile="phonecom",
        scopes=("account-owner", "extension-user"),
        redirect_uris=(CALLBACK, LOOPBACK),
        overrides=(("grant_types", "authorization_code refresh_token implicit"),),
    )


@pytest.fixture
def grace(site: Platform) -> User:
    user = site.house.user("grace@example.com", "Grace", HASH)
    site.house.member(site.acme, user, "member")
    return user


def address(dialer: CreatedClient, **changes: str) -> str:
    asked = {
        "client_id": dialer.client.client_id, "response_type": "token", "scope": "account-owner",
        "redirect_uri": CALLBACK, "state": "s t&a=te",
    } | changes  # fmt: skip
    return "/v4/oauth/authorization?" + urlencode(asked)


def arrive(browser: Browser, there: str, email: str = "ada@example.com") -> Seen:
    """Through the sign-in page to what is shown then."""
    seen = browser.follow(browser.get(there))
    return browser.follow(browser.send(seen.form("/sign-in"), username=email, password=PASSWORD))


def press(browser: Browser, page: Seen, button: str) -> Seen:
    form = next(form for form in page.forms.values() if ("decision", button) in form.buttons)
    return browser.send(form, decision=button)


def in_fragment(seen: Seen, redirect_uri: str = CALLBACK) -> dict[str, str]:
    """What the vendor's script finds: it splits at & and =, and knows no + for a space."""
    assert seen.status == 303
    address, _, fragment = seen.location.partition("#")
    assert address == redirect_uri
    assert "+" not in fragment
    return dict(parse_qsl(fragment, keep_blank_values=True, strict_parsing=True))


def test_allow_takes_a_token_back_in_the_fragment_and_in_nothing_else(
    site: Platform, browser: Browser, dialer: CreatedClient
) -> None:
    page = arrive(browser, address(dialer))
    assert "Connect Dialer to Acme?" in page.text
    assert "form-action 'self' https://client.example;" in page.headers["content-security-policy"]
    seen = press(browser, page, "allow")
    answer = in_fragment(seen)
    assert answer.pop("access_token").startswith("gwa_")
    assert answer == {"token_type": "Bearer", "expires_in": "3600", "scope": "account-owner", "state": "s t&a=te"}
    assert urlsplit(seen.location).query == ""
    assert seen.headers["referrer-policy"] == "no-referrer"
    assert "no-store" in seen.headers["cache-control"]


def test_a_second_click_is_answered_with_a_token_again(site: Platform, browser: Browser, dialer: CreatedClient) -> None:
    page = arrive(browser, address(dialer))
    first, second = in_fragment(press(browser, page, "allow")), in_fragment(press(browser, page, "allow"))
    assert first["access_token"] != second["access_token"]
    assert second["token_type"] == "Bearer"


def test_deny_is_told_in_the_fragment(site: Platform, browser: Browser, dialer: CreatedClient) -> None:
    answer = in_fragment(press(browser, arrive(browser, address(dialer)), "deny"))
    assert (answer["error"], answer["state"]) == ("access_denied", "s t&a=te")
    assert "access_token" not in answer


def test_without_an_operator_a_token_is_refused_in_the_fragment_after_sign_in(
    site: Platform, browser: Browser, dialer: CreatedClient
) -> None:
    plain = site.house.client("Plain", profile="phonecom", scopes=("account-owner",), redirect_uris=(CALLBACK,))
    answer = in_fragment(arrive(browser, address(plain)))
    assert answer["error"] == "unsupported_response_type"


def test_on_loopback_it_is_asked_every_time(site: Platform, browser: Browser, dialer: CreatedClient) -> None:
    there = address(dialer, redirect_uri=LOOPBACK)
    in_fragment(press(browser, arrive(browser, there), "allow"), LOOPBACK)
    assert "Nothing new. It can already" in browser.follow(browser.get(there)).text
    # Only its owner gets what is sent to a https address, so there who has allowed it goes straight on.
    assert in_fragment(browser.follow(browser.get(address(dialer))))["token_type"] == "Bearer"


def test_a_member_allows_what_is_their_own_and_reads_that_it_is_no_more(
    site: Platform, browser: Browser, dialer: CreatedClient, grace: User
) -> None:
    page = arrive(browser, address(dialer, scope="extension-user"), "grace@example.com")
    assert "This is about what is your own in Acme. It opens nothing that belongs to others there." in page.text
    assert in_fragment(press(browser, page, "allow"))["scope"] == "extension-user"
    listed = browser.get("/connections")
    assert "Dialer" in listed.text


def test_what_is_ones_own_is_not_shown_as_a_change_of_what_is_connected(
    site: Platform, new_browser: NewBrowser, dialer: CreatedClient, grace: User
) -> None:
    ada = new_browser()
    press(ada, arrive(ada, address(dialer)), "allow")
    page = arrive(new_browser(), address(dialer, scope="extension-user"), "grace@example.com")
    for words in ("It will no longer be able to", "It can already", "is connected to this account since"):
        assert words not in page.text


def test_a_member_is_told_why_an_account_cannot_be_picked(
    site: Platform, new_browser: NewBrowser, dialer: CreatedClient, grace: User
) -> None:
    page = arrive(new_browser(), address(dialer), "grace@example.com")
    assert "Only owners and admins can connect apps. Ask one of them." in page.text
    site.do(Put(Membership(site.acme.id, grace.id, "member", site.house.clock())))
    page = arrive(new_browser(), address(dialer, scope="extension-user"), "grace@example.com")
    assert "Nothing in this account is yours alone. Ask an owner or an admin." in page.text
    assert "Dialer asks for what is your own in an account, and nothing is in these." in page.text
    assert not any(("decision", "allow") in form.buttons for form in page.forms.values())


def test_a_member_learns_that_the_connection_is_paused_and_whom_to_ask(
    site: Platform, new_browser: NewBrowser, dialer: CreatedClient, grace: User
) -> None:
    ada = new_browser()
    press(ada, arrive(ada, address(dialer)), "allow")

    async def connection(facts: Any, at: Any) -> Decision[Any]:
        return Decision((await facts.live_connection(dialer.client.id, site.acme.id)).id)

    site.house.decide(suspend, site.house.decide(connection).answer, "operator")
    page = arrive(new_browser(), address(dialer, scope="extension-user"), "grace@example.com")
    assert "We have paused this connection" in page.text


def test_no_page_of_ours_holds_the_token(site: Platform, browser: Browser, dialer: CreatedClient) -> None:
    page = arrive(browser, address(dialer))
    token = in_fragment(press(browser, page, "allow"))["access_token"]
    assert token not in page.html + browser.get("/connections").html
