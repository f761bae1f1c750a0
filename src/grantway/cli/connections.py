"""``grantway connections``: which client is connected to which account, what lives by it, and its end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from grantway.cli import house
from grantway.cli.terminal import Answer, Data, Json, Limit, Stop, group, tell

if TYPE_CHECKING:
    from pathlib import Path

    from grantway.protocol.facts import Facts
    from grantway.protocol.moment import Moment
    from grantway.server.service import Service

app = group("Connections: which client is connected to which account.")
resources = group("What the platform holds that lives by a connection: subscriptions and the like.")
app.add_typer(resources, name="resources")

ConnectionId = Annotated[
    str, typer.Argument(metavar="ID", help="The connection: cn_…, or its integration id of 24 hex digits.")
]


@app.command("list")
def list_connections(
    account: Annotated[str | None, typer.Option("--account", metavar="ID", help="Only those of this account.")] = None,
    client: Annotated[str | None, typer.Option("--client", metavar="ID", help="Only those of this client.")] = None,
    state: Annotated[
        Literal["live", "suspended", "removed", "all"],
        typer.Option("--state", help="live are all that are not removed, suspended ones included."),
    ] = "live",
    limit: Limit = 1000,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List connections, newest first."""
    from grantway.cli import views
    from grantway.protocol.paging import read_pages

    async def question(facts: Facts, at: Moment) -> Answer:
        listing = partial(
            facts.connections,
            account_id=(await house.find_account(facts, account)).id if account else None,
            client_row_id=(await house.find_client(facts, client)).id if client else None,
            state=state,
        )
        return {"connections": [views.connection(view) for view in await read_pages(listing, limit)]}

    async def work(service: Service) -> Answer:
        return await house.looked_up(service, question)

    tell(house.with_service(data, work), as_json, columns=views.CONNECTION_COLUMNS)


@app.command("show")
def show(connection: ConnectionId, data: Data = None, as_json: Json = False) -> None:
    """Show a connection, what lives by it, what was told of it, and its history."""
    from grantway.cli import views
    from grantway.protocol.facts import Page

    async def question(facts: Facts, at: Moment) -> Answer:
        view = await house.find_connection(facts, connection)
        its_id, latest = view.connection.id, Page(100)
        return {
            **views.connection(view),
            "webhooks": [views.webhook(one) for one in await facts.webhooks(its_id)],
            "resources": [views.resource(one) for one in await facts.resources(its_id)],
            "deliveries": [views.delivery(one) for one in await facts.notices(latest, connection_id=its_id)],
            "history": [views.audit(one, view.client) for one in await facts.audit(latest, connection_id=its_id)],
        }

    async def work(service: Service) -> Answer:
        return await house.looked_up(service, question)

    columns = {
        "webhooks": ("id", "url", "events", "disabled_at"),
        "resources": ("id", "kind", "reference", "created_at"),
        "deliveries": views.DELIVERY_COLUMNS,
        "history": views.AUDIT_COLUMNS,
    }
    tell(house.with_service(data, work), as_json, columns=columns)


@app.command("suspend")
def suspend(connection: ConnectionId, data: Data = None, as_json: Json = False) -> None:
    """Suspend a connection: its tokens are good for nothing until it is resumed."""
    from grantway.protocol import lifecycle

    _change(connection, lifecycle.suspend, data, as_json)


@app.command("resume")
def resume(connection: ConnectionId, data: Data = None, as_json: Json = False) -> None:
    """Resume a connection, whoever suspended it: its tokens are what they were."""
    from grantway.protocol import lifecycle

    _change(connection, lifecycle.resume, data, as_json)


@app.command("remove")
def remove(connection: ConnectionId, data: Data = None, as_json: Json = False) -> None:
    """Remove a connection: tokens, webhooks and resources end at once, and everybody whom it concerns is told."""
    from grantway.protocol import connections

    _change(connection, partial(connections.remove, reason="operator"), data, as_json)


@app.command("create-key")
def create_key(connection: ConnectionId, data: Data = None, as_json: Json = False) -> None:
    """Create a key for the vendor calls that take Basic (Sunshine: revoke access). It dies with the connection."""
    from grantway.cli import views
    from grantway.protocol.administration import connections

    async def work(service: Service) -> Answer:
        view = await house.looked_up(service, lambda facts, at: house.find_connection(facts, connection))
        created = await house.settled(service, connections.create_key, view.connection.id)
        return {
            "connection_id": views.connection(view)["id"],
            "key_id": created.key.key_id,
            "key_secret": created.key_secret,
            "created_at": created.key.created_at,
        }

    tell(house.with_service(data, work), as_json, "The secret is shown this once.")


@resources.command("list")
def list_resources(
    connection: ConnectionId,
    cancelled: Annotated[bool, typer.Option("--cancelled", help="Those cancelled of late, too.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List what lives by a connection, oldest first."""
    from grantway.cli import views
    from grantway.protocol.resources import list_resources as rule

    async def work(service: Service) -> Answer:
        view = await house.looked_up(service, lambda facts, at: house.find_connection(facts, connection))
        listed = await house.settled(service, rule, view.connection.id, live=not cancelled)
        return {"resources": [views.resource(one) for one in listed]}

    tell(house.with_service(data, work), as_json)


@resources.command("cancel")
def cancel_resource(
    resource: Annotated[str, typer.Argument(metavar="ID", help="The resource: rs_….")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Say that a resource is gone by itself: nobody is told."""
    from grantway.cli import views
    from grantway.protocol.resources import cancel_resource as rule

    async def work(service: Service) -> Answer:
        resource_id = house.row_id_of("rs", "resource", resource)
        known = await house.looked_up(service, lambda facts, at: facts.resource(resource_id))
        if known is None:
            raise Stop(f"There is no resource {resource}.", reason="resource_unknown")
        return views.resource(await house.settled(service, rule, known.connection_id, resource_id))

    tell(house.with_service(data, work), as_json)


def _change(connection: str, rule: Any, data: Path | None, as_json: bool) -> None:
    """Settle a rule about one connection and show the connection as it is then."""
    from grantway.cli import views
    from grantway.protocol.administration.answers import OPERATOR

    async def work(service: Service) -> Answer:
        view = await house.looked_up(service, lambda facts, at: house.find_connection(facts, connection))
        if view.connection.removed_at is not None:
            raise Stop("This connection is removed already.", reason="connection_removed")
        await house.settled(service, rule, view.connection.id, actor=OPERATOR)
        return views.connection(
            await house.looked_up(service, lambda facts, at: house.find_connection(facts, connection))
        )

    tell(house.with_service(data, work), as_json)
