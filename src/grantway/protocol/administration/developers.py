"""Who looks after a client in the developer portal."""

from __future__ import annotations

from dataclasses import replace

from grantway.protocol.administration.answers import OPERATOR, Rejected, recorded, reject
from grantway.protocol.administration.clients import find_client
from grantway.protocol.administration.people import normal_email
from grantway.protocol.audit import by_user
from grantway.protocol.decision import Add, Decision, Forget, Put, Replace
from grantway.protocol.facts import Facts
from grantway.protocol.model import Client, Developer, User
from grantway.protocol.moment import Moment
from grantway.wire.sentence import worded

MOST = 20
"""Developers of one client: whether a draft may connect an account asks for each of them."""


async def add_developer(
    facts: Facts, at: Moment, client_id: str, email: str, *, by: User | None = None
) -> Decision[Developer | Rejected]:
    """The person looks after the client.

    A developer (``by``) adds people of their own accounts only: who else is known here is not theirs to find out. Whose
    accounts a draft connects does not change by it; whoever an operator adds opens theirs, too.
    """
    client = await find_client(facts, client_id)
    if isinstance(client, Rejected):
        return Decision(client, (), client.reason)
    if client.kind != "integration":
        return reject("Only integrations have developers.", "client_not_integration")
    user = await facts.user_by_email(normal_email(email) or "")
    if user is None or user.disabled_at is not None or (by is not None and not await _know_each_other(facts, by, user)):
        return reject(worded("There is no user %(email)s whom you could add.", email=email.strip()), "user_unknown")
    developers = await facts.developers(client.id)
    for known, _ in developers:
        if known.user_id == user.id and (by is not None or known.added_by is None):
            return Decision(known, (), "unchanged")
        if known.user_id == user.id:
            vouched = replace(known, added_by=None)
            entry = recorded(at, "developer_added", actor=_actor(by), client_id=client.id, user_id=user.id)
            return Decision(vouched, (Put(vouched), Replace(_touched(client)), entry))
    if len(developers) >= MOST:
        return reject(worded("An integration has at most %(most)s developers.", most=MOST), "too_many_developers")
    added = Developer(client.id, user.id, at.now, None if by is None else by.id)
    entry = recorded(at, "developer_added", actor=_actor(by), client_id=client.id, user_id=user.id)
    return Decision(added, (Add(added), Replace(_touched(client)), entry))


async def remove_developer(
    facts: Facts, at: Moment, client_id: str, user_id: bytes, *, by: User | None = None
) -> Decision[Developer | Rejected]:
    """The person does not look after the client any more. A developer cannot remove the last one."""
    client = await find_client(facts, client_id)
    if isinstance(client, Rejected):
        return Decision(client, (), client.reason)
    developers = await facts.developers(client.id)
    found = next((known for known, _ in developers if known.user_id == user_id), None)
    if found is None:
        return reject("This person does not look after it.", "developer_unknown")
    if by is not None and len(developers) == 1:
        return reject("This is the last developer: add another one first, or delete the integration.", "last_developer")
    entry = recorded(at, "developer_removed", actor=_actor(by), client_id=client.id, user_id=user_id)
    return Decision(found, (Forget(found), Replace(_touched(client)), entry))


async def _know_each_other(facts: Facts, one: User, other: User) -> bool:
    mine = {account.id for _, account in await facts.memberships(one.id)}
    return any(account.id in mine for _, account in await facts.memberships(other.id))


def _touched(client: Client) -> Client:
    return replace(client, version=client.version + 1)


def _actor(by: User | None) -> str:
    return OPERATOR if by is None else by_user(by)
