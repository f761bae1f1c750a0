"""From the integration's redirect to Allow or Deny: what is shown, to whom, and what is refused on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from grantway.protocol.decision import Decision, Replace
from grantway.protocol.model import Client
from grantway.server.pages.destination import Destination, destination_of
from tests.pages.browser import Browser, Seen
from tests.pages.conftest import CALLBACK, Platform, account_id

NewBrowser = Callable[..., Browser]


def sent_back(seen: Seen) -> dict[str, str]:
    """What went back to the client."""
    assert seen.status == 303
    assert seen.location.startswith(CALLBACK + "?")
    return {name: values[0] for name, values in parse_qs(urlsplit(seen.location).query).items()}


def decide(browser: Browser, consent: Seen, decision: str) -> Seen:
    form = next(form for form in consent.forms.values() if ("decision", decision) in form.buttons)
    return browser.send(form, decision=decision)


def connected(site: Platform) -> int:
    async def rule(facts: Any, at: Any) -> Decision[int]:
        return Decision(len(await facts.connections()))

    return site.house.decide(rule).answer


def test_connect_sign_in_allow_and_back_with_a_code(site: Platform, browser: Browser) -> None:
    consent = site.to_consent(browser)
    assert consent.status == 200
    assert "Connect Helpdesk to Acme?" in consent.text
    answer = sent_back(decide(browser, consent, "allow"))
    assert set(answer) == {"code", "state", "iss"}
    assert answer["state"] == "s/t+ä"
    assert answer["iss"] == "https://auth.example"
    assert connected(site) == 1


def test_deny_goes_back_with_access_denied_and_connects_nothing(site: Platform, browser: Browser) -> None:
    answer = sent_back(decide(browser, site.to_consent(browser), "deny"))
    assert answer["error"] == "access_denied"
    assert "code" not in answer
    assert connected(site) == 0


def test_the_consent_page_names_who_which_account_what_and_where_it_leads(site: Platform, browser: Browser) -> None:
    consent = site.to_consent(browser, scope="tickets.read tickets.write")
    for words in ("Signed in as Ada", "ada@example.com", "Not you?", "Read your tickets", "Answer your tickets"):
        assert words in consent.text
    assert "<strong><bdi>client.example</bdi></strong>" in consent.html
    assert consent.text.count("Sensitive") == 1
    assert "Change" not in consent.text


def test_allow_comes_before_deny_and_nothing_but_the_heading_has_the_focus(site: Platform, browser: Browser) -> None:
    consent = site.to_consent(browser)
    form = next(iter(consent.forms.values()))
    assert form.buttons == [("decision", "allow"), ("decision", "deny")]
    assert consent.html.count("autofocus") == 1
    assert '<h1 tabindex="-1" autofocus>' in consent.html
    assert 'type="text"' not in consent.html


def test_nobody_is_redirected_to_a_client_before_signing_in(site: Platform, browser: Browser) -> None:
    for wrong in ({"scope": "nonsense"}, {"response_type": "token"}, {"code_challenge": None}, {"prompt": "none"}):
        seen = browser.get(site.authorize(**wrong))
        while seen.status in (302, 303):
            assert seen.location.startswith("/")
            seen = browser.get(seen.location)
        assert seen.status in (200, 400)
    answer = sent_back(site.to_consent(browser, scope="nonsense"))
    assert answer["error"] == "invalid_scope"


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "unknown"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": CALLBACK + "/"},
        {"client_id": None},
    ],
)
def test_what_must_not_be_redirected_ends_on_a_page(site: Platform, browser: Browser, wrong: dict[str, Any]) -> None:
    site.sign_in(browser)
    seen = browser.get(site.authorize(**wrong))
    assert seen.status == 400
    assert "location" not in seen.headers
    assert "evil" not in seen.html
    assert seen.headers["x-request-id"] in seen.text


@pytest.mark.parametrize("query", ["client_id=a&client_id=b", "client_id=%ff", "client_id=%00", "state=" + "x" * 9000])
def test_a_request_that_cannot_be_read_ends_on_a_page(browser: Browser, query: str) -> None:
    seen = browser.get(f"/authorize?{query}")
    assert (seen.status, seen.headers["content-type"]) == (400, "text/html; charset=utf-8")


def test_whoever_follows_redirects_without_cookies_ends_on_the_sign_in_page(
    site: Platform, new_browser: NewBrowser
) -> None:
    location, hops = site.authorize(), 0
    while True:
        seen = new_browser().get(location)
        if seen.status not in (302, 303):
            break
        location, hops = seen.location, hops + 1
    assert (seen.status, hops) == (200, 2)
    assert seen.form("/sign-in").fields["request"]


def test_a_request_that_another_browser_started_cannot_be_taken_over(site: Platform, new_browser: NewBrowser) -> None:
    attacker, victim = new_browser(), new_browser()
    started = attacker.get(site.authorize()).location
    site.sign_in(victim)
    seen = victim.get(started)
    assert seen.status == 400
    assert "started in another browser" in seen.text
    sign_in = victim.get(f"/sign-in?request={started.rpartition('/')[2]}")
    assert sign_in.status == 400


def test_a_consent_form_of_somebody_else_allows_nothing(site: Platform, new_browser: NewBrowser) -> None:
    mine, theirs = new_browser(), new_browser()
    consent = site.to_consent(mine)
    form = consent.form(next(iter(consent.forms)))
    site.sign_in(theirs)
    assert theirs.send(form, decision="allow").status == 403
    assert mine.post(form.action, {"decision": "allow", "shown": form.fields["shown"]}).status == 403
    assert connected(site) == 0


def test_what_was_not_shown_is_not_allowed(site: Platform, browser: Browser) -> None:
    consent = site.to_consent(browser)
    form = next(iter(consent.forms.values()))
    for shown in ("", "x" * 44):
        seen = browser.send(form, decision="allow", shown=shown)
        assert seen.status == 409
        assert f'href="{form.action}"' in seen.html
    assert connected(site) == 0
    assert browser.send(form, decision="maybe").location == form.action
    assert "code" in sent_back(browser.send(form, decision="allow"))


def test_an_answer_counts_once_and_a_second_click_gets_it_again(site: Platform, browser: Browser) -> None:
    consent = site.to_consent(browser)
    first = sent_back(decide(browser, consent, "allow"))
    assert sent_back(decide(browser, consent, "allow")) == first
    assert decide(browser, consent, "deny").status == 409
    assert sent_back(browser.get(next(iter(consent.forms.values())).action)) == first
    site.house.clock.turn(minutes=2)
    assert decide(browser, consent, "allow").status == 409


def test_a_request_is_forgotten_after_an_hour(site: Platform, browser: Browser) -> None:
    started = browser.get(site.authorize()).location
    site.house.clock.turn(hours=1)
    seen = browser.get(started)
    assert (seen.status, "no longer open" in seen.text) == (400, True)


# --- accounts -------------------------------------------------------------------------------------------------------


def test_with_several_accounts_one_is_picked_and_can_be_changed(site: Platform, browser: Browser) -> None:
    bolt = site.second_account()
    picker = site.to_consent(browser)
    assert "Choose an account" in picker.text
    form = next(iter(picker.forms.values()))
    assert form.choices["account"] == [account_id(site.acme), account_id(bolt)]
    consent = browser.follow(browser.send(form, account=account_id(bolt)))
    assert "Connect Helpdesk to Bolt & Sons?" in consent.text
    picker = browser.follow(browser.send(consent.form("change")))
    consent = browser.follow(browser.send(next(iter(picker.forms.values())), account=account_id(site.acme)))
    assert "Connect Helpdesk to Acme?" in consent.text
    assert "code" in sent_back(decide(browser, consent, "allow"))


def test_picking_nothing_shows_the_picker_again(site: Platform, browser: Browser) -> None:
    site.second_account()
    form = next(iter(site.to_consent(browser).forms.values()))
    assert "Choose an account" in browser.follow(browser.send(form)).text


def test_an_account_of_others_cannot_be_picked(site: Platform, browser: Browser) -> None:
    site.second_account()
    stranger = site.house.account("Strangers Inc")
    form = next(iter(site.to_consent(browser).forms.values()))
    for account in (account_id(stranger), "ac_x", "evil"):
        assert browser.send(form, account=account).status == 409
    assert "Choose an account" in browser.get(form.action.removesuffix("/account")).text


def test_where_one_is_only_a_member_the_picker_says_why_it_cannot_be_picked(site: Platform, browser: Browser) -> None:
    bolt = site.second_account(role="member")
    picker = site.to_consent(browser)
    form = next(iter(picker.forms.values()))
    assert form.choices["account"] == [account_id(site.acme)]
    assert "Only owners and admins can connect apps" in picker.text
    assert browser.send(form, account=account_id(bolt)).status == 409


def test_without_an_account_to_connect_one_can_go_back(site: Platform, browser: Browser) -> None:
    site.house.user("bo@example.com", "Bo", site.ada.password_hash)
    form = browser.follow(browser.get(site.authorize())).form("/sign-in")
    seen = browser.follow(browser.send(form, username="bo@example.com", password="correct horse battery staple"))
    assert "There is no account that you can connect" in seen.text
    assert seen.csp["form-action"] == "'self' https://client.example"
    assert sent_back(decide(browser, seen, "deny"))["error"] == "access_denied"


def test_not_you_signs_out_and_keeps_the_request(site: Platform, browser: Browser) -> None:
    consent = site.to_consent(browser)
    seen = browser.send(consent.form("leave"))
    assert "__Host-grantway-session" not in browser.cookies()
    assert seen.location.startswith("/sign-in?request=")
    again = browser.follow(site.sign_in(browser, browser.follow(seen)))
    assert "code" in sent_back(decide(browser, again, "allow"))


# --- again ----------------------------------------------------------------------------------------------------------


def test_connecting_for_more_says_what_is_new_and_what_was_there(site: Platform, browser: Browser) -> None:
    decide(browser, site.to_consent(browser), "allow")
    more = browser.follow(browser.get(site.authorize(scope="tickets.read tickets.write")))
    new, _, known = more.text.partition("It can already")
    assert "is connected to this account since 1 March 2026" in new
    assert "Answer your tickets" in new
    assert "Read your tickets" in known


def test_connecting_for_less_says_what_ends(site: Platform, browser: Browser) -> None:
    decide(browser, site.to_consent(browser, scope="tickets.read tickets.write"), "allow")
    less = browser.follow(browser.get(site.authorize(scope="tickets.read", prompt="consent")))
    assert "Nothing new. It can already Read your tickets" in less.text
    assert "It will no longer be able to Answer your tickets" in less.text


def test_prompt_login_asks_for_the_password_once_more(site: Platform, browser: Browser) -> None:
    site.sign_in(browser)
    site.house.clock.turn(minutes=1)
    seen = browser.follow(browser.get(site.authorize(prompt="login")))
    assert "sign in once more" in seen.text
    assert "Connect Helpdesk to Acme?" in browser.follow(site.sign_in(browser, seen)).text


# --- POST, and the other dialect ------------------------------------------------------------------------------------


def test_a_request_may_come_by_post_and_keeps_the_cookies_that_a_cross_site_post_comes_without(
    site: Platform, browser: Browser, new_browser: NewBrowser
) -> None:
    fields = {name: values[0] for name, values in parse_qs(site.authorize().partition("?")[2]).items()}
    cross_site = new_browser().post("/authorize", fields)
    assert cross_site.status == 303
    assert cross_site.location.startswith("/authorize?")
    assert "set-cookie" not in cross_site.headers
    site.sign_in(browser)
    assert "Connect Helpdesk to Acme?" in browser.follow(browser.get(cross_site.location)).text
    same_site = browser.post("/authorize", fields)
    assert "Connect Helpdesk to Acme?" in browser.follow(same_site).text


def test_a_post_that_cannot_be_read_is_not_redirected_anywhere(browser: Browser) -> None:
    for body in (b"client_id=a\r\nx", b"client_id=a&client_id=b", "client_id=é".encode()):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        seen = browser.request("POST", "/authorize", content=body, headers=headers)
        assert (seen.status, "location" in seen.headers) == (400, False)


def test_sunshine_says_what_its_one_scope_opens_and_what_not(site: Platform, browser: Browser) -> None:
    site.house.client("Shoplifter", profile="sunshine", client_id="shoplifter", redirect_uris=(CALLBACK,))
    site.sign_in(browser)
    consent = browser.follow(browser.get("/oauth/authorize?client_id=shoplifter&response_type=code&state=xyz"))
    can, _, cannot = consent.text.partition("It cannot:")
    assert "It can:" in can
    assert "Conversations and messages" in can
    assert "Webhooks of other integrations" in cannot
    answer = sent_back(decide(browser, consent, "allow"))
    assert set(answer) == {"code", "state"}


def test_a_client_that_was_disabled_in_the_meantime_gets_no_code(site: Platform, browser: Browser) -> None:
    consent = site.to_consent(browser)
    client: Client = site.helpdesk.client
    site.do(Replace(replace(client, disabled_at=site.house.clock.now, version=client.version + 1)))
    assert decide(browser, consent, "allow").status == 409
    assert connected(site) == 0


@pytest.mark.parametrize(
    ("redirect_uri", "destination"),
    [
        ("https://App.Example:8443/cb", Destination("web", "app.example:8443")),
        ("http://127.0.0.1:5000/cb", Destination("computer", "127.0.0.1:5000")),
        ("http://[::1]/cb", Destination("computer", "[::1]")),
        ("http://localhost:3000/cb", Destination("computer", "localhost:3000")),
        ("com.example.app:/cb", Destination("app", "com.example.app")),
    ],
)
def test_where_allow_leads_is_told_by_host_or_kind(redirect_uri: str, destination: Destination) -> None:
    assert destination_of(redirect_uri) == destination
