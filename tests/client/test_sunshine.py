"""Sunshine Conversations' calls, and the uniform surface over them, against our real server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grantway.client import AuthorizationRefused, Refused, SunshineServer, Tokens, Unsupported
from tests.client.conftest import REDIRECT_URI
from tests.helpers.server import Platform

Make = Callable[..., Any]


@pytest.fixture(scope="module")
def app(platform: Platform) -> dict[str, str]:
    """An integration."""
    return new_app(platform)


@pytest.fixture
def own_app(platform: Platform) -> dict[str, str]:
    """One of the test's own, with no connection yet."""
    return new_app(platform)


def new_app(platform: Platform) -> dict[str, str]:
    made = platform.client("Shoplifter", "--profile", "sunshine", "--redirect-uri", REDIRECT_URI)
    return {"client_id": made["client_id"], "client_secret": made["client_secret"]}


@pytest.fixture(params=["", "/sc", "/sc/"])
def base_url(request: pytest.FixtureRequest, platform: Platform) -> str:
    """With a path in front, as the vendor has it, and without."""
    return platform.base_url + str(request.param)


def connect(platform: Platform, to: Any, app: dict[str, str], **asked: Any) -> Tokens:
    came = platform.customer.connect(to.authorize(app["client_id"], **asked))
    assert came.get("state") == asked.get("state")
    tokens: Tokens = to.get_token(grant_type="authorization_code", code=came["code"], **app)
    return tokens


def test_every_call_of_the_pages(calls: Make, platform: Platform, app: dict[str, str], base_url: str) -> None:
    to = calls("Sunshine", base_url)
    tokens = connect(platform, to, app, state="any ärbitrary & string", redirect_uri=REDIRECT_URI)
    assert (tokens.token_type, tokens.expires_at, tokens.refresh_token) == ("Bearer", None, None)
    told = to.get_token_info(tokens.access_token)
    assert (told.display_name, told.subdomain) == ("Acme", "acme")
    assert told.settings["echoPostback"] is True
    assert told.metadata == {"tier": "gold"}
    to.revoke_access(tokens.access_token)
    for call in (to.get_token_info, to.revoke_access):
        with pytest.raises(Refused) as raised:
            call(tokens.access_token)
        assert (raised.value.status, raised.value.code) == (401, "invalid_token")
        assert [(each.code, each.detail) for each in raised.value.errors] == [
            ("unauthorized", "Authorization is required")
        ]


def test_state_and_redirect_uri_are_optional(calls: Make, platform: Platform, app: dict[str, str]) -> None:
    """As the pages say: "If this option is not passed, the first URI present in the list will be used"."""
    to = calls("Sunshine", platform.base_url)
    assert platform.customer.decide(to.authorize(app["client_id"])).startswith(f"{REDIRECT_URI}?code=")


def test_access_is_revoked_by_a_connection_key(calls: Make, platform: Platform, own_app: dict[str, str]) -> None:
    tokens = connect(platform, calls("Sunshine", platform.base_url), own_app)
    listed = platform.server.cli("connections", "list", "--client", own_app["client_id"])["connections"]
    key = platform.server.cli("connections", "create-key", listed[0]["id"])
    to = calls(
        "Sunshine", platform.base_url, access_token=tokens.access_token,
        username=key["key_id"], password=key["key_secret"],
    )  # fmt: skip
    assert to.get_token_info().display_name == "Acme"
    calls("Sunshine", platform.base_url, username=key["key_id"], password=key["key_secret"]).revoke_access()
    with pytest.raises(Refused):
        to.get_token_info()


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"code": "gwc_nonesuch"}, "invalid_grant"), ({"client_secret": "wrong"}, "invalid_client"),
     ({"grant_type": "password"}, "unsupported_grant_type")],
)  # fmt: skip
def test_a_token_is_not_given_for_anything_else(
    changed: dict[str, str], code: str, calls: Make, platform: Platform, app: dict[str, str]
) -> None:
    to = calls("Sunshine", platform.base_url)
    came = platform.customer.connect(to.authorize(app["client_id"]))
    sent = {"grant_type": "authorization_code", "code": came["code"], **app}
    with pytest.raises(Refused) as raised:
        to.get_token(sent | changed)
    assert raised.value.code == code
    assert to.get_token(sent).access_token, "what was refused has used nothing up"


def test_without_credentials_nothing_is_told(calls: Make, platform: Platform) -> None:
    to = calls("Sunshine", platform.base_url)
    for call in (to.get_token_info, to.revoke_access):
        with pytest.raises(Refused) as raised:
            call()
        assert raised.value.status == 401


# --- the uniform surface


def test_a_whole_connection(make: Make, platform: Platform, app: dict[str, str], base_url: str) -> None:
    client = make(SunshineServer(base_url), **app, redirect_uri=REDIRECT_URI)
    begun = client.begin()
    tokens = client.complete(platform.customer.decide(begun.url), state=begun.state)
    found = client.info(tokens)
    assert (found.active, found.account.name, found.details.subdomain) == (True, "Acme", "acme")
    assert found.account.id == found.account.external_id
    client.revoke(tokens)
    client.revoke(tokens)  # what has ended stays ended
    assert client.info(tokens).active is False


def test_a_connection_that_is_kept_needs_no_refresh(make: Make, platform: Platform, app: dict[str, str]) -> None:
    client = make(SunshineServer(platform.base_url), **app, redirect_uri=REDIRECT_URI)
    connection = client.connection("acme")
    begun = client.begin()
    tokens = connection.complete(platform.customer.decide(begun.url))
    assert connection.access_token() == tokens.access_token
    connection.disconnect()
    assert client.info(tokens).active is False


def test_who_is_suspended_is_not_active_and_will_be(make: Make, platform: Platform, own_app: dict[str, str]) -> None:
    client = make(SunshineServer(platform.base_url), **own_app, redirect_uri=REDIRECT_URI)
    tokens = client.complete(platform.customer.decide(client.begin().url))
    (connection,) = platform.server.cli("connections", "list", "--client", own_app["client_id"])["connections"]
    platform.server.cli("connections", "suspend", connection["id"])
    found = client.info(tokens)
    assert (found.active, found.connection_state) == (False, "suspended")
    platform.server.cli("connections", "resume", connection["id"])
    assert client.info(tokens).active


def test_who_says_no_is_a_refused_authorization(make: Make, platform: Platform, own_app: dict[str, str]) -> None:
    client = make(SunshineServer(platform.base_url), **own_app, redirect_uri=REDIRECT_URI)
    begun = client.begin()
    with pytest.raises(AuthorizationRefused) as raised:
        client.complete(platform.customer.decide(begun.url, "deny"))
    assert raised.value.code == "access_denied"


def test_what_the_vendor_does_not_have_is_said_and_not_asked_for(make: Make, app: dict[str, str]) -> None:
    client = make(SunshineServer("http://127.0.0.1:1"), **app)
    tried: dict[str, Callable[[], Any]] = {
        "refresh_token": lambda: client.refresh(Tokens("a")),
        "client_credentials": client.client_credentials,
        "scope": lambda: client.begin(scope="read"),
        "resource": lambda: client.begin(resource="https://api.example"),
        "prompt": lambda: client.begin(prompt="login"),
        "response_type": lambda: client.begin(response_type="token"),
    }
    for what, call in tried.items():
        with pytest.raises(Unsupported) as raised:
            call()
        assert raised.value.what == what
    with pytest.raises(Unsupported):
        client.refresh(Tokens("a", refresh_token="b"))
