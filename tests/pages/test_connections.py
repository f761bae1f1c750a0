"""Connected apps: what is shown of each, and its removal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from grantway.protocol.decision import Decision, TouchUse
from grantway.protocol.ids import show
from grantway.protocol.model import Connection
from grantway.server.passwords import hash_password
from tests.pages.browser import Browser
from tests.pages.conftest import PASSWORD, Platform


def the_connection(site: Platform) -> tuple[Connection, Any]:
    async def rule(facts: Any, at: Any) -> Decision[Any]:
        (seen,) = await facts.connections(state="all")
        grants = await facts.live_grants(seen.connection.id, site.ada.id)
        return Decision((seen.connection, grants))

    return site.house.decide(rule).answer


@pytest.fixture
def connected(site: Platform, browser: Browser) -> Browser:
    """Ada's browser, with Helpdesk connected to Acme."""
    consent = site.to_consent(browser, scope="tickets.read tickets.write")
    browser.send(next(iter(consent.forms.values())), decision="allow")
    return browser


def test_without_signing_in_nothing_is_shown(browser: Browser) -> None:
    assert browser.get("/connections").location == "/sign-in"


def test_nothing_connected_is_said_so(site: Platform, browser: Browser) -> None:
    assert "Nothing is connected to your accounts" in browser.follow(site.sign_in(browser)).text


def test_each_app_is_shown_with_account_day_scopes_use_and_who_approved(site: Platform, connected: Browser) -> None:
    page = connected.get("/connections")
    for words in ("Acme", "Helpdesk", "Read your tickets", "Answer your tickets"):
        assert words in page.text
    assert "Connected on 1 March 2026 by Ada Not used yet" in page.text
    connection, (grant, *_) = the_connection(site)
    site.do(TouchUse(grant.id, connection.id, date(2026, 3, 9)))
    assert 'Last used on <time datetime="2026-03-09">9 March 2026</time>' in connected.get("/connections").html


def test_removing_ends_the_connection(site: Platform, connected: Browser) -> None:
    answer = connected.send(connected.get("/connections").form("/remove"))
    assert (answer.status, answer.location) == (303, "/connections?removed=whole")
    assert the_connection(site)[0].removed_at == site.house.clock.now
    page = connected.follow(answer)
    assert "The app was removed" in page.text
    assert "Helpdesk" not in page.text


def test_removing_needs_our_form_and_a_post(site: Platform, connected: Browser) -> None:
    form = connected.get("/connections").form("/remove")
    assert connected.get(form.action).status == 405
    assert connected.post(form.action, {}).status == 403
    assert connected.post(form.action, {"csrf": "x" * 64}).status == 403
    assert the_connection(site)[0].removed_at is None


def test_removing_twice_says_that_it_is_gone(connected: Browser) -> None:
    form = connected.get("/connections").form("/remove")
    connected.send(form)
    again = connected.send(form)
    assert (again.status, "not connected" in again.text) == (404, True)


def test_removing_what_is_not_ones_own_looks_like_nothing(
    site: Platform, connected: Browser, new_browser: Callable[..., Browser]
) -> None:
    site.house.user("eve@example.com", "Eve", hash_password(PASSWORD))
    eve = new_browser()
    form = eve.get("/sign-in").form("/sign-in")
    eve.send(form, username="eve@example.com", password=PASSWORD)
    token = eve.get("/connections").form("/sign-out").fields["csrf"]
    connection = show("cn", the_connection(site)[0].id)
    for target in (connection, "cn_unknown", "ac_" + connection[3:]):
        assert eve.post(f"/connections/{target}/remove", {"csrf": token}).status == 404
    assert the_connection(site)[0].removed_at is None


def test_a_member_may_not_remove_what_others_approved(
    site: Platform, connected: Browser, new_browser: Callable[..., Browser]
) -> None:
    mel = site.house.user("mel@example.com", "Mel", hash_password(PASSWORD))
    site.house.member(site.acme, mel, "member")
    browser = new_browser()
    browser.send(browser.get("/sign-in").form("/sign-in"), username="mel@example.com", password=PASSWORD)
    answer = browser.send(browser.get("/connections").form("/remove"))
    assert (answer.status, "You cannot do this" in answer.text) == (403, True)
    assert the_connection(site)[0].removed_at is None


def test_a_form_from_before_signing_out_removes_nothing(site: Platform, connected: Browser) -> None:
    page = connected.get("/connections")
    connected.send(page.form("/sign-out"))
    site.sign_in(connected)
    assert connected.send(page.form("/remove")).status == 403
    assert the_connection(site)[0].removed_at is None
