"""``grantway clients``: integrations, resource servers and operators."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from grantway.cli import house
from grantway.cli.terminal import Answer, Data, Json, Limit, Stop, group, tell

if TYPE_CHECKING:
    from grantway.protocol.facts import Facts
    from grantway.protocol.model import Client
    from grantway.protocol.moment import Moment
    from grantway.server.service import Service

app = group("Clients: integrations, resource servers, operators.")

ClientId = Annotated[str, typer.Argument(metavar="ID", help="The client id.")]
SHOWN_ONCE = "The secret is shown this once."


@app.command("create")
def create(
    name: Annotated[str, typer.Option("--name", help="Its name, as customers read it.")],
    profile: Annotated[
        str, typer.Option("--profile", help="How it speaks: standard, sunshine, square or phonecom.")
    ] = "standard",
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option(
            "--redirect-uri", metavar="URI", help="Where customers come back to (repeatable); the first is the default."
        ),
    ] = None,
    remove_url: Annotated[
        str | None, typer.Option("--remove-url", metavar="URL", help="What is told of removed connections.")
    ] = None,
    scope: Annotated[
        str | None, typer.Option("--scope", metavar='"A B"', help="The scopes that it may be given.")
    ] = None,
    default_scope: Annotated[
        str | None,
        typer.Option(
            "--default-scope", metavar='"A B"', help="What it gets when it names none; all of them if left out."
        ),
    ] = None,
    required_scope: Annotated[
        str | None,
        typer.Option(
            "--required-scope", metavar='"A B"', help="What it cannot do without; customers may refuse the rest."
        ),
    ] = None,
    create_scopes: Annotated[
        bool, typer.Option("--create-scopes", help="Add scopes that the catalogue lacks.")
    ] = False,
    public: Annotated[
        bool, typer.Option("--public", help="It cannot keep a secret (an app, a page in a browser).")
    ] = False,
    kind: Annotated[
        Literal["integration", "resource-server", "operator"], typer.Option("--kind", help="What it is.")
    ] = "integration",
    resource: Annotated[
        list[str] | None,
        typer.Option(
            "--resource",
            metavar="URI",
            help="A resource it may ask tokens for or, for a resource server, is (repeatable).",
        ),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(
            "--account", metavar="ID", help="Whose it is: the account that it acts for when it acts for itself."
        ),
    ] = None,
    client_id: Annotated[
        str | None, typer.Option("--client-id", metavar="ID", help="Its id, if it has one already.")
    ] = None,
    client_secret_stdin: Annotated[
        bool, typer.Option("--client-secret-stdin", help="Read its secret from standard input, if it has one already.")
    ] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="One field of its profile's policy (repeatable)."),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Register a client. Its secret is shown once."""
    from dataclasses import replace

    from grantway.cli import views
    from grantway.protocol.administration.clients import NewClient, create_client
    from grantway.server.connections.signing import notice_secret

    wanted = NewClient(
        name=name,
        profile=profile,
        kind="resource_server" if kind == "resource-server" else kind,
        public=public,
        client_id=client_id,
        client_secret=house.read_secret("Client secret") if client_secret_stdin else None,
        redirect_uris=tuple(redirect_uri or ()),
        remove_url=remove_url,
        scopes=None if scope is None else tuple(scope.split()),
        default_scopes=None if default_scope is None else tuple(default_scope.split()),
        resources=tuple(resource or ()),
        required_scopes=tuple((required_scope or "").split()),
        overrides=overrides_of(set_ or []),
    )

    async def work(service: Service) -> Answer:
        check_remove_url(service, remove_url)
        # On one's own machine, and without a catalogue that somebody wrote, a first try needs no ceremony.
        unasked = service.settings.is_local and not service.settings.scopes
        asked = replace(wanted, account_id=await house.account_row(service, account))
        created = await house.settled(service, create_client, asked, create_scopes=create_scopes or unasked)
        shown = views.client(created.client)
        return {
            "client_id": shown.pop("client_id"),
            "client_secret": created.client_secret,
            **shown,
            "notice_secret": notice_secret(created.client, service.vault)
            if created.client.kind == "integration"
            else None,
            "new_scopes": list(created.new_scopes),
        }

    tell(house.with_service(data, work), as_json, None if public or client_secret_stdin else SHOWN_ONCE)


@app.command("list")
def list_clients(limit: Limit = 1000, data: Data = None, as_json: Json = False) -> None:
    """List the clients, newest first."""
    from grantway.cli import views
    from grantway.protocol.paging import read_pages

    async def work(service: Service) -> Any:
        return await house.looked_up(service, lambda facts, at: read_pages(facts.clients, limit))

    tell({"clients": [views.client_line(one) for one in house.with_service(data, work)]}, as_json)


@app.command("show")
def show(client_id: ClientId, data: Data = None, as_json: Json = False) -> None:
    """Show a client. Secrets are not shown: only when they were made and until when they work."""
    from grantway.cli import views

    async def work(service: Service) -> Answer:
        return views.client(await house.looked_up(service, lambda facts, at: _find(facts, at, client_id)))

    tell(house.with_service(data, work), as_json)


@app.command("rotate-secret")
def rotate_secret(
    client_id: ClientId,
    expire_old_in: Annotated[
        int | None,
        typer.Option(
            "--expire-old-in", metavar="SECONDS", help="How long the secret before works on; 7 days if left out."
        ),
    ] = None,
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Drop the secrets before at once, and the tokens issued until now.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Give a client a second secret; the one before works on for a while. At most two live at once."""
    from datetime import timedelta

    from grantway.protocol.administration.client_secrets import CHANGEOVER
    from grantway.protocol.administration.client_secrets import rotate_secret as rule

    if compromised and expire_old_in:
        raise Stop(
            "--compromised drops the secrets before at once: leave out --expire-old-in.", reason="option_malformed"
        )
    try:
        changeover = CHANGEOVER if expire_old_in is None else timedelta(seconds=expire_old_in)
    except OverflowError:
        changeover = timedelta.max

    async def work(service: Service) -> Answer:
        rotated = await house.settled(service, rule, client_id, expire_old_in=changeover, compromised=compromised)
        return {
            "client_id": client_id,
            "client_secret": rotated.client_secret,
            "older_secret_works_until": rotated.older.expires_at if rotated.older else None,
            "dropped_secrets": rotated.dropped,
            "tokens_not_before": rotated.client.tokens_not_before,
        }

    tell(house.with_service(data, work), as_json, SHOWN_ONCE)


@app.command("notice-secret")
def show_notice_secret(client_id: ClientId, data: Data = None, as_json: Json = False) -> None:
    """Show the key by which an integration verifies what we send it (Standard Webhooks)."""
    from grantway.server.connections.signing import notice_secret

    async def work(service: Service) -> Answer:
        client = await house.looked_up(service, lambda facts, at: _find(facts, at, client_id))
        return {"client_id": client_id, "notice_secret": notice_secret(client, service.vault)}

    tell(house.with_service(data, work), as_json)


@app.command("set-icon")
def set_icon(
    client_id: ClientId,
    picture: Annotated[Path, typer.Argument(metavar="FILE", help="PNG, JPEG or WebP, up to 1 MiB.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Give a client the picture that customers see when they are asked."""
    import hashlib

    from grantway.cli import views
    from grantway.protocol.administration import client_changes
    from grantway.server.icons import encode_icon

    try:
        png = encode_icon(picture.read_bytes())
    except OSError as error:
        raise Stop(f"{picture} cannot be read: {error.strerror}.", reason="file_unreadable") from None
    except ValueError as problem:
        raise Stop(str(problem), reason="icon_malformed") from None
    digest = hashlib.sha256(png).hexdigest()

    async def work(service: Service) -> Answer:
        client = await house.settled(service, client_changes.set_icon, client_id, png, digest)
        return {**views.client_line(client), "icon_bytes": len(png), "icon_digest": digest}

    tell(house.with_service(data, work), as_json)


@app.command("disable")
def disable(client_id: ClientId, data: Data = None, as_json: Json = False) -> None:
    """Switch a client off: its tokens are good for nothing until it is enabled again."""
    from grantway.protocol.administration.client_life import disable_client

    switch(disable_client, client_id, data, as_json)


@app.command("enable")
def enable(client_id: ClientId, data: Data = None, as_json: Json = False) -> None:
    """Switch a client on again."""
    from grantway.protocol.administration.client_life import enable_client

    switch(enable_client, client_id, data, as_json)


def switch(rule: Any, client_id: str, data: Path | None, as_json: bool, *more: Any) -> None:
    """Settle a rule about one client and show the client."""
    from grantway.cli import views

    async def work(service: Service) -> Answer:
        return views.client_line(await house.settled(service, rule, client_id, *more))

    tell(house.with_service(data, work), as_json)


def check_remove_url(service: Service, url: str | None) -> None:
    """``Stop`` at an address that notices could not be sent to."""
    from grantway.server.connections.outgoing import check_target

    try:
        if url is not None:
            check_target(url, service.settings.outgoing_rules)
    except ValueError as problem:
        raise Stop(f"The remove URL {url}: {problem}", reason="remove_url_malformed") from None


async def _find(facts: Facts, at: Moment, client_id: str) -> Client:
    from grantway.protocol.administration.answers import Rejected
    from grantway.protocol.administration.clients import find_client

    found = await find_client(facts, client_id)
    if isinstance(found, Rejected):
        raise Stop(found.sentence, reason=found.reason)
    return found


def overrides_of(texts: list[str]) -> tuple[tuple[str, Any], ...]:
    """What ``--set`` was given."""
    import json

    pairs: dict[str, Any] = {}
    for text in texts:
        field, equals, value = text.partition("=")
        if not equals or not field or field in pairs:
            raise Stop(f"--set takes FIELD=VALUE, each field once; {text!r} does not fit.", reason="option_malformed")
        try:
            pairs[field] = json.loads(value)
        except ValueError:
            pairs[field] = value
    return tuple(sorted(pairs.items()))
