"""``grantway connections``: which client is connected to which account."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from grantway.cli import house
from grantway.cli.terminal import Answer, Data, Json, Limit, Stop, group, tell

if TYPE_CHECKING:
    from grantway.protocol.facts import ConnectionInView, Facts
    from grantway.protocol.moment import Moment
    from grantway.server.service import Service

app = group("Connections: which client is connected to which account.")

ConnectionId = Annotated[
    str, typer.Argument(metavar="ID", help="The connection: cn_…, or its integration id of 24 hex digits.")
]


@app.command("list")
def list_connections(
    account: Annotated[str | None, typer.Option("--account", metavar="ID", help="Only those of this account.")] = None,
    client: Annotated[str | None, typer.Option("--client", metavar="ID", help="Only those of this client.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Removed ones, too.")] = False,
    limit: Limit = 1000,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List connections, newest first."""
    from grantway.cli import views
    from grantway.protocol.paging import read_pages

    async def question(facts: Facts, at: Moment) -> Answer:
        account_id = (await house.find_account(facts, account)).id if account else None
        found = await facts.client(client) if client else None
        if client and found is None:
            raise Stop(f"There is no client {client!r}.", reason="client_unknown")
        listing = partial(
            facts.connections,
            account_id=account_id,
            client_row_id=found.id if found else None,
            state="all" if all_ else "live",
        )
        seen = await read_pages(listing, limit)
        return {"connections": [views.connection(view) for view in seen]}

    async def work(service: Service) -> Answer:
        return await house.looked_up(service, question)

    columns = ("id", "client", "account", "last_used_day", "removed_at")
    tell(house.with_service(data, work), as_json, columns=columns)


@app.command("show")
def show(connection: ConnectionId, data: Data = None, as_json: Json = False) -> None:
    """Show a connection, what its integration was told, and its history."""
    from grantway.cli import views
    from grantway.protocol.facts import Page

    async def question(facts: Facts, at: Moment) -> Answer:
        view = await _find(facts, connection)
        return {
            **views.connection(view),
            "notices": [views.notice(one) for one in await facts.notices(Page(100), connection_id=view.connection.id)],
            "history": [views.audit(one) for one in await facts.audit(Page(100), connection_id=view.connection.id)],
        }

    async def work(service: Service) -> Answer:
        return await house.looked_up(service, question)

    tell(house.with_service(data, work), as_json)


@app.command("remove")
def remove(connection: ConnectionId, data: Data = None, as_json: Json = False) -> None:
    """Remove a connection: its tokens end at once, and the integration is told."""
    from grantway.cli import views
    from grantway.protocol import connections
    from grantway.protocol.administration.answers import OPERATOR

    async def work(service: Service) -> Answer:
        view = await house.looked_up(service, lambda facts, at: _find(facts, connection))
        if view.connection.removed_at is not None:
            raise Stop("This connection is removed already.", reason="connection_removed")
        await house.settled(service, connections.remove, view.connection.id, "operator", OPERATOR)
        return views.connection(await house.looked_up(service, lambda facts, at: _find(facts, connection)))

    tell(house.with_service(data, work), as_json)


@app.command("create-key")
def create_key(connection: ConnectionId, data: Data = None, as_json: Json = False) -> None:
    """Create a key for the vendor calls that take Basic (Sunshine: revoke access). It dies with the connection."""
    from grantway.cli import views
    from grantway.protocol.administration import connections

    async def work(service: Service) -> Answer:
        view = await house.looked_up(service, lambda facts, at: _find(facts, connection))
        created = await house.settled(service, connections.create_key, view.connection.id)
        return {
            "connection_id": views.connection(view)["id"],
            "key_id": created.key.key_id,
            "key_secret": created.key_secret,
            "created_at": created.key.created_at,
        }

    tell(house.with_service(data, work), as_json, "The secret is shown this once.")


async def _find(facts: Facts, text: str) -> ConnectionInView:
    from grantway.protocol.ids import parse

    row_id = parse("cn", text)
    view = await facts.connection(row_id) if row_id else await facts.connection_by_integration_id(text)
    if view is None:
        raise Stop(f"There is no connection {text}.", reason="connection_unknown")
    return view
