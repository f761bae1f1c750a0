"""The consent page lets a customer leave out what the integration can do without, and shows first what is new."""

from __future__ import annotations

from dataclasses import replace

from grantway.protocol.decision import Replace
from grantway.protocol.lifecycle import suspend
from grantway.protocol.model import Connection
from tests.helpers import engine
from tests.pages.browser import Browser, Seen
from tests.pages.conftest import Platform
from tests.pages.test_authorize import decide, sent_back

BOTH = "tickets.read tickets.write"


def connection_of(site: Platform) -> Connection:
    (connection,) = engine.records(site.house.service.storage, Connection)
    return connection


def boxes(seen: Seen) -> list[str]:
    return [name for name in seen.form(decision_form(seen)).fields if name.startswith("scope:")]


def decision_form(seen: Seen) -> str:
    return next(key for key, form in seen.forms.items() if ("decision", "allow") in form.buttons)


def requires(site: Platform, *scopes: str) -> None:
    client = site.helpdesk.client
    site.do(Replace(replace(client, required_scopes=scopes, version=client.version + 1)))


def test_optional_scopes_are_checked_boxes_and_required_ones_are_not_boxes(site: Platform, browser: Browser) -> None:
    requires(site, "tickets.read")
    consent = site.to_consent(browser, scope=BOTH)
    assert boxes(consent) == ["scope:tickets.write"]
    assert consent.html.count("checked") == 1
    assert "You can leave out what you do not want to allow." in consent.text


def test_what_is_unchecked_is_not_allowed(site: Platform, browser: Browser) -> None:
    consent = site.to_consent(browser, scope=BOTH)
    assert boxes(consent) == ["scope:tickets.read", "scope:tickets.write"]
    form = consent.form(decision_form(consent))
    del form.fields["scope:tickets.write"]
    assert "code" in sent_back(browser.send(form, decision="allow"))
    assert connection_of(site).scope == ("tickets.read",)


def test_who_unchecks_everything_is_told_that_nothing_was_chosen(site: Platform, browser: Browser) -> None:
    consent = site.to_consent(browser, scope=BOTH)
    form = consent.form(decision_form(consent))
    for box in boxes(consent):
        del form.fields[box]
    seen = browser.send(form, decision="allow")
    assert (seen.status, "Nothing was chosen" in seen.text) == (400, True)


def test_a_box_that_was_never_shown_allows_nothing(site: Platform, browser: Browser) -> None:
    consent = site.to_consent(browser)
    assert (
        browser.send(consent.form(decision_form(consent)), **{"decision": "allow", "scope:other": "on"}).status == 409
    )


def test_what_is_new_stands_open_and_what_was_allowed_before_is_folded(site: Platform, browser: Browser) -> None:
    decide(browser, site.to_consent(browser), "allow")
    again = browser.follow(browser.get(site.authorize(scope=BOTH)))
    new, folded = again.html.split("<details>")
    assert "New: it will also be able to" in new
    assert "Answer your tickets" in new
    assert "Read your tickets" in folded
    assert "Read your tickets" not in new


def test_enter_in_a_box_presses_no_button(site: Platform, browser: Browser) -> None:
    consent = site.to_consent(browser, scope=BOTH)
    assert consent.html.index("<button disabled hidden>") < consent.html.index('type="checkbox"')


def test_what_an_operator_suspended_is_told_and_only_leads_back(site: Platform, browser: Browser) -> None:
    decide(browser, site.to_consent(browser), "allow")
    site.house.decide(suspend, connection_of(site).id, "operator")
    seen = browser.follow(browser.get(site.authorize(prompt="consent")))
    assert "Helpdesk is suspended for Acme" in seen.text
    form = next(form for form in seen.forms.values() if ("decision", "deny") in form.buttons)
    assert ("decision", "allow") not in form.buttons
    assert sent_back(browser.send(form, decision="deny"))["error"] == "access_denied"
