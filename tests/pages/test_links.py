"""Links from letters: looked at by anybody's scanner, spent once, and good for what they were sent for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from grantway.protocol.administration.invitations import invite_user
from grantway.protocol.administration.operators import CreatedOperator, create_operator
from grantway.protocol.decision import Replace
from grantway.protocol.model import OneTimeLink, Session, User
from grantway.protocol.one_time_links import LIFETIMES, LIVE_LINKS
from grantway.protocol.throttle import FAILURES_PER_ADDRESS
from grantway.server.passwords import verify_password
from tests.helpers import engine
from tests.pages.browser import Browser, Seen
from tests.pages.conftest import PASSWORD, Platform, platform
from tests.pages.letters import last_link, letters

NewBrowser = Callable[..., Browser]
NEW = "a new and better sentence"


@pytest.fixture
def site() -> Platform:
    return platform(smtp="smtp://127.0.0.1:25")


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What asking for a link waited; it does not."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("grantway.server.pages.links.asyncio.sleep", sleep)
    return waited


def stored(site: Platform, kind: Any) -> list[Any]:
    return engine.records(site.house.service.storage, kind)


def ada(site: Platform) -> User:
    return next(user for user in stored(site, User) if user.id == site.ada.id)


def forgot(browser: Browser, email: str = "ada@example.com") -> Seen:
    return browser.send(browser.get("/forgot").form("/forgot"), username=email)


def choose(browser: Browser, link: str, password: str = NEW, repeated: str | None = None) -> Seen:
    form = browser.get(link).form(link)
    return browser.send(form, **{"new-password": password, "repeated": password if repeated is None else repeated})


def test_a_forgotten_password_becomes_a_new_one_and_a_session(
    site: Platform, browser: Browser, waits: list[float]
) -> None:
    assert 'href="/forgot"' in browser.get("/sign-in").html
    forgot(browser)
    done = choose(browser, last_link(site.house))
    assert (done.status, done.location) == (303, "/connections")
    assert browser.get("/account").status == 200
    assert verify_password(NEW, ada(site).password_hash)
    assert not verify_password(PASSWORD, ada(site).password_hash)


def test_known_and_unknown_addresses_get_one_answer_after_one_time(
    site: Platform, browser: Browser, waits: list[float]
) -> None:
    known, unknown, nonsense = forgot(browser), forgot(browser, "nobody@example.com"), forgot(browser, "x" * 300)
    assert known.html == unknown.html == nonsense.html
    assert (known.status, len(waits), len(set(waits))) == (200, 3, 1)
    assert [letter.message["To"] for letter in letters(site.house)] == ["Ada <ada@example.com>"]


def test_an_address_that_asks_too_often_is_told_to_wait_as_at_the_sign_in(
    site: Platform, browser: Browser, waits: list[float]
) -> None:
    for number in range(FAILURES_PER_ADDRESS):
        assert forgot(browser, f"n{number}@example.com").status == 200
    assert forgot(browser).status == 429
    assert letters(site.house) == []


def test_nobody_is_flooded_with_letters(site: Platform, browser: Browser, waits: list[float]) -> None:
    answers = {forgot(browser).html for _ in range(LIVE_LINKS + 3)}
    assert len(answers) == 1
    assert len(letters(site.house)) == LIVE_LINKS
    site.house.clock.turn(hours=1)
    forgot(browser)
    assert len(letters(site.house)) == LIVE_LINKS + 1


def test_looking_at_a_link_spends_nothing_and_using_it_spends_all_that_there_are(
    site: Platform, browser: Browser, new_browser: NewBrowser, waits: list[float]
) -> None:
    forgot(browser)
    first = last_link(site.house)
    site.house.clock.turn(seconds=1)
    forgot(browser)
    second = last_link(site.house)
    for _ in range(3):
        assert new_browser().get(second).status == 200
    assert choose(browser, second).status == 303
    assert (browser.get(second).status, browser.get(first).status) == (404, 404)
    assert stored(site, OneTimeLink) == []


def test_a_link_is_used_once_even_if_its_form_is_open_twice(
    site: Platform, browser: Browser, new_browser: NewBrowser, waits: list[float]
) -> None:
    forgot(browser)
    link = last_link(site.house)
    other = new_browser()
    form = other.get(link).form(link)
    assert choose(browser, link).status == 303
    late = other.send(form, **{"new-password": "something else", "repeated": "something else"})
    assert late.status == 404
    assert verify_password(NEW, ada(site).password_hash)


def test_a_link_is_over_after_its_time(site: Platform, browser: Browser, waits: list[float]) -> None:
    forgot(browser)
    link = last_link(site.house)
    site.house.clock.turn(seconds=LIFETIMES["password"].total_seconds())
    assert browser.get(link).status == 404


def test_a_new_password_ends_every_other_session_and_what_browsers_keep(
    site: Platform, browser: Browser, new_browser: NewBrowser, waits: list[float]
) -> None:
    other = new_browser()
    site.sign_in(other)
    assert other.get("/account").status == 200
    forgot(browser)
    choose(browser, last_link(site.house))
    assert other.get("/account").location.startswith("/sign-in")
    assert len(stored(site, Session)) == 1


@pytest.mark.parametrize(
    ("password", "repeated", "sentence"),
    [("short", "short", "at least 8"), ("x" * 1025, "x" * 1025, "at most 1024"), (NEW, "other", "not the same")],
)
def test_a_password_that_will_not_do_spends_nothing(
    site: Platform, browser: Browser, waits: list[float], password: str, repeated: str, sentence: str
) -> None:
    forgot(browser)
    link = last_link(site.house)
    answer = choose(browser, link, password, repeated)
    assert answer.status == 422
    assert sentence in answer.text
    assert 'role="alert"' in answer.html
    assert password not in answer.html
    assert choose(browser, link).status == 303


def test_a_form_that_we_did_not_give_this_browser_spends_nothing(
    site: Platform, browser: Browser, new_browser: NewBrowser, waits: list[float]
) -> None:
    forgot(browser)
    link = last_link(site.house)
    theirs = new_browser()
    theirs.get("/sign-in")
    form = browser.get(link).form(link)
    assert theirs.send(form, **{"new-password": NEW, "repeated": NEW}).status == 403
    assert choose(browser, link).status == 303


def test_a_person_who_was_disabled_meanwhile_has_no_link(site: Platform, browser: Browser, waits: list[float]) -> None:
    forgot(browser)
    link = last_link(site.house)
    user = ada(site)
    site.do(Replace(replace(user, disabled_at=site.house.clock(), version=user.version + 1)))
    assert browser.get(link).status == 404


def test_an_invitation_makes_a_person_who_can_sign_in(site: Platform, browser: Browser) -> None:
    site.house.decide(invite_user, "Bob@Example.com", "Bob")
    site.house.clock.turn(days=6)
    link = last_link(site.house)
    assert "Welcome to Northwind, Bob" in browser.get(link).text
    assert choose(browser, link).location == "/connections"


def test_inviting_again_makes_the_first_letter_void(site: Platform, browser: Browser) -> None:
    site.house.decide(invite_user, "bob@example.com", "Bob")
    first = last_link(site.house)
    site.house.clock.turn(seconds=1)
    site.house.decide(invite_user, "bob@example.com", "Bob")
    assert (browser.get(first).status, browser.get(last_link(site.house)).status) == (404, 200)
    choose(browser, last_link(site.house))
    assert site.house.decide(invite_user, "bob@example.com", "Bob").reason == "user_exists"


def test_the_first_operator_sets_a_password_by_the_link_of_the_command(site: Platform, browser: Browser) -> None:
    created = site.house.decide(create_operator, "ops@example.com", "Olga", "operator").answer
    assert isinstance(created, CreatedOperator)
    assert created.link not in repr(created)
    assert choose(browser, f"/links/{created.link}").location == "/admin"
    again = site.house.decide(create_operator, "ops@example.com", "Olga", "operator").answer
    assert isinstance(again, CreatedOperator)
    site.house.clock.turn(minutes=15)
    assert browser.get(f"/links/{again.link}").status == 404


def test_without_mail_there_is_no_page_for_forgotten_passwords(browser: Browser, new_browser: NewBrowser) -> None:
    silent = platform()
    theirs = new_browser(silent.pages)
    assert "/forgot" not in theirs.get("/sign-in").html
    assert theirs.get("/forgot").status == 404
    theirs.get("/sign-in")
    assert theirs.post("/forgot", {"username": "ada@example.com"}).status == 404


def test_no_letter_page_or_answer_holds_what_the_database_keeps(
    site: Platform, browser: Browser, waits: list[float], capfd: pytest.CaptureFixture[str]
) -> None:
    forgot(browser)
    link = last_link(site.house)
    choose(browser, link)
    secret = link.rpartition("/")[2]
    kept = stored(site, OneTimeLink)
    assert secret not in repr(kept)
    assert secret not in capfd.readouterr().err
    assert re.fullmatch(r"[\w-]{43}", secret)
