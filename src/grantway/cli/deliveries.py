"""``grantway deliveries`` and ``grantway events``: what has to reach somebody, and what came of it."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from grantway.cli import house
from grantway.cli.terminal import Answer, Data, Json, Limit, Stop, group, tell

if TYPE_CHECKING:
    from grantway.protocol.facts import Facts
    from grantway.protocol.model import Notice
    from grantway.protocol.moment import Moment
    from grantway.server.service import Service

app = group("Deliveries: calls to integrations and to the platform, and mail, with what came of each attempt.")
events = group("Events: what happened in an account, for the webhooks that hear of it.")

DeliveryId = Annotated[
    str, typer.Argument(metavar="ID", help="The delivery: nt_…, which its receiver sees as webhook-id.")
]
ClientOption = Annotated[str | None, typer.Option("--client", metavar="ID", help="Only those of this client.")]


@app.command("list")
def list_deliveries(
    connection: Annotated[
        str | None, typer.Option("--connection", metavar="ID", help="Only those of this connection.")
    ] = None,
    client: ClientOption = None,
    state: Annotated[
        Literal["waiting", "delivered", "dead", "all"],
        typer.Option("--state", help="dead are those that were given up, or whose target said that it is gone."),
    ] = "all",
    limit: Limit = 1000,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List deliveries, newest first. They are kept for 30 days."""
    from grantway.cli import views
    from grantway.protocol.paging import read_pages

    async def question(facts: Facts, at: Moment) -> Answer:
        view = await house.find_connection(facts, connection) if connection else None
        listing = partial(
            facts.notices,
            connection_id=view.connection.id if view else None,
            client_row_id=(await house.find_client(facts, client)).id if client else None,
            state=state,
        )
        return {"deliveries": [views.delivery(one) for one in await read_pages(listing, limit)]}

    async def work(service: Service) -> Answer:
        return await house.looked_up(service, question)

    tell(house.with_service(data, work), as_json, columns=views.DELIVERY_COLUMNS)


@app.command("show")
def show(delivery: DeliveryId, data: Data = None, as_json: Json = False) -> None:
    """Show a delivery and what came of each attempt."""
    from grantway.cli import views

    async def question(facts: Facts, at: Moment) -> Answer:
        notice = await _find(facts, delivery)
        return {**views.delivery(notice), "tries": [views.attempt(one) for one in await facts.attempts(notice.id)]}

    async def work(service: Service) -> Answer:
        return await house.looked_up(service, question)

    tell(house.with_service(data, work), as_json)


@app.command("replay")
def replay(
    delivery: Annotated[str | None, typer.Argument(metavar="[ID]", help="The delivery: nt_…")] = None,
    dead: Annotated[
        bool, typer.Option("--dead", help="All dead ones instead; with --client, those of a client.")
    ] = False,
    client: ClientOption = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Have a delivery sent again, under the same id, or all dead ones."""
    from grantway.cli import views
    from grantway.protocol import notices
    from grantway.protocol.administration.answers import OPERATOR

    if (delivery is None) != dead or (client is not None and not dead):
        raise Stop("Name one delivery, or say --dead, alone or with --client.", reason="option_malformed")

    async def one(service: Service, text: str) -> Answer:
        notice = await house.looked_up(service, lambda facts, at: _find(facts, text))
        await house.settled(service, notices.replay, notice.id, OPERATOR)
        return views.delivery(await house.looked_up(service, lambda facts, at: _find(facts, text)))

    async def all_dead(service: Service) -> Answer:
        whose = None
        if client is not None:
            whose = (await house.looked_up(service, lambda facts, at: house.find_client(facts, client))).id
        count, left_out, after = 0, 0, None
        while True:
            batch = await house.settled(service, notices.replay_dead, OPERATOR, client_row_id=whose, after=after)
            count, left_out, after = count + batch.count, left_out + batch.left_out, batch.after
            if after is None:
                return {"replayed": count, "left_out": left_out}

    async def work(service: Service) -> Answer:
        return await (all_dead(service) if delivery is None else one(service, delivery))

    tell(house.with_service(data, work), as_json)


@events.command("publish")
def publish(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Where it happened: ac_…, or your own id of it.")],
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="What happened, such as order.paid.")],
    payload: Annotated[
        str, typer.Option("--payload", metavar="FILE", help="The JSON object to tell; - reads standard input.")
    ],
    event_id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="Your own id of it: told twice, it is heard once.")
    ] = None,
    ordering_key: Annotated[
        str | None,
        typer.Option("--ordering-key", metavar="KEY", help="Events with the same key arrive in their order."),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Publish an event to the webhooks whose connections reach it."""
    from grantway.protocol import events as rules
    from grantway.protocol.ids import show

    told = house.read_json_object(_text_of(payload), "--payload") or {}

    async def rule(facts: Facts, at: Moment) -> Any:
        where = await house.find_account(facts, account)
        return await rules.publish(facts, at, where, type_, told, event_id=event_id, ordering_key=ordering_key)

    async def work(service: Service) -> Answer:
        made = await house.settled(service, rule)
        return {"id": show("ev", made.event.id), "webhooks": made.event.to, "repeated": made.repeated}

    tell(house.with_service(data, work), as_json)


async def _find(facts: Facts, text: str) -> Notice:
    notice = await facts.notice(house.row_id_of("nt", "delivery", text))
    if notice is None:
        raise Stop(f"There is no delivery {text}.", reason="delivery_unknown")
    return notice


def _text_of(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise Stop(f"The file {file} cannot be read.", reason="file_unreadable") from None
