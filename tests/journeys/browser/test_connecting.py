"""The main job in a real browser: connect, sign in, pick, Allow or Deny, remove. And with keyboard, phone, no scripts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from grantway.protocol.decision import Decision, Replace
from grantway.protocol.facts import Facts
from grantway.protocol.moment import Moment
from tests.journeys.browser.conftest import SCREENSHOTS
from tests.journeys.browser.platform import EMAIL, PASSWORD, Platform, query_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(90)]

BACK = re.compile(r"/callback\?")
NewPage = Callable[..., Page]


def shoot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png", full_page=True)


def sign_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Email address").fill(EMAIL)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def pick(page: Page, account: str) -> None:
    page.get_by_role("radio", name=account).check()
    page.get_by_role("button", name="Continue").click()


def to_consent(page: Page, site: Platform) -> None:
    page.goto(site.connect_url())
    sign_in(page)
    pick(page, "Pine & Oak Bakery")
    expect(page.get_by_role("button", name="Allow")).to_be_visible()


def only_account(site: Platform, name: str) -> None:
    """Close the other accounts."""

    async def rule(facts: Facts, at: Moment) -> Decision[None]:
        others = [account for account in await facts.accounts() if account.name != name]
        return Decision(
            None, tuple(Replace(replace(one, removed_at=at.now, version=one.version + 1)) for one in others)
        )

    site.house.decide(rule)


def test_connect_sign_in_pick_allow_and_back_at_the_integration(site: Platform, page: Page) -> None:
    page.goto(site.connect_url())
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_label("Email address")).to_be_focused()
    shoot(page, "sign-in")
    sign_in(page)
    expect(page.get_by_role("radio", name="City Library")).to_be_disabled()
    shoot(page, "pick")
    pick(page, "Pine & Oak Bakery")
    expect(page).to_have_title("Connect Parcel Pilot? · Northwind Commerce")
    expect(page.get_by_role("heading", level=1)).to_have_text("Connect Parcel Pilot to Pine & Oak Bakery?")
    expect(page.get_by_text("See your customers’ names and addresses")).to_be_visible()
    expect(page.locator(".tile img")).to_have_js_property("naturalWidth", 200)
    shoot(page, "consent")
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(BACK)
    (answer,) = site.integration.answers
    assert answer["state"] == "s+t/a te"
    assert answer["iss"] == site.origin
    assert answer["code"].startswith("gwc_")


def test_deny_tells_the_integration(site: Platform, page: Page) -> None:
    to_consent(page, site)
    page.get_by_role("button", name="Deny").click()
    page.wait_for_url(BACK)
    assert site.integration.answers[0]["error"] == "access_denied"


def test_with_one_account_there_is_no_picker(site: Platform, page: Page) -> None:
    only_account(site, "Harbour Books")
    page.goto(site.connect_url())
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Connect Parcel Pilot to Harbour Books?")
    expect(page.get_by_role("button", name="Change the account")).to_have_count(0)


def test_where_one_may_connect_nothing_one_can_go_back(site: Platform, page: Page) -> None:
    only_account(site, "City Library")
    page.goto(site.connect_url())
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no account that you can connect")
    shoot(page, "no-account")
    page.get_by_role("button", name="Go back without connecting").click()
    page.wait_for_url(BACK)
    assert site.integration.answers[0]["error"] == "access_denied"


def test_with_the_keyboard_alone_and_enter_does_not_consent_by_accident(site: Platform, page: Page) -> None:
    page.goto(site.connect_url())
    keys = page.keyboard
    expect(page.get_by_label("Email address")).to_be_focused()
    keys.type(EMAIL)
    keys.press("Tab")
    expect(page.get_by_label("Password")).to_be_focused()
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose an account")
    focus_on(page, "radio")
    keys.press("Space")
    keys.press("ArrowDown")
    expect(page.get_by_role("radio", name="Pine & Oak Bakery")).to_be_checked()
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    consent = page.url
    for key in ("Enter", "Space"):
        keys.press(key)
    assert page.url == consent
    assert site.integration.answers == []
    focus_on(page, "submit", "Allow")
    shoot(page, "focus")
    keys.press("Space")
    page.wait_for_url(BACK)
    assert "code" in site.integration.answers[0]


def focus_on(page: Page, kind: str, text: str = "") -> None:
    for _ in range(12):
        page.keyboard.press("Tab")
        focused = page.evaluate("[document.activeElement.type, document.activeElement.textContent.trim()]")
        if focused[0] == kind and text in focused[1]:
            return
    raise AssertionError(f"Tab never came to {text or kind}")


def test_without_scripts_it_is_all_the_same(site: Platform, new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    to_consent(page, site)
    page.get_by_role("button", name="Change the account").click()
    pick(page, "Harbour Books")
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(BACK)
    assert "code" in site.integration.answers[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_narrow_phone_nothing_has_to_be_scrolled_sideways_and_everything_can_be_touched(
    site: Platform, new_page: NewPage, scheme: str
) -> None:
    page = new_page(width=320, height=640, color_scheme=scheme, has_touch=True)

    def fits(name: str, heading: str) -> None:
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        page.wait_for_load_state()
        shoot(page, f"{name}-320-{scheme}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
        small = page.evaluate(
            "[...document.querySelectorAll('button, summary, .button, .choice, label:has([type=checkbox]),"
            " input:not([type=hidden], [type=radio], [type=checkbox])')]"
            ".filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44).map(e => e.outerHTML)"
        )
        assert small == [], name

    page.goto(site.origin)
    fits("front", "Connect apps to your account")
    page.goto(site.connect_url(scope="orders.read customers.read catalogue.write"))
    sign_in(page, password="wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    fits("sign-in", "Sign in")
    sign_in(page)
    fits("pick", "Choose an account")
    pick(page, "Pine & Oak Bakery")
    fits("consent", "Connect Parcel Pilot to Pine & Oak Bakery?")
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(BACK)
    page.goto(f"{site.origin}/connections")
    for summary in page.locator("summary").all():
        summary.click()
    fits("connections", "Connected apps")
    page.goto(f"{site.origin}/authorize?client_id=unknown")
    fits("problem", "")


def test_names_of_any_length_break_instead_of_the_page(site: Platform, new_page: NewPage) -> None:
    page = new_page(width=320, height=640)
    name = "Donaudampfschifffahrtsgesellschaftskapitänsmützenverkaufsplattform" * 2
    client = replace(site.client.client, name=name, version=site.client.client.version + 1)
    site.do(Replace(client))
    to_consent(page, site)
    page.wait_for_load_state()
    shoot(page, "long-name-320")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_not_you_leads_to_sign_in_and_on_with_the_same_request(site: Platform, page: Page) -> None:
    to_consent(page, site)
    page.get_by_role("button", name="Not you?").click()
    expect(page.get_by_text("to connect Parcel Pilot")).to_be_visible()
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Connect Parcel Pilot to Pine & Oak Bakery?")
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(BACK)
    assert "code" in query_of(page.url)


def test_what_is_connected_can_be_seen_and_removed(site: Platform, page: Page) -> None:
    to_consent(page, site)
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(BACK)
    page.goto(f"{site.origin}/connections")
    app = page.get_by_role("article", name="Parcel Pilot")
    expect(app).to_contain_text("Connected on 1 March 2026 by Ana Lindqvist")
    app.get_by_text("What it can do").click()
    expect(app.get_by_text("See your orders and what was paid for them")).to_be_visible()
    shoot(page, "connections")
    app.get_by_role("link", name="Parcel Pilot", exact=True).click()
    page.get_by_role("button", name="Remove Parcel Pilot").click()
    expect(page.get_by_role("status")).to_contain_text("The app was removed")
    expect(page.get_by_role("article")).to_have_count(0)


def test_a_post_from_the_integrations_site_keeps_the_session_and_the_other_tab(site: Platform, page: Page) -> None:
    page.goto(f"{site.origin}/sign-in")
    sign_in(page)
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible()
    other_tab = page.context.new_page()
    other_tab.goto(site.connect_url())
    expect(other_tab.get_by_role("heading", level=1)).to_have_text("Choose an account")
    # localhost is another site than 127.0.0.1: the browser posts without our cookies.
    integration = site.integration.origin.replace("127.0.0.1", "localhost")
    page.goto(f"{integration}/post?to={site.origin}/authorize&{site.connect_url().partition('?')[2]}")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose an account")
    pick(other_tab, "Harbour Books")
    other_tab.get_by_role("button", name="Allow").click()
    other_tab.wait_for_url(BACK)
    pick(page, "Harbour Books")  # nothing is new, and it is not asked again
    page.wait_for_url(BACK)
    assert [set(answer) for answer in site.integration.answers] == [{"code", "state", "iss"}] * 2


def test_no_other_page_can_frame_the_consent_page(site: Platform, page: Page) -> None:
    to_consent(page, site)
    consent = page.url
    page.goto(site.integration.origin)
    with page.expect_event("framenavigated", lambda frame: frame.url.startswith("chrome-error:")) as refused:
        page.evaluate(
            "url => { const f = document.createElement('iframe'); f.src = url; document.body.append(f); }", consent
        )
    assert refused.value in page.frames[1:]
    assert "Parcel Pilot" not in refused.value.content()
