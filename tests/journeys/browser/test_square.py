"""An application of Square's in a browser: from the address that its library makes to the notice that its library believes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from square.utils.webhooks_helper import verify_signature

from grantway.wire.dialects.square.webhooks import SIGNATURE_HEADER
from tests.helpers.permissions import SQUARE_PERMISSIONS
from tests.helpers.square_sdk import ApiError, Sdk
from tests.helpers.waiting import until
from tests.journeys.browser.installation import Installation, Integration, installation
from tests.journeys.browser.people import allow, pick, sign_in
from tests.journeys.browser.platform import query_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

NewPage = Callable[..., Page]
ANA = "ana@pine.example"
ASKED = "MERCHANT_PROFILE_READ PAYMENTS_READ PAYMENTS_WRITE ORDERS_READ ORDERS_WRITE CUSTOMERS_READ ITEMS_READ"
IN_WORDS = [
    "See your business, its locations and opening hours",
    "See your payments and refunds",
    "Take payments and refund them Sensitive",
    "See your orders",
    "Take and change orders",
    "See your customers and how to reach them",
    "See what you sell and at what price",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("square") / "data") as there:
        ana = there.person(ANA, "Ana Lindqvist")
        for name in ("Pine & Oak Bakery", "Harbour Books"):
            there.account(name, owner=ana)
        yield there


@pytest.fixture
def till(site: Installation) -> Integration:
    return site.client("Till", profile="square")


def address(site: Installation, till: Integration, **asked: str) -> str:
    """What Square's library makes of a call of ``authorize``."""
    sdk = Sdk(site.origin)
    query = {"client_id": till.client_id, "scope": ASKED, "state": "st ate&1"} | asked
    sdk.call("authorize", request_options={"additional_query_parameters": query})
    return str(sdk.sent[0].url)


def obtain(site: Installation, till: Integration, **given: Any) -> Any:
    proof = {"client_id": till.client_id, "client_secret": till.client_secret}
    return Sdk(site.origin).call("obtain_token", **proof, **given)


def status(site: Installation, token: str) -> Any:
    return Sdk(site.origin).call("retrieve_token_status", token)


def is_refused(call: Callable[..., Any], *arguments: Any, **named: Any) -> bool:
    with pytest.raises(ApiError) as caught:
        call(*arguments, **named)
    error: Any = caught.value
    return (error.status_code, error.errors[0].code) == (401, "UNAUTHORIZED")


def test_an_application_is_connected_by_square_library_and_told_when_the_customer_removes_it(
    site: Installation, till: Integration, new_page: NewPage
) -> None:
    page = new_page(locale="de-DE")
    page.goto(f"{site.origin}/sign-in")
    page.get_by_label("E-Mail-Adresse").fill(ANA)
    page.get_by_label("Passwort").fill("correct horse battery staple")
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("button", name="Abmelden", exact=True)).to_be_visible()

    tokens = the_customer_signs_in_again_picks_reads_and_allows(site, till, page)
    connection = site.connection(till.client_id)["id"]
    kept = site.call("POST", f"/v1/connections/{connection}/resources", kind="subscription", reference="sub_17")
    tokens = it_lives(site, till, tokens)

    the_customer_removes_it(site, page)

    for one in tokens:
        assert is_refused(status, site, one.access_token)
        assert is_refused(obtain, site, till, grant_type="refresh_token", refresh_token=one.refresh_token)
    the_application_hears_of_it_once(site, till, tokens[0].merchant_id)
    (told,) = until(lambda: site.told(connection, "connection.removed"), "the platform's event")
    assert [(one["kind"], one["reference"]) for one in told["data"]["resources"]] == [("subscription", "sub_17")]
    listed = site.call("GET", f"/v1/connections/{connection}/resources?cancelled=true")["data"]
    assert [(one["id"], one["cancelled_at"] is not None) for one in listed] == [(kept["id"], True)]


def the_customer_signs_in_again_picks_reads_and_allows(site: Installation, till: Integration, page: Page) -> Any:
    """``session=false`` asks who it is although somebody is signed in; ``locale`` says in which language."""
    page.goto(address(site, till, session="false", locale="en-US"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    sign_in(page, ANA)
    pick(page, "Harbour Books")
    expect(page.get_by_role("heading", level=1)).to_have_text("Connect Till to Harbour Books?")
    expect(page.locator(".scopes > li")).to_have_text(IN_WORDS)  # all of them, white space aside
    allow(page)
    answer = query_of(page.url)
    assert answer == {"code": answer["code"], "response_type": "code", "state": "st ate&1"}
    return obtain(site, till, grant_type="authorization_code", code=answer["code"])


def it_lives(site: Installation, till: Integration, tokens: Any) -> list[Any]:
    """The status is told, a refresh gives a narrower token beside the first one; both."""
    told = status(site, tokens.access_token)
    assert (told.scopes, told.client_id, told.merchant_id) == (ASKED.split(), till.client_id, tokens.merchant_id)
    narrow = obtain(site, till, grant_type="refresh_token", refresh_token=tokens.refresh_token, scopes=["ORDERS_READ"])
    assert narrow.refresh_token == tokens.refresh_token
    assert status(site, narrow.access_token).scopes == ["ORDERS_READ"]
    return [tokens, narrow]


def the_customer_removes_it(site: Installation, page: Page) -> None:
    page.goto(f"{site.origin}/connections")
    page.get_by_role("article", name="Till").get_by_role("link", name="Till", exact=True).click()
    ends = page.get_by_role("region", name="Entfernen")
    expect(ends).to_contain_text("Abonnements: 1")
    ends.get_by_role("button", name="Till entfernen").click()
    expect(page.get_by_role("article", name="Till")).to_have_count(0)


def the_application_hears_of_it_once(site: Installation, till: Integration, merchant: str) -> None:
    arrived = until(lambda: till.heard("/removed", merchant), "the notice")
    assert len(arrived) == 1
    told = json.loads(arrived[0].body)
    assert (told["type"], told["merchant_id"]) == ("oauth.authorization.revoked", merchant)
    assert told["data"]["object"]["revocation"]["revoker_type"] == "MERCHANT"
    assert verify_signature(
        request_body=arrived[0].body.decode(),
        signature_header=arrived[0].headers[SIGNATURE_HEADER],
        signature_key=till.notice_secret,
        notification_url=f"{site.integrator.origin}/removed",
    )


def test_of_all_its_permissions_the_sensitive_ones_are_read_first_and_the_rest_opens_without_scripts(
    site: Installation, new_page: NewPage
) -> None:
    permissions = list(SQUARE_PERMISSIONS)
    needy = site.client("Shop in a Box", profile="square", required_scopes=["ORDERS_READ"])
    told = {entry["name"]: entry["sensitivity"] for entry in site.call("GET", "/v1/scopes")["data"]}
    sensitive = sum(told[name] == "high" for name in permissions)
    page = new_page(width=320, height=640, java_script_enabled=False)
    page.goto(address(site, needy, scope=" ".join(permissions)))
    sign_in(page, ANA)
    pick(page, "Pine & Oak Bakery")
    expect(page.locator(".scopes > li:visible")).to_have_count(sensitive)
    expect(page.locator(".scopes > li:visible .badge")).to_have_count(sensitive)
    rest = page.get_by_text(f"Less sensitive: {len(permissions) - sensitive} more")
    rest.click()
    expect(page.locator(".scopes > li:visible")).to_have_count(len(permissions))
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.get_by_label("See your suppliers").uncheck()
    rest.click()
    allow(page)
    tokens = obtain(site, needy, grant_type="authorization_code", code=query_of(page.url)["code"])
    assert set(status(site, tokens.access_token).scopes) == set(permissions) - {"VENDOR_READ"}, "folded or not"
