"""Tokens without end in the portal, and for which account an integration acts."""

from __future__ import annotations

from typing import Any

import pytest

from grantway.protocol.access import prove_access, why_inactive
from grantway.protocol.decision import Decision
from grantway.protocol.model import Client
from tests.pages.browser import Browser, Seen
from tests.pages.conftest import CALLBACK, Platform, account_id
from tests.pages.developers import at, registered, signed_in, stored, token
from tests.pages.test_developers_at_work import tried

READ = {"scope:PAYMENTS_READ": "on"}


@pytest.fixture
def till(site: Platform) -> Client:
    return registered(site, profile="square", scopes=None)


def works(site: Platform, text: str) -> tuple[str, ...] | None:
    """What the token reaches, or ``None``."""

    async def rule(facts: Any, at: Any) -> Any:
        proven = await prove_access(text, facts, at, "https://auth.example")
        good = proven is not None and await why_inactive(proven, facts, at) is None
        return Decision(proven.scope if proven is not None and good else None)

    return site.house.decide(rule).answer


def make(site: Platform, browser: Browser, client: Client, **fields: str) -> Seen:
    return browser.post(at(client, "tokens"), token(browser) | {"account": account_id(site.acme)} | fields)


def text_of(seen: Seen) -> str:
    return next(word for word in seen.text.split() if word.startswith("gwa_"))


def test_a_token_is_made_shown_once_and_ended(site: Platform, browser: Browser, till: Client) -> None:
    signed_in(site, browser)
    assert "There are no tokens for your accounts." in browser.get(at(till, "tokens")).text
    made = make(site, browser, till, **READ)
    text = text_of(made)
    assert works(site, text) == ("PAYMENTS_READ",)
    page = browser.get(at(till, "tokens"))
    assert text not in page.html
    assert "Acme" in page.text
    ended = browser.follow(browser.send(page.form(at(till, "tokens/end"))))
    assert "That token works no more." in ended.text
    assert works(site, text) is None


def test_a_token_that_reaches_nothing_is_not_made(site: Platform, browser: Browser, till: Client) -> None:
    signed_in(site, browser)
    answer = make(site, browser, till)
    assert (answer.status, "gwa_" in answer.html) == (422, False)


def test_a_token_takes_a_sign_in_that_is_not_long_ago(site: Platform, browser: Browser, till: Client) -> None:
    signed_in(site, browser)
    site.house.clock.turn(minutes=20)
    answer = make(site, browser, till, **READ)
    assert answer.status == 303
    assert answer.location.startswith("/sign-in")


def test_no_token_is_made_for_an_account_of_others(site: Platform, browser: Browser, till: Client) -> None:
    signed_in(site, browser)
    other = site.house.account("Other")
    sent = token(browser) | READ | {"account": account_id(other)}
    assert browser.post(at(till, "tokens"), sent).status == 422
    assert browser.post(at(till, "tokens"), token(browser) | READ | {"account": "nonsense"}).status == 422
    assert browser.post(at(till, "tokens/end"), token(browser) | {"token": "nonsense"}).status == 422
    assert browser.post(at(till, "tokens/end"), token(browser) | {"token": "gr_" + "0" * 22}).status == 422


def test_the_tab_is_there_only_where_such_tokens_are(site: Platform, browser: Browser, till: Client) -> None:
    plain = registered(site)
    signed_in(site, browser)
    assert at(till, "tokens") in browser.get(at(till)).html
    assert at(plain, "tokens") not in browser.get(at(plain)).html
    refused = browser.post(at(plain, "tokens"), token(browser) | {"account": account_id(site.acme)})
    assert (refused.status, "no tokens without end" in refused.text) == (422, True)


# --- for which account


def test_an_integration_is_registered_for_one_of_ones_own_accounts(site: Platform, browser: Browser) -> None:
    signed_in(site, browser)
    form = browser.get("/developers?register=1").form("/developers")
    fields = {"name": "Dialer", "profile": "phonecom", "redirect_uris": CALLBACK}
    made = browser.send(form, **fields, account=account_id(site.acme))
    client_id = next(word for word in made.text.split() if len(word) == 24)
    page = browser.get(f"/developers/{client_id}")
    assert "Acts for Acme" in page.text


def test_nobody_registers_for_an_account_of_others(site: Platform, browser: Browser) -> None:
    signed_in(site, browser)
    fields = {"name": "Dialer", "profile": "phonecom", "redirect_uris": CALLBACK}
    other = token(browser) | fields | {"account": account_id(site.house.account("Other"))}
    assert browser.post("/developers", other).status == 422
    assert browser.post("/developers", token(browser) | fields | {"account": "x"}).status == 422


def test_an_edit_does_not_say_whose_it_is_and_turns_nothing_on(site: Platform, browser: Browser) -> None:
    client = registered(site, profile="phonecom", scopes=None)
    signed_in(site, browser)
    fields = {"account": account_id(site.acme), "grant_types": "password implicit", "set": "grant_types=password"}
    form = browser.get(at(client, "edit")).form(at(client, "edit"))
    assert browser.post(form.action, dict(form.fields) | fields | {"name": "Other"}).status == 303
    changed = stored(site, client)
    assert (changed.name, changed.account_id, changed.overrides) == ("Other", None, ())


# --- trying


@pytest.mark.parametrize("profile", ["square", "phonecom"])
@pytest.mark.parametrize("public", [False, True])
def test_a_trial_speaks_a_vendors_dialect_too(site: Platform, browser: Browser, profile: str, public: bool) -> None:
    client = registered(site, profile=profile, scopes=None, public=public)
    signed_in(site, browser)
    assert "It works" in tried(browser, client)[1].text
