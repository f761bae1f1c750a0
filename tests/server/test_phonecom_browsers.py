"""Which pages' scripts may call Phone.com's endpoints (vendors.md §4 trap 16, pitfalls §4): those of the very client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grantway.protocol.client_pages import is_page
from tests.helpers.asgi import Reply
from tests.helpers.phonecom import BOTH, PAGE, TOKEN, Switchboard, bearer, switchboard
from tests.helpers.world import REDIRECT_URI

DETAILS = f"{TOKEN}/details"
STRANGER = "https://evil.example"


@pytest.fixture(scope="module")
def there() -> Iterator[Switchboard]:
    with switchboard() as one:
        yield one


def preflight(there: Switchboard, path: str, origin: str | None, method: str = "DELETE") -> Reply:
    headers = [("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", "authorization")]
    return there.caller.request("OPTIONS", path, [*headers, *([("Origin", origin)] if origin else [])])


def readable_by(reply: Reply) -> str | None:
    """The one origin whose scripts may read the answer. An answer that depends on who asks says so."""
    allowed = reply.all("access-control-allow-origin")
    assert len(allowed) <= 1
    assert (reply.header("vary") == "Origin") == bool(allowed)
    assert reply.header("access-control-allow-credentials") is None
    return allowed[0] if allowed else None


@pytest.mark.parametrize("path", [TOKEN, DETAILS])
def test_a_preflight_names_no_client_so_any_page_may_ask(there: Switchboard, path: str) -> None:
    reply = preflight(there, path, STRANGER)
    assert reply.status == 204
    assert readable_by(reply) == STRANGER
    allowed = "GET, HEAD" if path == DETAILS else "DELETE, GET, HEAD, POST"
    assert reply.header("access-control-allow-methods") == allowed
    assert reply.header("access-control-allow-headers") == "authorization, content-type, idempotency-key"
    assert reply.header("access-control-max-age") == "86400"


@pytest.mark.parametrize(
    "origin",
    [None, "null", "*", "https://", "app.example", "https://app.example/", "https://App.example", "javascript:x",
     "https://a b", "https://a\u00e4", "https://app.example:123456"],
)  # fmt: skip
def test_a_preflight_of_nobody_is_none(there: Switchboard, origin: str | None) -> None:
    reply = preflight(there, TOKEN, origin)
    assert reply.status == 405
    assert readable_by(reply) is None


def test_a_script_of_the_clients_own_page_may_read_every_answer(there: Switchboard) -> None:
    code = there.code(there.browser_client)
    answer = there.post(there.exchange(code, there.browser_client), origin=PAGE)
    assert (answer.status, readable_by(answer)) == (201, PAGE)
    token = answer.json()["access_token"]
    for path in (TOKEN, DETAILS):
        details = there.get(path, origin=PAGE, **bearer(token))
        assert (details.status, readable_by(details)) == (200, PAGE)
    left = there.delete(TOKEN, origin=PAGE, **bearer(token))
    assert (left.status, readable_by(left)) == (200, PAGE)


def test_it_may_read_that_its_token_is_over(there: Switchboard) -> None:
    """vendors.md §2.3: its 401 is how the vendor's script learns that it is signed out."""
    tokens = there.tokens(there.browser_client)
    token = tokens["access_token"]
    there.delete(TOKEN, **bearer(token))
    for reply in (there.get(TOKEN, origin=PAGE, **bearer(token)), there.delete(TOKEN, origin=PAGE, **bearer(token))):
        assert (reply.status, readable_by(reply)) == (401, PAGE)
    asking = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    refused = there.post({**asking, "client_id": there.browser_client.client.client_id}, origin=PAGE)
    assert (refused.status, readable_by(refused)) == (401, PAGE)


def test_a_script_of_another_page_may_read_none(there: Switchboard) -> None:
    code = there.code(there.browser_client)
    answer = there.post(there.exchange(code, there.browser_client), origin=STRANGER)
    assert (answer.status, readable_by(answer)) == (201, None)
    token = answer.json()["access_token"]
    assert readable_by(there.get(TOKEN, origin=STRANGER, **bearer(token))) is None
    assert readable_by(there.delete(TOKEN, origin=STRANGER, **bearer(token))) is None


def test_another_clients_page_is_another_page(there: Switchboard) -> None:
    """Not any client's: a page that somebody registered reads nothing that is another client's."""
    other = "https://other.example"
    there.house.client("Other", profile="phonecom", redirect_uris=(f"{other}/cb",), scopes=("account-owner",))
    token = there.tokens(there.browser_client)["access_token"]
    assert readable_by(there.get(TOKEN, origin=other, **bearer(token))) is None


def test_who_has_not_proven_to_be_the_client_is_not_told_which_pages_are_its_own(there: Switchboard) -> None:
    client = there.house.client("Quiet", profile="phonecom", redirect_uris=(f"{PAGE}/q",), scopes=("account-owner",))
    asking = {"grant_type": "client_credentials", "client_id": client.client.client_id}
    wrong = there.post({**asking, "client_secret": "wrong"}, origin=PAGE)
    assert (wrong.status, readable_by(wrong)) == (401, None)
    right = there.post({**asking, "client_secret": client.client_secret}, origin=PAGE)
    assert (right.status, readable_by(right)) == (201, PAGE)
    nobody = there.post({**asking, "client_id": "nobody"}, origin=PAGE)
    assert readable_by(nobody) is None
    assert readable_by(there.get(TOKEN, origin=PAGE, **bearer("gwa_unknown"))) is None


def test_a_page_on_loopback_may_be_at_any_port_as_its_redirect_uri_may(there: Switchboard) -> None:
    assert REDIRECT_URI.startswith("http://127.0.0.1:")
    token = there.tokens()["access_token"]
    for origin in ("http://127.0.0.1:5173", "http://127.0.0.1"):
        assert readable_by(there.get(TOKEN, origin=origin, **bearer(token))) == origin
    for origin in ("http://localhost:9999", "https://127.0.0.1:9999", "http://[::1]:9999"):
        assert readable_by(there.get(TOKEN, origin=origin, **bearer(token))) is None


def test_an_odd_origin_costs_nobody_a_code(there: Switchboard) -> None:
    code = there.code(there.browser_client)
    headers = [("Content-Type", "application/json"), ("Origin", "\u00e4"), ("Origin", PAGE)]
    exchange = there.exchange(code, there.browser_client)
    body = "&".join(f"{name}={value}" for name, value in exchange.items()).encode()
    headers[0] = ("Content-Type", "application/x-www-form-urlencoded")
    reply = there.caller.request("POST", TOKEN, headers, body)
    assert (reply.status, readable_by(reply)) == (201, None)


def test_a_server_that_names_no_origin_is_told_nothing_of_origins(there: Switchboard) -> None:
    reply = there.post({"grant_type": "client_credentials", "scope": BOTH, **there.proof(there.trusted)})
    assert (reply.status, readable_by(reply)) == (201, None)


def test_calls_between_servers_of_other_dialects_stay_closed(there: Switchboard) -> None:
    for path in ("/oauth/token", "/oauth2/token", "/oauth2/revoke"):
        assert preflight(there, path, PAGE, "POST").status == 405


@pytest.mark.parametrize(
    ("uri", "origin", "is_one"),
    [
        ("https://app.example/cb?x=1", "https://app.example", True),
        ("https://App.Example:443/cb", "https://app.example", True),
        ("https://app.example:8443/cb", "https://app.example:8443", True),
        ("https://app.example:8443/cb", "https://app.example", False),
        ("https://app.example/cb", "http://app.example", False),
        ("https://app.example.evil/cb", "https://app.example", False),
        ("https://app.example", "https://app.example", True),
        ("http://[::1]:9/cb", "http://[::1]:5173", True),
        ("http://localhost:9/cb", "http://localhost:9", True),
        ("http://localhost:9/cb", "http://localhost:5173", False),
        ("com.example.app:/back", "com.example.app://", False),
    ],
)
def test_what_page_a_redirect_uri_is_at(uri: str, origin: str, is_one: bool) -> None:
    assert is_page(origin, (uri,)) is is_one
