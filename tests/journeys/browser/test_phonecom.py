"""Phone.com in a browser: a script on the integration's own page, a server that exchanges a code, and a member of an account."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.asgi import Reply
from tests.helpers.server import fetch
from tests.helpers.waiting import until
from tests.journeys.browser.installation import JSON, Installation, Integration, installation
from tests.journeys.browser.people import allow, sign_in
from tests.journeys.browser.platform import query_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

NewPage = Callable[..., Page]
ANA, BEN = "ana@pine.example", "ben@pine.example"
BAKERY = "Pine & Oak Bakery"
STATE = "4711 a=b+c&d"
SCOPES = ["account-owner", "extension-user", "methods:ALL"]

# What the vendor's own script for browsers does (vendors.md §2.2 to §2.4), and a button for each call.
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Softphone</title><h1>Softphone</h1>
<button id="connect">Connect</button> <button id="who">Who am I?</button> <button id="refresh">Refresh</button>
<button id="leave">Sign out</button> <pre id="said"></pre>
<script>
const SERVER = "%(server)s", CLIENT = "%(client_id)s", HERE = location.origin + location.pathname;
const said = document.getElementById("said");
const say = (what) => { said.textContent = JSON.stringify(what); };
const encoded = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function call(method, body) {
  const headers = body ? {"Content-Type": "application/json"} : {Authorization: "Bearer " + sessionStorage.token};
  try {
    const answer = await fetch(SERVER + "/v4/oauth/access-token", {method, headers, body: body && JSON.stringify(body)});
    return {status: answer.status, body: await answer.json()};
  } catch (error) {
    return {status: null, body: error.name};  // the browser does not let this page read it
  }
}
async function tokens(given) {
  const answer = await call("POST", {client_id: CLIENT, ...given});
  sessionStorage.token = answer.body.access_token;
  sessionStorage.refresh = answer.body.refresh_token;
  say({status: answer.status, type: answer.body.token_type, expires: answer.body.expires_in});
}
document.getElementById("connect").onclick = async () => {
  sessionStorage.verifier = encoded(crypto.getRandomValues(new Uint8Array(32)));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(sessionStorage.verifier));
  location.href = SERVER + "/v4/oauth/authorization?" + new URLSearchParams({
    client_id: CLIENT, response_type: "code", scope: "account-owner", redirect_uri: HERE, state: "",
    code_challenge: encoded(digest), code_challenge_method: "S256"});
};
document.getElementById("who").onclick = async () => say(await call("GET"));
document.getElementById("refresh").onclick =
  () => tokens({grant_type: "refresh_token", refresh_token: sessionStorage.refresh});
document.getElementById("leave").onclick = async () => say(await call("DELETE"));

const code = new URLSearchParams(location.search).get("code");
if (location.hash.includes("token_type=Bearer")) {
  const pairs = location.hash.substr(1).split("&").map((text) => text.split("=").map(decodeURIComponent));
  const answer = Object.fromEntries(pairs);
  sessionStorage.token = answer.access_token;
  history.replaceState(null, "", HERE);
  say({names: Object.keys(answer), state: answer.state});
} else if (code) {
  tokens({grant_type: "authorization_code", code, redirect_uri: HERE, code_verifier: sessionStorage.verifier});
}
</script>"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("phonecom") / "data") as there:
        ana, ben = there.person(ANA, "Ana Lindqvist"), there.person(BEN, "Ben Roth")
        there.account(BAKERY, owner=ana, member=ben)
        yield there


def address(of: Integration, **asked: str) -> str:
    """Where a customer is sent: all four parameters that the documentation requires, and a state."""
    query = {
        "client_id": of.client_id, "response_type": "code", "scope": "account-owner",
        "redirect_uri": f"{of.at.integrator.origin}/callback", "state": STATE,
    }  # fmt: skip
    return f"{of.at.origin}/v4/oauth/authorization?{urlencode(query | asked)}"


def scripted(site: Installation, name: str, **members: Any) -> Integration:
    """A client that is a script on a page; the page is served at its redirect URI."""
    client = site.client(name, profile="phonecom", public=True, scopes=SCOPES, **members)
    site.integrator.arrived.clear()
    site.integrator.page = PAGE % {"server": site.origin, "client_id": client.client_id}
    return client


def says(page: Page) -> Any:
    """What the script shows once it has something to show."""
    said = page.locator("#said")
    expect(said).not_to_be_empty()
    return json.loads(said.inner_text())


def press(page: Page, button: str) -> Any:
    page.evaluate("document.getElementById('said').textContent = ''")
    page.get_by_role("button", name=button, exact=True).click()
    return says(page)


def token_call(of: Integration, **members: str) -> Reply:
    proof = {"client_id": of.client_id, "client_secret": of.client_secret}
    return fetch("POST", f"{of.at.origin}/v4/oauth/access-token", [JSON], json.dumps(members | proof).encode())


def details(site: Installation, token: str) -> Reply:
    return fetch("GET", f"{site.origin}/v4/oauth/access-token", [("Authorization", f"Bearer {token}")])


def voip_id(site: Installation) -> int:
    (account,) = site.call("GET", "/v1/accounts")["data"]
    return int(account["external_ids"]["phonecom"])


def test_a_script_reads_its_token_in_the_fragment_asks_who_it_is_and_signs_out(
    site: Installation, new_page: NewPage
) -> None:
    widget = scripted(site, "Widget", policy={"grant_types": "authorization_code refresh_token implicit"})
    page = new_page()
    page.goto(address(widget, response_type="token"))
    sign_in(page, ANA)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Connect Widget to {BAKERY}?")
    page.get_by_role("button", name="Allow").click()
    assert says(page) == {"names": ["access_token", "token_type", "expires_in", "scope", "state"], "state": STATE}
    (shown,) = [one for one in site.integrator.arrived if one.path == "/callback"]
    assert shown.query == {}, "what serves the page has not seen the token"

    who = press(page, "Who am I?")
    assert (who["status"], who["body"]["scope"]) == (200, "account-owner")
    assert who["body"]["scope_details"][0]["voip_id"] == voip_id(site)
    assert 3500 < who["body"]["expires_at"] - time.time() <= 3600

    token = page.evaluate("sessionStorage.token")
    page.goto(site.integrator.origin.replace("127.0.0.1", "localhost") + "/elsewhere")
    page.evaluate("token => { sessionStorage.token = token; }", token)
    assert press(page, "Who am I?") == {"status": None, "body": "TypeError"}, "another page may not read it"
    page.go_back()
    page.wait_for_url("**/callback")

    assert press(page, "Sign out") == {"status": 200, "body": {"success": True}}
    again = press(page, "Sign out")
    assert again["status"] == 401, "which the vendor's script takes for signed out"
    assert again["body"]["@error"]["@httpStatusCode"] == 401
    page.goto(f"{site.origin}/connections")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("article", name="Widget")).to_have_count(0)


def test_a_script_exchanges_its_code_with_pkce_refreshes_and_signs_out(site: Installation, new_page: NewPage) -> None:
    scripted(site, "Softphone")
    page = new_page()
    page.goto(f"{site.integrator.origin}/callback")
    page.get_by_role("button", name="Connect").click()
    sign_in(page, ANA)
    allow(page)
    assert query_of(page.url)["state"] == "", "echoed even when empty"
    assert says(page) == {"status": 201, "type": "Bearer", "expires": 3600}
    first = page.evaluate("sessionStorage.refresh")
    assert press(page, "Refresh") == {"status": 201, "type": "Bearer", "expires": 3600}
    assert page.evaluate("sessionStorage.refresh") != first
    assert press(page, "Who am I?")["body"]["scope_details"] == [
        {"voip_id": voip_id(site), "extension_id": extension(site, ANA)}
    ]
    assert press(page, "Sign out")["status"] == 200
    assert press(page, "Refresh")["status"] == 401


def test_a_code_with_its_state_becomes_tokens_until_the_customer_removes_it(
    site: Installation, new_page: NewPage
) -> None:
    site.integrator.page = None
    dialer = site.client("Dialer", profile="phonecom", scopes=SCOPES)
    page = new_page()
    page.goto(address(dialer, scope="account-owner methods:ALL"))
    sign_in(page, ANA)
    allow(page)
    answer = query_of(page.url)
    assert answer == {"code": answer["code"], "state": STATE}
    redirect_uri = f"{site.integrator.origin}/callback"
    given = token_call(dialer, grant_type="authorization_code", code=answer["code"], redirect_uri=redirect_uri)
    assert given.status == 201, given.text
    tokens = given.json()
    assert details(site, tokens["access_token"]).json()["scope"] == "account-owner methods:ALL"

    page.goto(f"{site.origin}/connections")
    page.get_by_role("article", name="Dialer").get_by_role("link", name="Dialer", exact=True).click()
    page.get_by_role("button", name="Remove Dialer").click()
    expect(page.get_by_role("article", name="Dialer")).to_have_count(0)
    assert details(site, tokens["access_token"]).status == 401
    assert token_call(dialer, grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status == 401
    until(lambda: dialer.heard("/removed", dialer.client_id), "the removeUrl notice")


def test_a_member_connects_what_is_their_own_and_reads_why_not_the_whole_account(
    site: Installation, new_page: NewPage
) -> None:
    site.integrator.page = None
    softphone = site.client("Own line", profile="phonecom", scopes=SCOPES)
    page = new_page(width=320, height=640)
    page.goto(address(softphone))
    sign_in(page, BEN)
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no account that you can connect")
    expect(page.get_by_role("radio", name=BAKERY)).to_be_disabled()
    expect(page.get_by_text("Only owners and admins can connect apps. Ask one of them.")).to_be_visible()
    page.get_by_role("button", name="Go back without connecting").click()
    page.wait_for_url("**/callback?**")
    assert query_of(page.url)["error"] == "access_denied"

    page.goto(address(softphone, scope="extension-user"))
    expect(page.get_by_text(f"This is about what is your own in {BAKERY}.")).to_be_visible()
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    allow(page)
    given = token_call(
        softphone, grant_type="authorization_code", code=query_of(page.url)["code"],
        redirect_uri=f"{site.integrator.origin}/callback",
    )  # fmt: skip
    told = details(site, given.json()["access_token"]).json()
    assert told["scope"] == "extension-user"
    assert told["scope_details"] == [{"extension_id": extension(site, BEN)}], "theirs, and not the account"


def extension(site: Installation, email: str) -> int:
    (account,) = site.call("GET", "/v1/accounts")["data"]
    members = site.call("GET", f"/v1/accounts/{account['id']}/members")["data"]
    (found,) = [one for one in members if one["email"] == email]
    return int(found["external_ids"]["phonecom"])
