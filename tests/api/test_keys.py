"""Operator keys: who may call what. The table of calls is the list, so that none is forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.administration.operator_keys import (
    SCOPES,
    authenticate,
    create_operator_key,
    expand,
    revoke_operator_key,
    touch,
)
from grantway.protocol.decision import Decision, TouchOperatorKey
from grantway.protocol.model import OperatorKey
from grantway.server.api.call import Call
from grantway.server.api.calls import CALLS
from grantway.wire.words import checksum
from tests.api.conftest import Api
from tests.helpers.people import House
from tests.helpers.stage import Stage

each_call = pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)


@pytest.fixture(scope="module")
def an_integrations_token() -> str:
    stage = Stage()
    return stage.connect(stage.integration()).access


def _address(call: Call) -> str:
    return call.path.replace("{", "").replace("}", "")


def _denied(api: Api, call: Call, status: int, reason: str, key: str) -> None:
    problem = api.refuse(call.method, _address(call), status=status, key=key)
    assert set(problem) == {"type", "title", "status", "instance"}
    assert api.last_reason() == reason


@each_call
def test_without_a_key_no_call_is_answered(call: Call, api: Api) -> None:
    _denied(api, call, 401, "operator_key_missing", "")


@each_call
def test_a_key_without_the_scope_is_known_and_may_not(call: Call, api: Api) -> None:
    key = api.new_key(*(scope for scope in SCOPES if scope != call.scope))
    _denied(api, call, 403, "operator_key_scope", key)


@each_call
def test_a_revoked_key_is_good_for_nothing(call: Call, api: Api) -> None:
    made: Any = api.house.decide(create_operator_key, "Revoked", ["*"]).answer
    api.house.decide(revoke_operator_key, made.key.id)
    _denied(api, call, 401, "operator_key_revoked", made.text)


@each_call
def test_an_expired_key_is_good_for_nothing(call: Call, api: Api) -> None:
    key = api.new_key("*", expires_at=api.house.clock() + timedelta(hours=1))
    api.house.clock.turn(hours=1)
    _denied(api, call, 401, "operator_key_expired", key)


@each_call
def test_an_integrations_token_is_no_key(call: Call, api: Api, an_integrations_token: str) -> None:
    _denied(api, call, 401, "operator_key_unknown", an_integrations_token)


@each_call
def test_a_key_with_just_this_scope_gets_through(call: Call, api: Api) -> None:
    reply = api.call(call.method, _address(call), key=api.new_key(call.scope))
    assert reply.status not in (401, 403, 405, 500)


def test_every_scope_opens_something() -> None:
    assert {call.scope for call in CALLS} <= set(SCOPES)
    assert set(SCOPES) == {call.scope for call in CALLS}


@pytest.mark.parametrize("change", ["first", "last", "checksum", "shorter"])
def test_a_key_with_a_slip_is_none(change: str, api: Api) -> None:
    key = api.key
    wrong = {
        "first": key[:4] + ("1" if key[4] != "1" else "2") + key[5:],
        "last": key[:-7] + ("1" if key[-7] != "1" else "2") + key[-6:],
        "checksum": key[:-1] + ("1" if key[-1] != "1" else "2"),
        "shorter": key[:-1],
    }
    api.refuse("GET", "/v1/users", status=401, key=wrong[change])


def test_a_known_key_with_another_secret_is_none(api: Api) -> None:
    other = api.new_key("*")
    body = api.key[4:26] + other[26:-6]
    api.refuse("GET", "/v1/users", status=401, key=f"gwo_{body}{checksum(body)}")
    assert api.last_reason() == "operator_key_unknown"


def test_two_authorization_headers_are_none(api: Api) -> None:
    header = ("Authorization", f"Bearer {api.key}")
    assert api.caller.request("GET", "/v1/users", [header, header]).status == 400


def test_words_with_a_star_are_written_out_when_the_key_is_made() -> None:
    assert expand(["users:*"]) == ("users:read", "users:write")
    assert expand(["*"]) == tuple(SCOPES)
    assert expand(["users"]) == "There is no scope 'users' of operator keys."
    assert expand([]) == "A key has at least one scope."


def test_a_key_gives_no_more_than_it_has(api: Api) -> None:
    ends = api.house.clock() + timedelta(days=1)
    key = api.new_key("keys:write", "users:read", expires_at=ends)
    wanted = {"name": "More", "scopes": ["users:write"], "expires_at": ends.isoformat()}
    assert api.refuse("POST", "/v1/operator-keys", wanted, 422, key=key)["reason"] == "operator_scope_exceeded"
    wanted = {"name": "Longer", "scopes": ["users:read"]}
    assert api.refuse("POST", "/v1/operator-keys", wanted, 422, key=key)["reason"] == "expiry_exceeded"
    wanted = {"name": "Less", "scopes": ["users:read"], "expires_at": ends.isoformat()}
    made = api.tell("POST", "/v1/operator-keys", wanted, 201, key=key)
    assert api.tell("GET", "/v1/users", key=made["key"])["data"] == []


def test_a_key_is_shown_once_and_its_digest_never(api: Api) -> None:
    made = api.tell("POST", "/v1/operator-keys", {"name": "New", "scopes": ["users:*"]}, 201)
    listed = api.call("GET", "/v1/operator-keys")
    assert made["key"] not in listed.text
    assert made["operator_key"] in listed.json()["data"]
    assert "digest" not in listed.text


def test_the_day_of_use_is_written_down_once_a_day() -> None:
    house = House.in_memory()
    made: Any = house.decide(create_operator_key, "A test", ["users:read"]).answer

    def touches() -> list[TouchOperatorKey]:
        async def rule(facts: Any, at: Any) -> Decision[Any]:
            key = await authenticate(facts, at, made.text, "users:read")
            assert isinstance(key, OperatorKey)
            return Decision(None, touch(key, at))

        return [one for one in house.decide(rule).changes if isinstance(one, TouchOperatorKey)]

    assert [len(touches()), len(touches())] == [1, 0]
    house.clock.turn(days=1)
    assert len(touches()) == 1


def test_the_audit_names_the_key(api: Api) -> None:
    api.tell("POST", "/v1/users", {"email": "ada@example.com", "name": "Ada"}, 201)
    entry = api.tell("GET", "/v1/audit?action=user_created")["data"][0]
    assert entry["client_id"] is None
    keys = api.tell("GET", "/v1/operator-keys")["data"]
    assert entry["actor"] in {key["id"] for key in keys}
