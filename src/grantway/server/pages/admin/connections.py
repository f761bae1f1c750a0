"""Connections: found by state, integration and account; one with its history and what lives by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grantway.protocol.connections import remove
from grantway.protocol.decision import Decision
from grantway.protocol.facts import ConnectionState, Facts, Page
from grantway.protocol.lifecycle import resume, state_of, suspend
from grantway.protocol.moment import Moment
from grantway.protocol.sessions import Operating
from grantway.server.pages.admin.audit import of_audit
from grantway.server.pages.admin.table import NOWHERE, Asked, Deed, Sight, actor_of, path_of, shown

_HERE = path_of("connections")
STATES: tuple[ConnectionState, ...] = ("live", "suspended", "removed", "all")
_HISTORY = 50
_A_FEW = 20


async def load_all(facts: Facts, at: Moment, asked: Asked) -> Mapping[str, Any]:
    state = next((each for each in STATES if each == asked.named("state")), STATES[0])
    named = asked.named("client")
    client = await facts.client(named) if named else None
    rows = await facts.connections(
        asked.page("cn"),
        account_id=asked.row("account", "ac"),
        client_row_id=client.id if client else NOWHERE if named else None,
        state=state,
    )
    return {
        "connections": [(view, state_of(view.connection, view.client)) for view in shown(rows)],
        "state": state,
        "states": STATES,
        "client": named,
        "account": asked.named("account"),
        "older": asked.older(rows, "cn"),
    }


async def load_one(facts: Facts, at: Moment, asked: Asked) -> Mapping[str, Any] | None:
    view = await facts.connection(asked.id("connection", "cn"))
    if view is None:
        return None
    connection = view.connection
    return {
        "view": view,
        "connection": connection,
        "state": state_of(connection, view.client),
        "here": asked.here,
        "grants": await facts.count_live_grants(connection.id),
        "webhooks": await facts.webhooks(connection.id),
        "resources": await facts.resources(connection.id, limit=_A_FEW),
        "notices": await facts.notices(Page(_A_FEW), connection_id=connection.id),
        **await of_audit(facts, await facts.audit(Page(_HISTORY), connection_id=connection.id)),
    }


async def _suspend(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    return await suspend(facts, at, asked.id("connection", "cn"), actor_of(by))


async def _resume(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    return await resume(facts, at, asked.id("connection", "cn"), actor_of(by))


async def _remove(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    return await remove(facts, at, asked.id("connection", "cn"), "operator", actor_of(by))


ONE = Sight(f"{_HERE}/{{connection}}", _HERE, "admin/connection.html", load_one)

TABLE = (
    Sight(_HERE, _HERE, "admin/connections.html", load_all),
    ONE,
    Deed(ONE, "suspend", _suspend, "suspended"),
    Deed(ONE, "resume", _resume, "resumed"),
    Deed(ONE, "remove", _remove, "removed"),
)
