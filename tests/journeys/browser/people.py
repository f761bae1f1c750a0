"""What people do on our pages, whichever server shows them."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.helpers.server import PASSWORD
from tests.journeys.browser.platform import query_of

BACK = re.compile(r"/callback\?")


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def choose_password(page: Page, password: str = PASSWORD) -> None:
    """On the page that a link leads to; the browser is signed in then."""
    page.get_by_label("New password", exact=True).fill(password)
    page.get_by_label("New password, once more").fill(password)
    page.get_by_role("button", name="Set the password and sign in").click()
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible()


def pick(page: Page, account: str) -> None:
    page.get_by_role("radio", name=account).check()
    page.get_by_role("button", name="Continue").click()


def allow(page: Page) -> None:
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(BACK)


def code_in(page: Page) -> str:
    """The code that the browser brought back."""
    return query_of(page.url)["code"]
