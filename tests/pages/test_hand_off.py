"""Sign-in elsewhere, as a browser sees it: away to the platform and back, or by the application that mounts ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from grantway.protocol.administration.operators import CreatedOperator, create_operator
from grantway.protocol.hand_off import Completed, complete
from grantway.protocol.identity import Identity, IdentityAccount
from grantway.server.hand_off import SINCE
from grantway.server.pages import build_pages
from tests.pages.browser import Browser, Seen
from tests.pages.conftest import Platform, platform

NewBrowser = Callable[..., Browser]
LOGIN_URL = "https://shop.example/login?theme=dark"


@pytest.fixture
def site() -> Platform:
    return platform(login_url=LOGIN_URL, smtp="smtp://127.0.0.1:25")


def grace(site: Platform, **ago: float) -> Identity:
    shop = IdentityAccount("shop-1", "Shop", "owner")
    return Identity("u-1", "Grace", site.house.clock() - timedelta(**ago), (shop,))


def asked_of_platform(seen: Seen) -> dict[str, str]:
    """What the platform is sent with the browser."""
    assert seen.status == 303
    assert seen.location.startswith("https://shop.example/login?theme=dark&request=")
    return {name: values[0] for name, values in parse_qs(urlsplit(seen.location).query).items()}


def returned(site: Platform, seen: Seen, **ago: float) -> str:
    """The platform says who it is; the path by which the browser comes back."""
    answer = site.house.decide(complete, asked_of_platform(seen)["request"], grace(site, **ago)).answer
    assert isinstance(answer, Completed), answer
    return answer.return_to.removeprefix("https://auth.example")


def signed_in(site: Platform, browser: Browser, at: str = "/sign-in", **ago: float) -> Seen:
    return browser.get(returned(site, browser.follow(browser.get(at)), **ago))


def test_from_an_app_s_request_over_the_platform_to_the_consent_page(site: Platform, browser: Browser) -> None:
    back = signed_in(site, browser, site.authorize())
    assert back.status == 303
    page = browser.follow(back)
    assert "Connect Helpdesk to Shop?" in page.text
    assert "Signed in as Grace" in page.text
    assert "None" not in page.text


def test_every_page_that_needs_a_sign_in_leads_to_the_platform_and_back_to_itself(
    site: Platform, browser: Browser
) -> None:
    back = signed_in(site, browser, "/account")
    assert back.location == "/account"
    assert browser.get("/account").status == 200


def test_only_the_browser_that_left_comes_back_and_only_once(
    site: Platform, browser: Browser, new_browser: NewBrowser
) -> None:
    path = returned(site, browser.get("/sign-in"))
    stranger = new_browser()
    assert stranger.get(path).status == 400
    stranger.get("/sign-in")
    assert "another browser" in stranger.get(path).text
    assert browser.get(path).status == 303
    assert browser.get(path).status == 400
    assert "__Host-grantway-session" not in stranger.cookies()


def test_nobody_becomes_another_person_by_having_them_sign_in_for_a_request_of_theirs(
    site: Platform, browser: Browser, new_browser: NewBrowser
) -> None:
    attacker, victim = browser, new_browser()
    left = attacker.get("/sign-in")
    path = returned(site, left)  # the victim signed in at the platform with the attacker's request
    assert victim.get(path).status == 400
    assert attacker.get(f"/sign-in/return?request={asked_of_platform(left)['request']}").status == 400
    assert "__Host-grantway-session" not in attacker.cookies() | victim.cookies()


def test_an_app_that_asks_for_a_new_sign_in_gets_one_or_a_page_that_says_so(site: Platform, browser: Browser) -> None:
    site.house.clock.turn(seconds=1)
    left = browser.follow(browser.get(site.authorize(prompt="login")))
    assert asked_of_platform(left)["prompt"] == "login"
    too_old = browser.get(returned(site, left, minutes=5))
    assert (too_old.status, "Please sign in anew" in too_old.text) == (403, True)
    again = too_old.html.split('class="button primary" href="')[1].split('"')[0]
    page = browser.follow(browser.get(returned(site, browser.follow(browser.get(again)))))
    assert "Connect Helpdesk to Shop?" in page.text


def test_what_needs_a_recent_sign_in_takes_the_platform_s_word_for_its_time(site: Platform, browser: Browser) -> None:
    signed_in(site, browser, hours=2)
    left = browser.get("/sign-in?to=/account&again=1")
    assert asked_of_platform(left)["prompt"] == "login"
    assert browser.get(returned(site, left, hours=2)).status == 403
    assert browser.get(returned(site, browser.get("/sign-in?to=/account&again=1"), minutes=5)).location == "/account"


def test_signing_out_is_ours_only_and_says_so(site: Platform, browser: Browser) -> None:
    signed_in(site, browser)
    out = browser.send(browser.get("/account").form("/sign-out"))
    assert "sign out there, too" in browser.follow(out).text
    assert browser.get("/account").status == 303


def test_not_you_asks_the_platform_to_sign_in_anew(site: Platform, browser: Browser) -> None:
    page = browser.follow(signed_in(site, browser, site.authorize()))
    left = browser.follow(browser.send(page.form("leave")))
    assert asked_of_platform(left)["prompt"] == "login"


def test_forms_may_lead_to_the_platform_s_sign_in_and_nowhere_else(site: Platform, browser: Browser) -> None:
    signed_in(site, browser)
    assert browser.get("/account").csp["form-action"] == "'self' https://shop.example"


def test_people_of_the_platform_have_no_password_here(site: Platform, browser: Browser) -> None:
    signed_in(site, browser)
    assert "Password" not in browser.get("/account").text
    for page in ("/account/password", "/account/email", "/forgot"):
        assert browser.get(page).status == 404


def test_operators_sign_in_with_a_password_of_ours(site: Platform, browser: Browser) -> None:
    created = site.house.decide(create_operator, "ops@example.com", "Olga", "operator").answer
    assert isinstance(created, CreatedOperator)
    link = f"/links/{created.link}"
    password = "a sentence for operators"
    browser.send(browser.get(link).form(link), **{"new-password": password, "repeated": password})
    browser.client.cookies.clear()
    form = browser.get("/sign-in?to=/admin").form("/sign-in")
    assert browser.send(form, username="ops@example.com", password=password).location == "/admin"


# --- the application that mounts this one


class Hook:
    """What the mounting application says, and what it was asked with."""

    def __init__(self, says: Any) -> None:
        self.says = says
        self.scopes: list[Any] = []

    async def __call__(self, scope: Any) -> Any:
        self.scopes.append(scope)
        return self.says


def hooked(new_browser: NewBrowser, says: Any = None, **settings: Any) -> tuple[Platform, Browser, Hook]:
    site = platform(**settings)
    hook = Hook(says)
    return site, new_browser(build_pages(site.house.service, hook)), hook


def test_whom_the_hook_names_is_signed_in_on_the_way(new_browser: NewBrowser) -> None:
    site, browser, hook = hooked(new_browser)
    hook.says = grace(site)
    page = browser.follow(browser.get(site.authorize()))
    assert "Connect Helpdesk to Shop?" in page.text
    assert hook.scopes[0]["path"] == "/sign-in"
    assert hook.scopes[0][SINCE] is None


def test_an_address_of_the_hook_s_is_where_the_browser_goes(new_browser: NewBrowser) -> None:
    _, browser, _ = hooked(new_browser, "/app/login?next=%2Fsign-in")
    assert browser.get("/sign-in").location == "/app/login?next=%2Fsign-in"


def test_without_a_word_of_the_hook_s_our_own_page_is_shown(new_browser: NewBrowser) -> None:
    site, browser, _ = hooked(new_browser)
    assert site.sign_in(browser).status == 303


def test_the_hook_is_told_since_when_a_sign_in_is_good_enough(new_browser: NewBrowser) -> None:
    site, browser, hook = hooked(new_browser)
    began = site.house.clock()
    hook.says = grace(site, minutes=5)
    shown = browser.follow(browser.get(site.authorize(prompt="login")))
    assert (shown.status, hook.scopes[-1][SINCE]) == (403, began)
    site.house.clock.turn(minutes=1)
    hook.says = grace(site)
    again = shown.html.split('class="button primary" href="')[1].split('"')[0]
    assert "Connect Helpdesk to Shop?" in browser.follow(browser.get(again)).text


def test_an_identity_that_cannot_be_is_a_fault_of_the_application_and_signs_nobody_in(new_browser: NewBrowser) -> None:
    site, browser, hook = hooked(new_browser)
    hook.says = Identity("", "", site.house.clock())
    assert browser.get("/sign-in").status == 500
    assert "__Host-grantway-session" not in browser.cookies()


def test_the_hook_is_not_asked_for_operators(new_browser: NewBrowser) -> None:
    site, browser, hook = hooked(new_browser)
    hook.says = grace(site)
    assert browser.get("/sign-in?to=/admin").forms
    assert hook.scopes == []
