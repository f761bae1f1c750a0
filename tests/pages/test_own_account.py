"""What people change of their own sign-in, and where they see themselves signed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grantway.protocol.model import FailureBucket, OneTimeLink, Session, User
from grantway.server.pages.browsers import label_of
from grantway.server.passwords import verify_password
from tests.helpers import engine
from tests.pages.browser import Browser, Seen
from tests.pages.conftest import PASSWORD, Platform, platform
from tests.pages.letters import last_link, letters

NewBrowser = Callable[..., Browser]
NEW = "a new and better sentence"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


@pytest.fixture
def site() -> Platform:
    return platform(smtp="smtp://127.0.0.1:25")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(seconds: float) -> None:
        return None

    monkeypatch.setattr("grantway.server.pages.signing_in.asyncio.sleep", sleep)


def stored(site: Platform, kind: Any) -> list[Any]:
    return engine.records(site.house.service.storage, kind)


def ada(site: Platform) -> User:
    return next(user for user in stored(site, User) if user.id == site.ada.id)


def signed_in(site: Platform, browser: Browser, user_agent: str = FIREFOX, **headers: str) -> Browser:
    browser.client.headers.update({"user-agent": user_agent, **headers})
    assert site.sign_in(browser).status == 303
    return browser


def change(browser: Browser, current: str = PASSWORD, new: str = NEW, repeated: str | None = None) -> Seen:
    form = browser.get("/account/password").form("change")
    return browser.send(form, **{"password": current, "new-password": new, "repeated": repeated or new})


def ask_for_email(browser: Browser, email: str = "Ada@New.example", password: str = PASSWORD) -> Seen:
    return browser.send(browser.get("/account/email").form("change"), email=email, password=password)


def test_whoever_is_not_signed_in_signs_in_first_and_comes_back(site: Platform, browser: Browser) -> None:
    for page in ("/account", "/account/password", "/account/email"):
        shown = browser.get(page)
        assert (shown.status, shown.location) == (303, f"/sign-in?to={page}")
    done = site.sign_in(browser, browser.get("/sign-in?to=/account/password"))
    assert done.location == "/account/password"


@pytest.mark.parametrize(
    "to", ["https://evil.example", "//evil.example", "/connections/../x?y", "/sign-out", "/account\\x"]
)
def test_signing_in_never_leads_to_an_address_that_somebody_wrote(site: Platform, browser: Browser, to: str) -> None:
    shown = browser.get("/sign-in?to=" + to)
    assert "evil" not in shown.html
    assert site.sign_in(browser, shown).location == "/connections"


def test_a_person_sees_where_they_are_signed_in_and_which_is_this(
    site: Platform, browser: Browser, new_browser: NewBrowser
) -> None:
    signed_in(site, new_browser(), CHROME)
    site.house.clock.turn(hours=1)
    signed_in(site, browser)
    text = browser.get("/account").text
    assert "Firefox (Linux) This one" in text
    assert "Chrome (Windows) 1 March 2026" in text


def test_one_session_is_ended_and_the_others_go_on(site: Platform, browser: Browser, new_browser: NewBrowser) -> None:
    other = signed_in(site, new_browser(), CHROME)
    signed_in(site, browser)
    page = browser.get("/account")
    row = page.html[page.html.index("Chrome") :]
    action = row[row.index('action="') + 8 :].split('"')[0]
    done = browser.send(page.form(action))
    assert (done.status, done.location) == (303, "/account?done=session")
    assert other.get("/account").status == 303
    assert browser.get("/account").status == 200


def test_a_session_of_somebody_else_is_not_ended(site: Platform, browser: Browser, new_browser: NewBrowser) -> None:
    signed_in(site, browser)
    own = next(path for path in browser.get("/account").forms if "/se_" in path)
    bob = site.house.user("bob@example.com", "Bob", ada(site).password_hash)
    theirs = new_browser()
    theirs.send(theirs.get("/sign-in").form("/sign-in"), username=bob.email or "", password=PASSWORD)
    token = theirs.get("/account").form("/account/sessions/end").fields
    assert theirs.post(own, token).location == "/account?done=session"
    assert browser.get("/account").status == 200


def test_signing_out_everywhere_ends_every_session(site: Platform, browser: Browser, new_browser: NewBrowser) -> None:
    other = signed_in(site, new_browser(), CHROME)
    signed_in(site, browser)
    done = browser.send(browser.get("/account").form("/account/sessions/end"))
    assert done.location == "/"
    assert stored(site, Session) == []
    assert (other.get("/account").status, browser.get("/account").status) == (303, 303)


def test_a_new_password_takes_the_present_one_and_ends_the_other_sessions(
    site: Platform, browser: Browser, new_browser: NewBrowser
) -> None:
    other = signed_in(site, new_browser(), CHROME)
    signed_in(site, browser)
    kept = browser.cookies()["__Host-grantway-known"]
    wrong = change(browser, current="wrong")
    assert (wrong.status, "present password is not right" in wrong.text) == (422, True)
    assert verify_password(PASSWORD, ada(site).password_hash)
    done = change(browser)
    assert (done.status, done.location) == (303, "/account?done=password")
    assert verify_password(NEW, ada(site).password_hash)
    assert (browser.get("/account").status, other.get("/account").status) == (200, 303)
    assert browser.cookies()["__Host-grantway-known"] != kept


def test_guessing_the_present_password_counts_as_at_the_sign_in(site: Platform, browser: Browser) -> None:
    signed_in(site, browser)
    for _ in range(3):
        change(browser, current="wrong")
        ask_for_email(browser, password="wrong")
    assert max(bucket.failures for bucket in stored(site, FailureBucket)) == 6


@pytest.mark.parametrize(("new", "repeated"), [("short", "short"), (NEW, "another")])
def test_a_new_password_that_will_not_do_changes_nothing(
    site: Platform, browser: Browser, new: str, repeated: str
) -> None:
    signed_in(site, browser)
    assert change(browser, new=new, repeated=repeated).status == 422
    assert verify_password(PASSWORD, ada(site).password_hash)


def test_a_new_address_is_proven_by_a_letter_to_it_and_told_to_the_old_one(site: Platform, browser: Browser) -> None:
    signed_in(site, browser)
    assert ask_for_email(browser).location == "/account?done=email-asked"
    assert ada(site).email == "ada@example.com"
    (letter,) = letters(site.house)
    assert letter.message["To"] == "Ada <ada@new.example>"
    link = last_link(site.house)
    assert browser.get(link).status == 200
    assert ada(site).email == "ada@example.com"
    site.house.clock.turn(seconds=1)
    assert browser.send(browser.get(link).form(link)).location == "/account?done=email"
    assert ada(site).email == "ada@new.example"
    assert letters(site.house)[-1].message["To"] == "Ada <ada@example.com>"
    assert browser.get(link).status == 404


def test_a_new_address_takes_the_present_password_and_has_to_be_one(site: Platform, browser: Browser) -> None:
    signed_in(site, browser)
    assert ask_for_email(browser, password="wrong").status == 422
    assert ask_for_email(browser, "nobody").status == 422
    assert letters(site.house) == []


def test_an_address_of_somebody_else_looks_like_any_other_and_nobody_is_written_to(
    site: Platform, browser: Browser
) -> None:
    site.house.user("bob@example.com", "Bob")
    signed_in(site, browser)
    assert ask_for_email(browser, "bob@example.com").location == "/account?done=email-asked"
    assert (letters(site.house), stored(site, OneTimeLink)) == ([], [])


def test_an_address_that_somebody_else_took_meanwhile_is_not_taken_from_them(site: Platform, browser: Browser) -> None:
    signed_in(site, browser)
    ask_for_email(browser)
    link = last_link(site.house)
    form = browser.get(link).form(link)
    site.house.user("ada@new.example", "Other Ada")
    assert browser.send(form).status == 409
    assert ada(site).email == "ada@example.com"


def test_asking_for_another_address_withdraws_the_one_before(site: Platform, browser: Browser) -> None:
    signed_in(site, browser)
    ask_for_email(browser, "one@new.example")
    first = last_link(site.house)
    site.house.clock.turn(seconds=1)
    ask_for_email(browser, "two@new.example")
    assert (browser.get(first).status, browser.get(last_link(site.house)).status) == (404, 200)


def test_nobody_has_letters_sent_to_strangers_without_end(site: Platform, browser: Browser) -> None:
    signed_in(site, browser)
    for number in range(3):
        assert ask_for_email(browser, f"stranger-{number}@new.example").status == 303
        site.house.clock.turn(minutes=1)
    told = ask_for_email(browser, "stranger-3@new.example")
    assert (told.status, told.headers["retry-after"]) == (429, str(57 * 60))
    assert "Enough letters" in told.text
    assert len(letters(site.house)) == 3
    site.house.clock.turn(minutes=57)
    assert ask_for_email(browser, "stranger-3@new.example").status == 303
    assert len(letters(site.house)) == 4


def test_letters_are_in_the_language_that_was_read_last(site: Platform, browser: Browser) -> None:
    signed_in(site, browser, **{"accept-language": "de"})
    assert ada(site).language == "de"
    version = ada(site).version
    signed_in(site, browser)
    assert ada(site).version == version


@pytest.mark.parametrize("page", ["/account", "/account/password", "/account/email"])
def test_a_form_of_another_session_changes_nothing(site: Platform, browser: Browser, page: str) -> None:
    signed_in(site, browser)
    target = "/account/sessions/end" if page == "/account" else page
    assert browser.post(target, {"csrf": "x", "password": PASSWORD, "email": "a@b.example"}).status == 403
    assert browser.get("/account").status == 200


@pytest.mark.parametrize(
    ("user_agent", "label"),
    [
        (FIREFOX, "Firefox (Linux)"),
        (CHROME, "Chrome (Windows)"),
        (CHROME + " Edg/140.0", "Edge (Windows)"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari (iPhone)",
        ),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome (Android)"),
        ("curl/8.0", ""),
        ("Linux <script>", "Linux"),
    ],
)
def test_a_browser_is_named_coarsely_and_never_by_what_it_says(user_agent: str, label: str) -> None:
    assert label_of(user_agent) == label
