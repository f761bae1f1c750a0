"""What the platform holds that lives by a connection."""

from __future__ import annotations

from typing import Any

from grantway.protocol import resources
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts
from grantway.protocol.ids import parse
from grantway.protocol.moment import Moment
from grantway.server.api import views
from grantway.server.api.call import NOWHERE, Asked, Call, nothing_there, said
from grantway.server.api.finding import check_url, find_connection, outgoing_rules
from grantway.wire.api.connections import NewResource, Resource, ResourceQuery
from grantway.wire.api.message import Whole


async def list_resources(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    query: ResourceQuery = asked.query
    connection_id = await _connection_id(facts, asked)
    decision = await resources.list_resources(facts, at, connection_id, live=not query.cancelled)
    return said(decision, lambda rows: Whole(data=[views.resource(one) for one in rows]))


async def register(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    body: NewResource = asked.body
    check_url(body.url, asked.prepared, "#/url")
    wanted = resources.NewResource(
        kind=body.kind,
        reference=body.reference,
        url=body.url,
        grant_id=None if body.grant_id is None else parse("gr", body.grant_id) or NOWHERE,
        metadata=body.metadata,
    )
    connection_id = await _connection_id(facts, asked)
    decision = await resources.register_resource(facts, at, connection_id, wanted, asked.actor)
    return said(decision, lambda registered: views.resource(registered.resource))


async def get_resource(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    found = await facts.resource(asked.id("resource", "rs"))
    if found is None or found.connection_id != await _connection_id(facts, asked):
        return nothing_there("resource_unknown")
    return Decision(views.resource(found), (), "resource_told")


async def cancel(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    connection_id = await _connection_id(facts, asked)
    resource_id = asked.id("resource", "rs")
    return said(await resources.cancel_resource(facts, at, connection_id, resource_id, asked.actor), views.resource)


async def _connection_id(facts: Facts, asked: Asked) -> bytes:
    view = await find_connection(facts, asked.path["connection"])
    return NOWHERE if view is None else view.connection.id


_ALL = "/v1/connections/{connection}/resources"

CALLS = (
    Call(
        "resources.list", "GET", _ALL, "connections:read", "List what lives by a connection, oldest first.",
        list_resources, answer=Whole[Resource], query=ResourceQuery,
    ),
    Call(
        "resources.register", "POST", _ALL, "resources:write",
        "Record something that ends with the connection. The same kind and reference again is the same resource.",
        register, answer=Resource, status=201, body=NewResource, prepare=outgoing_rules,
    ),
    Call(
        "resources.get", "GET", f"{_ALL}/{{resource}}", "connections:read", "Show a resource, cancelled ones, too.",
        get_resource, answer=Resource,
    ),
    Call(
        "resources.cancel", "DELETE", f"{_ALL}/{{resource}}", "resources:write",
        "Say that a resource is gone by itself: nobody is told.", cancel, answer=Resource,
    ),
)  # fmt: skip
