"""A connection's whole life in browsers: four people, a platform and an integration, from an empty server to the audit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from standardwebhooks import Webhook

from tests.helpers.waiting import until
from tests.journeys.browser.conftest import SCREENSHOTS
from tests.journeys.browser.installation import (
    CATALOGUE,
    CUSTOMERS,
    ORDERS,
    Installation,
    Integration,
    installation,
    path_of,
)
from tests.journeys.browser.people import allow, choose_password, code_in, sign_in
from tests.journeys.browser.platform import picture

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

NewPage = Callable[..., Page]
ANA = "ana@pine.example"
INES = "ines@parcelpilot.example"


def shoot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"life-{name}.png", full_page=True)


def test_a_connection_lives_from_its_registration_to_the_audit(tmp_path: Path, new_page: NewPage) -> None:
    with installation(tmp_path / "data") as site:
        operator, integrator, customer = (new_page() for _ in range(3))
        an_operator_comes_in_by_the_link_of_the_command(site, operator)
        the_integrator_is_invited_by_letter(site, operator, integrator)
        account = site.account("Pine & Oak Bakery", owner=site.person(ANA, "Ana Lindqvist"))
        integration = the_integrator_registers_a_draft_and_tries_it(site, integrator, tmp_path)
        the_operator_approves_it(operator)
        tokens = the_customer_connects_it_and_leaves_a_part_out(customer, integration)
        assert tokens["account"] == {"id": account["id"], "name": "Pine & Oak Bakery"}
        connection = tokens["connection_id"]
        webhook = it_hears_of_an_order(site, integration, tokens["access_token"], account["id"])
        tokens = the_customer_suspends_it_and_lets_it_go_on(site, customer, integration, tokens)
        site.call("POST", f"/v1/connections/{connection}/resources", kind="subscription", reference="sub_17")

        the_customer_removes_it(customer)

        everybody_hears_of_it_once(site, integration, connection, webhook)
        nothing_of_it_is_left(site, integration, tokens, account["id"])
        the_integrator_reads_what_was_delivered_and_has_it_sent_again(site, integrator, integration)
        the_operator_finds_it_in_the_audit(operator, connection)


def an_operator_comes_in_by_the_link_of_the_command(site: Installation, page: Page) -> None:
    made = site.server.cli("operators", "create", "--email", "olga@northwind.example", "--name", "Olga Berg")
    page.goto(site.origin + path_of(made["link"]))
    choose_password(page)
    page.goto(f"{site.origin}/admin")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    again = page.context.new_page()
    again.goto(site.origin + path_of(made["link"]))
    expect(again.get_by_label("New password", exact=True)).to_have_count(0)
    again.close()


def the_integrator_is_invited_by_letter(site: Installation, operator: Page, page: Page) -> None:
    operator.get_by_role("link", name="People").click()
    operator.get_by_label("Email address", exact=True).fill(INES)
    operator.get_by_label("Name", exact=True).fill("Ines Moreau")
    operator.get_by_role("button", name="Send an invitation").click()
    expect(operator.get_by_role("cell", name=INES)).to_be_visible()
    page.goto(site.mail.link_for(INES))
    choose_password(page)
    (person,) = [one for one in site.call("GET", "/v1/users")["data"] if one["email"] == INES]
    site.account("Parcel Pilot’s own shop", owner=person["id"])


def the_integrator_registers_a_draft_and_tries_it(site: Installation, page: Page, folder: Path) -> Integration:
    page.goto(f"{site.origin}/developers")
    page.get_by_role("link", name="Register an integration").click()
    page.get_by_label("Name", exact=True).fill("Parcel Pilot")
    page.get_by_label("Redirect URIs").fill(f"{site.integrator.origin}/callback")
    page.get_by_label("Remove URL").fill(f"{site.integrator.origin}/removed")
    for scope in ("orders.read", "customers.read", "catalogue.write"):
        page.get_by_label(f"May ask for {scope}").check()
    for scope in ("orders.read", "customers.read"):
        page.get_by_label(f"Asks for {scope} when it names none").check()
    page.get_by_label("Cannot do without orders.read").check()
    shoot(page, "register")
    page.get_by_role("button", name="Register", exact=True).click()
    shown = page.get_by_role("main").locator("dd")
    expect(shown).to_have_count(3)
    integration = Integration(site, *shown.all_inner_texts())
    page.get_by_role("link", name="Go on").click()
    page.get_by_role("link", name="Edit").click()
    (folder / "icon.png").write_bytes(picture())
    page.get_by_label("Picture").set_input_files(folder / "icon.png")
    page.get_by_role("button", name="Save the icon").click()
    page.get_by_role("link", name="Try it").click()
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("is not verified by Northwind Commerce")).to_be_visible()
    allow(page)
    expect(page.get_by_role("heading", name="It works")).to_be_visible()
    page.wait_for_load_state()
    assert "gwa_" not in page.content()
    shoot(page, "tried")
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_text("Waiting for approval")).to_be_visible()
    return integration


def the_operator_approves_it(page: Page) -> None:
    page.get_by_role("link", name="Integrations").click()
    page.get_by_role("region", name="Waiting for approval").get_by_role("link", name="Parcel Pilot").click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved").first).to_be_visible()


def the_customer_connects_it_and_leaves_a_part_out(page: Page, integration: Integration) -> dict[str, Any]:
    page.goto(integration.connect_url(scope="orders.read customers.read catalogue.write"))
    sign_in(page, ANA)
    expect(page.get_by_role("heading", level=1)).to_have_text("Connect Parcel Pilot to Pine & Oak Bakery?")
    expect(page.get_by_label(ORDERS)).to_have_count(0)  # it cannot do without
    page.get_by_label(CUSTOMERS).uncheck()
    expect(page.get_by_label(CATALOGUE)).to_be_checked()
    shoot(page, "consent")
    allow(page)
    tokens = integration.exchange(code_in(page))
    assert set(tokens["scope"].split()) == {"orders.read", "catalogue.write"}
    return tokens


def it_hears_of_an_order(site: Installation, integration: Integration, token: str, account: str) -> str:
    """A webhook is made with the token, and what the platform publishes arrives there signed. The webhook's id."""
    made = integration.webhooks("POST", token, url=f"{site.integrator.origin}/hooks", events=["*"]).json()
    event = site.call("POST", "/v1/events", account=account, type="order.paid", payload={"order": 7})
    arrived = until(lambda: integration.heard("/hooks", event["id"]), "the event")[0]
    told = Webhook(made["secret"]).verify(arrived.body, arrived.headers)
    assert (told["type"], told["data"], told["account"]["id"]) == ("order.paid", {"order": 7}, account)
    assert token.encode() not in arrived.body
    return str(made["id"])


def the_customer_suspends_it_and_lets_it_go_on(
    site: Installation, page: Page, integration: Integration, tokens: dict[str, Any]
) -> dict[str, Any]:
    page.goto(f"{site.origin}/connections")
    page.get_by_role("article", name="Parcel Pilot").get_by_role("link", name="History, suspend, remove").click()
    page.get_by_role("button", name="Suspend it").click()
    expect(page.get_by_role("status")).to_contain_text("The app is suspended")
    shoot(page, "suspended")
    assert not integration.is_active(tokens["access_token"])
    refused = integration.refresh(tokens["refresh_token"])
    said = refused.json()
    assert (refused.status, said["error"], said["connection_state"]) == (403, "access_denied", "suspended")
    assert int(refused.header("retry-after") or 0) > 0
    page.get_by_role("button", name="Let it go on").click()
    expect(page.get_by_role("status")).to_contain_text("goes on where it was")
    assert integration.is_active(tokens["access_token"])
    answer = integration.refresh(tokens["refresh_token"])
    assert answer.status == 200
    return {**tokens, **answer.json()}


def the_customer_removes_it(page: Page) -> None:
    page.reload()
    ends = page.get_by_role("region", name="Remove")
    expect(ends.get_by_text("Webhooks: 1")).to_be_visible()
    expect(ends.get_by_text("Subscriptions: 1")).to_be_visible()
    shoot(page, "remove")
    ends.get_by_role("button", name="Remove Parcel Pilot").click()
    expect(page.get_by_role("status")).to_contain_text("The app was removed")
    expect(page.get_by_role("article")).to_have_count(0)


def everybody_hears_of_it_once(site: Installation, integration: Integration, connection: str, webhook: str) -> None:
    shown = site.call("GET", f"/v1/connections/{connection}")
    arrived = until(lambda: integration.heard("/removed", shown["integration_id"]), "the removeUrl notice")
    assert len(arrived) == 1
    told = Webhook(integration.notice_secret).verify(arrived[0].body, arrived[0].headers)
    assert told == json.loads(arrived[0].body)
    assert told["clientId"] == integration.client_id
    (removed,) = until(lambda: site.told(connection, "connection.removed"), "the platform's event")
    assert [(one["kind"], one["reference"]) for one in removed["data"]["resources"]] == [("subscription", "sub_17")]
    assert removed["data"]["webhooks"] == [webhook]
    letters = until(lambda: site.mail.to(ANA, "Parcel Pilot"), "the owner's letter")
    assert len(letters) == 1
    assert site.terminal_entries(connection) == [(shown["approved_by"], "customer")]


def nothing_of_it_is_left(site: Installation, integration: Integration, tokens: dict[str, Any], account: str) -> None:
    assert not integration.is_active(tokens["access_token"])
    refused = integration.refresh(tokens["refresh_token"])
    assert (refused.status, refused.json()["error"]) == (400, "invalid_grant")
    assert integration.webhooks("GET", tokens["access_token"]).status == 401
    assert site.call("POST", "/v1/events", account=account, type="order.paid", payload={"order": 8})["to"] == 0


def the_integrator_reads_what_was_delivered_and_has_it_sent_again(
    site: Installation, page: Page, integration: Integration
) -> None:
    page.get_by_role("link", name="Deliveries").click()
    expect(page.get_by_role("row").filter(has_text="Remove URL").first).to_be_visible()
    shoot(page, "deliveries")
    page.get_by_role("row").filter(has_text="Remove URL").get_by_role("link").first.click()
    expect(page.get_by_text("Answered 200")).to_be_visible()
    before = len(site.integrator.arrived)
    page.get_by_role("button", name="Send it again").click()
    until(lambda: len(site.integrator.arrived) > before, "the replay")
    newest = site.integrator.arrived[-1]
    ids = [one.headers["webhook-id"] for one in site.integrator.arrived if one.path == newest.path]
    assert ids[-1] in ids[:-1]


def the_operator_finds_it_in_the_audit(page: Page, connection: str) -> None:
    page.get_by_role("navigation", name="Operators’ pages").get_by_role("link", name="Audit").click()
    page.get_by_label("Connection (cn_…)").fill(connection)
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("row").filter(has_text="connection_removed")).to_have_count(1)
    shoot(page, "audit")
