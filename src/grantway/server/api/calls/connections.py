"""Connections: which client is connected to which account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from grantway.protocol import connections, lifecycle
from grantway.protocol.decision import Decision
from grantway.protocol.facts import ConnectionInView, Facts
from grantway.protocol.moment import Moment
from grantway.server.api import views
from grantway.server.api.call import Asked, Call, Paged, nothing_there, said, told
from grantway.server.api.finding import find_connection, named_account, named_client
from grantway.wire.api.connections import Connection, ConnectionQuery
from grantway.wire.api.message import Nothing


async def list_connections(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    query: ConnectionQuery = asked.query
    rows = await facts.connections(
        asked.page,
        account_id=await named_account(facts, query.account),
        client_row_id=await named_client(facts, query.client),
        state=query.state,
    )
    return told(Paged(rows, views.connection, lambda one: one.connection.id), "connections_listed")


async def get_connection(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    view = await find_connection(facts, asked.path["connection"])
    return nothing_there("connection_unknown") if view is None else told(views.connection(view), "connection_told")


async def suspend(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    return await _change(facts, at, asked, lifecycle.suspend)


async def resume(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    return await _change(facts, at, asked, lifecycle.resume)


async def remove(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    view = await find_connection(facts, asked.path["connection"])
    if view is None:
        return nothing_there("connection_unknown")
    decision = await connections.remove(facts, at, view.connection.id, "operator", asked.actor)
    gone = replace(view.connection, removed_at=at.now, removed_reason="operator")
    return said(decision, lambda _: views.connection(replace(view, connection=gone)))


async def _change(facts: Facts, at: Moment, asked: Asked, rule: Any) -> Decision[Any]:
    view: ConnectionInView | None = await find_connection(facts, asked.path["connection"])
    if view is None:
        return nothing_there("connection_unknown")
    decision = await rule(facts, at, view.connection.id, asked.actor)
    return said(decision, lambda changed: views.connection(replace(view, connection=changed.connection)))


_ONE = "/v1/connections/{connection}"
_READ, _WRITE = "connections:read", "connections:write"

CALLS = (
    Call(
        "connections.list", "GET", "/v1/connections", _READ, "List connections, newest first.", list_connections,
        answer=Connection, query=ConnectionQuery, paged=True,
    ),
    Call("connections.get", "GET", _ONE, _READ, "Show a connection, removed ones, too.", get_connection, answer=Connection),
    Call(
        "connections.suspend", "POST", f"{_ONE}/suspend", _WRITE,
        "Suspend a connection: its tokens are good for nothing until it is resumed.", suspend,
        answer=Connection, body=Nothing,
    ),
    Call(
        "connections.resume", "POST", f"{_ONE}/resume", _WRITE, "Take back whatever suspended a connection.", resume,
        answer=Connection, body=Nothing,
    ),
    Call(
        "connections.remove", "DELETE", _ONE, _WRITE,
        "Remove a connection: its tokens end, what lives by it is cancelled, everybody is told.", remove,
        answer=Connection,
    ),
)  # fmt: skip
