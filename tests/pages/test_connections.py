"""Connected apps: what is shown of each, its pause and its removal, and who may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from grantway.protocol.decision import Add, Decision, TouchUse
from grantway.protocol.ids import show
from grantway.protocol.lifecycle import suspend
from grantway.protocol.model import Connection, Resource
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


def at(site: Platform, *rest: str) -> str:
    """The address of the connection's page, or of what can be done there."""
    return "/".join(["/connections", show("cn", the_connection(site)[0].id), *rest])


def person(site: Platform, new_browser: Callable[..., Browser], name: str, role: Any = None) -> Browser:
    """Somebody else at their browser, signed in; with a role, they belong to Acme."""
    email = f"{name.lower()}@example.com"
    user = site.house.user(email, name, hash_password(PASSWORD))
    if role is not None:
        site.house.member(site.acme, user, role)
    browser = new_browser()
    browser.send(browser.get("/sign-in").form("/sign-in"), username=email, password=PASSWORD)
    return browser


def test_without_signing_in_nothing_is_shown(site: Platform, connected: Browser, browser: Browser) -> None:
    here = at(site)
    browser.send(browser.get("/connections").form("/sign-out"))
    assert browser.get("/connections").location == "/sign-in?to=/connections"
    assert browser.get(here).location == f"/sign-in?to={here}"


def test_nothing_connected_is_said_so(site: Platform, browser: Browser) -> None:
    assert "Nothing is connected to your accounts" in browser.follow(site.sign_in(browser)).text


def test_each_app_is_shown_with_account_state_day_scopes_use_and_who_approved(
    site: Platform, connected: Browser
) -> None:
    page = connected.get("/connections")
    for words in ("Acme", "Helpdesk", "Read your tickets", "Answer your tickets"):
        assert words in page.text
    assert "Connected on 1 March 2026 by Ada Not used yet" in page.text


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (date(2026, 3, 1), "Last used today"),
        (date(2026, 2, 27), "Last used this week"),
        (date(2026, 2, 10), "Last used this month"),
        (date(2025, 12, 1), "Last used longer ago"),
    ],
)
def test_use_is_told_coarsely(site: Platform, connected: Browser, last: date, words: str) -> None:
    connection, (grant, *_) = the_connection(site)
    site.do(TouchUse(grant.id, connection.id, last))
    assert words in connected.get("/connections").text


def test_removing_ends_the_connection(site: Platform, connected: Browser) -> None:
    answer = connected.send(connected.get(at(site)).form("/remove"))
    assert (answer.status, answer.location) == (303, "/connections?removed=whole")
    assert the_connection(site)[0].removed_at == site.house.clock.now
    page = connected.follow(answer)
    assert "The app was removed" in page.text
    assert "Helpdesk" not in page.text


def test_what_ends_with_a_connection_is_named_before_it_is_removed(site: Platform, connected: Browser) -> None:
    connection, _ = the_connection(site)
    for number in range(2):
        site.do(Add(Resource(bytes([number]) * 16, connection.id, "subscription", f"s{number}", connection.created_at)))
    page = connected.get(at(site))
    assert "These end with it: Subscriptions: 2" in page.text


def test_a_page_tells_the_history_in_words(site: Platform, connected: Browser) -> None:
    page = connected.send(connected.get(at(site)).form("/suspend"))
    text = connected.follow(page).text
    assert "It was suspended. (by one of the account’s people)" in text
    assert "It was allowed." in text


def test_an_owner_suspends_and_lets_it_go_on(site: Platform, connected: Browser) -> None:
    suspended = connected.follow(connected.send(connected.get(at(site)).form("/suspend")))
    assert "The app is suspended." in suspended.text
    assert the_connection(site)[0].suspended_at == site.house.clock.now
    resumed = connected.follow(connected.send(suspended.form("/resume")))
    assert "The app goes on where it was." in resumed.text
    assert the_connection(site)[0].suspended_at is None


def test_what_an_operator_suspended_only_they_let_go_on(site: Platform, connected: Browser) -> None:
    site.house.decide(suspend, the_connection(site)[0].id, "operator")
    page = connected.get(at(site))
    assert "Only they can let it go on." in page.text
    assert not any(action.endswith("/resume") for action in page.forms)
    assert connected.post(at(site, "resume"), page.form("/sign-out").fields).status == 403


@pytest.mark.parametrize("what", ["remove", "suspend", "resume"])
def test_every_change_needs_our_form_and_a_post(site: Platform, connected: Browser, what: str) -> None:
    path = at(site, what)
    assert connected.get(path).status == 405
    assert connected.post(path, {}).status == 403
    assert connected.post(path, {"csrf": "x" * 64}).status == 403
    connection, _ = the_connection(site)
    assert (connection.removed_at, connection.suspended_at) == (None, None)


@pytest.mark.parametrize("what", ["remove", "suspend", "resume"])
def test_an_unattended_screen_changes_nothing(site: Platform, connected: Browser, what: str) -> None:
    form = connected.get("/connections").form("/sign-out")
    site.house.clock.turn(minutes=16)
    answer = connected.post(at(site, what), form.fields)
    assert answer.location == f"/sign-in?to={at(site)}&again=1"


def test_removing_twice_says_that_it_is_gone(site: Platform, connected: Browser) -> None:
    form = connected.get(at(site)).form("/remove")
    connected.send(form)
    again = connected.send(form)
    assert (again.status, "not connected" in again.text) == (404, True)


def test_what_is_not_ones_own_looks_like_nothing(
    site: Platform, connected: Browser, new_browser: Callable[..., Browser]
) -> None:
    eve = person(site, new_browser, "Eve")
    token = eve.get("/connections").form("/sign-out").fields
    connection = show("cn", the_connection(site)[0].id)
    for target in (connection, "cn_unknown", "ac_" + connection[3:]):
        assert eve.get(f"/connections/{target}").status == 404
        for what in ("remove", "suspend", "resume"):
            assert eve.post(f"/connections/{target}/{what}", token).status == 404
    assert eve.get(f"/connections?account={show('ac', site.acme.id)}").status == 404
    assert the_connection(site)[0].removed_at is None


def test_a_member_neither_sees_nor_changes_what_others_approved(
    site: Platform, connected: Browser, new_browser: Callable[..., Browser]
) -> None:
    mel = person(site, new_browser, "Mel", "member")
    page = mel.get("/connections")
    assert "Helpdesk" not in page.text
    assert mel.get(at(site)).status == 404
    for what in ("remove", "suspend", "resume"):
        assert mel.post(at(site, what), page.form("/sign-out").fields).status == 404
    assert the_connection(site)[0].removed_at is None


def test_an_admin_sees_and_removes_what_others_approved(
    site: Platform, connected: Browser, new_browser: Callable[..., Browser]
) -> None:
    amy = person(site, new_browser, "Amy", "admin")
    assert "Helpdesk" in amy.get("/connections").text
    assert amy.send(amy.get(at(site)).form("/remove")).location == "/connections?removed=whole"


def test_an_account_with_many_is_shown_page_by_page(site: Platform, connected: Browser) -> None:
    for number in range(60):
        client = site.house.client(f"App {number:02}").client
        row = number.to_bytes(16, "big")
        site.do(Add(Connection(row, client.id, site.acme.id, f"{number:024x}", (), site.house.clock.now)))
    first = connected.get("/connections")
    assert first.html.count('class="connection"') == 10
    assert "More of Acme" in first.text
    account = show("ac", site.acme.id)
    page = connected.get(f"/connections?account={account}")
    assert page.html.count('class="connection"') == 50
    assert "App 00" not in page.text
    oldest = connected.get(page.html.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&"))
    assert "App 00" in oldest.text
    assert 'rel="next"' not in oldest.html


def test_a_form_from_before_signing_out_removes_nothing(site: Platform, connected: Browser) -> None:
    page = connected.get(at(site))
    connected.send(page.form("/sign-out"))
    site.sign_in(connected)
    assert connected.send(page.form("/remove")).status == 403
    assert the_connection(site)[0].removed_at is None
