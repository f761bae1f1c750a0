"""``serve --demo``: a browser without JavaScript goes all the way with every integration."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from grantway.server.demo.start import INTEGRATIONS
from tests.cli.conftest import Grantway
from tests.helpers.asgi import Reply
from tests.helpers.customer import Customer, forms
from tests.helpers.demo import demo
from tests.helpers.server import fetch
from tests.helpers.waiting import until


class Visitor(Customer):
    """Somebody at the integrator's page."""

    def press(self, key: str, action: str, decision: str = "allow") -> str:
        """A button of the demo page, and whatever it leads to until we are back; the page then."""
        reply = self.go("POST", f"/demo/{key}/{action}", [])
        for _ in range(12):
            location = reply.header("location")
            if location is not None:
                reply = self.go("GET", location)
            elif urlsplit(self.base_url).netloc and "Acme’s integrations" in reply.text:
                return html.unescape(reply.text)
            else:
                form = forms(reply.text)[0]
                reply = self.go("POST", form.action, self._filled(form, decision))
        raise AssertionError("never came back")

    def page(self) -> str:
        return html.unescape(self.go("GET", "/demo").text)


def visitor(told: dict[str, Any]) -> Visitor:
    one = Visitor(fetch, told["address"], told["user"], told["password"])
    assert one.go("GET", "/demo").status == 200
    return one


def tokens(page: str) -> list[str]:
    return re.findall(r'<code class="whole">([^<]+)</code>', page)


WAYS = {
    "helpdesk": [
        ("introspect", "Introspected: 200"), ("refresh", "Refreshed: 200"), ("api", "API called: 200"),
        ("revoke", "Revoked: 200"), ("api", "API called: 401"), ("introspect", '"active": false'),
        ("refresh", "invalid_grant"),
    ],
    "chat": [
        ("api", "API called: 200"), ("info", '"displayName"'), ("revoke", "Access revoked: 200"),
        ("info", "Token info: 401"), ("api", "API called: 401"),
    ],
    "till": [
        ("api", "API called: 200"), ("status", '"merchant_id"'), ("refresh", "Refreshed: 200"), ("renew", "Renewed: 200"),
        ("renew", "deprecation: "), ("api", "API called: 200"), ("revoke", '"success": true'),
        ("status", "Token status: 401"), ("api", "API called: 401"), ("refresh", "invalid_grant"),
    ],
    "phone": [
        ("api", "API called: 200"), ("details", '"voip_id"'), ("refresh", "Refreshed: 201"), ("api", "API called: 200"),
        ("signout", "Signed out: 200"), ("details", "Token details: 401"), ("api", "API called: 401"),
    ],
}  # fmt: skip
"""The buttons of each integration in an order that makes sense, and what its card says then."""


def card(page: str, key: str) -> str:
    return page[page.index(f'<section class="connection" id="{key}"') :].partition("</section>")[0]


@pytest.mark.parametrize(("key", "name"), [(one.key, one.name) for one in INTEGRATIONS])
def test_every_integration_goes_all_the_way_and_an_end_is_seen_at_the_api_at_once(
    tmp_path: Path, key: str, name: str
) -> None:
    with demo(tmp_path / "data") as told:
        browser = visitor(told)
        connected = card(browser.press(key, "connect"), key)
        assert re.search("Code exchanged: 20[01]", connected)
        seen = tokens(connected)
        for button, says in WAYS[key]:
            shown = card(browser.press(key, button), key)
            assert says in shown, (button, shown)
            seen += tokens(shown)
        _wait_until_told(browser, 1, f"{name} was removed")
        assert "denied" in card(browser.press(key, "connect", decision="deny"), key).lower()
        assert not tokens(card(browser.press(key, "forget"), key))
    log = (tmp_path / "data.log").read_text()
    for secret in (told["password"], *seen):
        assert secret not in log


def test_a_removal_by_the_customer_is_seen_at_the_api_at_once(tmp_path: Path) -> None:
    with demo(tmp_path / "data") as told:
        browser = visitor(told)
        connection = re.search(r"<code>(cn_\w+)</code>", browser.press("helpdesk", "connect"))
        assert connection is not None
        assert "API called: 200" in browser.press("helpdesk", "api")
        page = browser.go("GET", f"/connections/{connection[1]}").text
        removal = next(form for form in forms(page) if form.action.endswith("/remove"))
        browser.go("POST", removal.action, list(removal.fields.items()))
        refused = browser.press("helpdesk", "api")
        assert "API called: 401" in refused
        assert 'www-authenticate: Bearer realm="api", error="invalid_token"' in refused


def test_the_api_lets_nobody_in_without_a_token_or_with_one_for_something_else(tmp_path: Path) -> None:
    with demo(tmp_path / "data") as told:
        address = told["address"]
        assert fetch("GET", f"{address}/demo/api/tickets").header("www-authenticate") == 'Bearer realm="api"'
        (access, _) = tokens(visitor(told).press("phone", "connect"))
        bearer = [("Authorization", f"Bearer {access}")]
        assert fetch("GET", f"{address}/demo/api/calls", bearer).status == 200
        assert fetch("GET", f"{address}/demo/api/nonesuch", bearer).status == 404
        elsewhere = fetch("GET", f"{address}/demo/api/tickets", bearer)
        assert (elsewhere.status, elsewhere.json()["error"]) == (403, "insufficient_scope")
        assert 'scope="tickets:read"' in (elsewhere.header("www-authenticate") or "")


def _wait_until_told(browser: Visitor, times: int, title: str) -> None:
    until(lambda: _arrived(browser.page(), title) == ["signature verified"] * times, f"{title} arrives")


def test_what_the_platform_publishes_arrives_signed_until_the_connection_ends(tmp_path: Path) -> None:
    with demo(tmp_path / "data") as told:
        browser = visitor(told)
        account = re.search("<dt>Account</dt><dd>([^<]+)</dd>", browser.press("helpdesk", "connect"))
        assert account is not None
        own_id = {"Northern Light Coffee": "demo-coffee", "Harbour Books": "demo-books"}[account[1]]
        assert "Webhook added: 201" in browser.press("helpdesk", "webhook")

        def publish(what: str, where: str) -> str:
            browser.go("POST", "/demo/platform/publish", [("account", where), ("type", what)])
            return browser.page()

        assert f'<option value="{own_id}" selected>' in browser.go("GET", "/demo").text
        assert f"ticket.created in {account[1]} went to 1 webhook." in publish("ticket.created", own_id)
        _wait_until_told(browser, 1, "ticket.created")
        assert "went to 0 webhooks" in publish("ticket.created", "demo-acme")
        publish("nonesuch", own_id)
        publish("ticket.created", "nonesuch")

        browser.press("helpdesk", "revoke")
        for title in ("Acme Helpdesk was removed", "connection.removed", "connection.created"):
            _wait_until_told(browser, 1, title)
        assert "went to 0 webhooks" in publish("ticket.created", own_id)
        assert _arrived(browser.page(), "ticket.created") == ["signature verified"]


def test_a_call_that_the_platform_did_not_make_is_shown_as_such(tmp_path: Path) -> None:
    with demo(tmp_path / "data") as told:
        forged = b'{"type": "connection.removed", "clientId": "acme-helpdesk"}'
        wrong = [("webhook-signature", "v1,AAAA"), ("x-square-hmacsha256-signature", "AAAA")]
        for one in INTEGRATIONS:
            assert fetch("POST", f"{told['address']}/demo/{one.key}/removed", wrong, forged).status == 204
        assert fetch("POST", f"{told['address']}/demo/platform/heard", [], forged).status == 204
        assert fetch("POST", f"{told['address']}/demo/helpdesk/webhooks/forgotten", [], forged).status == 410
        assert fetch("POST", f"{told['address']}/demo/nonesuch/removed", [], forged).status == 410
        page = visitor(told).page()
        for one in INTEGRATIONS:
            assert _arrived(page, f"{one.name} was removed") == ["signature wrong"]
        assert _arrived(page, "connection.removed") == ["signature wrong"]


def _arrived(page: str, title: str) -> list[str]:
    return re.findall(rf"<strong>{re.escape(title)}</strong>.*?>(signature [a-z]+)</span>", page)


def test_everybody_that_the_start_names_gets_to_their_page(tmp_path: Path) -> None:
    with demo(tmp_path / "data") as told:
        pages = {one["email"]: one["signs_in_at"].split(", ")[-1] for one in told["people"]}
        assert set(pages.values()) == {"/connections", "/developers", "/admin"}
        for person, where in pages.items():
            browser = Visitor(fetch, told["address"], person, told["password"])
            browser.sign_in()
            assert browser.go("GET", where).status == 200, person
            assert browser.go("GET", "/admin").status == (200 if where == "/admin" else 404)


def test_a_foreign_answer_is_not_taken(tmp_path: Path) -> None:
    with demo(tmp_path / "data") as told:
        browser = visitor(told)
        browser.go("GET", "/demo/helpdesk/callback?code=stolen&state=invented")
        assert "a state that this browser was not sent out with" in browser.page()
        stranger = fetch("POST", f"{told['address']}/demo/helpdesk/connect", [("Origin", "https://evil.example")])
        assert stranger.header("location") == f"{told['address']}/demo"
        for body, status in ((b"{}", 400), (b"x", 400), (b'{"integrationId": "' + b"a" * 70000 + b'"}', 413)):
            assert fetch("POST", f"{told['address']}/demo/helpdesk/removed", [], body).status == status
        elsewhere: Reply = fetch("GET", told["address"].replace("127.0.0.1", "localhost") + "/demo")
        assert elsewhere.header("location") == f"{told['address']}/demo"


def test_a_second_start_keeps_people_and_connections(tmp_path: Path) -> None:
    with demo(tmp_path / "data") as first:
        visitor(first).press("helpdesk", "connect")
    with demo(tmp_path / "data") as second:
        assert second["password"] == first["password"]
        browser = visitor(second)
        browser.sign_in()
        assert "Acme Helpdesk" in browser.go("GET", "/connections").text
        assert "Code exchanged: 200" in browser.press("chat", "connect")
    assert (tmp_path / "data/demo.json").stat().st_mode & 0o777 == 0o600


def test_without_the_demo_there_is_no_demo_page(tmp_path: Path) -> None:
    from tests.helpers.server import serving

    with serving(tmp_path / "data") as server:
        assert fetch("GET", f"{server.base_url}/demo").status == 404


def test_a_database_that_it_did_not_make_is_refused(grantway: Grantway, data: Path) -> None:
    assert grantway("users", "create", "--email", "ada@example.com", "--name", "Ada").code == 0
    ran = grantway("serve", "--demo", "--port", "0")
    assert ran.code == 1
    assert "was not made by the demo" in ran.err
    (data / "demo.json").write_text('{"id": "forged"}')
    assert "was not made by the demo" in grantway("serve", "--demo", "--port", "0").err


@pytest.mark.parametrize("setting", ["GRANTWAY_PUBLIC_URL", "GRANTWAY_HOST"])
def test_it_stays_on_loopback(grantway: Grantway, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    monkeypatch.setenv("GRANTWAY_PUBLIC_URL", "https://demo.example.com")
    if setting == "GRANTWAY_HOST":
        monkeypatch.setenv("GRANTWAY_HOST", "0.0.0.0")
        monkeypatch.setenv("GRANTWAY_PUBLIC_URL", "http://127.0.0.1:8080")
    ran = grantway("serve", "--demo")
    assert ran.code == 1
    assert "loopback only" in ran.err
