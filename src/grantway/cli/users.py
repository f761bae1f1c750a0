"""``grantway users``: people who can sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from grantway.cli import house
from grantway.cli.terminal import Answer, Data, Json, Limit, Stop, group, tell

if TYPE_CHECKING:
    from pathlib import Path

    from grantway.protocol.model import Session, User
    from grantway.server.service import Service

app = group("People who can sign in.")

Email = Annotated[str, typer.Option("--email", help="The address that they sign in with.")]
UserId = Annotated[str, typer.Argument(metavar="USER", help="The person: us_…, or their address.")]


@app.command("create")
def create(
    email: Email,
    name: Annotated[str, typer.Option("--name", help="How pages address them.")],
    password_stdin: Annotated[
        bool,
        typer.Option(
            "--password-stdin", help="Read the password from standard input. Without one, nobody can sign in yet."
        ),
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Create a user."""
    from grantway.cli import views
    from grantway.protocol.administration.people import create_user

    password_hash = _read_password_hash() if password_stdin else None

    async def work(service: Service) -> User:
        user: User = await house.settled(service, create_user, email, name, password_hash)
        return user

    tell(views.user(house.with_service(data, work)), as_json)


@app.command("set-password")
def set_password(
    email: Email,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read it from standard input.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Give a user another password, read from standard input."""
    from grantway.cli import views
    from grantway.protocol.administration import people

    if not password_stdin:
        raise Stop("A password is read from standard input only: add --password-stdin.", reason="password_missing")
    password_hash = _read_password_hash()

    async def work(service: Service) -> User:
        user: User = await house.settled(service, people.set_password, email, password_hash)
        return user

    tell(views.user(house.with_service(data, work)), as_json)


@app.command("list")
def list_users(limit: Limit = 1000, data: Data = None, as_json: Json = False) -> None:
    """List the users, newest first."""
    from grantway.cli import views
    from grantway.protocol.paging import read_pages

    async def work(service: Service) -> tuple[User, ...]:
        return await house.looked_up(service, lambda facts, at: read_pages(facts.users, limit))

    tell({"users": [views.user(one) for one in house.with_service(data, work)]}, as_json)


@app.command("invite")
def invite(
    email: Email,
    name: Annotated[str, typer.Option("--name", help="How pages address them.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Create a user and write them a letter with a link to choose a password; once more, if they have not chosen one."""
    from grantway.cli import views
    from grantway.protocol.administration.invitations import invite_user

    async def work(service: Service) -> Answer:
        return views.user(await house.settled(service, invite_user, email, name))

    tell(house.with_service(data, work), as_json)


@app.command("disable")
def disable(user: UserId, data: Data = None, as_json: Json = False) -> None:
    """Sign a user out and let them in no more; what they connected is treated as if they had left their accounts."""
    from grantway.protocol.administration.people import disable_user

    _change(user, disable_user, data, as_json)


@app.command("enable")
def enable(user: UserId, data: Data = None, as_json: Json = False) -> None:
    """Let a user sign in again."""
    from grantway.protocol.administration.people import enable_user

    _change(user, enable_user, data, as_json)


@app.command("erase")
def erase(
    user: UserId,
    force: Annotated[
        bool, typer.Option("--force", help="Even where they are the last owner of an account, which then has none.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Erase who a user was, for good: what they did stays, under a name that tells nothing."""
    from functools import partial

    from grantway.protocol.administration.erasure import erase_user

    _change(user, partial(erase_user, force=force), data, as_json)


@app.command("sessions")
def sessions(user: UserId, data: Data = None, as_json: Json = False) -> None:
    """List where a user is signed in, newest sign-in first."""
    from grantway.cli import views

    async def work(service: Service) -> tuple[Session, ...]:
        found = await house.looked_up(service, lambda facts, at: house.find_user(facts, user))
        return await house.looked_up(service, lambda facts, at: facts.sessions_of(found.id))

    tell({"sessions": [views.session(one) for one in house.with_service(data, work)]}, as_json)


@app.command("sign-out")
def sign_out(user: UserId, data: Data = None, as_json: Json = False) -> None:
    """Sign a user out everywhere."""
    from grantway.protocol.administration.people import sign_out_user

    _change(user, sign_out_user, data, as_json)


def _change(user: str, rule: Any, data: Path | None, as_json: bool) -> None:
    """Settle a rule about one person and show them as they are then."""
    from grantway.cli import views

    async def work(service: Service) -> Answer:
        found = await house.looked_up(service, lambda facts, at: house.find_user(facts, user))
        return views.user(await house.settled(service, rule, found.id))

    tell(house.with_service(data, work), as_json)


def _read_password_hash() -> str:
    from grantway.protocol.administration.people import check_password
    from grantway.server.passwords import hash_password

    password = house.read_secret("Password")
    if problem := check_password(password):
        raise Stop(problem, reason="password_malformed")
    return hash_password(password)
