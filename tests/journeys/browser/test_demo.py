"""The demo's own page in a browser: every integration connected, its API called before and after an end, on small screens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from grantway.server.demo.start import INTEGRATIONS
from tests.helpers.demo import demo
from tests.helpers.waiting import until
from tests.journeys.browser.people import sign_in
from tests.journeys.node import NPM, needs_packages

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

NewPage = Callable[..., Page]
ENDS = {"helpdesk": "Revoke", "chat": "Revoke access", "till": "Revoke", "phone": "Sign out"}


@pytest.fixture
def told(tmp_path: Path) -> Iterator[dict[str, Any]]:
    with demo(tmp_path / "data") as said:
        yield said


def visit(page: Page, told: dict[str, Any]) -> None:
    """The demo's page, signed in at the platform as Dana."""
    page.goto(f"{told['address']}/sign-in")
    sign_in(page, told["user"], told["password"])
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible()
    page.goto(told["demo"])


def connect(page: Page, key: str) -> None:
    """From the button to the tokens."""
    page.locator(f"#{key}").get_by_role("button", name=re.compile("^Connect")).click()
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Allow").click()
    expect(page.locator(f"#{key}").get_by_text(re.compile("Code exchanged: 20[01]"))).to_be_visible()


def press(page: Page, key: str, button: str, says: str) -> None:
    page.locator(f"#{key}").get_by_role("button", name=button, exact=True).click()
    expect(page.locator(f"#{key} summary").first).to_have_text(says)


def hears_of_the_end(page: Page, name: str) -> None:
    """The page shows what the integration was told once it was; it does not look for itself."""
    arrived = page.get_by_text(f"{name} was removed")
    until(lambda: page.reload() and arrived.count(), "the notice arrived")
    expect(arrived.first.locator("..")).to_contain_text("signature verified")


def test_every_integration_is_connected_and_its_end_is_seen_at_the_api(told: dict[str, Any], new_page: NewPage) -> None:
    page = new_page()
    visit(page, told)
    for one in INTEGRATIONS:
        connect(page, one.key)
        press(page, one.key, "Call the API", "API called: 200")
        expect(page).to_have_url(f"{told['demo']}#{one.key}")
        page.locator(f"#{one.key}").get_by_role("button", name=ENDS[one.key], exact=True).click()
        press(page, one.key, "Call the API", "API called: 401")
        expect(page.locator(f"#{one.key} pre").first).to_contain_text('error="invalid_token"')
        hears_of_the_end(page, one.name)


@needs_packages
def test_the_page_fits_a_narrow_phone_and_has_no_serious_fault_in_light_or_dark(
    told: dict[str, Any], new_page: NewPage
) -> None:
    page = new_page(width=320, height=640)
    visit(page, told)
    for one in INTEGRATIONS:
        connect(page, one.key)
        press(page, one.key, "Call the API", "API called: 200")
    press(page, "phone", "Sign out", "Signed out: 200")
    press(page, "phone", "Call the API", "API called: 401")
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    axe = (NPM / "node_modules/axe-core/axe.min.js").read_text()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(axe)
        faults = page.evaluate("axe.run({resultTypes: ['violations']}).then(result => result.violations)")
        serious = [one for one in faults if one["impact"] in ("serious", "critical")]
        assert [(one["id"], one["nodes"][0]["html"]) for one in serious] == []
