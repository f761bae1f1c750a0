"""Accounts: what people connect integrations to."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from grantway.protocol.administration import account_changes
from grantway.protocol.administration.accounts import NewAccount, create_account
from grantway.protocol.administration.answers import Rejected
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts
from grantway.protocol.model import Account as AccountRecord
from grantway.protocol.moment import Moment
from grantway.server.api import views
from grantway.server.api.call import Asked, Call, Paged, nothing_there, said, told
from grantway.server.api.finding import find_account
from grantway.wire.api import people
from grantway.wire.api.message import Nothing
from grantway.wire.api.people import Account, AccountChange, AccountQuery


async def list_accounts(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    query: AccountQuery = asked.query
    accounts = await facts.accounts(asked.page, name=query.name)
    return told(Paged(accounts, views.account, lambda one: one.id), "accounts_listed")


async def get_account(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    account = await find_account(facts, asked.path["account"], removed=True)
    return nothing_there("account_unknown") if account is None else told(views.account(account), "account_told")


async def create(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    return said(await create_account(facts, at, _wanted(asked.body)), views.account)


async def put(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    decision = await account_changes.put_account(facts, at, asked.path["account"], _wanted(asked.body))
    return said(decision, views.account)


async def change(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    wanted: AccountChange = asked.body
    fields = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
    given = {name: value for name, value in fields.items() if value is not UNSET}
    return await _on(facts, asked, account_changes.update_account, at, given)


async def suspend(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    return await _on(facts, asked, account_changes.suspend_account, at)


async def resume(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    return await _on(facts, asked, account_changes.resume_account, at)


async def remove(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    return await _on(facts, asked, account_changes.remove_account, at, asked.actor)


async def _on(facts: Facts, asked: Asked, rule: Any, at: Moment, *more: Any) -> Decision[Any]:
    account = await find_account(facts, asked.path["account"])
    if account is None:
        return nothing_there("account_unknown")
    decision: Decision[AccountRecord | Rejected] = await rule(facts, at, account, *more)
    return said(decision, views.account)


def _wanted(body: people.NewAccount) -> NewAccount:
    return NewAccount(body.name, body.display_name, body.subdomain, body.external_ids, body.settings, body.metadata)


_ONE = "/v1/accounts/{account}"

CALLS = (
    Call(
        "accounts.list", "GET", "/v1/accounts", "accounts:read", "List accounts, newest first.", list_accounts,
        answer=Account, query=AccountQuery, paged=True,
    ),
    Call(
        "accounts.create", "POST", "/v1/accounts", "accounts:write", "Create an account.", create,
        answer=Account, status=201, body=people.NewAccount,
    ),
    Call("accounts.get", "GET", _ONE, "accounts:read", "Show an account, removed ones, too.", get_account, answer=Account),
    Call(
        "accounts.put", "PUT", _ONE, "accounts:write",
        "Create the account with this id of your own, or make it as it is given here.", put,
        answer=Account, body=people.NewAccount,
    ),
    Call("accounts.change", "PATCH", _ONE, "accounts:write", "Change an account.", change, answer=Account, body=AccountChange),
    Call(
        "accounts.suspend", "POST", f"{_ONE}/suspend", "accounts:write",
        "Suspend an account: no token reaches it until it is resumed.", suspend, answer=Account, body=Nothing,
    ),
    Call("accounts.resume", "POST", f"{_ONE}/resume", "accounts:write", "Resume an account.", resume, answer=Account, body=Nothing),
    Call(
        "accounts.remove", "DELETE", _ONE, "accounts:write",
        "Remove an account for good, and every connection with it; the integrations are told.", remove, answer=Account,
    ),
)  # fmt: skip
