"""People."""

from __future__ import annotations

from typing import Any

from grantway.protocol.administration.erasure import erase_user
from grantway.protocol.administration.invitations import invite_user
from grantway.protocol.administration.people import create_user, disable_user, enable_user, sign_out_user
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts
from grantway.protocol.moment import Moment
from grantway.server.api import views
from grantway.server.api.call import Asked, Call, Paged, nothing_there, said, told
from grantway.wire.api.message import Nothing
from grantway.wire.api.people import Erasure, NewUser, User, UserQuery


async def list_users(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    query: UserQuery = asked.query
    users = await facts.users(asked.page, email=None if query.email is None else query.email.casefold())
    return told(Paged(users, views.user, lambda one: one.id), "users_listed")


async def get_user(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    user = await facts.user(asked.id("user", "us"))
    return nothing_there("user_unknown") if user is None else told(views.user(user), "user_told")


async def create(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    wanted: NewUser = asked.body
    rule = invite_user if wanted.invite else create_user
    return said(await rule(facts, at, wanted.email, wanted.name), views.user)


async def disable(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    return said(await disable_user(facts, at, asked.id("user", "us")), views.user)


async def enable(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    return said(await enable_user(facts, at, asked.id("user", "us")), views.user)


async def erase(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    wanted: Erasure = asked.body
    return said(await erase_user(facts, at, asked.id("user", "us"), force=wanted.force), views.user)


async def sign_out(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    return said(await sign_out_user(facts, at, asked.id("user", "us")), lambda user: None)


CALLS = (
    Call(
        "users.list", "GET", "/v1/users", "users:read", "List people, newest first.", list_users,
        answer=User, query=UserQuery, paged=True,
    ),
    Call(
        "users.create", "POST", "/v1/users", "users:write", "Create a person, or invite them by mail.", create,
        answer=User, status=201, body=NewUser,
    ),
    Call("users.get", "GET", "/v1/users/{user}", "users:read", "Show a person.", get_user, answer=User),
    Call(
        "users.disable", "POST", "/v1/users/{user}/disable", "users:write",
        "Sign a person out and let them in no more; what they connected is treated as if they had left.", disable,
        answer=User, body=Nothing,
    ),
    Call(
        "users.enable", "POST", "/v1/users/{user}/enable", "users:write", "Let a person sign in again.", enable,
        answer=User, body=Nothing,
    ),
    Call(
        "users.erase", "POST", "/v1/users/{user}/erase", "users:write",
        "Erase who a person was, for good: what they did stays, under a name that tells nothing.", erase,
        answer=User, body=Erasure,
    ),
    Call(
        "users.sign_out", "DELETE", "/v1/users/{user}/sessions", "users:write", "Sign a person out everywhere.",
        sign_out, status=204,
    ),
)  # fmt: skip
