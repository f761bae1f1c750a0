"""A person is erased: what told who they were is gone, what they did stays under a name that tells nothing.

The audit names people by their ids only, so its entries and seals stay as they are (GDPR Art. 17).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from grantway.protocol.administration.answers import OPERATOR, Rejected, recorded, reject
from grantway.protocol.decision import Change, Decision, EndSessions, EndUserGrants, Forget, Replace
from grantway.protocol.facts import Facts
from grantway.protocol.lifecycle import member_left
from grantway.protocol.model import User
from grantway.protocol.moment import Moment
from grantway.wire import base62
from grantway.wire.sentence import worded


async def erase_user(
    facts: Facts, at: Moment, user_id: bytes, *, force: bool = False, actor: str = OPERATOR
) -> Decision[User | Rejected]:
    """Name, address, password, sessions, links and places of a person are gone, and what they had allowed ends.

    Their connections become what they become when a member leaves. ``force``: even where nobody else owns an account.
    """
    user = await facts.user(user_id)
    if user is None:
        return reject("There is no such user.", "user_unknown")
    if user.erased_at is not None:
        return Decision(user, (), "unchanged")
    changes: list[Change] = []
    for membership, account in await facts.memberships(user_id):
        owners = sum(one.role == "owner" for one, _ in await facts.members(account.id))
        if membership.role == "owner" and owners == 1 and not force:
            return reject(worded("They are the last owner of %(name)s.", name=account.name), "last_owner")
        connections = await facts.connections_approved_by(user_id, account.id)
        changes += [
            Forget(membership),
            Replace(replace(account, version=account.version + 1)),
            *await member_left(facts, at, account.id, user),
            *(EndUserGrants(one.id, user_id, at.now, "user_erased") for one in connections),
            recorded(at, "member_removed", actor=actor, reason="user_erased", account_id=account.id, user_id=user_id),
        ]
    for client in await facts.clients_of_developer(user_id):
        developer = await facts.developer(client.id, user_id)
        if developer is not None:
            changes += [Forget(developer), Replace(replace(client, version=client.version + 1))]
    operator = await facts.operator(user_id)
    if operator is not None:
        changes.append(Forget(operator))
    erased = nobody(user, at.now)
    changes += [
        *(Forget(link) for link in await facts.links_of(user_id)),
        EndSessions(user_id),
        Replace(erased),
        recorded(at, "user_erased", actor=actor, user_id=user_id),
    ]
    return Decision(erased, tuple(changes), "user_erased")


def nobody(user: User, at: datetime) -> User:
    """What is left of a person: an id, and a name made from it."""
    return replace(
        user,
        email=None,
        external_id=None,
        name=f"erased-{base62.encode(user.id)[-8:]}",
        language=None,
        password_hash=None,
        password_version=user.password_version + 1,
        disabled_at=user.disabled_at or at,
        erased_at=at,
        version=user.version + 1,
    )
