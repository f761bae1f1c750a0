"""However a connection ends, it ends the same: told once to everybody whom it concerns, and nothing of it is left."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect
from standardwebhooks import Webhook

from tests.helpers.server import fetch
from tests.helpers.square_sdk import Sdk, by_secret
from tests.helpers.waiting import until
from tests.journeys.browser.installation import JSON, Installation, Integration, installation, path_of
from tests.journeys.browser.people import allow, choose_password, code_in, pick, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

sunshine: Any = importlib.import_module("sunshine_conversations_client")
ANA = "ana@pine.example"


@dataclass
class Town:
    """An installation where Ana owns an account and Olga is an operator, both signed in at their browsers."""

    site: Installation
    customer_id: str
    customer: Page
    operator: Page
    operator_id: str

    def connect(self, account: dict[str, Any], url: str) -> str:
        """Ana allows it for this account; the code."""
        self.customer.goto(url)
        pick(self.customer, account["name"])
        allow(self.customer)
        return code_in(self.customer)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Town]:
    with installation(tmp_path_factory.mktemp("ends") / "data") as site:
        ana = site.person(ANA, "Ana Lindqvist")
        site.account("Harbour Books", owner=ana)
        made = site.server.cli("operators", "create", "--email", "olga@northwind.example", "--name", "Olga Berg")
        customer, operator = browser.new_context().new_page(), browser.new_context().new_page()
        customer.goto(f"{site.origin}/sign-in")
        sign_in(customer, ANA)
        expect(customer.get_by_role("button", name="Sign out", exact=True)).to_be_visible()
        operator.goto(site.origin + path_of(made["link"]))
        choose_password(operator)
        yield Town(site, ana, customer, operator, made["id"])
        for page in (customer, operator):
            page.context.close()


@dataclass
class Living:
    """A live connection: what its integration has in hand, and what lives by it."""

    town: Town
    account: dict[str, Any]
    integration: Integration
    tokens: dict[str, Any]
    connection: dict[str, Any]
    webhooks: list[str]
    """None where the dialect has no call that makes one."""
    notice: str
    """What the notice of its end calls it."""

    @property
    def id(self) -> str:
        return str(self.connection["id"])

    def webhooks_that_hear_of_an_order(self) -> int:
        event = {"account": self.account["id"], "type": "order.paid", "payload": {}}
        heard: int = self.town.site.call("POST", "/v1/events", **event)["to"]
        return heard


def standard(town: Town, account: dict[str, Any]) -> Living:
    integration = town.site.client("Parcel Pilot", scopes=["orders.read"])
    tokens = integration.exchange(town.connect(account, integration.connect_url()))
    made = integration.webhooks(
        "POST", tokens["access_token"], url=f"{town.site.integrator.origin}/hooks", events=["*"]
    )
    return _living(town, account, integration, tokens, made.json()["id"])


def sunny(town: Town, account: dict[str, Any]) -> Living:
    integration = town.site.client("Shoplifter", profile="sunshine", scopes=["orders.read"])
    query = urlencode({"client_id": integration.client_id, "response_type": "code"})
    code = town.connect(account, f"{town.site.origin}/sc/oauth/authorize?{query}")
    with sunshine.ApiClient(sunshine.Configuration(host=f"{town.site.origin}/sc")) as vendor:
        asked = sunshine.GetTokenRequest(
            code=code, grant_type="authorization_code", client_id=integration.client_id,
            client_secret=integration.client_secret,
        )  # fmt: skip
        calls = sunshine.OAuthEndpointsApi(vendor)
        token = calls.get_token(asked).access_token
        told = calls.get_token_info(_headers={"Authorization": f"Bearer {token}"}).app
        assert (told.id, told.display_name) == (account["external_ids"]["sunshine"], account["name"])
        vendor.configuration.access_token = token
        target = sunshine.WebhookCreateBody(target=f"{town.site.integrator.origin}/hooks", triggers=["*"])
        app = account["external_ids"]["sunshine"]
        webhook = sunshine.WebhooksApi(vendor).create_webhook(app, "me", target).webhook
    return _living(town, account, integration, {"access_token": token}, webhook.id)


def squared(town: Town, account: dict[str, Any]) -> Living:
    integration = town.site.client("Till", profile="square", scopes=["ORDERS_READ"])
    query = urlencode({"client_id": integration.client_id, "scope": "ORDERS_READ"})
    code = town.connect(account, f"{town.site.origin}/oauth2/authorize?{query}")
    proof = {"client_id": integration.client_id, "client_secret": integration.client_secret}
    given = Sdk(town.site.origin).call("obtain_token", grant_type="authorization_code", code=code, **proof)
    return _living(town, account, integration, {"access_token": given.access_token}, notice=given.merchant_id)


def _living(
    town: Town,
    account: dict[str, Any],
    integration: Integration,
    tokens: dict[str, Any],
    *webhooks: str,
    notice: str | None = None,
) -> Living:
    connection = town.site.connection(integration.client_id)
    town.site.call(
        "POST", f"/v1/connections/{connection['id']}/resources", kind="subscription", reference=connection["id"]
    )
    live = Living(
        town, account, integration, tokens, connection, list(webhooks), notice or connection["integration_id"]
    )
    assert live.webhooks_that_hear_of_an_order() == len(webhooks)
    return live


# --- who ends it; each gives the actor and the reason that the audit log has to name


def by_the_last_refresh_token(live: Living) -> tuple[str, str]:
    assert live.integration.post("/revoke", token=live.tokens["refresh_token"]).status == 200
    return f"client:{live.integration.client_id}", "integrator"


def by_a_refresh_token_that_was_used(live: Living) -> tuple[str, str]:
    newest = live.tokens
    for _ in range(3):  # one or two behind, at once, may be a retry and no thief
        newest = live.integration.refresh(newest["refresh_token"]).json()
    assert live.integration.refresh(live.tokens["refresh_token"]).json()["error"] == "invalid_grant"
    return "system", "reuse_detected"


def by_the_vendors_client_with_its_token(live: Living) -> tuple[str, str]:
    with sunshine.ApiClient(sunshine.Configuration(host=f"{live.town.site.origin}/sc")) as vendor:
        vendor.configuration.access_token = live.tokens["access_token"]
        assert sunshine.OAuthEndpointsApi(vendor).revoke_access() == {}
    return f"client:{live.integration.client_id}", "integrator"


def by_the_vendors_client_with_a_key(live: Living) -> tuple[str, str]:
    key = live.town.site.server.cli("connections", "create-key", live.id)
    with sunshine.ApiClient(sunshine.Configuration(host=live.town.site.origin)) as vendor:
        vendor.configuration.username, vendor.configuration.password = key["key_id"], key["key_secret"]
        assert sunshine.OAuthEndpointsApi(vendor).revoke_access() == {}
    return f"client:{live.integration.client_id}", "integrator"


def by_squares_client(live: Living) -> tuple[str, str]:
    given = {"client_id": live.integration.client_id, "access_token": live.tokens["access_token"]}
    options = by_secret(live.integration.client_secret)
    assert Sdk(live.town.site.origin).call("revoke_token", request_options=options, **given).success is True
    return f"client:{live.integration.client_id}", "integrator"


def by_the_operators_page(live: Living) -> tuple[str, str]:
    page = live.town.operator
    page.goto(f"{live.town.site.origin}/admin/connections/{live.id}")
    page.locator("summary", has_text="Remove").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Removed").first).to_be_visible()
    return live.town.operator_id, "operator"


def by_the_operators_api(live: Living) -> tuple[str, str]:
    assert live.town.site.call("DELETE", f"/v1/connections/{live.id}")["state"] == "removed"
    return live.town.site.key_id, "operator"


def by_the_customers_page(live: Living) -> tuple[str, str]:
    page = live.town.customer
    page.goto(f"{live.town.site.origin}/connections/{live.id}")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("status")).to_contain_text("The app was removed")
    return str(live.connection["approved_by"]), "customer"


Begin = Callable[[Town, dict[str, Any]], Living]
End = Callable[[Living], tuple[str, str]]
ENDS: list[tuple[Begin, End]] = [
    (standard, by_the_last_refresh_token),
    (standard, by_a_refresh_token_that_was_used),
    (sunny, by_the_vendors_client_with_its_token),
    (sunny, by_the_vendors_client_with_a_key),
    (squared, by_squares_client),
    (standard, by_the_operators_page),
    (standard, by_the_operators_api),
    (sunny, by_the_customers_page),
]


@pytest.mark.parametrize(("begin", "end"), ENDS, ids=[f"{begin.__name__}-{end.__name__}" for begin, end in ENDS])
def test_a_connection_that_ends_is_told_once_to_everybody_and_nothing_of_it_is_left(
    town: Town, begin: Begin, end: End
) -> None:
    live = begin(town, town.site.account(end.__name__, owner=town.customer_id))
    letters = len(town.site.mail.to(ANA))
    actor, reason = end(live)

    (told,) = until(lambda: town.site.told(live.id, "connection.removed"), "the platform's event")
    assert (told["data"]["actor"], told["data"]["reason"]) == (actor, reason)
    assert [one["reference"] for one in told["data"]["resources"]] == [live.id]
    assert told["data"]["webhooks"] == live.webhooks
    (removed,) = until(lambda: live.integration.heard("/removed", live.notice), "removeUrl")
    assert Webhook(live.integration.notice_secret).verify(removed.body, removed.headers) == json.loads(removed.body)
    until(lambda: len(town.site.mail.to(ANA)) > letters, "the owner's letter")
    assert len(town.site.mail.to(ANA)) == letters + 1
    assert town.site.terminal_entries(live.id) == [(actor, reason)]

    bearer = [("Authorization", f"Bearer {live.tokens['access_token']}"), JSON]
    assert fetch("GET", f"{town.site.origin}/v1/webhooks", bearer).status == 401
    assert fetch("GET", f"{town.site.origin}/v2/tokenInfo", bearer).status == 401
    assert live.webhooks_that_hear_of_an_order() == 0
