"""``grantway operators``: the people who run this installation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from grantway.cli import house
from grantway.cli.terminal import Data, Json, group, tell

if TYPE_CHECKING:
    from grantway.protocol.administration.operators import CreatedOperator, OperatorInView
    from grantway.protocol.model import Operator, User
    from grantway.server.service import Service

app = group("People who run this installation.")

Email = Annotated[str, typer.Option("--email", help="The address that they sign in with.")]


@app.command("create")
def create(
    email: Email,
    name: Annotated[str, typer.Option("--name", help="How pages address them, if they are new.")] = "Operator",
    role: Annotated[
        Literal["operator", "viewer"], typer.Option("--role", help="A viewer sees everything and changes nothing.")
    ] = "operator",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make somebody an operator; the link that is printed sets their password, once, within 15 minutes."""
    from grantway.cli import views
    from grantway.protocol.administration.operators import create_operator
    from grantway.server.links import address_of_link

    async def work(service: Service) -> tuple[CreatedOperator, str]:
        created: CreatedOperator = await house.settled(service, create_operator, email, name, role)
        return created, address_of_link(service.issuer, created.link)

    created, link = house.with_service(data, work)
    note = "Open the link in a browser while the server runs. Whoever opens it first is this operator."
    tell({**views.operator(created.operator, created.user), "link": link}, as_json, note)


@app.command("list")
def list_operators(data: Data = None, as_json: Json = False) -> None:
    """List the operators."""
    from grantway.cli import views

    async def work(service: Service) -> tuple[tuple[Operator, User], ...]:
        return await house.looked_up(service, lambda facts, at: facts.operators())

    tell({"operators": [views.operator(*one) for one in house.with_service(data, work)]}, as_json)


@app.command("remove")
def remove(email: Email, data: Data = None, as_json: Json = False) -> None:
    """Take the role from an operator and sign them out; the user stays."""
    from grantway.cli import views
    from grantway.protocol.administration.operators import remove_operator

    async def work(service: Service) -> OperatorInView:
        removed: OperatorInView = await house.settled(service, remove_operator, email)
        return removed

    removed = house.with_service(data, work)
    tell(views.operator(removed.operator, removed.user), as_json)
