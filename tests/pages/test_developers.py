"""The developer portal: who registers integrations, who sees them, and what changing one means."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from grantway.protocol.administration.approval import approve, send_back
from grantway.protocol.administration.client_life import disable_client
from grantway.protocol.decision import Decision
from grantway.protocol.ids import show
from tests.pages.browser import Browser
from tests.pages.conftest import CALLBACK, Platform, platform
from tests.pages.developers import SECRET_LOOKS, at, look_after, registered, signed_in, stored, token, upload

NewBrowser = Callable[..., Browser]

REGISTRATION = {"name": "Shoplifter", "profile": "standard", "redirect_uris": f"{CALLBACK}\r\nhttp://127.0.0.1/cb\r\n"}

# Every address of the portal that is about one integration.
READ = ["", "edit", "secrets", "connections", "deliveries", "refused", "try", "try/callback", "delete"]
CHANGE = [
    "edit", "submit", "developers", "developers/remove", "secrets", "secrets/end", "secrets/signing", "try", "delete",
]  # fmt: skip


# --- who may


@pytest.mark.parametrize("path", ["/developers", *(f"/developers/x/{rest}".rstrip("/") for rest in READ)])
def test_a_stranger_is_sent_to_sign_in_and_back(browser: Browser, path: str) -> None:
    answer = browser.get(path)
    assert answer.status == 303
    assert answer.location.startswith("/sign-in?to=/developers")


@pytest.mark.parametrize("rest", READ)
def test_anothers_integration_looks_like_nothing(site: Platform, new_browser: NewBrowser, rest: str) -> None:
    client = registered(site)
    eve = signed_in(site, new_browser(), "Eve", "owner")
    theirs, none = eve.get(at(client, rest)), eve.get(f"/developers/nonesuch/{rest}")
    assert (theirs.status, none.status) == (404, 404)
    assert client.name not in theirs.text


@pytest.mark.parametrize("rest", CHANGE)
def test_nobody_changes_anothers_integration(site: Platform, new_browser: NewBrowser, rest: str) -> None:
    client = registered(site)
    eve = signed_in(site, new_browser(), "Eve", "owner")
    assert eve.post(at(client, rest), token(eve) | {"name": "Mine", "developer": "us_" + "0" * 22}).status in (400, 404)
    assert stored(site, client) == client


@pytest.mark.parametrize("rest", CHANGE)
def test_every_change_needs_our_form(site: Platform, browser: Browser, rest: str) -> None:
    client = registered(site)
    signed_in(site, browser)
    assert browser.post(at(client, rest), {"csrf": "x" * 64}).status == 403
    assert browser.post(at(client, rest), {}).status == 403
    assert stored(site, client) == client


@pytest.mark.parametrize("rest", ["secrets", "secrets/end", "secrets/signing", "developers", "delete"])
def test_secrets_people_and_deletion_take_a_sign_in_of_just_now(site: Platform, browser: Browser, rest: str) -> None:
    client = registered(site)
    signed_in(site, browser)
    form = token(browser)
    site.house.clock.turn(minutes=16)
    answer = browser.post(at(client, rest), form)
    assert answer.location.startswith(f"/sign-in?to={at(client)}")
    assert answer.location.endswith("&again=1")
    assert stored(site, client) == client


# --- registering


@pytest.mark.parametrize(
    ("registration", "role", "may"),
    [
        ("open", None, True), ("open", "member", True),
        ("members", None, False), ("members", "member", False), ("members", "admin", True), ("members", "owner", True),
        ("closed", "owner", False),
    ],
)  # fmt: skip
def test_the_setting_says_who_registers(registration: str, role: Any, may: bool) -> None:
    site = platform(registration=registration)
    browser = Browser(site.pages)
    signed_in(site, browser, "Bob", role)
    assert ("Register an integration" in browser.get("/developers").text) is may
    assert browser.get("/developers?register=1").status == (200 if may else 403)
    answer = browser.post("/developers", token(browser) | REGISTRATION)
    assert answer.status == (200 if may else 403)
    assert (SECRET_LOOKS in answer.html) is may
    browser.close()


def test_what_is_registered_is_a_draft_of_its_developer(site: Platform, browser: Browser) -> None:
    signed_in(site, browser)
    answer = browser.post("/developers", token(browser) | REGISTRATION | {"scope:tickets.read": "on", "remove_url": ""})
    assert "shown this once" in answer.text
    listed = browser.get("/developers")
    assert "Shoplifter" in listed.text
    assert "Draft" in listed.text
    page = browser.get(listed.html.partition('<a href="/developers/')[2].partition('"')[0].join(["/developers/", ""]))
    for words in (CALLBACK, "http://127.0.0.1/cb", "Read your tickets", "Ask for approval"):
        assert words in page.text
    assert SECRET_LOOKS not in page.html


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "A name is not empty."),
        ({"redirect_uris": "http://client.example/cb"}, "A redirect URI is https"),
        ({"redirect_uris": ""}, "has at least one redirect URI"),
        ({"remove_url": "http://10.0.0.1/removed"}, "address"),
        ({"profile": "nonesuch"}, "There is no profile"),
    ],
)
def test_what_cannot_be_registered_is_said_on_the_form_that_keeps_the_rest(
    site: Platform, browser: Browser, changes: dict[str, str], words: str
) -> None:
    signed_in(site, browser)
    sent = REGISTRATION | {"public": "on", "name": "<b>Shop</b>"} | changes
    answer = browser.post("/developers", token(browser) | sent)
    assert (answer.status, words in answer.text) == (422, True)
    assert "<b>Shop" not in answer.html
    assert browser.get("/developers").text.count("Draft") == 0


def test_scopes_that_the_platform_has_not_described_cannot_be_asked_for(site: Platform, browser: Browser) -> None:
    signed_in(site, browser)
    answer = browser.post("/developers", token(browser) | REGISTRATION | {"scope:everything": "on"})
    assert "everything" not in answer.html


def test_nobody_registers_without_end(site: Platform, browser: Browser) -> None:
    for _ in range(50):
        registered(site)
    signed_in(site, browser)
    assert "at most 50" in browser.post("/developers", token(browser) | REGISTRATION).text


# --- approval


def test_a_draft_is_submitted_sent_back_submitted_again_and_approved(site: Platform, browser: Browser) -> None:
    client = registered(site)
    signed_in(site, browser)
    waits = browser.follow(browser.send(browser.get(at(client)).form("/submit")))
    assert "Waiting for approval" in waits.text
    site.house.decide(send_back, client.client_id, "Which <shop> is it?")
    back = browser.get(at(client))
    assert "Which <shop> is it?" in back.text
    assert "<shop>" not in back.html
    browser.send(back.form("/submit"))
    site.house.decide(approve, client.client_id)
    page = browser.get(at(client))
    assert "Approved" in page.text
    assert "Which" not in page.text


def form_of(browser: Browser, path: str, **changes: str) -> dict[str, str]:
    """The edit form as it was filled in (its text areas and ticks are not sent by the test's browser), changed."""
    fields = browser.get(path).form("/edit").fields
    plain = {name: value for name, value in fields.items() if ":" not in name}
    ticks = {"scope:tickets.read": "on", "scope:tickets.write": "on", "default:tickets.read": "on"}
    return plain | ticks | {"redirect_uris": CALLBACK, "profile": "standard"} | changes


@pytest.mark.parametrize(
    ("changes", "draft"),
    [
        ({"name": "Helpdesk 2"}, True),
        ({"redirect_uris": f"{CALLBACK}\nhttps://other.example/cb"}, True),
        ({"remove_url": "https://client.example/removed"}, False),
        ({"scope:tickets.write": ""}, False),
        ({"default:tickets.write": "on"}, False),
        ({"required:tickets.read": "on"}, False),
        ({}, False),
    ],
)
def test_what_customers_rely_on_has_to_be_approved_anew_and_the_form_says_so_before(
    site: Platform, browser: Browser, changes: dict[str, str], draft: bool
) -> None:
    client = look_after(site, site.helpdesk.client)
    signed_in(site, browser)
    assert "makes it a draft again" in browser.get(at(client, "edit")).text
    answer = browser.post(at(client, "edit"), form_of(browser, at(client, "edit"), **changes))
    assert answer.location == f"{at(client)}?done={'draft' if draft else 'saved'}"
    assert (stored(site, client).approved_at is None) is draft


def test_a_form_that_was_opened_before_another_change_is_not_saved(site: Platform, browser: Browser) -> None:
    client = look_after(site, site.helpdesk.client)
    signed_in(site, browser)
    form = form_of(browser, at(client, "edit"), name="First")
    browser.post(at(client, "edit"), form)
    late = browser.post(at(client, "edit"), form | {"name": "Second"})
    assert (late.status, "changed it in the meantime" in late.text) == (422, True)
    assert stored(site, client).name == "First"


def test_the_profile_stays_while_it_is_connected(site: Platform, browser: Browser) -> None:
    client = look_after(site, site.helpdesk.client)
    browser.send(next(iter(site.to_consent(browser).forms.values())), decision="allow")
    answer = browser.post(at(client, "edit"), form_of(browser, at(client, "edit"), profile="sunshine"))
    assert (answer.status, "It is connected" in answer.text) == (422, True)


# --- pictures


def picture() -> bytes:
    out = BytesIO()
    Image.new("RGB", (300, 300), "red").save(out, "PNG")
    return out.getvalue()


def test_a_picture_is_drawn_anew_and_has_to_be_approved(site: Platform, browser: Browser) -> None:
    client = look_after(site, site.helpdesk.client)
    signed_in(site, browser)
    answer = upload(browser, at(client, "icon"), token(browser)["csrf"], picture())
    assert answer.location == f"{at(client)}?done=draft"
    shown = browser.get(f"/icons/{client.client_id}.png")
    assert (shown.status, shown.headers["content-type"]) == (200, "image/png")


@pytest.mark.parametrize("file", [b"", b"<svg/>", b"GIF89a", b"\r\n--\r\n"])
def test_what_is_no_picture_is_refused_on_the_form(site: Platform, browser: Browser, file: bytes) -> None:
    client = registered(site)
    signed_in(site, browser)
    answer = upload(browser, at(client, "icon"), token(browser)["csrf"], file)
    assert (answer.status, "PNG, JPEG or WebP file" in answer.text) == (422, True)


def test_a_picture_needs_our_form_and_has_an_end(site: Platform, browser: Browser) -> None:
    client = registered(site)
    signed_in(site, browser)
    assert upload(browser, at(client, "icon"), "x" * 64, picture()).status == 403
    assert upload(browser, at(client, "icon"), token(browser)["csrf"], b"x" * (1 << 20) + b"x" * 20_000).status == 413
    assert browser.post(at(client, "icon"), token(browser)).status == 415
    assert stored(site, client) == client


# --- secrets


def test_a_new_secret_is_shown_once_and_two_live(site: Platform, browser: Browser) -> None:
    client = registered(site)
    signed_in(site, browser)
    page = browser.get(at(client, "secrets"))
    assert SECRET_LOOKS not in page.html
    made = browser.send(page.form("/secrets"))
    assert SECRET_LOOKS in made.html
    assert made.headers["cache-control"] == "no-store"
    later = browser.get(at(client, "secrets"))
    assert SECRET_LOOKS not in later.html
    assert len(stored(site, client).secrets) == 2
    oldest = stored(site, client).secrets[0].digest[:4].hex()
    ended = browser.follow(browser.post(at(client, "secrets/end"), token(browser) | {"secret": oldest}))
    assert "That secret works no more." in ended.text
    (left,) = stored(site, client).secrets
    last = browser.post(at(client, "secrets/end"), token(browser) | {"secret": left.digest[:4].hex()})
    assert "This is the last secret" in last.text


def test_the_signing_secret_is_shown_on_demand(site: Platform, browser: Browser) -> None:
    client = registered(site, remove_url="https://client.example/removed")
    signed_in(site, browser)
    page = browser.get(at(client, "secrets"))
    assert "whsec_" not in page.html
    assert "whsec_" in browser.send(page.form("/signing")).html
    assert "signature key" not in page.text


def test_who_is_told_as_square_tells_reads_what_its_libraries_call_the_signing_secret(
    site: Platform, browser: Browser
) -> None:
    client = registered(site, profile="square", scopes=("ORDERS_READ",), remove_url="https://client.example/revoked")
    signed_in(site, browser)
    assert "signature key" in browser.get(at(client, "secrets")).text


# --- people and the end


def test_developers_add_colleagues_and_nobody_else(site: Platform, browser: Browser) -> None:
    client = registered(site)
    amy = site.house.user("amy@example.com", "Amy")
    site.house.member(site.acme, amy, "member")
    site.house.user("eve@example.com", "Eve")
    signed_in(site, browser)
    added = browser.follow(browser.post(at(client, "developers"), token(browser) | {"email": "AMY@example.com"}))
    assert "Amy" in added.text
    strangers = [
        browser.post(at(client, "developers"), token(browser) | {"email": email}).text.replace(email, "…")
        for email in ("eve@example.com", "nobody@example.com")
    ]
    assert strangers[0] == strangers[1]  # who is known here is not theirs to find out
    assert "There is no user …" in strangers[0]


def test_the_last_developer_stays(site: Platform, browser: Browser) -> None:
    client = registered(site)
    signed_in(site, browser)
    form = token(browser) | {"developer": show("us", site.ada.id)}
    assert "This is the last developer" in browser.post(at(client, "developers/remove"), form).text


def test_why_something_is_refused_is_told_in_the_language_of_the_page(site: Platform, browser: Browser) -> None:
    signed_in(site, browser)
    form = token(browser) | REGISTRATION | {"redirect_uris": "http://shop.example/back"}
    browser.get("/?lang=de")
    seen = browser.post("/developers", form)
    assert "http://shop.example/back: Eine Redirect-URI ist https, außer auf Loopback" in seen.text


def test_what_the_platform_switched_off_says_so(site: Platform, browser: Browser) -> None:
    client = registered(site)
    site.house.decide(disable_client, client.client_id)
    signed_in(site, browser)
    assert "have switched it off" in browser.get(at(client)).text


def test_deleting_ends_the_integration_and_what_it_is_connected_to(site: Platform, browser: Browser) -> None:
    client = look_after(site, site.helpdesk.client)
    browser.send(next(iter(site.to_consent(browser).forms.values())), decision="allow")
    page = browser.get(at(client, "delete"))
    assert "Connections that are removed, with their webhooks and subscriptions: 1." in page.text
    gone = browser.follow(browser.send(page.form("/delete")))
    assert "The integration is deleted." in gone.text
    assert browser.get(at(client)).status == 404
    assert stored(site, client).ended_at == site.house.clock.now

    async def live(facts: Any, at: Any) -> Decision[Any]:
        return Decision(await facts.connections(client_row_id=client.id))

    assert site.house.decide(live).answer == ()
