"""Connections that are kept, over vendors whose tokens are refreshed, against our real server; and pages in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grantway.client import (
    Disconnected,
    NoAnswer,
    PhoneComServer,
    Refused,
    SquareServer,
    SunshineServer,
    Tokens,
)
from grantway.client.server import Server
from tests.client.conftest import REDIRECT_URI
from tests.helpers.hostile import PATIENT, Hostile, http, says
from tests.helpers.server import Platform

Make = Callable[..., Any]


@dataclass(frozen=True)
class Dialect:
    """A vendor: its server at this base URL, how a client of it is registered, and what it asks for."""

    server: Callable[[str], Server]
    profile: str
    scope: str
    options: tuple[str, ...] = ()


DIALECTS = {
    "square": Dialect(SquareServer, "square", "PAYMENTS_READ", ("--scope", "PAYMENTS_READ")),
    "phonecom": Dialect(lambda base_url: PhoneComServer(base_url + "/v4"), "phonecom", "account-owner"),
}


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return DIALECTS[request.param]


@pytest.fixture
def app(platform: Platform, dialect: Dialect) -> dict[str, str]:
    made = platform.client(
        "Kept", "--profile", dialect.profile, "--redirect-uri", REDIRECT_URI, *dialect.options
    )  # fmt: skip
    return {"client_id": made["client_id"], "client_secret": made["client_secret"]}


def test_a_connection_is_refreshed_in_time_and_ends_when_it_has_ended(
    make: Make, platform: Platform, dialect: Dialect, app: dict[str, str]
) -> None:
    ahead = timedelta()
    client = make(
        dialect.server(platform.base_url), **app, redirect_uri=REDIRECT_URI, now=lambda: datetime.now(UTC) + ahead
    )
    connection = client.connection("acme")
    first = connection.complete(platform.customer.decide(client.begin(scope=dialect.scope).url))
    assert connection.access_token() == first.access_token

    ahead = first.expires_at - datetime.now(UTC) - timedelta(seconds=30)
    second = connection.access_token()
    assert second != first.access_token
    assert client.info(Tokens(second)).active
    assert connection.tokens().account == first.account

    listed = platform.server.cli("connections", "list", "--client", app["client_id"])["connections"]
    ahead += timedelta(days=31)
    platform.server.cli("connections", "suspend", listed[0]["id"])
    with pytest.raises(Refused) as refused:
        connection.access_token()
    assert refused.value.connection_state == "suspended"
    platform.server.cli("connections", "resume", listed[0]["id"])
    third = connection.access_token()
    assert third != second

    platform.server.cli("connections", "remove", listed[0]["id"])
    ahead += timedelta(days=31)
    for _ in range(2):
        with pytest.raises(Disconnected) as ended:
            connection.access_token()
        assert ended.value.reason == "invalid_grant"


@pytest.mark.parametrize("server", [SunshineServer, SquareServer, PhoneComServer])
@pytest.mark.parametrize("status", [401, 403])
def test_a_page_of_somebody_in_between_says_nothing_of_a_token(
    server: Callable[[str], Server], status: int, make: Make, twin: Hostile
) -> None:
    """A proxy's sign-in page is no answer: the token is not taken for ended, nor anything for signed out."""
    page = http(status, b"<!doctype html><title>Sign in to the proxy</title>", (("Content-Type", "text/html"),))
    twin.play(lambda connection: connection.sendall(page))
    client = make(server(twin.base_url), client_id="a", client_secret="b", timeouts=PATIENT)
    for call in (client.info, client.revoke):
        with pytest.raises(NoAnswer) as raised:
            call(Tokens("t"))
        assert (raised.value.kind, raised.value.status) == ("html", status)


SAID: list[tuple[Callable[[str], Server], int, Any, str]] = [
    (SunshineServer, 401, {"errors": [{"code": "unauthorized", "title": "Authorization is required"}]}, "inactive"),
    (SunshineServer, 401, {"error": {"code": "unauthorized", "description": "Authorization is required"}}, "inactive"),
    (SunshineServer, 403, {"errors": [{"code": "forbidden", "title": "Access is suspended"}]}, "suspended"),
    (SunshineServer, 403, {"errors": [{"code": "forbidden", "title": "Forbidden"}]}, "refused"),
    (SunshineServer, 429, {"errors": [{"code": "too_many_requests"}]}, "refused"),
    *[(SquareServer, 401, {"errors": [{"category": "AUTHENTICATION_ERROR", "code": code}]}, "inactive")
      for code in ("UNAUTHORIZED", "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_REVOKED")],
    (SquareServer, 401, {"message": "Not Authorized", "type": "service.not_authorized"}, "refused"),
    (SquareServer, 403, {"errors": [{"category": "AUTHENTICATION_ERROR", "code": "FORBIDDEN",
                                     "detail": "Access is suspended."}]}, "suspended"),
    (SquareServer, 403, {"errors": [{"category": "AUTHENTICATION_ERROR", "code": "INSUFFICIENT_SCOPES"}]}, "refused"),
    (PhoneComServer, 401, {"@error": {"@message": "Unauthorized", "@httpStatusCode": 401}}, "inactive"),
    (PhoneComServer, 403, {"@error": {"@message": "Later", "@httpStatusCode": 403, "@code": "access_denied",
                                      "connection_state": "suspended"}}, "suspended"),
    (PhoneComServer, 403, {"@error": {"@message": "Forbidden", "@httpStatusCode": 403}}, "refused"),
    (PhoneComServer, 500, {"@error": {"@message": "Oops", "@httpStatusCode": 500}}, "refused"),
]  # fmt: skip


@pytest.mark.parametrize(("server", "status", "said", "meaning"), SAID)
def test_only_what_is_said_of_the_token_itself_makes_it_inactive(
    server: Callable[[str], Server], status: int, said: Any, meaning: str, make: Make, twin: Hostile
) -> None:
    twin.play(says(status, said))
    client = make(server(twin.base_url), client_id="a", client_secret="b", timeouts=PATIENT)
    if meaning == "refused":
        with pytest.raises(Refused) as raised:
            client.info(Tokens("t"))
        assert raised.value.status == status
        return
    found = client.info(Tokens("t"))
    assert (found.active, found.connection_state) == (False, "suspended" if meaning == "suspended" else None)


def test_one_address_is_three_servers_as_long_as_it_speaks_three_dialects() -> None:
    """What was begun with one of them is not ended with another."""
    names = {server("https://login.example").name for server in (SunshineServer, SquareServer, PhoneComServer)}
    assert len(names) == 3
