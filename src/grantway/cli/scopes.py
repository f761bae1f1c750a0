"""``grantway scopes``: the catalogue that clients are given scopes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from grantway.cli import house
from grantway.cli.terminal import Answer, Data, Json, Stop, group, tell

if TYPE_CHECKING:
    from grantway.server.service import Service

app = group("The scope catalogue: what a client can be given, in words for customers.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The scope.")]


@app.command("list")
def list_scopes(data: Data = None, as_json: Json = False) -> None:
    """List the catalogue."""
    from grantway.cli import views

    async def work(service: Service) -> Answer:
        in_file = service.settings.scopes
        scopes = await house.looked_up(service, lambda facts, at: facts.scopes())
        return {"scopes": [views.scope(one, one.name in in_file) for one in scopes]}

    tell(house.with_service(data, work), as_json)


@app.command("add")
def add(
    name: Name,
    sentence: Annotated[str, typer.Option("--sentence", help="What it allows, as customers read it.")],
    language: Annotated[str, typer.Option("--language", help="The language of what is said here.")] = "en",
    sensitivity: Annotated[
        Literal["low", "medium", "high"], typer.Option("--sensitivity", help="How carefully customers should look.")
    ] = "medium",
    opens: Annotated[list[str] | None, typer.Option("--opens", help="One thing that it reaches (repeatable).")] = None,
    withholds: Annotated[
        list[str] | None, typer.Option("--withholds", help="One thing that it does not reach (repeatable).")
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            "--event", metavar="TYPE", help="An event type that it covers: order.paid, or order.* (repeatable)."
        ),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add a scope to the catalogue, or describe one in another language."""
    from grantway.cli import views
    from grantway.protocol.administration.scopes import put_scope
    from grantway.protocol.model import Scope

    scope = Scope(
        name,
        {language: sentence},
        sensitivity,
        {language: tuple(opens)} if opens else {},
        {language: tuple(withholds)} if withholds else {},
        tuple(event or ()),
    )

    async def work(service: Service) -> Answer:
        _refuse_in_file(service, name)
        return views.scope((await house.settled(service, put_scope, scope)).scope, from_file=False)

    tell(house.with_service(data, work), as_json)


@app.command("remove")
def remove(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Remove a scope that no client may be given."""
    from grantway.cli import views
    from grantway.protocol.administration.scopes import remove_scope

    async def work(service: Service) -> Answer:
        _refuse_in_file(service, name)
        return views.scope(await house.settled(service, remove_scope, name), from_file=False)

    tell(house.with_service(data, work), as_json)


def _refuse_in_file(service: Service, name: str) -> None:
    if name in service.settings.scopes:
        raise Stop(f"The settings file describes {name!r}: change it there.", reason="scope_in_settings_file")
