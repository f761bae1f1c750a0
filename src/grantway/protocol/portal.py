"""What developers may do with their integrations: the rules behind ``/developers``.

Everything starts with ``developer_of``: whoever does not look after a client is told that there is none. Secrets,
deletion and removal of people take a sign-in that is not long ago.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from grantway.protocol.administration import client_changes, client_life, client_secrets, developers
from grantway.protocol.administration.answers import Rejected, reject
from grantway.protocol.administration.approval import last_word, submit
from grantway.protocol.administration.client_changes import ClientChange
from grantway.protocol.administration.client_secrets import RotatedSecret, live_secrets
from grantway.protocol.administration.clients import CreatedClient, NewClient, create_client
from grantway.protocol.audit import by_user
from grantway.protocol.decision import Decision, Refusal, refuse
from grantway.protocol.facts import Facts
from grantway.protocol.model import Account, Client, ClientSecret, Developer, Icon, RefusedAuthorization, Scope, User
from grantway.protocol.moment import Moment
from grantway.protocol.sessions import is_recent, signed_in
from grantway.wire.errors import ACCESS_DENIED, LOGIN_REQUIRED, NOT_FOUND
from grantway.wire.record import record
from grantway.wire.sentence import worded

A = TypeVar("A")

MOST_INTEGRATIONS = 50
"""Integrations that one person may look after and still register another."""


@record
class AtWork:
    """A developer, and the client that they look after. ``recently``: they signed in not long ago."""

    user: User
    client: Client
    recently: bool

    @property
    def actor(self) -> str:
        return by_user(self.user)


@record
class Workshop:
    """A person's integrations, and whether they may register another."""

    user: User
    clients: tuple[Client, ...]
    may_register: bool
    scopes: tuple[Scope, ...]
    accounts: tuple[Account, ...] = ()
    """Those that a new integration can belong to."""


@record
class Integration:
    """One integration as its developers see it."""

    at_work: AtWork
    icon: Icon | None
    developers: tuple[tuple[Developer, User], ...]
    secrets: tuple[ClientSecret, ...]
    refused: tuple[RefusedAuthorization, ...]
    scopes: tuple[Scope, ...]
    last_word: str | None
    """What the operator said when the draft was sent back."""
    account: Account | None = None
    """Whose it is: for which account it acts when it acts for itself."""


async def developer_of(
    facts: Facts, at: Moment, session: str | None, client_id: str, *, recently: bool = False
) -> AtWork | Refusal:
    """Who is signed in, when they look after this client; of others' clients nothing is told."""
    found = await signed_in(facts, at, session)
    if found is None:
        return Refusal(LOGIN_REQUIRED, "login_required")
    since, user = found
    client = await facts.client(client_id)
    if client is None or client.ended_at is not None or await facts.developer(client.id, user.id) is None:
        return Refusal(NOT_FOUND, "client_unknown")
    if recently and not is_recent(since, at):
        return Refusal(LOGIN_REQUIRED, "sign_in_too_old")
    return AtWork(user, client, is_recent(since, at))


async def workshop(facts: Facts, at: Moment, session: str | None) -> Decision[Workshop | Refusal]:
    """The first page of the portal."""
    found = await signed_in(facts, at, session)
    if found is None:
        return refuse(LOGIN_REQUIRED, "login_required")
    user = found[1]
    mine = await facts.clients_of_developer(user.id)
    may = await _may_register(facts, at, user)
    if not may:
        return Decision(Workshop(user, mine, may, ()), reason="workshop_shown")
    shown = Workshop(user, mine, may, await facts.scopes(), await own_accounts(facts, user.id))
    return Decision(shown, reason="workshop_shown")


async def integration(
    facts: Facts, at: Moment, session: str | None, client_id: str, *, recently: bool = False
) -> Decision[Integration | Refusal]:
    """One integration. ``recently`` for what an unattended screen must not show."""
    found = await developer_of(facts, at, session, client_id, recently=recently)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    client = found.client
    shown = Integration(
        found,
        await facts.icon(client.id),
        await facts.developers(client.id),
        tuple(live_secrets(client, at)),
        await facts.refused_authorizations(client.id),
        await facts.scopes(),
        await last_word(facts, client),
        None if client.account_id is None else await facts.account(client.account_id),
    )
    return Decision(shown, reason="integration_shown")


async def register(
    facts: Facts, at: Moment, session: str | None, wanted: NewClient
) -> Decision[CreatedClient | Rejected | Refusal]:
    """A new integration: a draft of this person's."""
    found = await signed_in(facts, at, session)
    if found is None:
        return refuse(LOGIN_REQUIRED, "login_required")
    user = found[1]
    if not await _may_register(facts, at, user):
        return refuse(ACCESS_DENIED, "registration_closed")
    if len(await facts.clients_of_developer(user.id)) >= MOST_INTEGRATIONS:
        return reject(
            worded("One person looks after at most %(most)s integrations.", most=MOST_INTEGRATIONS),
            "too_many_integrations",
        )
    if wanted.account_id is not None and all(
        account.id != wanted.account_id for account in await own_accounts(facts, user.id)
    ):
        return reject("There is no such account.", "account_unknown")
    # What only an operator gives is not taken from a form, whoever fills it in.
    plain = replace(wanted, kind="integration", client_id=None, client_secret=None, overrides=(), resources=())
    return _either(await create_client(facts, at, plain, developer=user))


async def edit(
    facts: Facts, at: Moment, session: str | None, client_id: str, change: ClientChange, version: int | None
) -> Decision[Client | Rejected | Refusal]:
    """Other names, addresses or scopes. What a customer relies on has to be approved anew."""
    found = await developer_of(facts, at, session, client_id)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    plain = replace(change, resources=None, overrides=None, account_id=None)
    return _either(
        await client_changes.update_client(facts, at, client_id, plain, version=version, developer=found.user)
    )


async def set_icon(
    facts: Facts, at: Moment, session: str | None, client_id: str, png: bytes, png_digest: str
) -> Decision[Client | Rejected | Refusal]:
    """Another picture."""
    found = await developer_of(facts, at, session, client_id)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    return _either(await client_changes.set_icon(facts, at, client_id, png, png_digest, developer=found.user))


async def ask_approval(
    facts: Facts, at: Moment, session: str | None, client_id: str
) -> Decision[Client | Rejected | Refusal]:
    """The draft is put before an operator."""
    found = await developer_of(facts, at, session, client_id)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    return _either(await submit(facts, at, client_id, actor=found.actor))


async def new_secret(
    facts: Facts, at: Moment, session: str | None, client_id: str
) -> Decision[RotatedSecret | Rejected | Refusal]:
    """A second secret. The one before works for a week more, or until it is ended."""
    found = await developer_of(facts, at, session, client_id, recently=True)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    return _either(await client_secrets.rotate_secret(facts, at, client_id, actor=found.actor))


async def end_secret(
    facts: Facts, at: Moment, session: str | None, client_id: str, name: str
) -> Decision[Client | Rejected | Refusal]:
    """One of two secrets works no more."""
    found = await developer_of(facts, at, session, client_id, recently=True)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    return _either(await client_secrets.end_secret(facts, at, client_id, name, actor=found.actor))


async def delete(
    facts: Facts, at: Moment, session: str | None, client_id: str
) -> Decision[Client | Rejected | Refusal]:
    """The integration ends, and whatever it is connected to."""
    found = await developer_of(facts, at, session, client_id, recently=True)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    return _either(await client_life.end_client(facts, at, client_id, reason="integrator", actor=found.actor))


async def add_developer(
    facts: Facts, at: Moment, session: str | None, client_id: str, email: str
) -> Decision[Developer | Rejected | Refusal]:
    """Somebody else looks after it, too."""
    found = await developer_of(facts, at, session, client_id, recently=True)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    return _either(await developers.add_developer(facts, at, client_id, email, by=found.user))


async def remove_developer(
    facts: Facts, at: Moment, session: str | None, client_id: str, user_id: bytes
) -> Decision[Developer | Rejected | Refusal]:
    """Somebody does not look after it any more; one may leave oneself."""
    found = await developer_of(facts, at, session, client_id, recently=True)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    return _either(await developers.remove_developer(facts, at, client_id, user_id, by=found.user))


async def own_accounts(facts: Facts, user_id: bytes) -> tuple[Account, ...]:
    """Accounts that the person may connect integrations to, by name."""
    return tuple(account for membership, account in await facts.memberships(user_id) if membership.may_connect)


async def _may_register(facts: Facts, at: Moment, user: User) -> bool:
    match at.house.registration:
        case "open":
            return True
        case "members":
            return any(membership.may_connect for membership, _ in await facts.memberships(user.id))
        case "closed":
            return False


def _either(decision: Decision[A]) -> Decision[A | Refusal]:
    """The same decision, where a refusal would have been possible, too."""
    return Decision(decision.answer, decision.changes, decision.reason)
