"""The developer portal watches an integration: connections, deliveries, refused authorizations, and trying the flow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grantway.protocol.decision import Add, Decision, LeaseNotice, ReportDelivery
from grantway.protocol.events import event_for, webhook_notice
from grantway.protocol.ids import show
from grantway.protocol.model import Client, Connection, DeliveryAttempt, Notice, Webhook
from tests.pages.browser import Browser
from tests.pages.conftest import Platform
from tests.pages.developers import at, look_after, registered, signed_in, token


@pytest.fixture
def helpdesk(site: Platform, browser: Browser) -> Client:
    """An approved integration that Ada looks after and has connected to Acme; she is signed in."""
    client = look_after(site, site.helpdesk.client)
    browser.send(next(iter(site.to_consent(browser).forms.values())), decision="allow")
    return client


def connection_of(site: Platform, client: Client) -> Connection:
    async def rule(facts: Any, at: Any) -> Decision[Any]:
        return Decision((await facts.connections(client_row_id=client.id))[0].connection)

    found: Connection = site.house.decide(rule).answer
    return found


def notice(site: Platform, client: Client, number: int = 1, **fields: Any) -> Notice:
    """A notice for the integration, in the outbox."""
    now, row = site.house.clock.now, number.to_bytes(16, "big")
    plain = Notice(
        id=row, line=row, connection_id=connection_of(site, client).id, client_id=client.id, kind="remove_url",
        url="https://client.example/removed", body=b'{"integrationId":"<script>"}', created_at=now, next_attempt_at=now,
    )  # fmt: skip
    made = replace(plain, **fields)
    site.do(Add(made))
    return made


def attempted(site: Platform, held: Notice, status: int, answer: str, *, dead: bool) -> None:
    now = site.house.clock.now
    site.do(LeaseNotice(held.id, b"l" * 16, now, now))
    attempt = DeliveryAttempt(held.id, 1, now, 42, status, None, answer)
    site.do(ReportDelivery(b"l" * 16, attempt, None if dead else now, now if dead else None))


# --- connections


def test_who_is_connected_is_listed_with_state_and_coarse_use(
    site: Platform, browser: Browser, helpdesk: Client
) -> None:
    text = browser.get(at(helpdesk, "connections")).text
    assert "Acme" in text
    assert "Waiting for the app" in text
    assert "ada@example.com" not in text.replace("Ada", "")


def test_many_connections_are_shown_page_by_page(site: Platform, browser: Browser, helpdesk: Client) -> None:
    for number in range(60):
        account = site.house.account(f"Shop {number:02}")
        row = number.to_bytes(16, "big")
        site.do(Add(Connection(row, helpdesk.id, account.id, f"{number:024x}", (), site.house.clock.now)))
    first = browser.get(at(helpdesk, "connections"))
    assert first.html.count("<code>cn_") == 50
    older = browser.get(first.html.partition('rel="next" href="')[2].partition('"')[0])
    assert "Shop 00" in older.text
    assert 'rel="next"' not in older.html


# --- deliveries


def test_deliveries_are_listed_and_those_given_up_alone(site: Platform, browser: Browser, helpdesk: Client) -> None:
    notice(site, helpdesk, 1)
    attempted(site, notice(site, helpdesk, 2), 410, "gone", dead=True)
    both = browser.get(at(helpdesk, "deliveries"))
    assert both.html.count("https://client.example/removed") == 2
    dead = browser.get(at(helpdesk, "deliveries?state=dead"))
    assert dead.html.count("https://client.example/removed") == 1
    assert "410" in dead.text
    of_one = browser.get(at(helpdesk, f"deliveries?connection={show('cn', connection_of(site, helpdesk).id)}"))
    assert "Only those of Acme." in of_one.text


def test_a_delivery_shows_what_was_sent_and_answered_as_text(
    site: Platform, browser: Browser, helpdesk: Client
) -> None:
    held = notice(site, helpdesk)
    attempted(site, held, 500, "<img src=x onerror=alert(1)>", dead=True)
    page = browser.get(at(helpdesk, "deliveries", show("nt", held.id)))
    assert "<img src=x onerror=alert(1)>" in page.text
    assert "Answered 500 after 42 ms." in page.text
    assert "<script>" not in page.html
    assert "onerror" not in page.html.replace("&lt;img src=x onerror=alert(1)&gt;", "")


def test_the_request_of_a_webhook_is_shown_as_its_target_reads_it(
    site: Platform, browser: Browser, helpdesk: Client
) -> None:
    connection = connection_of(site, helpdesk)

    async def heard(facts: Any, at: Any) -> Decision[Any]:
        row = at.new_id()
        webhook = Webhook(
            row, connection.id, helpdesk.id, "https://hooks.example/in", ("*",), at.new_secret(row), at.vault.current,
            at.now,
        )  # fmt: skip
        event = event_for(at, connection.account_id, "order.paid", {"order": 7}, 1)
        held = webhook_notice(at, webhook, event)
        return Decision((held, event), (Add(webhook), Add(event), Add(held)))

    held, event = site.house.decide(heard).answer
    page = browser.get(at(helpdesk, "deliveries", show("nt", held.id)))
    for line in ("POST https://hooks.example/in", '"type":"order.paid"', '"order":7', show("ev", event.id)):
        assert line in page.text


def test_what_was_given_up_is_sent_again_and_what_waits_is_not(
    site: Platform, browser: Browser, helpdesk: Client
) -> None:
    held = notice(site, helpdesk)
    here = at(helpdesk, "deliveries", show("nt", held.id))
    early = browser.post(f"{here}/replay", token(browser))
    assert (early.status, "still waiting" in early.text) == (422, True)
    attempted(site, held, 500, "", dead=True)
    again = browser.follow(browser.send(browser.get(here).form("/replay")))
    assert "It will be sent again, under the same id." in again.text
    assert "Waiting" in again.text
    assert browser.post(f"{here}/replay", {"csrf": "x"}).status == 403


@pytest.mark.parametrize("kind", ["platform", "mail", "resource"])
def test_what_the_platform_and_people_are_told_is_not_shown(
    site: Platform, browser: Browser, helpdesk: Client, kind: Any
) -> None:
    held = notice(site, helpdesk, kind=kind, body=b'{"secret":"of others"}')
    assert "There is nothing here." in browser.get(at(helpdesk, "deliveries")).text
    path = at(helpdesk, "deliveries", show("nt", held.id))
    assert browser.get(path).status == 404
    assert browser.post(f"{path}/replay", token(browser)).status == 404


def test_deliveries_of_another_integration_are_not_shown(site: Platform, browser: Browser, helpdesk: Client) -> None:
    other = registered(site)
    held = notice(site, helpdesk)
    for rest in (
        f"deliveries/{show('nt', held.id)}",
        f"deliveries?connection={show('cn', connection_of(site, helpdesk).id)}",
        "deliveries?connection=cn_none",
        "deliveries?webhook=wh_none",
    ):
        assert browser.get(at(other, rest)).status == 404


# --- why authorizations were refused


def test_a_redirect_uri_that_is_not_registered_is_told_in_full_and_counted(
    site: Platform, browser: Browser, helpdesk: Client
) -> None:
    wrong = "https://client.example/callback/?<b>=1"
    for _ in range(3):
        assert browser.get(site.authorize(redirect_uri=wrong)).status == 400
        site.house.clock.turn(minutes=1)
    page = browser.get(at(helpdesk, "refused"))
    assert f"redirect_uri_unregistered {wrong} 3" in page.text
    assert "<b>=1" not in page.html


def test_strangers_cannot_make_us_write_more_than_once_a_minute(
    site: Platform, browser: Browser, helpdesk: Client
) -> None:
    for _ in range(5):
        browser.get(site.authorize(redirect_uri="https://evil.example/"))
    assert "https://evil.example/ 1" in browser.get(at(helpdesk, "refused")).text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"scope": "tickets.read nonesuch"}, "scope_exceeds_client nonesuch"),
        ({"code_challenge": None, "code_challenge_method": None}, "code_challenge_missing"),
        ({"response_type": "token"}, "response_type_unsupported token"),
        ({"resource": "https://api.example"}, "resource_exceeds_client https://api.example"),
    ],
)
def test_other_mistakes_are_told_too(
    site: Platform, browser: Browser, helpdesk: Client, changes: dict[str, str | None], reason: str
) -> None:
    browser.get(site.authorize(**changes))
    assert f"{reason} 1" in browser.get(at(helpdesk, "refused")).text


# --- trying


def tried(browser: Browser, client: Client, **choice: str) -> tuple[Any, Any]:
    """The whole trial: its consent page, and the page at its end."""
    started = browser.send(browser.get(at(client, "try")).form("/try"), **choice)
    consent = browser.follow(started)
    return consent, browser.follow(browser.send(next(iter(consent.forms.values())), decision="allow"))


def test_trying_goes_the_real_way_and_shows_the_answer_without_its_tokens(site: Platform, browser: Browser) -> None:
    client = registered(site)
    signed_in(site, browser)
    consent, end = tried(browser, client)
    assert "not verified by Northwind" in consent.text
    assert "It works" in end.text
    assert "tickets.read" in end.text
    assert "The connection was removed again." in end.text
    assert "gwa_" not in end.html
    assert "gwr_" not in end.html


def test_a_trial_that_is_kept_leaves_a_connection(site: Platform, browser: Browser) -> None:
    client = registered(site)
    signed_in(site, browser)
    _, end = tried(browser, client, keep="on")
    assert "The connection is kept." in end.text
    assert connection_of(site, client).activated_at == site.house.clock.now


def test_a_trial_speaks_the_integrations_own_dialect(site: Platform, browser: Browser) -> None:
    client = registered(site, profile="sunshine", scopes=("tickets.read",))
    signed_in(site, browser)
    assert "It works" in tried(browser, client)[1].text


def test_denying_a_trial_shows_what_the_integration_would_have_been_told(site: Platform, browser: Browser) -> None:
    client = registered(site)
    signed_in(site, browser)
    consent = browser.follow(browser.send(browser.get(at(client, "try")).form("/try")))
    end = browser.follow(browser.send(next(iter(consent.forms.values())), decision="deny"))
    assert "access_denied" in end.text


def test_an_answer_that_this_session_did_not_ask_for_leads_nowhere(site: Platform, browser: Browser) -> None:
    client = registered(site)
    signed_in(site, browser)
    for query in ("code=gwc_x&state=e.x", "code=gwc_x", "state=", "error=access_denied&state=k.00"):
        answer = browser.get(at(client, f"try/callback?{query}"))
        assert (answer.status, "not yours" in answer.text) == (400, True)


def test_nobody_but_a_developer_starts_a_trial(site: Platform, browser: Browser, new_browser: Any) -> None:
    client = registered(site)
    callback = f"https://auth.example/developers/{client.client_id}/try/callback"
    address = site.authorize(client_id=client.client_id, redirect_uri=callback)
    eve = signed_in(site, new_browser(), "Eve", "owner")
    assert eve.get(address).status == 400
    assert new_browser().get(address).status == 400
    signed_in(site, browser)
    assert browser.get(address).status == 302


# --- drafts


def test_a_draft_connects_only_accounts_of_its_developers(site: Platform, new_browser: Any) -> None:
    client = registered(site)
    eve = signed_in(site, new_browser(), "Eve")
    user = site.house.decide(_find, "eve@example.com").answer
    site.house.member(site.house.account("Eve’s shop"), user, "owner")
    page = eve.follow(eve.get(site.authorize(client_id=client.client_id)))
    assert "It can be connected only to accounts of those who make it." in page.text
    assert not any("shown" in form.fields for form in page.forms.values())


async def _find(facts: Any, at: Any, email: str) -> Decision[Any]:
    return Decision(await facts.user_by_email(email))
