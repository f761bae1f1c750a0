"""Users and their memberships."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from grantway.protocol.administration.answers import Rejected, recorded, reject
from grantway.protocol.administration.member_ids import member_ids
from grantway.protocol.decision import Add, Change, Decision, EndSessions, Forget, Put, Replace
from grantway.protocol.facts import Facts
from grantway.protocol.lifecycle import member_left
from grantway.protocol.model import Account, Membership, Role, User
from grantway.protocol.moment import Moment
from grantway.protocol.one_time_links import ended_links, with_password
from grantway.protocol.sign_in import LONGEST_EMAIL, fold
from grantway.wire.record import record
from grantway.wire.sentence import worded

MIN_PASSWORD = 8
"""Characters. Guessing is slowed per user and limited per address, so NIST SP 800-63B-3 §5.1.1.1 is enough."""
MAX_PASSWORD = 1024
"""Characters: what is hashed on every sign-in is bounded."""
MAX_NAME = 200

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+")


def normal_email(email: str) -> str | None:
    """The address as it is stored and looked up: trimmed and case-folded; ``None`` when it is not one."""
    folded = fold(email)
    return folded if len(folded) <= LONGEST_EMAIL and _EMAIL.fullmatch(folded) else None


def check_password(password: str) -> str | None:
    """The sentence that says why this cannot be a password, or ``None``."""
    if len(password) < MIN_PASSWORD:
        return worded("A password has at least %(least)s characters.", least=MIN_PASSWORD)
    if len(password) > MAX_PASSWORD:
        return worded("A password has at most %(most)s characters.", most=MAX_PASSWORD)
    return None


def check_name(name: str) -> str | None:
    """The sentence that says why nothing can have this name, or ``None``."""
    if not name.strip():
        return "A name is not empty."
    if len(name) > MAX_NAME:
        return worded("A name has at most %(most)s characters.", most=MAX_NAME)
    if any(not char.isprintable() for char in name):
        return "A name has printable characters only."
    return None


async def create_user(
    facts: Facts, at: Moment, email: str, name: str, password_hash: str | None = None
) -> Decision[User | Rejected]:
    """A new user. ``password_hash`` was made outside the rule; without one, nobody can sign in as this user yet."""
    folded = normal_email(email)
    if folded is None:
        return reject(worded("%(email)r is not an e-mail address.", email=email), "email_malformed")
    if problem := check_name(name):
        return reject(problem, "name_malformed")
    if await facts.user_by_email(folded):
        return reject(worded("There is a user %(email)s already.", email=folded), "user_exists")
    version = 1 if password_hash else 0
    user = User(at.new_id(), folded, name.strip(), at.now, password_hash, version)
    return Decision(user, (Add(user), recorded(at, "user_created", user_id=user.id)))


async def set_password(facts: Facts, at: Moment, email: str, password_hash: str) -> Decision[User | Rejected]:
    """Another password. Whoever knew the last one is out: sessions and links end, sign-ins under way do not pass."""
    user = await facts.user_by_email(normal_email(email) or "")
    if user is None:
        return reject(worded("There is no user %(email)s.", email=email), "user_unknown")
    changed = with_password(user, password_hash)
    ended: tuple[Change, ...] = (EndSessions(user.id), *await ended_links(facts, user.id))
    return Decision(changed, (Replace(changed), *ended, recorded(at, "user_password_set", user_id=user.id)))


@record
class Member:
    """A membership with the two that it joins."""

    membership: Membership
    account: Account
    user: User


async def add_member(
    facts: Facts, at: Moment, account_id: bytes, email: str, role: Role, external_ids: Mapping[str, str] | None = None
) -> Decision[Member | Rejected]:
    """The user belongs to the account, in this role; a member that is there already gets the role.

    Who may not connect any more has left, as far as the account's connections go (``member_left``). ``external_ids`` are
    those by which dialects know them in the account; what is not given is drawn.
    """
    found = await _account_and_user(facts, account_id, email)
    if isinstance(found, Rejected):
        return Decision(found, (), found.reason)
    account, user = found
    known = await facts.membership(account_id, user.id)
    ids = await member_ids(facts, at, account_id, known, external_ids or {})
    if isinstance(ids, Rejected):
        return Decision(ids, (), ids.reason)
    membership = Membership(account_id, user.id, role, known.created_at if known else at.now, ids)
    if membership == known:
        return Decision(Member(known, account, user), (), "unchanged")
    if known and known.role == "owner" and role != "owner" and await _owners(facts, account_id) == 1:
        return reject("This is the account's last owner: make somebody else owner first.", "last_owner")
    left: tuple[Change, ...] = ()
    if known and known.may_connect and not membership.may_connect:
        left = await member_left(facts, at, account_id, user, stays=True)
    changes: tuple[Change, ...] = (
        Put(membership) if known else Add(membership),
        Replace(replace(account, version=account.version + 1)),
        *left,
        recorded(at, "member_role_set" if known else "member_added", account_id=account_id, user_id=user.id, role=role),
    )
    return Decision(Member(membership, account, user), changes)


async def remove_member(facts: Facts, at: Moment, account_id: bytes, email: str) -> Decision[Member | Rejected]:
    """The user does not belong to the account any more. What becomes of what they had allowed is the clients' policy."""
    found = await _account_and_user(facts, account_id, email)
    if isinstance(found, Rejected):
        return Decision(found, (), found.reason)
    account, user = found
    membership = await facts.membership(account_id, user.id)
    if membership is None:
        return reject(
            worded("%(email)s is not a member of %(name)s.", email=user.email, name=account.name), "member_unknown"
        )
    if membership.role == "owner" and await _owners(facts, account_id) == 1:
        return reject("This is the account's last owner: make somebody else owner first.", "last_owner")
    changes: tuple[Change, ...] = (
        Forget(membership),
        Replace(replace(account, version=account.version + 1)),
        *await member_left(facts, at, account_id, user),
        recorded(at, "member_removed", account_id=account_id, user_id=user.id),
    )
    return Decision(Member(membership, account, user), changes)


async def disable_user(facts: Facts, at: Moment, user_id: bytes) -> Decision[User | Rejected]:
    """The user is signed out, cannot sign in, and has left all their accounts as far as connections go."""
    user = await facts.user(user_id)
    if user is None:
        return reject("There is no such user.", "user_unknown")
    if user.disabled_at is not None:
        return Decision(user, (), "unchanged")
    left: list[Change] = []
    for _, account in await facts.memberships(user_id):
        left += await member_left(facts, at, account.id, user)
    changed = replace(user, disabled_at=at.now, version=user.version + 1)
    return Decision(
        changed, (Replace(changed), EndSessions(user_id), *left, recorded(at, "user_disabled", user_id=user_id))
    )


async def enable_user(facts: Facts, at: Moment, user_id: bytes) -> Decision[User | Rejected]:
    """The user may sign in again. What was suspended because they had left stays so until somebody resumes it."""
    user = await facts.user(user_id)
    if user is None:
        return reject("There is no such user.", "user_unknown")
    if user.erased_at is not None:
        return reject("This person was erased.", "user_erased")
    if user.disabled_at is None:
        return Decision(user, (), "unchanged")
    changed = replace(user, disabled_at=None, version=user.version + 1)
    return Decision(changed, (Replace(changed), recorded(at, "user_enabled", user_id=user_id)))


async def sign_out_user(facts: Facts, at: Moment, user_id: bytes) -> Decision[User | Rejected]:
    """The user is signed out everywhere, and may sign in again."""
    user = await facts.user(user_id)
    if user is None:
        return reject("There is no such user.", "user_unknown")
    return Decision(user, (EndSessions(user_id), recorded(at, "user_signed_out", user_id=user_id)), "user_signed_out")


async def _account_and_user(facts: Facts, account_id: bytes, email: str) -> tuple[Account, User] | Rejected:
    account = await facts.account(account_id)
    if account is None or account.removed_at is not None:
        return Rejected("There is no such account.", "account_unknown")
    user = await facts.user_by_email(normal_email(email) or "")
    if user is None:
        return Rejected(worded("There is no user %(email)s.", email=email), "user_unknown")
    return account, user


async def _owners(facts: Facts, account_id: bytes) -> int:
    return sum(membership.role == "owner" for membership, _ in await facts.members(account_id))
