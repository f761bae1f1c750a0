"""Accounts: who belongs to them and what is connected to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grantway.protocol.administration.account_changes import resume_account, suspend_account
from grantway.protocol.administration.answers import reject
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts, Page
from grantway.protocol.lifecycle import state_of
from grantway.protocol.moment import Moment
from grantway.protocol.sessions import Operating
from grantway.server.pages.admin.table import Asked, Deed, Sight, path_of, shown

_HERE = path_of("accounts")
MEMBERS = 200
"""People, and clients, that the page of one account lists."""


async def load_all(facts: Facts, at: Moment, asked: Asked) -> Mapping[str, Any]:
    name = asked.named("name")
    rows = await facts.accounts(asked.page("ac"), name=name or None)
    return {"accounts": shown(rows), "name": name, "older": asked.older(rows, "ac")}


async def load_one(facts: Facts, at: Moment, asked: Asked) -> Mapping[str, Any] | None:
    account = await facts.account(asked.id("account", "ac"))
    if account is None:
        return None
    rows = await facts.connections(asked.page("cn"), account_id=account.id, state="all")
    members = await facts.members(account.id)
    return {
        "account": account,
        "here": asked.here,
        "members": members[:MEMBERS],
        "more_members": len(members) - MEMBERS,
        "clients": await facts.clients_of_account(account.id, Page(MEMBERS)),
        "connections": [(view, state_of(view.connection, view.client)) for view in shown(rows)],
        "older": asked.older(rows, "cn"),
    }


async def suspend(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    return await _switch(facts, at, asked, suspend_account)


async def resume(facts: Facts, at: Moment, asked: Asked, by: Operating) -> Decision[Any]:
    return await _switch(facts, at, asked, resume_account)


async def _switch(facts: Facts, at: Moment, asked: Asked, rule: Any) -> Decision[Any]:
    account = await facts.account(asked.id("account", "ac"))
    if account is None or account.removed_at is not None:
        return reject("There is no such account.", "account_unknown")
    decision: Decision[Any] = await rule(facts, at, account)
    return decision


ONE = Sight(f"{_HERE}/{{account}}", _HERE, "admin/account.html", load_one)

TABLE = (
    Sight(_HERE, _HERE, "admin/accounts.html", load_all),
    ONE,
    Deed(ONE, "suspend", suspend, "suspended"),
    Deed(ONE, "resume", resume, "resumed"),
)
