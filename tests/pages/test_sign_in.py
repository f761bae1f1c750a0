"""The sign-in page: shown to anybody, good only for the browser that got it, slow to whoever guesses."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from grantway.protocol.sign_in import begin_sign_in
from grantway.protocol.throttle import FAILURES_PER_ADDRESS
from grantway.server.pages.after_sign_in import AfterSignIn
from grantway.server.passwords import PasswordVerifier
from grantway.server.slow_work import AT_A_TIME, LONGEST_QUEUE, Busy
from grantway.wire.encoding import Parameters
from tests.pages.browser import Browser
from tests.pages.conftest import PASSWORD, Platform, platform

NewBrowser = Callable[..., Browser]


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What sign-ins would have waited; they do not."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("grantway.server.pages.signing_in.asyncio.sleep", sleep)
    return waits


def test_signing_in_leads_to_the_connected_apps(site: Platform, browser: Browser) -> None:
    answer = site.sign_in(browser)
    assert (answer.status, answer.location) == (303, "/connections")
    assert "Connected apps" in browser.follow(answer).text


def test_all_cookies_belong_to_this_host_alone_and_to_no_script(site: Platform, browser: Browser) -> None:
    shown = browser.get("/sign-in")
    answer = site.sign_in(browser, shown)
    lasting = {"max-age=15552000"}
    expected = {
        "__Host-grantway-browser": set(),
        "__Host-grantway-session": set(),
        "__Host-grantway-known": lasting,
    }
    cookies = [*shown.headers.get_list("set-cookie"), *answer.headers.get_list("set-cookie")]
    assert [cookie.partition("=")[0] for cookie in cookies] == list(expected)
    for cookie in cookies:
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        of_its_own = expected[cookie.partition("=")[0]]
        assert attributes == {"httponly", "path=/", "samesite=lax", "secure"} | of_its_own


def test_on_plain_http_the_cookies_are_called_plainly(new_browser: NewBrowser) -> None:
    plain = platform(public_url="http://127.0.0.1:8080")
    browser = new_browser(plain.pages, origin="http://127.0.0.1:8080")
    plain.sign_in(browser)
    assert set(browser.cookies()) == {"grantway-browser", "grantway-session", "grantway-known"}


def test_the_session_is_drawn_anew_at_every_sign_in(site: Platform, browser: Browser, new_browser: NewBrowser) -> None:
    site.sign_in(browser)
    first = browser.cookies()["__Host-grantway-session"]
    site.sign_in(browser)
    assert browser.cookies()["__Host-grantway-session"] != first
    with_the_old_one = {"cookie": f"__Host-grantway-session={first}"}
    assert new_browser().get("/connections", headers=with_the_old_one).location == "/sign-in?to=/connections"


def test_the_wrong_password_and_the_unknown_name_get_one_and_the_same_answer(site: Platform, browser: Browser) -> None:
    form = browser.get("/sign-in").form("/sign-in")
    wrong = browser.send(form, username="ada@example.com", password="wrong")
    unknown = browser.send(form, username="bob@example.com", password=PASSWORD)
    assert wrong.status == unknown.status == 403
    assert wrong.html.replace("ada@", "bob@") == unknown.html
    assert 'role="alert"' in wrong.html
    assert wrong.html.count('aria-describedby="failure"') == 2
    assert wrong.form("/sign-in").fields["username"] == "ada@example.com"
    assert "__Host-grantway-session" not in browser.cookies()


def test_after_a_failure_the_page_can_be_used_again(site: Platform, browser: Browser) -> None:
    failed = site.sign_in(browser, password="wrong")
    assert site.sign_in(browser, failed).status == 303


@pytest.mark.parametrize("token", [None, "", "x" * 64, "é"])
def test_a_sign_in_form_that_we_did_not_give_this_browser_signs_nobody_in(
    site: Platform, browser: Browser, token: str | None
) -> None:
    browser.get("/sign-in")
    sent = {"username": "ada@example.com", "password": PASSWORD} | ({} if token is None else {"csrf": token})
    answer = browser.post("/sign-in", sent)
    assert answer.status == 403
    assert "out of date" in answer.text
    assert 'href="/sign-in"' in answer.html
    assert "__Host-grantway-session" not in browser.cookies()


def test_a_form_that_is_out_of_date_leads_back_to_the_same_request(site: Platform, browser: Browser) -> None:
    shown = browser.follow(browser.get(site.authorize()))
    waiting = shown.form("/sign-in").fields["request"]
    stale = browser.post("/sign-in", {"request": waiting, "csrf": "x"})
    assert f'href="/sign-in?request={waiting}"' in stale.html
    leaving = browser.post("/sign-out", {"request": waiting, "csrf": "x"})
    assert f'href="/authorize/{waiting}"' in leaving.html


def test_a_form_of_another_browser_does_not_sign_this_one_in(site: Platform, new_browser: NewBrowser) -> None:
    attacker, victim = new_browser(), new_browser()
    victim.get("/sign-in")
    assert site.sign_in(victim, attacker.get("/sign-in")).status == 403


def test_guesses_at_a_name_are_slowed_and_the_right_password_still_signs_in(
    site: Platform, browser: Browser, slept: list[float]
) -> None:
    for _ in range(8):
        site.sign_in(browser, password="wrong")
    assert slept == [0.25, 0.5, 1.0, 2.0, 2.0]
    assert site.sign_in(browser).status == 303
    site.sign_in(browser, password="wrong")
    assert slept == [0.25, 0.5, 1.0, 2.0, 2.0, 2.0]  # the sign-in itself waited, and forgave


def test_an_address_that_guesses_too_often_is_told_when_to_come_back(
    site: Platform, new_browser: NewBrowser, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def quick(self: PasswordVerifier, password: str, password_hash: str | None) -> bool:
        return password_hash is not None and password == PASSWORD

    monkeypatch.setattr(PasswordVerifier, "verify", quick)
    guesser, other = new_browser(), new_browser(address="198.51.100.9")
    form = guesser.get("/sign-in").form("/sign-in")
    for number in range(FAILURES_PER_ADDRESS):
        assert guesser.send(form, username=f"user{number}@example.com", password="x").status == 403
    limited = guesser.send(form, username="ada@example.com", password=PASSWORD)
    assert (limited.status, limited.headers["retry-after"]) == (429, "900")
    assert site.sign_in(other).status == 303
    site.house.clock.turn(minutes=15)
    assert site.sign_in(guesser).status == 303


def test_addresses_from_a_header_count_only_when_a_trusted_proxy_wrote_them(new_browser: NewBrowser) -> None:
    seen: list[str] = []

    def addresses(site: Platform) -> str:
        async def spy(facts: Any, at: Any, email: str, address: str, kept: str | None) -> Any:
            seen.append(address)
            return await begin_sign_in(facts, at, email, address, kept)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("grantway.server.pages.signing_in.begin_sign_in", spy)
            browser = new_browser(site.pages, address="10.0.0.2")
            form = browser.get("/sign-in").form("/sign-in")
            headers = {"x-forwarded-for": "203.0.113.66, 198.51.100.7, 10.0.0.9"}
            browser.post("/sign-in", form.fields | {"username": "a", "password": "b"}, headers=headers)
        return seen[-1]

    assert addresses(platform()) == "10.0.0.2"
    assert addresses(platform(trusted_proxies=["10.0.0.0/8"])) == "198.51.100.7"


def test_signing_out_ends_the_session_and_needs_our_form(site: Platform, browser: Browser) -> None:
    site.sign_in(browser)
    kept = browser.cookies()["__Host-grantway-session"]
    page = browser.get("/connections")
    assert browser.post("/sign-out", {}).status == 403
    assert browser.get("/connections").status == 200
    assert browser.send(page.form("/sign-out")).location == "/"
    assert "__Host-grantway-session" not in browser.cookies()
    assert (
        browser.get("/connections", headers={"cookie": f"__Host-grantway-session={kept}"}).location
        == "/sign-in?to=/connections"
    )


def test_a_session_ends_after_twelve_hours(site: Platform, browser: Browser) -> None:
    site.sign_in(browser)
    site.house.clock.turn(hours=12)
    assert browser.get("/connections").location == "/sign-in?to=/connections"


@pytest.mark.parametrize("request_id", ["https://evil.example/", "//evil.example", "../x", "a b", "é", "x" * 200])
def test_what_comes_after_sign_in_is_never_an_address(browser: Browser, request_id: str) -> None:
    shown = browser.get("/sign-in", params={"request": request_id})
    assert shown.status == 400
    form = browser.get("/sign-in").form("/sign-in")
    answer = browser.send(form, username="ada@example.com", password=PASSWORD, request=request_id)
    assert answer.status == 400
    assert "location" not in answer.headers


def test_a_password_is_in_no_page_and_in_no_form(site: Platform, browser: Browser) -> None:
    failed = site.sign_in(browser, password="hunter2hunter2")
    assert "hunter2" not in failed.html
    assert re.search(r'<input id="password"[^>]*autocomplete="current-password"', failed.html)
    assert re.search(r'<input id="username"[^>]*autocomplete="username"', failed.html)


def test_a_flood_of_sign_ins_is_turned_away_instead_of_piling_up() -> None:
    async def flood() -> list[Any]:
        verifier = PasswordVerifier()
        try:
            attempts = [verifier.verify("x", None) for _ in range(AT_A_TIME + LONGEST_QUEUE + 5)]
            results = await asyncio.gather(*attempts, return_exceptions=True)
            assert await verifier.verify("x", None) is False
            return results
        finally:
            verifier.close()

    results = asyncio.run(flood())
    assert sum(isinstance(result, Busy) for result in results) == 5
    assert results.count(False) == AT_A_TIME + LONGEST_QUEUE


def test_when_we_are_busy_the_page_says_so(site: Platform, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(self: PasswordVerifier, password: str, password_hash: str | None) -> bool:
        raise Busy

    monkeypatch.setattr(PasswordVerifier, "verify", busy)
    answer = site.sign_in(browser)
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")


@pytest.mark.parametrize(
    ("to", "leads_to"),
    [
        ("/developers/my~app/edit", "/developers/my~app/edit"),
        ("/developers/..a/.b", "/developers/..a/.b"),
        ("/connections/../admin", "/connections"),
        ("/developers/.", "/connections"),
        ("//evil.example", "/connections"),
        ("/admin/\\evil.example", "/connections"),
        ("https://evil.example/admin", "/connections"),
    ],
)
def test_a_sign_in_leads_to_pages_of_ours_only(to: str, leads_to: str) -> None:
    assert AfterSignIn.of(Parameters({"to": to})).destination == leads_to
