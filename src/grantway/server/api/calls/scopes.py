"""The scope catalogue."""

from __future__ import annotations

from typing import Any

from grantway.protocol.administration.scopes import put_scope, remove_scope
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts
from grantway.protocol.model import Scope as Entry
from grantway.protocol.moment import Moment
from grantway.server.api import views
from grantway.server.api.call import Asked, Call, nothing_there, said, told
from grantway.wire.api.clients import Scope, ScopeEntry
from grantway.wire.api.message import Whole


async def list_scopes(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    return told(Whole(data=[views.scope(one) for one in await facts.scopes()]), "scopes_listed")


async def put(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    body: ScopeEntry = asked.body
    entry = Entry(
        name=asked.path["scope"],
        sentences=body.sentences,
        sensitivity=body.sensitivity,
        opens={language: tuple(lines) for language, lines in body.opens.items()},
        withholds={language: tuple(lines) for language, lines in body.withholds.items()},
        events=tuple(body.events),
    )
    return said(await put_scope(facts, at, entry), lambda put: views.scope(put.scope))


async def remove(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    name = asked.path["scope"]
    if name not in {one.name for one in await facts.scopes()}:
        return nothing_there("scope_unknown")
    return said(await remove_scope(facts, at, name), lambda gone: None)


CALLS = (
    Call("scopes.list", "GET", "/v1/scopes", "clients:read", "List the scope catalogue.", list_scopes, answer=Whole[Scope]),
    Call(
        "scopes.put", "PUT", "/v1/scopes/{scope}", "clients:write",
        "Put a scope into the catalogue, or change what is said of it.", put, answer=Scope, body=ScopeEntry,
    ),
    Call(
        "scopes.remove", "DELETE", "/v1/scopes/{scope}", "clients:write",
        "Take a scope that no client may be given out of the catalogue.", remove, status=204,
    ),
)  # fmt: skip
