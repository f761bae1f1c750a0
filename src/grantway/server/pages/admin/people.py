"""People and what an operator does for them: signed out, switched off and on, invited, helped to a password."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grantway.protocol.administration.invitations import invite_user, send_password_link
from grantway.protocol.administration.people import disable_user, enable_user, sign_out_user
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts, Page
from grantway.protocol.moment import Moment
from grantway.protocol.sessions import Operating
from grantway.server.pages.admin.audit import of_audit
from grantway.server.pages.admin.table import Asked, Deed, Sight, path_of, shown

_HERE = path_of("users")
_LATELY = 20
"""Audit entries on the page of one person."""


async def load_all(facts: Facts, at: Moment, asked: Asked) -> Mapping[str, Any]:
    email = asked.named("email").casefold()
    rows = await facts.users(asked.page("us"), email=email or None)
    return {"users": shown(rows), "email": email, "older": asked.older(rows, "us"), "sends_mail": at.house.sends_mail}


async def load_one(facts: Facts, at: Moment, asked: Asked) -> Mapping[str, Any] | None:
    person = await facts.user(asked.id("user", "us"))
    if person is None:
        return None
    return {
        "person": person,
        "here": asked.here,
        "operator": await facts.operator(person.id),
        "memberships": await facts.memberships(person.id),
        "sessions": await facts.sessions_of(person.id),
        "clients": await facts.clients_of_developer(person.id),
        "sends_mail": at.house.sends_mail,
        **await of_audit(facts, await facts.audit(Page(_LATELY), user_id=person.id)),
    }


async def invite(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    return await invite_user(facts, at, asked.said("email"), asked.said("name"))


async def sign_out(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    return await sign_out_user(facts, at, asked.id("user", "us"))


async def disable(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    return await disable_user(facts, at, asked.id("user", "us"))


async def enable(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    return await enable_user(facts, at, asked.id("user", "us"))


async def send_link(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    return await send_password_link(facts, at, asked.id("user", "us"))


ALL = Sight(_HERE, _HERE, "admin/users.html", load_all)
ONE = Sight(f"{_HERE}/{{user}}", _HERE, "admin/user.html", load_one)

TABLE = (
    ALL,
    Deed(ALL, "invite", invite, "written"),
    ONE,
    Deed(ONE, "sign-out", sign_out, "signed-out"),
    Deed(ONE, "disable", disable, "disabled"),
    Deed(ONE, "enable", enable, "enabled"),
    Deed(ONE, "send-link", send_link, "written"),
)
