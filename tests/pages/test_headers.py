"""What every page carries, and how pages answer what is not for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grantway.protocol.decision import Put
from grantway.protocol.model import Icon
from grantway.server.pages import front
from grantway.server.pages.headers import source_of
from grantway.server.storage.port import Contended, OutcomeUnknown, Overloaded
from tests.pages.browser import Browser, Seen
from tests.pages.conftest import CALLBACK, Platform, platform


def assert_guarded(seen: Seen, form_action: str = "'self'") -> None:
    assert seen.csp == {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self'",
        "form-action": form_action,
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert seen.headers["x-frame-options"] == "DENY"
    assert seen.headers["referrer-policy"] == "no-referrer"
    assert seen.headers["cache-control"] == "no-store"
    assert seen.headers["x-content-type-options"] == "nosniff"
    assert "<script" not in seen.html
    assert "style=" not in seen.html
    assert " on" + "click" not in seen.html


@pytest.mark.parametrize("path", ["/", "/sign-in", "/connections", "/nothing", "/authorize", "/oauth/authorize"])
def test_every_page_is_guarded(browser: Browser, path: str) -> None:
    assert_guarded(browser.get(path))


def test_pages_after_sign_in_are_guarded(site: Platform, browser: Browser) -> None:
    assert_guarded(site.sign_in(browser))
    assert_guarded(browser.get("/connections"))


def test_only_the_pages_that_lead_back_allow_forms_to_lead_to_this_clients_origin(
    site: Platform, browser: Browser
) -> None:
    assert_guarded(site.to_consent(browser), "'self' https://client.example")
    site.second_account()
    assert_guarded(browser.follow(browser.get(site.authorize())), "'self' https://client.example")


@pytest.mark.parametrize(
    ("redirect_uri", "source"),
    [
        (CALLBACK, "https://client.example"),
        ("https://client.example:8443/x?y=z", "https://client.example:8443"),
        ("http://127.0.0.1:5123/cb", "http://127.0.0.1:5123"),
        ("http://[::1]:5123/cb", "http:"),
        ("com.example.app:/cb", "com.example.app:"),
        ("https://client.example;script-src/cb", ""),
        ("https://client.example,x/cb", ""),
        ("https://'unsafe-inline'/", ""),
        ("https://[bad/", ""),
        ("no scheme", ""),
    ],
)
def test_a_redirect_uri_cannot_write_into_the_policy(redirect_uri: str, source: str) -> None:
    assert source_of(redirect_uri) == source


def test_what_is_not_there_and_what_is_used_differently_is_said_on_a_page(browser: Browser) -> None:
    assert browser.get("/nothing").status == 404
    wrong = browser.request("DELETE", "/sign-in")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, HEAD, POST")
    assert browser.request("HEAD", "/sign-in").status == 200
    assert browser.get("/sign-in/").status == 404


def test_a_body_that_is_too_large_or_no_form_is_refused(browser: Browser) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert browser.request("POST", "/sign-in", content=b"x" * 70_000, headers=form).status == 413

    async def drops() -> Any:
        for _ in range(70):
            yield b"x" * 1024

    assert browser.request("POST", "/sign-in", content=drops(), headers=form).status == 413
    for kind in ("multipart/form-data; boundary=x", "application/json", "text/plain"):
        assert browser.request("POST", "/sign-in", content=b"{}", headers={"content-type": kind}).status == 415


@pytest.mark.parametrize("body", [b"csrf=%ff", b"csrf=a&csrf=b", b"&".join(b"a%d=1" % n for n in range(99)), b"csrf=%"])
def test_a_form_that_cannot_be_read_is_said_so_on_a_page(browser: Browser, body: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    seen = browser.request("POST", "/sign-in", content=body, headers=headers)
    assert (seen.status, "could not read" in seen.text) == (400, True)


@pytest.mark.parametrize(
    ("fault", "status"), [(Contended("x"), 503), (Overloaded("x"), 503), (ValueError("secret-in-a-message"), 500)]
)
def test_a_fault_is_a_page_with_a_number_and_never_a_traceback(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, fault: Exception, status: int, capsys: Any
) -> None:
    async def fail(facts: Any, at: Any, session: Any) -> Any:
        raise fault

    monkeypatch.setattr(front, "who_is", fail)
    seen = browser.get("/")
    assert seen.status == status
    assert seen.headers["x-request-id"] in seen.text
    assert "Traceback" not in seen.html
    assert "secret-in-a-message" not in seen.html + "".join(capsys.readouterr())


def test_when_it_is_not_known_whether_it_happened_nothing_is_said(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(facts: Any, at: Any, session: Any) -> Any:
        raise OutcomeUnknown

    monkeypatch.setattr(front, "who_is", fail)
    with pytest.raises(OutcomeUnknown):
        browser.get("/")


def test_the_stylesheet_is_kept_for_ever_under_an_address_that_changes_with_it(browser: Browser) -> None:
    address = browser.get("/").html.partition('href="/static/')[2].partition('"')[0]
    seen = browser.get(f"/static/{address}")
    assert seen.headers["content-type"] == "text/css; charset=utf-8"
    assert seen.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert browser.get("/static/favicon.png").headers["content-type"] == "image/png"
    for name in ("grantway.css", "..%2fvisit.py", "grantway-000000000000.css"):
        assert browser.get(f"/static/{name}").status == 404


def test_icons_come_from_us_and_are_kept_by_their_digest(site: Platform, browser: Browser) -> None:
    client = site.helpdesk.client
    assert browser.get(f"/icons/{client.client_id}.png").status == 404
    assert "<img" not in site.to_consent(browser).html
    site.do(Put(Icon(client.id, b"\x89PNG...", "abc123")))
    consent = browser.follow(browser.get(site.authorize()))
    address = f"/icons/{client.client_id}.png?v=abc123"
    assert f'<img src="{address}" alt="">' in consent.html
    assert browser.get(address).headers["cache-control"] == "public, max-age=31536000, immutable"
    stale = browser.get(address.removesuffix("abc123") + "xyz123")
    assert (stale.headers["content-type"], stale.headers["cache-control"]) == ("image/png", "public, max-age=300")
    assert browser.get("/icons/unknown.png").status == 404


def test_names_are_text_and_never_markup(new_browser: Callable[..., Browser]) -> None:
    site = platform(platform_name="<b>North</b>")
    name = '"><script>alert(1)</script>'
    client = site.house.client(name, redirect_uris=(CALLBACK,), scopes=("tickets.read",))
    browser = new_browser(site.pages)
    consent = site.to_consent(browser, client_id=client.client.client_id)
    assert name in consent.text
    assert "<script" not in consent.html
    assert "<b>" not in consent.html
