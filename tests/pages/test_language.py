"""Which language a person reads: chosen at the foot of a page, or by the browser."""

from __future__ import annotations

from datetime import date

from grantway.server.pages.catalogue import load_catalogues
from grantway.server.pages.rendering import day
from tests.pages.browser import Browser
from tests.pages.conftest import Platform


def test_a_browser_that_likes_german_best_gets_german(browser: Browser) -> None:
    seen = browser.get("/sign-in", headers={"accept-language": "de-AT, en;q=0.5"})
    assert seen.headers["content-language"] == "de"
    assert '<html lang="de">' in seen.html
    assert "E-Mail-Adresse" in seen.text


def test_what_was_chosen_at_the_foot_of_a_page_holds_from_then_on(browser: Browser) -> None:
    seen = browser.get("/")
    assert 'href="?lang=de" hreflang="de" lang="de">Deutsch</a>' in seen.html
    chosen = browser.get("/?lang=de")
    assert "Verbundene Apps" in chosen.text
    cookie = chosen.headers["set-cookie"]
    assert "grantway-language=de" in cookie
    assert all(part in cookie for part in ("HttpOnly", "Max-Age=31536000", "SameSite=lax", "Secure"))
    assert "E-Mail-Adresse" in browser.get("/sign-in").text
    assert browser.get("/?lang=en").headers["content-language"] == "en"
    assert "Email address" in browser.get("/sign-in").text


def test_the_choice_keeps_what_is_being_connected_and_nothing_that_somebody_wrote(browser: Browser) -> None:
    seen = browser.get("/sign-in?request=pending-1&again=%22%3E&note=hello&lang=en")
    assert 'href="?request=pending-1&amp;lang=de"' in seen.html
    assert "hello" not in seen.html


def test_a_language_that_there_is_not_changes_nothing(browser: Browser) -> None:
    seen = browser.get("/?lang=xx%22%3E")
    assert seen.headers["content-language"] == "en"
    assert "grantway-language" not in seen.headers.get("set-cookie", "")
    assert "xx" not in seen.html


def test_a_page_that_tells_of_a_problem_repeats_nothing_of_the_address(browser: Browser) -> None:
    seen = browser.get("/nowhere?secret=s3cr3t")
    assert seen.status == 404
    assert "s3cr3t" not in seen.html


def test_a_client_does_not_choose_for_later(site: Platform, browser: Browser) -> None:
    answer = browser.get(site.authorize() + "&lang=de")
    assert "grantway-language" not in answer.headers.get("set-cookie", "")


def test_a_client_says_in_which_language_its_customer_is_asked(site: Platform, browser: Browser) -> None:
    asked = browser.follow(browser.get(site.authorize(ui_locales="ja-JP de-CH en")))
    assert asked.headers["content-language"] == "de"
    consent = browser.follow(site.sign_in(browser, asked))
    assert "Helpdesk" in consent.text
    assert consent.headers["content-language"] == "de"
    assert browser.get("/connections").headers["content-language"] == "en"


def test_a_wrong_password_is_told_in_the_language_that_the_client_said(site: Platform, browser: Browser) -> None:
    asked = browser.follow(browser.get(site.authorize(ui_locales="de")))
    assert site.sign_in(browser, asked, password="wrong").headers["content-language"] == "de"


def test_what_a_person_chose_counts_more_than_what_a_client_says(site: Platform, browser: Browser) -> None:
    browser.get("/?lang=en")
    assert browser.follow(browser.get(site.authorize(ui_locales="de"))).headers["content-language"] == "en"


def test_a_language_that_we_do_not_have_leaves_the_browsers(site: Platform, browser: Browser) -> None:
    german = {"accept-language": "de"}
    opened = browser.get(site.authorize(ui_locales="ja-JP es-US"), headers=german)
    there = browser.get(opened.location, headers=german)
    assert browser.get(there.location or opened.location, headers=german).headers["content-language"] == "de"


def test_days_are_told_in_german() -> None:
    told = day(date(2026, 3, 2), load_catalogues()["de"])
    assert told == '<time datetime="2026-03-02">2. März 2026</time>'
