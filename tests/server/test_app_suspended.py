"""Suspended and removed, as an integration meets it over HTTP, in each dialect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from inline_snapshot import snapshot

from grantway.protocol.ids import parse
from grantway.protocol.lifecycle import resume, suspend
from grantway.protocol.model import Connection
from tests.helpers import engine
from tests.helpers.asgi import Reply
from tests.helpers.world import World, world
from tests.server.test_fuzz_machine import assert_standard_refusal


@pytest.fixture
def there() -> Iterator[World]:
    with world() as one:
        yield one


def suspended(reply: Reply) -> dict[str, Any]:
    assert reply.status == 403
    assert reply.header("retry-after") == "300"
    assert reply.header("cache-control") == "no-store"
    members: dict[str, Any] = reply.json()
    return members


def connection_of(there: World, tokens: dict[str, Any] | None = None) -> bytes:
    if tokens is not None:
        found = parse("cn", tokens["connection_id"])
        assert found is not None
        return found
    (one,) = engine.records(there.house.service.storage, Connection)
    return one.id


def test_a_suspended_refresh_is_told_the_state_and_when_to_come_again(there: World) -> None:
    tokens = there.standard_tokens()
    there.house.decide(suspend, connection_of(there, tokens), "operator")
    reply = there.refresh(tokens["refresh_token"])
    assert_standard_refusal(reply)
    assert suspended(reply) == snapshot(
        {
            "error": "access_denied",
            "error_description": "The request was denied.",
            "connection_state": "suspended",
        }
    )
    assert there.introspect(tokens["access_token"]) == {"active": False, "connection_state": "suspended"}
    there.house.decide(resume, connection_of(there, tokens), "operator")
    assert there.introspect(tokens["access_token"])["active"] is True
    assert there.refresh(tokens["refresh_token"]).status == 200


def test_accounts_are_told_to_the_bearer(there: World) -> None:
    tokens = there.standard_tokens()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    reply = there.get("/accounts", **bearer)
    assert reply.json() == {
        "accounts": [
            {
                **tokens["account"],
                "connection_id": tokens["connection_id"],
                "connection_state": "active",
                "scope": tokens["scope"],
            }
        ]
    }
    assert reply.header("cache-control") == "no-store"
    there.house.decide(suspend, connection_of(there, tokens), "operator")
    assert suspended(there.get("/accounts", **bearer))["connection_state"] == "suspended"


def test_accounts_are_told_to_nobody_else(there: World) -> None:
    """RFC 6750 §3.1: who sent no authentication is told the scheme and no error code."""
    nothing = there.get("/accounts")
    assert (nothing.status, nothing.header("www-authenticate")) == (401, 'Bearer realm="grantway"')
    wrong = there.get("/accounts", Authorization="Bearer nonsense")
    assert (wrong.status, wrong.json()["error"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in (wrong.header("www-authenticate") or "")


def test_sunshine_says_forbidden_for_now_and_never_unauthorized(there: World) -> None:
    token, code = there.sunshine_token(), there.sunshine_code()
    there.house.decide(suspend, connection_of(there), "operator")
    bearer = {"Authorization": f"Bearer {token}"}
    for reply in (
        there.get("/v2/tokenInfo", **bearer),
        there.post_json("/oauth/token", there.sunshine_exchange(code)),
    ):
        assert suspended(reply) == {"errors": [{"code": "forbidden", "title": "Access is suspended"}]}
    there.house.decide(resume, connection_of(there), "operator")
    assert there.get("/v2/tokenInfo", **bearer).status == 200


def test_who_is_suspended_may_still_leave(there: World) -> None:
    bearer = {"Authorization": f"Bearer {there.sunshine_token()}"}
    there.house.decide(suspend, connection_of(there), "operator")
    assert there.delete("/oauth/authorization", **bearer).status == 200
    assert there.get("/v2/tokenInfo", **bearer).status == 401
