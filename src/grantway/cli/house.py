"""How a command works on the storage that the server works on, while that runs or not."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from grantway.cli.terminal import Stop

if TYPE_CHECKING:
    from datetime import datetime

    from grantway.protocol.facts import ConnectionInView, Facts
    from grantway.protocol.model import Account, Client, User
    from grantway.protocol.moment import Moment
    from grantway.server.service import RuleFunction, Service
    from grantway.server.settings import Settings

T = TypeVar("T")


def settings_of(data: Path | None, **options: Any) -> Settings:
    """The settings, or ``Stop`` with all that is wrong with them."""
    from grantway.server.settings_sources import CannotStart, load_settings

    try:
        return load_settings(data=data, **options)
    except CannotStart as problem:
        raise Stop(*problem.problems, reason="settings") from None


def with_service(data: Path | None, work: Callable[[Service], Awaitable[T]]) -> T:
    """What ``work`` gives back on the opened service. The database is made and migrated when it has to be."""
    import asyncio

    from grantway.server.opening import open_service, prepare

    # One commit needs no measuring of the disk to choose where it runs.
    settings = settings_of(data).model_copy(update={"writer": "tick"})

    async def run() -> T:
        service = await open_service(settings)
        try:
            return await work(service)
        finally:
            await service.storage.close()

    with told_why():
        prepare(settings)
        return asyncio.run(run())


@contextmanager
def told_why() -> Iterator[None]:
    """What stops the work inside is said in its own sentence."""
    from grantway.server.settings_sources import CannotStart
    from grantway.server.storage.port import StorageError

    try:
        yield
    except CannotStart as problem:
        raise Stop(*problem.problems, reason="cannot_start") from None
    except StorageError as problem:
        raise Stop(str(problem), reason="storage") from None


async def settled(service: Service, rule: RuleFunction[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The rule's answer, made true. A refusal becomes ``Stop``."""
    from grantway.protocol.administration.answers import Rejected
    from grantway.protocol.decision import Refusal

    decision = await service.settle(rule, *args, **kwargs)
    if isinstance(decision.answer, Rejected):
        raise Stop(decision.answer.sentence, reason=decision.answer.reason)
    if isinstance(decision.answer, Refusal):
        raise Stop(decision.answer.error.description, reason=decision.answer.reason)
    return decision.answer


async def looked_up(service: Service, question: Callable[[Facts, Moment], Awaitable[T]]) -> T:
    """What the facts say, without changing anything. ``Stop`` passes through."""
    from grantway.protocol.decision import Decision

    async def rule(facts: Facts, at: Moment) -> Decision[T]:
        return Decision(await question(facts, at))

    return (await service.consult(rule)).answer


async def find_account(facts: Facts, text: str, *, removed: bool = False) -> Account:
    """The account by our id (``ac_…``) or by the platform's own. Removed ones only when they are asked for."""
    from grantway.protocol.administration.accounts import OWN_ID
    from grantway.protocol.ids import parse

    row_id = parse("ac", text)
    account = await facts.account(row_id) if row_id else await facts.account_by_external_id(OWN_ID, text)
    if account is None or (account.removed_at is not None and not removed):
        raise Stop(f"There is no account {text}.", reason="account_unknown")
    return account


async def account_row(service: Service, text: str | None) -> bytes | None:
    """The row id of the account that an option names; ``None`` where it was left out, nothing where it is empty."""
    if not text:
        return None if text is None else b""
    return (await looked_up(service, lambda facts, at: find_account(facts, text))).id


async def find_user(facts: Facts, text: str) -> User:
    """The person by our id (``us_…``) or by their address. Not everybody has one: those who come by hand-off may not."""
    from grantway.protocol.administration.people import normal_email
    from grantway.protocol.ids import parse

    row_id = parse("us", text)
    user = await facts.user(row_id) if row_id else await facts.user_by_email(normal_email(text) or "")
    if user is None:
        raise Stop(f"There is no user {text}.", reason="user_unknown")
    return user


async def find_client(facts: Facts, client_id: str) -> Client:
    """The client, ended ones, too: what they left behind can be looked at."""
    client = await facts.client(client_id)
    if client is None:
        raise Stop(f"There is no client {client_id!r}.", reason="client_unknown")
    return client


async def find_connection(facts: Facts, text: str) -> ConnectionInView:
    """The connection by our id (``cn_…``) or by its integration id."""
    from grantway.protocol.ids import parse

    row_id = parse("cn", text)
    view = await facts.connection(row_id) if row_id else await facts.connection_by_integration_id(text)
    if view is None:
        raise Stop(f"There is no connection {text}.", reason="connection_unknown")
    return view


def read_time(text: str) -> datetime:
    """A time that an option was given (UTC, unless it says otherwise), or ``Stop``."""
    from datetime import UTC, datetime

    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise Stop(f"{text!r} is not a time, such as 2026-01-31T08:00.", reason="time_malformed") from None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def row_id_of(prefix: str, what: str, text: str) -> bytes:
    """The row id that ``text`` shows, or ``Stop``."""
    from grantway.protocol.ids import parse

    row_id = parse(prefix, text)
    if row_id is None:
        raise Stop(f"{text!r} is not the id of a {what}: those begin with {prefix}_.", reason="id_malformed")
    return row_id


def read_secret(what: str) -> str:
    """A secret from standard input, without the line end. Never from an argument: those are in everybody's process list."""
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass(f"{what}: ")
    text = sys.stdin.readline()
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise Stop(f"There is no {what.lower()} on standard input.", reason="stdin_empty")
    return secret


def read_json_object(text: str | None, option: str) -> dict[str, Any] | None:
    """The JSON object that an option was given, or ``Stop``."""
    import json

    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Stop(f"{option} takes a JSON object.", reason="not_an_object")
    return value
