"""``grantway clients``, continued: changes, approval, developers, the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from grantway.cli import house
from grantway.cli.clients import ClientId, check_remove_url, overrides_of, switch
from grantway.cli.terminal import Answer, Data, Json, Stop, group, tell

if TYPE_CHECKING:
    from grantway.protocol.administration.client_changes import ClientChange
    from grantway.server.service import Service

developers = group("Who looks after an integration in the developer portal.")
Email = Annotated[str, typer.Option("--user", metavar="EMAIL", help="Whose address.")]


def update(
    client_id: ClientId,
    name: Annotated[str | None, typer.Option("--name", help="Its name, as customers read it.")] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", help="How it speaks; only while it is not connected.")
    ] = None,
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option("--redirect-uri", metavar="URI", help="All of them (repeatable), instead of those before."),
    ] = None,
    remove_url: Annotated[
        str | None,
        typer.Option("--remove-url", metavar="URL", help='What is told of removed connections; "" for none.'),
    ] = None,
    scope: Annotated[
        str | None, typer.Option("--scope", metavar='"A B"', help="All scopes that it may be given.")
    ] = None,
    default_scope: Annotated[
        str | None, typer.Option("--default-scope", metavar='"A B"', help="What it gets when it names none.")
    ] = None,
    required_scope: Annotated[
        str | None,
        typer.Option(
            "--required-scope", metavar='"A B"', help="What it cannot do without; customers may refuse the rest."
        ),
    ] = None,
    resource: Annotated[
        list[str] | None,
        typer.Option("--resource", metavar="URI", help="All resources (repeatable), instead of those before."),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option("--account", metavar="ID", help='Whose it is: for which account it acts itself; "" for none.'),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="FIELD=VALUE", help="One field of its profile's policy (repeatable); others stay."
        ),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Change a client. What is not named stays as it is."""
    from dataclasses import replace

    from grantway.cli import views
    from grantway.protocol.administration.client_changes import ClientChange, update_client

    overrides = overrides_of(set_ or [])
    change = ClientChange(
        name=name,
        redirect_uris=None if redirect_uri is None else tuple(redirect_uri),
        remove_url=remove_url,
        scopes=_words(scope),
        default_scopes=_words(default_scope),
        required_scopes=_words(required_scope),
        resources=None if resource is None else tuple(resource),
        profile=profile,
    )

    async def work(service: Service) -> Answer:
        check_remove_url(service, remove_url or None)
        owned = replace(change, account_id=await house.account_row(service, account))
        changed = await house.settled(service, update_client, client_id, await _with(service, owned))
        return views.client(changed)

    async def _with(service: Service, change: ClientChange) -> ClientChange:
        if not overrides:
            return change
        known = await house.looked_up(service, lambda facts, at: facts.client(client_id))
        before = () if known is None else known.overrides
        return replace(change, overrides=tuple((dict(before) | dict(overrides)).items()))

    tell(house.with_service(data, work), as_json)


def approve(
    client_id: ClientId,
    send_back: Annotated[
        str | None, typer.Option("--send-back", metavar="WORD", help="Do not: say to its developers what is missing.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Approve a draft: from now on everybody may connect it."""
    from grantway.protocol.administration import approval

    if send_back is None:
        switch(approval.approve, client_id, data, as_json)
    else:
        switch(approval.send_back, client_id, data, as_json, send_back)


def waiting(data: Data = None, as_json: Json = False) -> None:
    """List the drafts that wait for approval, longest waiting first."""
    from grantway.cli import views

    async def work(service: Service) -> Any:
        return await house.looked_up(service, lambda facts, at: facts.submitted_clients())

    tell({"clients": [views.client_line(one) for one in house.with_service(data, work)]}, as_json)


def end(client_id: ClientId, data: Data = None, as_json: Json = False) -> None:
    """End a client for ever: its tokens die at once, then its connections are removed. Its id is not used again."""
    from grantway.cli import views
    from grantway.protocol.administration.aftermath import remove_connections
    from grantway.protocol.administration.client_life import end_client

    async def work(service: Service) -> Answer:
        client = await house.settled(service, end_client, client_id)
        removed = 0
        while more := await house.settled(service, remove_connections):
            removed += more
        return {**views.client_line(client), "ended_at": client.ended_at, "removed_connections": removed}

    tell(house.with_service(data, work), as_json)


@developers.command("list")
def list_developers(client_id: ClientId, data: Data = None, as_json: Json = False) -> None:
    """List who looks after an integration."""

    async def work(service: Service) -> Any:
        from grantway.protocol.administration.answers import Rejected
        from grantway.protocol.administration.clients import find_client

        found = await house.looked_up(service, lambda facts, at: find_client(facts, client_id))
        if isinstance(found, Rejected):
            raise Stop(found.sentence, reason=found.reason)
        return await house.looked_up(service, lambda facts, at: facts.developers(found.id))

    rows = [
        {"email": user.email, "name": user.name, "since": developer.created_at}
        for developer, user in house.with_service(data, work)
    ]
    tell({"developers": rows}, as_json)


@developers.command("add")
def add_developer(client_id: ClientId, user: Email, data: Data = None, as_json: Json = False) -> None:
    """Let somebody look after an integration."""
    _developer("add", client_id, user, data, as_json)


@developers.command("remove")
def remove_developer(client_id: ClientId, user: Email, data: Data = None, as_json: Json = False) -> None:
    """Let somebody look after an integration no more."""
    _developer("remove", client_id, user, data, as_json)


def _developer(what: Literal["add", "remove"], client_id: str, email: str, data: Path | None, as_json: bool) -> None:
    from grantway.protocol.administration import developers as rules
    from grantway.protocol.administration.people import normal_email

    async def work(service: Service) -> Answer:
        if what == "add":
            await house.settled(service, rules.add_developer, client_id, email)
        else:
            known = await house.looked_up(service, lambda facts, at: facts.user_by_email(normal_email(email) or ""))
            await house.settled(service, rules.remove_developer, client_id, known.id if known else b"")
        return {"client_id": client_id, "developer": email, "done": "added" if what == "add" else "removed"}

    tell(house.with_service(data, work), as_json)


def _words(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(text.split())


COMMANDS: dict[str, Callable[..., None]] = {"update": update, "approve": approve, "waiting": waiting, "end": end}
"""The commands of ``grantway clients`` that are here, by name."""
