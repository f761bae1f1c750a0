"""Keys for this API."""

from __future__ import annotations

from typing import Any

from grantway.protocol.administration.operator_keys import CreatedOperatorKey as Created
from grantway.protocol.administration.operator_keys import create_operator_key, revoke_operator_key
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts
from grantway.protocol.moment import Moment
from grantway.server.api import views
from grantway.server.api.call import Asked, Call, said, told
from grantway.wire.api.house import CreatedOperatorKey, NewOperatorKey, OperatorKey
from grantway.wire.api.message import Whole


async def list_keys(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    return told(Whole(data=[views.operator_key(one) for one in await facts.operator_keys()]), "operator_keys_listed")


async def create(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    body: NewOperatorKey = asked.body
    decision = await create_operator_key(facts, at, body.name, body.scopes, expires_at=body.expires_at, by=asked.by)

    def write(created: Created) -> CreatedOperatorKey:
        return CreatedOperatorKey(operator_key=views.operator_key(created.key), key=created.text)

    return said(decision, write)


async def revoke(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    return said(await revoke_operator_key(facts, at, asked.id("key", "ok")), views.operator_key)


CALLS = (
    Call(
        "operator_keys.list", "GET", "/v1/operator-keys", "keys:read", "List the keys for this API, newest first.",
        list_keys, answer=Whole[OperatorKey],
    ),
    Call(
        "operator_keys.create", "POST", "/v1/operator-keys", "keys:write",
        "Create a key for this API, shown once. It reaches no further than the one it is made with.", create,
        answer=CreatedOperatorKey, status=201, body=NewOperatorKey,
    ),
    Call(
        "operator_keys.revoke", "DELETE", "/v1/operator-keys/{key}", "keys:write", "Revoke a key for this API.", revoke,
        answer=OperatorKey,
    ),
)  # fmt: skip
