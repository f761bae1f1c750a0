"""A member of an account at a phone in the browser: a token for what is their own, by the implicit flow, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.server import fetch
from tests.journeys.browser.installation import Installation, Integration, installation
from tests.journeys.browser.people import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

NewPage = Callable[..., Page]
ANA, GRACE = "ana@pine.example", "grace@pine.example"
TOKEN = "/v4/oauth/access-token"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("phonecom") / "data") as there:
        people = {"owner": there.person(ANA, "Ana Lindqvist"), "member": there.person(GRACE, "Grace Okoye")}
        there.account("Pine & Oak Bakery", **people)
        yield there


@pytest.fixture
def phone(site: Installation) -> Integration:
    return site.client(
        "Softphone",
        profile="phonecom",
        policy={"grant_types": "authorization_code refresh_token implicit"},
    )


def address(site: Installation, phone: Integration, scope: str) -> str:
    asked = {
        "client_id": phone.client_id,
        "response_type": "token",
        "scope": scope,
        "redirect_uri": f"{site.integrator.origin}/callback",
        "state": "s t&1",
    }
    return f"{site.origin}/v4/oauth/authorization?{urlencode(asked)}"


def arrived(page: Page) -> dict[str, str]:
    """What the script of the page finds behind the ``#``."""
    page.wait_for_url("**/callback#**")
    assert urlsplit(page.url).query == ""
    return dict(parse_qsl(str(page.evaluate("location.hash.slice(1)")), keep_blank_values=True))


def test_a_member_takes_a_token_for_their_own_extension_to_the_page_and_leaves_with_it(
    site: Installation, phone: Integration, new_page: NewPage
) -> None:
    page = new_page(width=480, height=1000)
    page.goto(address(site, phone, "extension-user"))
    sign_in(page, GRACE)
    expect(page.get_by_text("This is about what is your own in")).to_be_visible()
    expect(page.get_by_text("It opens nothing that belongs to others there.")).to_be_visible()
    page.get_by_role("button", name="Allow").click()
    answer = arrived(page)
    assert (answer["token_type"], answer["scope"], answer["state"]) == ("Bearer", "extension-user", "s t&1")

    bearer = [("Authorization", f"Bearer {answer['access_token']}")]
    told = json.loads(fetch("GET", site.origin + TOKEN, bearer).body)
    assert told["scope"] == "extension-user"
    assert set(told["scope_details"][0]) == {"extension_id"}
    assert isinstance(told["scope_details"][0]["extension_id"], int)
    assert fetch("DELETE", site.origin + TOKEN, bearer).status == 200
    assert fetch("GET", site.origin + TOKEN, bearer).status == 401


def test_what_is_the_accounts_a_member_cannot_allow_and_is_told_who_can(
    site: Installation, phone: Integration, new_page: NewPage
) -> None:
    page = new_page(width=480, height=1000)
    page.goto(address(site, phone, "account-owner extension-user"))
    sign_in(page, GRACE)
    expect(page.get_by_role("heading", name="There is no account that you can connect")).to_be_visible()
    expect(page.get_by_text("Only owners and admins can connect apps. Ask one of them.")).to_be_visible()
    page.get_by_role("button", name="Go back without connecting").click()
    answer = arrived(page)
    assert (answer["error"], answer["state"]) == ("access_denied", "s t&1")
