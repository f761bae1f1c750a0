"""Who belongs to an account."""

from __future__ import annotations

from typing import Any

from grantway.protocol.administration.answers import reject
from grantway.protocol.administration.people import Member as MemberRecord
from grantway.protocol.administration.people import add_member, remove_member
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts
from grantway.protocol.model import Account, User
from grantway.protocol.moment import Moment
from grantway.server.api import views
from grantway.server.api.call import Asked, Call, nothing_there, said, told
from grantway.server.api.finding import find_account
from grantway.wire.api.message import Whole
from grantway.wire.api.people import Member, NewMember


async def list_members(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    account = await find_account(facts, asked.path["account"])
    if account is None:
        return nothing_there("account_unknown")
    members = await facts.members(account.id)
    rows = [views.member(MemberRecord(membership, account, user)) for membership, user in members]
    return told(Whole(data=rows), "members_listed")


async def put(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    found = await _both(facts, asked)
    if isinstance(found, Decision):
        return found
    wanted: NewMember = asked.body
    added = await add_member(facts, at, found[0].id, found[1].email or "", wanted.role, wanted.external_ids)
    return said(added, views.member)


async def remove(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    found = await _both(facts, asked)
    if isinstance(found, Decision):
        return found
    return said(await remove_member(facts, at, found[0].id, found[1].email or ""), lambda gone: None)


async def _both(facts: Facts, asked: Asked) -> tuple[Account, User] | Decision[Any]:
    account = await find_account(facts, asked.path["account"])
    user = await facts.user(asked.id("user", "us"))
    if account is None or user is None:
        return nothing_there("account_unknown" if account is None else "user_unknown")
    if user.email is None:
        sentence = "This person comes by hand-off: the platform says with each sign-in what they belong to."
        return reject(sentence, "user_of_platform")
    return account, user


_ALL = "/v1/accounts/{account}/members"

CALLS = (
    Call(
        "members.list", "GET", _ALL, "accounts:read", "List who belongs to an account, longest first.", list_members,
        answer=Whole[Member],
    ),
    Call(
        "members.put", "PUT", f"{_ALL}/{{user}}", "accounts:write", "Make a person a member, or give them another role.",
        put, answer=Member, body=NewMember,
    ),
    Call(
        "members.remove", "DELETE", f"{_ALL}/{{user}}", "accounts:write",
        "End a membership; what the person connected is treated as the clients' policy says.", remove, status=204,
    ),
)  # fmt: skip
