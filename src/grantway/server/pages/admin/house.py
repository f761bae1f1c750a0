"""The installation's own: signing keys, operator keys, operators, and the scope catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from grantway.protocol.administration import signing_keys
from grantway.protocol.administration.answers import reject
from grantway.protocol.administration.operator_keys import SCOPES, create_operator_key, revoke_operator_key
from grantway.protocol.administration.operators import create_operator, remove_operator
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts
from grantway.protocol.ids import parse
from grantway.protocol.issuing import current_signing_key
from grantway.protocol.moment import Moment
from grantway.protocol.paging import read_pages
from grantway.protocol.sessions import Operating
from grantway.server.pages.admin.table import NOWHERE, Asked, Deed, Sight, path_of
from grantway.server.service import Service
from grantway.server.signing_keys import draw_signing_key

_KEYS, _OPERATORS, _SCOPES = path_of("keys"), path_of("operators"), path_of("scopes")
LIFETIMES = {"30": 30, "90": 90, "365": 365}
"""Days that a new key may live, as they are picked; anything else is for good."""
CLIENTS = 1000
"""Of so many clients, the newest, the catalogue says which use a scope."""
NAMED = 5
"""Clients that are named for each scope; of more only how many."""


async def load_keys(facts: Facts, at: Moment, asked: Asked) -> Mapping[str, Any]:
    keys = await facts.signing_keys()
    return {
        "keys": keys,
        "signing": current_signing_key(keys, at),
        "now": at.now,
        "operator_keys": await facts.operator_keys(),
        "key_scopes": SCOPES,
        "lifetimes": tuple(LIFETIMES),
    }


async def rotate(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    rule: Any = signing_keys.rotate_now if asked.said("leaked") else signing_keys.rotate
    decision: Decision[Any] = await rule(facts, at, asked.prepared)
    return decision


async def create_key(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    days = LIFETIMES.get(asked.said("days"))
    expires_at = at.now + timedelta(days=days) if days else None
    wanted = [scope for scope in SCOPES if asked.said(scope)]
    return await create_operator_key(facts, at, asked.said("name"), wanted, expires_at=expires_at)


async def revoke_key(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    return await revoke_operator_key(facts, at, parse("ok", asked.said("key")) or NOWHERE)


async def load_operators(facts: Facts, at: Moment, asked: Asked) -> Mapping[str, Any]:
    return {"operators": await facts.operators()}


async def add_operator(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    email = asked.said("email")
    if email.casefold() == by.user.email:
        return reject("You cannot change your own role: ask another operator.", "operator_self")
    role: Any = "viewer" if asked.said("role") == "viewer" else "operator"
    return await create_operator(facts, at, email, asked.said("name"), role)


async def drop_operator(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    user = await facts.user(parse("us", asked.said("user")) or NOWHERE)
    if user is None or user.email is None:
        return reject("There is no such operator.", "operator_unknown")
    if user.id == by.user.id:
        return reject("You cannot remove yourself: ask another operator.", "operator_self")
    return await remove_operator(facts, at, user.email)


async def load_scopes(facts: Facts, at: Moment, asked: Asked) -> Mapping[str, Any]:
    clients = await read_pages(facts.clients, CLIENTS)
    used = {scope.name: [client for client in clients if scope.name in client.scopes] for scope in await facts.scopes()}
    return {
        "scopes": [(scope, used[scope.name][:NAMED], len(used[scope.name]) - NAMED) for scope in await facts.scopes()]
    }


def _draw(service: Service) -> Any:
    return draw_signing_key(service.vault)


KEYS = Sight(_KEYS, _KEYS, "admin/keys.html", load_keys)
OPERATORS = Sight(_OPERATORS, _OPERATORS, "admin/operators.html", load_operators)

TABLE = (
    KEYS,
    Deed(KEYS, "rotate", rotate, "rotated", prepare=_draw),
    Deed(KEYS, "create", create_key, reveals="admin/key_created.html"),
    Deed(KEYS, "revoke", revoke_key, "revoked"),
    OPERATORS,
    Deed(OPERATORS, "add", add_operator, reveals="admin/operator_added.html"),
    Deed(OPERATORS, "remove", drop_operator, "removed"),
    Sight(_SCOPES, _SCOPES, "admin/scopes.html", load_scopes),
)
