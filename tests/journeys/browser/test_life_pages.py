"""Every kind of page as people meet it: on a phone without scripts, by keyboard, light and dark, in German, as a member."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.helpers.waiting import until
from tests.journeys.browser.installation import Installation, Integration, installation, path_of
from tests.journeys.browser.people import allow, choose_password, code_in, sign_in
from tests.journeys.node import NPM, needs_packages

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

NewPage = Callable[..., Page]
ANA, BEN = "ana@pine.example", "ben@pine.example"
ALL = "orders.read customers.read catalogue.write"


@dataclass
class Sights:
    """An installation where there is something to see on every page, and who is signed in with which cookies."""

    site: Installation
    account: str
    ben: str
    integration: Integration
    connection: str
    customer: Any
    member: Any
    operator: Any

    def of_the_customer(self) -> list[str]:
        return ["/", "/account", "/connections", f"/connections/{self.connection}", self.consent]

    def of_the_integrator(self) -> list[str]:
        here = f"/developers/{self.integration.client_id}"
        parts = (
            "",
            "/edit",
            "/secrets",
            "/connections",
            "/deliveries",
            self.delivery("/deliveries"),
            "/refused",
            "/try",
        )
        vendors = ("/developers/till", "/developers/till/tokens", "/developers/till/edit")
        return ["/developers", "/developers?register=1", *(here + part for part in parts), *vendors]

    def of_the_operator(self) -> list[str]:
        lists = ("clients", "connections", "deliveries", "accounts", "users", "operators", "keys", "scopes", "audit")
        details = (
            f"clients/{self.integration.client_id}", f"connections/{self.connection}", f"accounts/{self.account}",
            f"users/{self.ben}", self.delivery("deliveries"), "clients/till",
        )  # fmt: skip
        return ["/admin", *(f"/admin/{page}" for page in (*lists, *details))]

    def of_strangers(self) -> list[str]:
        return ["/sign-in", "/forgot", "/nowhere", f"/authorize?{urlencode({'client_id': 'unknown'})}"]

    @property
    def consent(self) -> str:
        """A request for more than there is: some is new, some is known, some may be left out."""
        return self.integration.connect_url(scope=ALL).removeprefix(self.site.origin)

    def delivery(self, below: str) -> str:
        found = self.site.call("GET", f"/v1/deliveries?connection={self.connection}")["data"]
        return f"{below}/{next(one['id'] for one in found if one['kind'] == 'webhook')}"

    def everything(self) -> list[tuple[Any, str]]:
        """Every kind of page, with the cookies of somebody who sees it."""
        who = (
            (None, self.of_strangers()), (self.customer, self.of_the_customer()),
            (self.customer, self.of_the_integrator()), (self.operator, self.of_the_operator()),
        )  # fmt: skip
        return [(cookies, path) for cookies, paths in who for path in paths]


@pytest.fixture(scope="module")
def sights(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Sights]:
    with installation(tmp_path_factory.mktemp("pages") / "data") as site:
        ana, ben = site.person(ANA, "Ana Lindqvist"), site.person(BEN, "Ben Roth")
        account = site.account("Pine & Oak Bakery", owner=ana, admin=ben)["id"]
        made = site.server.cli("operators", "create", "--email", "olga@northwind.example", "--name", "Olga Berg")
        customer, member, operator = (browser.new_context().new_page() for _ in range(3))
        operator.goto(site.origin + path_of(made["link"]))
        choose_password(operator)
        for page, email in ((customer, ANA), (member, BEN)):
            page.goto(f"{site.origin}/sign-in")
            sign_in(page, email)
            expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible()
        integration = _draft(site, customer)
        customer.goto(integration.connect_url(scope="orders.read"))
        allow(customer)
        tokens = integration.exchange(code_in(customer))
        site.call("POST", f"/v1/clients/{integration.client_id}/approve")
        integration.webhooks("POST", tokens["access_token"], url=f"{site.integrator.origin}/hooks", events=["*"])
        event = site.call("POST", "/v1/events", account=account, type="order.paid", payload={"order": 7})
        until(lambda: integration.heard("/hooks", event["id"]), "the event")
        resources = f"/v1/connections/{tokens['connection_id']}/resources"
        site.call("POST", resources, kind="subscription", reference="sub_17")
        customer.goto(integration.connect_url(redirect_uri="https://parcelpilot.example/wrong"))  # refused, and listed
        _till(site, account)
        cookies = [page.context.storage_state() for page in (customer, member, operator)]
        for page in (customer, member, operator):
            page.context.close()
        yield Sights(site, account, ben, integration, tokens["connection_id"], *cookies)


def _till(site: Installation, account: str) -> None:
    """An integration that speaks as Square's do, with all of its permissions, and a token without end."""
    named = ("--name", "Till", "--client-id", "till", "--profile", "square", "--account", account)
    site.server.cli("clients", "create", *named, "--redirect-uri", f"{site.integrator.origin}/callback")
    site.server.cli("clients", "developers", "add", "till", "--user", ANA)
    reached = "PAYMENTS_READ PAYMENTS_WRITE_ADDITIONAL_RECIPIENTS"
    site.server.cli("tokens", "create", "--client", "till", "--account", account, "--scope", reached)


def _draft(site: Installation, page: Page) -> Integration:
    page.goto(f"{site.origin}/developers?register=1")
    page.get_by_label("Name", exact=True).fill("Parcel Pilot")
    page.get_by_label("Redirect URIs").fill(f"{site.integrator.origin}/callback")
    for scope in ALL.split():
        page.get_by_label(f"May ask for {scope}").check()
    page.get_by_label("Cannot do without orders.read").check()
    page.get_by_role("button", name="Register", exact=True).click()
    shown = page.get_by_role("main").locator("dd")
    expect(shown).to_have_count(2)
    client_id, client_secret = shown.all_inner_texts()
    return Integration(site, client_id, client_secret, "")


def test_without_scripts_no_page_is_wider_than_a_narrow_phone(sights: Sights, browser: Browser) -> None:
    wide = []
    for cookies, paths in (
        (None, sights.of_strangers()),
        (sights.customer, sights.of_the_customer() + sights.of_the_integrator()),
        (sights.operator, sights.of_the_operator()),
    ):
        context = browser.new_context(
            viewport={"width": 320, "height": 640}, java_script_enabled=False, storage_state=cookies
        )
        page = context.new_page()
        for path in paths:
            page.goto(sights.site.origin + path)
            for summary in page.locator("main summary").all():
                summary.click()
            if page.evaluate("document.documentElement.scrollWidth") > 320:
                wide.append(path)
        context.close()
    assert wide == []


@needs_packages
def test_no_page_has_a_serious_fault_of_accessibility_in_light_or_dark(sights: Sights, browser: Browser) -> None:
    axe = (NPM / "node_modules/axe-core/axe.min.js").read_text()
    run = "options => axe.run(options).then(result => result.violations)"
    found = []
    pages: dict[int, Page] = {}
    for cookies, path in sights.everything():
        if id(cookies) not in pages:
            pages[id(cookies)] = browser.new_context(storage_state=cookies).new_page()
        page = pages[id(cookies)]
        page.emulate_media(color_scheme="light")
        page.goto(sights.site.origin + path)
        page.evaluate(axe)
        faults = page.evaluate(run, {"resultTypes": ["violations"]})
        page.emulate_media(color_scheme="dark")
        faults += page.evaluate(run, {"runOnly": ["color-contrast"]})
        found += [
            (path, one["id"], one["nodes"][0]["html"]) for one in faults if one["impact"] in ("serious", "critical")
        ]
    for page in pages.values():
        page.context.close()
    assert found == []


def test_by_keyboard_every_control_is_reached_in_its_order_and_seen_to_be(sights: Sights, new_page: NewPage) -> None:
    page = new_page(storage_state=sights.customer)
    page.goto(sights.site.origin + sights.consent)
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert tabbed(page, until_at="Deny") == [
        "Not you?", "See your customers’ names and addresses",
        "Add, change and remove items of your catalogue", "It can already", "Allow", "Deny",
    ]  # fmt: skip
    page.goto(f"{sights.site.origin}/connections/{sights.connection}")
    assert tabbed(page, until_at="Remove Parcel Pilot") == [
        "Northwind Commerce", "Your sign-in: Ana Lindqvist", "Sign out", "Connected apps", "Pine & Oak Bakery",
        "Suspend it", "Remove Parcel Pilot",
    ]  # fmt: skip


def tabbed(page: Page, until_at: str) -> list[str]:
    """What the Tab key comes to from where the page begins, as it is named; each has to be ringed."""
    names: list[str] = []
    while not names or names[-1] != until_at:
        page.keyboard.press("Tab")
        name, outline = page.evaluate(
            "(() => { const at = document.activeElement; const label = at.labels && at.labels[0];"
            " return [(label || at).textContent.trim().replace(/\\s+/g, ' '), getComputedStyle(at).outlineWidth]; })()"
        )
        assert outline == "3px", f"{name} is not seen to have the focus"
        names.append(name)
        assert len(names) < 30, names
    return names


def test_a_german_browser_reads_german_from_the_sign_in_to_the_connection(sights: Sights, new_page: NewPage) -> None:
    page = new_page(locale="de-DE")
    page.goto(f"{sights.site.origin}/sign-in")
    assert_german(page)
    page.get_by_label("E-Mail-Adresse").fill(ANA)
    page.get_by_label("Passwort").fill("not the password")
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert_german(page)
    page = new_page(locale="de-DE", storage_state=sights.customer)
    for path in (*sights.of_the_customer(), *sights.of_the_integrator()):
        page.goto(sights.site.origin + path)
        for summary in page.locator("main summary").all():
            summary.click()
        assert_german(page)
    expect(page.get_by_text("Ihre Bestellungen sehen und was dafür bezahlt wurde")).to_be_visible()


ENGLISH = re.compile(
    r"\b(the|you|your|this|and|is|are|with|of|it|can|not|sign|allow|remove|account|address)\b", re.IGNORECASE
)
OWN = re.compile(
    r"Pine & Oak Bakery|Parcel Pilot|English|Remove-URL|[\w.]+:[\w.*]+|\S+[./_=]\S+|whsec_\S+|connection[.:]\w+"
)
"""What is not ours to translate: names, the other language's name, identifiers and addresses."""


def assert_german(page: Page) -> None:
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.lang") == "de"
    said = [line for line in page.inner_text("body").splitlines() if ENGLISH.search(OWN.sub("", line))]
    assert said == [], page.url


def test_owners_see_all_of_an_account_and_members_only_what_they_allowed_themselves(
    sights: Sights, new_page: NewPage
) -> None:
    site = sights.site
    kept = site.client("Shoplifter", scopes=["orders.read"], policy={"member_left": "keep"})
    owner, member = new_page(storage_state=sights.customer), new_page(storage_state=sights.member)
    _connect(member, kept)
    site.call("PUT", f"/v1/accounts/{sights.account}/members/{sights.ben}", role="member")
    _connect(owner, kept)

    owner.goto(f"{site.origin}/connections")
    for name in ("Parcel Pilot", "Shoplifter"):
        expect(owner.get_by_role("article", name=name)).to_be_visible()
    member.goto(f"{site.origin}/connections")
    expect(member.get_by_role("article")).to_have_count(1)
    member.goto(f"{site.origin}/connections/{sights.connection}")
    expect(member.get_by_role("main")).not_to_contain_text("Parcel Pilot")

    member.goto(f"{site.origin}/connections/{site.connection(kept.client_id)['id']}")
    expect(member.get_by_role("button", name="Suspend it")).to_have_count(0)
    member.get_by_role("button", name="Remove Shoplifter").click()
    expect(member.get_by_role("status")).to_contain_text("It stays connected by what others allowed")
    assert site.connection(kept.client_id)["state"] == "active"


def _connect(page: Page, integration: Integration) -> str:
    """This person allows what the integration asks for; the connection."""
    page.goto(integration.connect_url(scope="orders.read"))
    allow(page)
    return str(integration.exchange(code_in(page))["connection_id"])
