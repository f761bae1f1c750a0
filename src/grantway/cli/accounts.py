"""``grantway accounts`` and ``grantway members``: what people act for, and who may."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from grantway.cli import house
from grantway.cli.terminal import Answer, Data, Json, Limit, Stop, group, tell

if TYPE_CHECKING:
    from grantway.protocol.facts import Facts
    from grantway.protocol.moment import Moment
    from grantway.server.service import Service

app = group("Accounts: what people connect integrations to.")
members = group("Who belongs to an account, and whether they may connect integrations.")

AccountId = Annotated[
    str, typer.Argument(metavar="ID", help="The account: ac_…, or the id of your own that it was given.")
]
AccountOption = Annotated[str, typer.Option("--account", metavar="ID", help="The account: ac_…, or your own id of it.")]
UserOption = Annotated[str, typer.Option("--user", metavar="EMAIL", help="The user's address.")]


@app.command("create")
def create(
    name: Annotated[str, typer.Option("--name", help="Its name, as its people know it.")],
    subdomain: Annotated[str | None, typer.Option("--subdomain", help="What Sunshine answers as subdomain.")] = None,
    display_name: Annotated[
        str | None, typer.Option("--display-name", help="What Sunshine answers as displayName.")
    ] = None,
    external: Annotated[
        list[str] | None,
        typer.Option(
            "--external",
            metavar="DIALECT=ID",
            help="Its id in a dialect (sunshine, square, phonecom); those that are not given are drawn.",
        ),
    ] = None,
    own_id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="Your own id of it (the same as --external standard=ID).")
    ] = None,
    settings: Annotated[
        str | None, typer.Option("--settings", metavar="JSON", help="What Sunshine answers as settings.")
    ] = None,
    metadata: Annotated[
        str | None, typer.Option("--metadata", metavar="JSON", help="What Sunshine answers as metadata.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Create an account."""
    from grantway.cli import views
    from grantway.protocol.administration.accounts import OWN_ID, NewAccount, create_account

    external_ids = _pairs(external or [])
    if own_id is not None:
        external_ids[OWN_ID] = own_id
    wanted = NewAccount(
        name=name,
        display_name=display_name,
        subdomain=subdomain,
        external_ids=external_ids,
        settings=house.read_json_object(settings, "--settings") or {},
        metadata=house.read_json_object(metadata, "--metadata"),
    )

    async def work(service: Service) -> Answer:
        return views.account(await house.settled(service, create_account, wanted))

    tell(house.with_service(data, work), as_json)


@app.command("list")
def list_accounts(limit: Limit = 1000, data: Data = None, as_json: Json = False) -> None:
    """List the accounts, newest first."""
    from grantway.cli import views
    from grantway.protocol.paging import read_pages

    async def work(service: Service) -> Any:
        return await house.looked_up(service, lambda facts, at: read_pages(facts.accounts, limit))

    tell({"accounts": [views.account_line(one) for one in house.with_service(data, work)]}, as_json)


@app.command("show")
def show(account: AccountId, data: Data = None, as_json: Json = False) -> None:
    """Show an account with its members, the clients that belong to it, and its connections."""
    from grantway.cli import views
    from grantway.protocol.paging import read_pages

    async def question(facts: Facts, at: Moment) -> Answer:
        found = await house.find_account(facts, account)
        connections = await read_pages(partial(facts.connections, account_id=found.id))
        clients = await read_pages(partial(facts.clients_of_account, found.id))
        return {
            **views.account(found),
            "members": [views.member(one, user) for one, user in await facts.members(found.id)],
            "clients": [views.client_line(one) for one in clients],
            "connections": [views.connection(view) for view in connections],
        }

    async def work(service: Service) -> Answer:
        return await house.looked_up(service, question)

    tell(house.with_service(data, work), as_json, columns={"connections": views.CONNECTION_COLUMNS})


@app.command("suspend")
def suspend(account: AccountId, data: Data = None, as_json: Json = False) -> None:
    """Suspend an account: no token reaches it until it is resumed."""
    from grantway.protocol.administration.account_changes import suspend_account

    _change(data, account, suspend_account, as_json)


@app.command("resume")
def resume(account: AccountId, data: Data = None, as_json: Json = False) -> None:
    """Resume an account."""
    from grantway.protocol.administration.account_changes import resume_account

    _change(data, account, resume_account, as_json)


@app.command("remove")
def remove(account: AccountId, data: Data = None, as_json: Json = False) -> None:
    """Remove an account for good, and every connection with it; the integrations are told."""
    from grantway.cli import views
    from grantway.protocol.administration.account_changes import remove_account
    from grantway.protocol.administration.aftermath import remove_connections
    from grantway.protocol.administration.answers import OPERATOR

    async def rule(facts: Facts, at: Moment) -> Any:
        return await remove_account(facts, at, await house.find_account(facts, account), OPERATOR)

    async def work(service: Service) -> Answer:
        removed = await house.settled(service, rule)
        while await house.settled(service, remove_connections):
            pass
        return views.account_line(removed)

    tell(house.with_service(data, work), as_json)


@members.command("add")
def add_member(
    account: AccountOption,
    user: UserOption,
    role: Annotated[
        Literal["owner", "admin", "member"], typer.Option("--role", help="Owners and admins may connect integrations.")
    ],
    external: Annotated[
        list[str] | None,
        typer.Option(
            "--external",
            metavar="DIALECT=ID",
            help="Their own id in this account (phonecom: their extension); drawn if it is not given.",
        ),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a user a member of an account, or give a member another role."""
    from grantway.protocol.administration import people

    tell(_change_member(data, account, people.add_member, user, role, _pairs(external or [])), as_json)


@members.command("remove")
def remove_member(account: AccountOption, user: UserOption, data: Data = None, as_json: Json = False) -> None:
    """End a membership, and what the user had granted at the account."""
    from grantway.protocol.administration import people

    tell(_change_member(data, account, people.remove_member, user), as_json)


@members.command("list")
def list_members(account: AccountOption, data: Data = None, as_json: Json = False) -> None:
    """List the members of an account."""
    from grantway.cli import views

    async def question(facts: Facts, at: Moment) -> Answer:
        found = await house.find_account(facts, account)
        return {"members": [views.member(one, user) for one, user in await facts.members(found.id)]}

    async def work(service: Service) -> Answer:
        return await house.looked_up(service, question)

    tell(house.with_service(data, work), as_json)


def _change(data: Any, account: str, change: Any, as_json: bool) -> None:
    """Settle a rule about one account and show the account as it is then."""
    from grantway.cli import views

    async def rule(facts: Facts, at: Moment) -> Any:
        return await change(facts, at, await house.find_account(facts, account))

    async def work(service: Service) -> Answer:
        return views.account_line(await house.settled(service, rule))

    tell(house.with_service(data, work), as_json)


def _change_member(data: Any, account: str, rule: Any, *args: Any) -> Answer:
    from grantway.cli import views

    async def work(service: Service) -> Answer:
        found = await house.looked_up(service, lambda facts, at: house.find_account(facts, account))
        changed = await house.settled(service, rule, found.id, *args)
        about = {"account_id": views.account_line(changed.account)["id"], "account": changed.account.name}
        return {**about, **views.member(changed.membership, changed.user)}

    return house.with_service(data, work)


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        dialect, equals, external_id = text.partition("=")
        if not equals or dialect in pairs:
            raise Stop(
                f"--external takes DIALECT=ID, each dialect once; {text!r} does not fit.", reason="option_malformed"
            )
        pairs[dialect] = external_id
    return pairs
