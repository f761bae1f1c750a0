"""Square's calls, and the uniform surface over them, against our real server: every method and every grant."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from grantway.client import AuthorizationRefused, Refused, SquareServer, Tokens, Unsupported
from tests.client.conftest import REDIRECT_URI
from tests.helpers.server import Platform

Make = Callable[..., Any]
SCOPES = "PAYMENTS_READ PAYMENTS_WRITE ORDERS_READ"
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
_numbers = count()


@pytest.fixture(scope="module")
def app(platform: Platform) -> dict[str, str]:
    """An application."""
    return new_app(platform)


@pytest.fixture
def own_app(platform: Platform) -> dict[str, str]:
    """One of the test's own: what it ends is nobody else's."""
    return new_app(platform)


def new_app(platform: Platform) -> dict[str, str]:
    made = platform.client("Till", "--profile", "square", "--redirect-uri", REDIRECT_URI, "--scope", SCOPES)
    return {"client_id": made["client_id"], "client_secret": made["client_secret"]}


def code_of(platform: Platform, to: Any, app: dict[str, str], **asked: Any) -> str:
    came = platform.customer.connect(to.authorize(app["client_id"], scope=SCOPES, state="s", **asked))
    assert (came["response_type"], came["state"]) == ("code", "s")
    return came["code"]


def obtained(platform: Platform, to: Any, app: dict[str, str], **more: Any) -> Tokens:
    tokens: Tokens = to.obtain_token(
        grant_type="authorization_code", code=code_of(platform, to, app), **app, **more
    )  # fmt: skip
    return tokens


def lasts(at: datetime | None, days: float) -> bool:
    assert at is not None
    return abs(at - datetime.now(UTC) - timedelta(days=days)) < timedelta(seconds=90)


def refused(call: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as raised:
        call()
    return raised.value


# --- obtain_token


def test_a_code_becomes_two_tokens_and_the_refresh_token_stays_the_same(
    calls: Make, platform: Platform, app: dict[str, str]
) -> None:
    to = calls("Square", platform.base_url)
    tokens = obtained(platform, to, app)
    assert tokens.token_type == "bearer"
    assert lasts(tokens.expires_at, 30)
    assert tokens.refresh_token_expires_at is None
    assert tokens.short_lived is False
    assert tokens.account is not None
    merchant = tokens.account.external_id
    again = to.obtain_token(grant_type="refresh_token", refresh_token=tokens.refresh_token, **app)
    assert again.refresh_token == tokens.refresh_token
    assert again.access_token != tokens.access_token
    assert again.account.external_id == merchant


@pytest.mark.parametrize("grant_type", ["authorization_code", "refresh_token", "migration_token"])
@pytest.mark.parametrize("wanted", [{"short_lived": True}, {"use_jwt": True}])
def test_every_way_of_obtaining_gives_both_tokens_whatever_access_token_is_wanted(
    grant_type: str, wanted: dict[str, bool], calls: Make, platform: Platform, app: dict[str, str]
) -> None:
    to = calls("Square", platform.base_url)
    ways: dict[str, Callable[[], dict[str, Any]]] = {
        "authorization_code": lambda: {"code": code_of(platform, to, app)},
        "refresh_token": lambda: {"refresh_token": obtained(platform, to, app).refresh_token},
        "migration_token": lambda: {"migration_token": brought_along(platform, app)},
    }
    tokens = to.obtain_token(grant_type=grant_type, **app, **ways[grant_type](), **wanted)
    assert tokens.refresh_token is not None
    assert tokens.short_lived is wanted.get("short_lived", False)
    assert lasts(tokens.expires_at, 1 if tokens.short_lived else 30)
    assert (tokens.access_token.count(".") == 2) is wanted.get("use_jwt", False)


def brought_along(platform: Platform, app: dict[str, str]) -> str:
    """A token of an older system, whose digest our server knows."""
    token = f"sq0atp-old{next(_numbers):020}"
    line = {
        "client_id": app["client_id"],
        "account": platform.account["id"],
        "tokens": [{"kind": "migration", "token": token}],
    }
    assert platform.server.cli("tokens", "import", "-", stdin=json.dumps(line) + "\n")["imported"] == 1
    return token


def test_a_migration_token_is_exchanged_once(calls: Make, platform: Platform, app: dict[str, str]) -> None:
    to, token = calls("Square", platform.base_url), brought_along(platform, app)
    tokens = to.obtain_token(grant_type="migration_token", migration_token=token, **app)
    assert to.retrieve_token_status(tokens.access_token).merchant_id == tokens.account.external_id
    again = refused(lambda: to.obtain_token(grant_type="migration_token", migration_token=token, **app))
    assert (again.status, again.code) == (401, "invalid_grant")


def test_fields_that_the_grant_type_does_not_name_are_ignored(
    calls: Make, platform: Platform, app: dict[str, str]
) -> None:
    """As in the example of the pages, which sends all of them together."""
    to = calls("Square", platform.base_url)
    body = {
        **app,
        "code": code_of(platform, to, app, redirect_uri=REDIRECT_URI),
        "redirect_uri": REDIRECT_URI,
        "grant_type": "authorization_code",
        "refresh_token": "refresh_token6",
        "migration_token": "migration_token4",
        "scopes": ["scopes6", "scopes7", "scopes8"],
    }
    assert to.obtain_token(body).refresh_token is not None


def test_scopes_narrow_to_what_was_allowed(calls: Make, platform: Platform, app: dict[str, str]) -> None:
    to = calls("Square", platform.base_url)
    tokens = obtained(platform, to, app)
    narrow = to.obtain_token(
        grant_type="refresh_token", refresh_token=tokens.refresh_token, scopes=["PAYMENTS_READ", "ITEMS_READ"], **app
    )
    assert to.retrieve_token_status(narrow.access_token).scopes == ("PAYMENTS_READ",)


def test_pkce_stands_for_the_secret_and_its_refresh_tokens_are_single_use(
    calls: Make, platform: Platform, app: dict[str, str]
) -> None:
    to = calls("Square", platform.base_url)
    code, own = code_of(platform, to, app, code_challenge=CHALLENGE), {"client_id": app["client_id"]}
    tokens = to.obtain_token(grant_type="authorization_code", code=code, code_verifier=VERIFIER, **own)
    assert lasts(tokens.refresh_token_expires_at, 90)
    fresh = to.obtain_token(grant_type="refresh_token", refresh_token=tokens.refresh_token, **own)
    assert fresh.refresh_token != tokens.refresh_token
    assert lasts(fresh.refresh_token_expires_at, 90)


def test_how_obtaining_is_refused(calls: Make, platform: Platform, app: dict[str, str]) -> None:
    to = calls("Square", platform.base_url)
    wrong = {**app, "client_secret": "wrong"}
    not_authorized = refused(lambda: to.obtain_token(grant_type="refresh_token", refresh_token="EQAA", **wrong))
    assert (not_authorized.status, not_authorized.code) == (401, "invalid_client")
    assert [(one.code, one.detail) for one in not_authorized.errors] == [("service.not_authorized", "Not Authorized")]

    unknown = refused(lambda: to.obtain_token(grant_type="authorization_code", code="sq0cgb-nonesuch", **app))
    assert (unknown.status, unknown.code) == (401, "invalid_grant")
    (entry,) = unknown.errors
    assert (entry.category, entry.code) == ("AUTHENTICATION_ERROR", "UNAUTHORIZED")
    assert entry.detail == f"Authorization code not found for app {app['client_id']}"

    missing = refused(lambda: to.obtain_token(grant_type="authorization_code", code="c", client_id=app["client_id"]))
    assert (missing.status, missing.code) == (400, "client_secret_required")
    (entry,) = missing.errors
    assert (entry.category, entry.code, entry.field) == (
        "INVALID_REQUEST_ERROR", "MISSING_REQUIRED_PARAMETER", "client_secret",
    )  # fmt: skip
    assert entry.detail == "missing required parameter 'client_secret'"


# --- retrieve_token_status


def test_the_status_of_a_token(calls: Make, platform: Platform, app: dict[str, str]) -> None:
    tokens = obtained(platform, calls("Square", platform.base_url), app)
    to = calls("Square", platform.base_url, access_token=tokens.access_token)
    status = to.retrieve_token_status()
    assert (status.scopes, status.client_id) == (tuple(SCOPES.split()), app["client_id"])
    assert tokens.account is not None
    assert status.merchant_id == tokens.account.external_id
    assert status.expires_at == tokens.expires_at
    wrong = refused(lambda: to.retrieve_token_status("EAAl"))
    assert (wrong.status, wrong.code, wrong.errors[0].code) == (401, "invalid_token", "UNAUTHORIZED")


def test_a_personal_access_token_never_expires(calls: Make, platform: Platform, app: dict[str, str]) -> None:
    made = platform.server.cli("tokens", "create", "--client", app["client_id"], "--account", platform.account["id"])
    to, client = calls("Square", platform.base_url), f"Client {app['client_secret']}"
    assert to.retrieve_token_status(made["access_token"]).expires_at is None
    with pytest.warns(DeprecationWarning, match="Square has deprecated renew_token"):
        refused(lambda: to.renew_token(app["client_id"], {"access_token": made["access_token"]}, client))
    refused(
        lambda: to.revoke_token(authorization=client, client_id=app["client_id"], access_token=made["access_token"])
    )


# --- renew_token


def test_a_token_is_renewed_and_a_revoked_one_is_not(calls: Make, platform: Platform, own_app: dict[str, str]) -> None:
    to, client = calls("Square", platform.base_url), f"Client {own_app['client_secret']}"
    tokens = obtained(platform, to, own_app)

    def renew(authorization: str = client) -> Any:
        with pytest.warns(DeprecationWarning, match="Square has deprecated renew_token"):
            return to.renew_token(
                client_id=own_app["client_id"], body={"access_token": tokens.access_token}, authorization=authorization
            )

    assert refused(lambda: renew("Client wrong")).code == "invalid_client"
    renewed = renew()
    assert lasts(renewed.expires_at, 30)
    assert renewed.refresh_token is None
    assert to.retrieve_token_status(renewed.access_token).scopes == tuple(SCOPES.split())
    to.revoke_token(client_id=own_app["client_id"], access_token=renewed.access_token, authorization=client)
    assert refused(renew).status == 401


# --- revoke_token


@pytest.mark.parametrize("named_by", [("access_token",), ("merchant_id",), ("access_token", "merchant_id")])
def test_revoking_ends_all_tokens_of_the_merchant(
    named_by: tuple[str, ...], calls: Make, platform: Platform, own_app: dict[str, str]
) -> None:
    to, client = calls("Square", platform.base_url), f"Client {own_app['client_secret']}"
    tokens, other = obtained(platform, to, own_app), obtained(platform, to, own_app)
    assert tokens.account is not None
    names = {"access_token": tokens.access_token, "merchant_id": tokens.account.external_id}
    body = {"client_id": own_app["client_id"], **{name: names[name] for name in named_by}}
    assert to.revoke_token({**body, "revoke_only_access_token": False}, authorization=client) is None
    for each in (tokens, other):
        assert refused(lambda each=each: to.retrieve_token_status(each.access_token)).status == 401  # type: ignore[misc]
        ended = refused(
            lambda each=each: to.obtain_token(grant_type="refresh_token", refresh_token=each.refresh_token, **own_app)  # type: ignore[misc]
        )
        assert ended.code == "invalid_grant"
    to.revoke_token(body, client)  # repeating is safe


def test_a_single_access_token_may_be_ended_alone(calls: Make, platform: Platform, app: dict[str, str]) -> None:
    to, client = calls("Square", platform.base_url), f"Client {app['client_secret']}"
    tokens = obtained(platform, to, app)
    to.revoke_token(
        authorization=client,
        client_id=app["client_id"],
        access_token=tokens.access_token,
        revoke_only_access_token=True,
    )
    assert refused(lambda: to.retrieve_token_status(tokens.access_token)).status == 401
    fresh = to.obtain_token(grant_type="refresh_token", refresh_token=tokens.refresh_token, **app)
    assert to.retrieve_token_status(fresh.access_token).client_id == app["client_id"]


def test_how_revoking_is_refused(calls: Make, platform: Platform, app: dict[str, str]) -> None:
    to, client = calls("Square", platform.base_url), f"Client {app['client_secret']}"
    tokens = obtained(platform, to, app)
    body = {"client_id": app["client_id"], "access_token": tokens.access_token}
    assert refused(lambda: to.revoke_token(body, "Client wrong")).code == "invalid_client"
    assert refused(lambda: to.revoke_token({**body, "merchant_id": "another"}, client)).status == 400
    assert refused(lambda: to.revoke_token({"client_id": app["client_id"]}, client)).errors[0].field == "access_token"
    assert to.retrieve_token_status(tokens.access_token).client_id == app["client_id"]


# --- the uniform surface


@pytest.fixture(params=["secret", "pkce"])
def registered(request: pytest.FixtureRequest, app: dict[str, str]) -> dict[str, Any]:
    """With a secret, and with PKCE in its place."""
    who = app if request.param == "secret" else {"client_id": app["client_id"]}
    return {**who, "redirect_uri": REDIRECT_URI}


def test_a_whole_connection(make: Make, platform: Platform, registered: dict[str, Any]) -> None:
    client = make(SquareServer(platform.base_url), **registered)
    begun = client.begin(scope=SCOPES, prompt="login", ui_locales="en-CA")
    assert ("code_challenge=" in begun.url) is ("client_secret" not in registered)
    tokens = client.complete(platform.new_browser().decide(begun.url), state=begun.state)
    assert lasts(tokens.expires_at, 30)
    found = client.info(tokens)
    assert (found.active, found.scope, found.client_id) == (True, tuple(SCOPES.split()), registered["client_id"])
    assert found.account == tokens.account
    fresh = client.refresh(tokens, scope=["ORDERS_READ"])
    assert client.info(fresh).scope == ("ORDERS_READ",)
    assert (fresh.refresh_token == tokens.refresh_token) is ("client_secret" in registered)
    assert fresh.account == tokens.account


def test_a_refresh_whose_answer_is_lost_gives_the_same_successor(
    make: Make, platform: Platform, registered: dict[str, Any]
) -> None:
    client = make(SquareServer(platform.base_url), **registered)
    tokens = client.complete(platform.customer.decide(client.begin(scope=SCOPES).url))
    assert client.refresh(tokens).refresh_token == client.refresh(tokens).refresh_token


def test_revoking_takes_the_secret(make: Make, platform: Platform, own_app: dict[str, str]) -> None:
    client = make(SquareServer(platform.base_url), **own_app, redirect_uri=REDIRECT_URI)
    without = make(SquareServer(platform.base_url), client_id=own_app["client_id"])
    tokens = client.complete(platform.customer.decide(client.begin(scope=SCOPES).url))
    with pytest.raises(Unsupported):
        without.revoke(tokens)
    assert client.info(tokens).active
    client.revoke(tokens)
    client.revoke(tokens)
    assert client.info(tokens).active is False
    assert refused(lambda: client.refresh(tokens)).code == "invalid_grant"


def test_who_is_suspended_is_not_active_and_will_be(make: Make, platform: Platform, own_app: dict[str, str]) -> None:
    client = make(SquareServer(platform.base_url), **own_app, redirect_uri=REDIRECT_URI)
    tokens = client.complete(platform.customer.decide(client.begin(scope=SCOPES).url))
    (connection,) = platform.server.cli("connections", "list", "--client", own_app["client_id"])["connections"]
    platform.server.cli("connections", "suspend", connection["id"])
    found = client.info(tokens)
    assert (found.active, found.connection_state) == (False, "suspended")
    assert refused(lambda: client.refresh(tokens)).connection_state == "suspended"
    platform.server.cli("connections", "resume", connection["id"])
    assert client.info(tokens).active


def test_who_says_no_is_a_refused_authorization(make: Make, platform: Platform, own_app: dict[str, str]) -> None:
    client = make(SquareServer(platform.base_url), **own_app, redirect_uri=REDIRECT_URI)
    with pytest.raises(AuthorizationRefused) as raised:
        client.complete(platform.customer.decide(client.begin(scope=SCOPES).url, "deny"))
    assert raised.value.code == "access_denied"


def test_what_the_vendor_does_not_have_is_said_and_not_asked_for(make: Make, app: dict[str, str]) -> None:
    client = make(SquareServer("http://127.0.0.1:1"), **app)
    tried: dict[str, Callable[[], Any]] = {
        "client_credentials": client.client_credentials,
        "resource": lambda: client.begin(resource="https://api.example"),
        "prompt": lambda: client.begin(prompt="consent"),
        "response_type": lambda: client.begin(response_type="token"),
    }
    for what, call in tried.items():
        with pytest.raises(Unsupported) as raised:
            call()
        assert raised.value.what == what
