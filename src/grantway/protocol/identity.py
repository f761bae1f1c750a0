"""Who somebody is, as the platform says it: a person, their accounts, and when they signed in there.

What the platform says is true from then on: the person, the accounts that it names and the memberships in accounts of
its own become so in one commit. Accounts that the platform has no id for are the operators' and stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import Any

from grantway.protocol.administration.accounts import OWN_ID, NewAccount, check_account, create_account
from grantway.protocol.administration.answers import Rejected, recorded
from grantway.protocol.administration.member_ids import check_member_ids, member_ids
from grantway.protocol.administration.people import check_name, normal_email
from grantway.protocol.decision import Add, Change, Forget, Put, Replace
from grantway.protocol.facts import Facts
from grantway.protocol.lifecycle import member_left
from grantway.protocol.model import Account, Membership, Role, User
from grantway.protocol.moment import Moment
from grantway.wire.record import record

MOST_ACCOUNTS = 200
LONGEST_AUTH_AGE = timedelta(days=1)
"""A sign-in at the platform that is longer ago is none."""
CLOCKS_DIFFER = timedelta(seconds=60)
"""By so much the platform's clock may be ahead of ours."""
LONGEST_ID = 191
_ACTOR = "platform"
_ROLES = ("owner", "admin", "member")


@record
class IdentityAccount:
    """An account of the person. ``id`` is the platform's own; what is left out stays as it is, or is drawn.

    ``member_ids`` are the ids by which dialects know the person in this account.
    """

    id: str
    name: str
    role: Role
    external_ids: Mapping[str, str] = field(default_factory=dict)
    display_name: str | None = None
    subdomain: str | None = None
    settings: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] | None = None
    member_ids: Mapping[str, str] = field(default_factory=dict)


@record
class Identity:
    """A person who has signed in at the platform at ``auth_time``. ``id`` is the platform's own id of them."""

    id: str
    name: str
    auth_time: datetime
    accounts: tuple[IdentityAccount, ...] = ()
    email: str | None = field(default=None, repr=False)


@record
class Settled:
    """The person as they are now, once ``changes`` are true."""

    user: User
    changes: tuple[Change, ...]


def check_identity(identity: Identity, now: datetime) -> str | None:
    """The sentence that says what is wrong with it, or ``None``."""
    if not 1 <= len(identity.id) <= LONGEST_ID or not identity.id.isprintable():
        return f"A user's id has 1 to {LONGEST_ID} printable characters."
    if problem := check_name(identity.name):
        return problem
    if identity.email is not None and normal_email(identity.email) is None:
        return "The email is not an e-mail address."
    if identity.auth_time.tzinfo is None:
        return "auth_time has a time zone."
    if identity.auth_time - now > CLOCKS_DIFFER:
        return "auth_time is in the future."
    if now - identity.auth_time > LONGEST_AUTH_AGE:
        return "auth_time is more than a day ago: let the user sign in again."
    if len(identity.accounts) > MOST_ACCOUNTS:
        return f"A user has at most {MOST_ACCOUNTS} accounts."
    ids = [account.id for account in identity.accounts]
    if len(set(ids)) != len(ids):
        return "Each account is named once."
    return next(filter(None, map(_check_account, identity.accounts)), None)


def _check_account(said: IdentityAccount) -> str | None:
    if said.role not in _ROLES:
        return "A role is owner, admin or member."
    if said.external_ids.get(OWN_ID, said.id) != said.id:
        return f"The account's {OWN_ID} id is its id."
    return check_account(_wanted(said)) or check_member_ids(said.member_ids)


async def settle_identity(facts: Facts, at: Moment, identity: Identity) -> Settled | Rejected:
    """What has to become true, so that it is as the platform says."""
    user, changes = await _settle_user(facts, at, identity)
    named: set[bytes] = set()
    for said in identity.accounts:
        settled = await _settle_account(facts, at, said)
        if isinstance(settled, Rejected):
            return settled
        account, made = settled
        if account.removed_at is not None:
            continue  # removed here for good; what the platform still calls it changes nothing
        changes += made
        named.add(account.id)
        joined = await _settle_membership(facts, at, user, account, said)
        if isinstance(joined, Rejected):
            return joined
        changes += joined
    for membership, account in await facts.memberships(user.id):
        if account.id not in named and OWN_ID in account.external_ids:
            changes += [
                Forget(membership),
                Replace(replace(account, version=account.version + 1)),
                *(await member_left(facts, at, account.id, user)),
                _written(at, "member_removed", account_id=account.id, user_id=user.id),
            ]
    return Settled(user, tuple(changes))


async def _settle_user(facts: Facts, at: Moment, identity: Identity) -> tuple[User, list[Change]]:
    known = await facts.user_by_external_id(identity.id)
    email = None if identity.email is None else normal_email(identity.email)
    holder = await facts.user_by_email(email) if email is not None else None
    written: list[Change] = []
    if holder is not None and (known is None or holder.id != known.id):
        # Somebody else's address: joining the two would let the platform's users become ours by naming an address.
        written.append(_written(at, "email_of_another_user", user_id=None if known is None else known.id))
        email = None if known is None else known.email
    elif email is None and known is not None:
        email = known.email
    if known is None:
        user = User(at.new_id(), email, identity.name.strip(), at.now, external_id=identity.id)
        return user, [Add(user), _written(at, "user_created", user_id=user.id), *written]
    said = replace(known, name=identity.name.strip(), email=email)
    if said == known:
        return known, written
    changed = replace(said, version=known.version + 1)
    return changed, [Replace(changed), *written]


async def _settle_account(facts: Facts, at: Moment, said: IdentityAccount) -> tuple[Account, list[Change]] | Rejected:
    known = await facts.account_by_external_id(OWN_ID, said.id)
    if known is None:
        decided = await create_account(facts, at, _wanted(said))
        if isinstance(decided.answer, Rejected):
            return decided.answer
        return decided.answer, list(decided.changes)
    for dialect, external_id in sorted(said.external_ids.items()):
        holder = await facts.account_by_external_id(dialect, external_id)
        if holder is not None and holder.id != known.id:
            return Rejected(f"{dialect} id {external_id} belongs to another account.", "external_id_taken")
    changed = replace(
        known,
        name=said.name.strip(),
        external_ids=dict(known.external_ids) | dict(said.external_ids),
        display_name=known.display_name if said.display_name is None else said.display_name,
        subdomain=known.subdomain if said.subdomain is None else said.subdomain,
        settings=known.settings if said.settings is None else dict(said.settings),
        metadata=known.metadata if said.metadata is None else dict(said.metadata),
    )
    if changed == known:
        return known, []
    changed = replace(changed, version=known.version + 1)
    return changed, [Replace(changed)]


async def _settle_membership(
    facts: Facts, at: Moment, user: User, account: Account, said: IdentityAccount
) -> list[Change] | Rejected:
    known = await facts.membership(account.id, user.id)
    ids = await member_ids(facts, at, account.id, known, said.member_ids)
    if isinstance(ids, Rejected):
        return ids
    membership = Membership(account.id, user.id, said.role, known.created_at if known else at.now, ids)
    if membership == known:
        return []
    loses = known is not None and known.may_connect and not membership.may_connect
    action = "member_role_set" if known else "member_added"
    return [
        Put(membership) if known else Add(membership),
        Replace(replace(account, version=account.version + 1)),
        *(await member_left(facts, at, account.id, user, stays=True) if loses else ()),
        _written(at, action, account_id=account.id, user_id=user.id, role=said.role),
    ]


def _wanted(said: IdentityAccount) -> NewAccount:
    return NewAccount(
        name=said.name,
        display_name=said.display_name,
        subdomain=said.subdomain,
        external_ids={**said.external_ids, OWN_ID: said.id},
        settings=said.settings or {},
        metadata=said.metadata,
    )


def _written(
    at: Moment, action: str, *, account_id: bytes | None = None, user_id: bytes | None = None, **detail: Any
) -> Change:
    return recorded(at, action, actor=_ACTOR, account_id=account_id, user_id=user_id, **detail)
