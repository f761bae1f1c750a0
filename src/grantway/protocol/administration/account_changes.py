"""What becomes of accounts: changed, suspended, resumed, removed. Every use of a token reads its account.

An ``account`` that is handed in was read in the same decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from grantway.protocol.administration.accounts import (
    OWN_ID,
    NewAccount,
    check_account,
    check_external_id,
    create_account,
)
from grantway.protocol.administration.aftermath import AT_A_TIME
from grantway.protocol.administration.answers import Rejected, recorded, reject
from grantway.protocol.connections import removal
from grantway.protocol.decision import Change, Decision, Replace
from grantway.protocol.facts import Facts, Page
from grantway.protocol.model import Account
from grantway.protocol.moment import Moment
from grantway.wire.sentence import worded

_FIELDS = ("name", "display_name", "subdomain", "external_ids", "settings", "metadata")


async def put_account(facts: Facts, at: Moment, own_id: str, wanted: NewAccount) -> Decision[Account | Rejected]:
    """The account that the platform knows by ``own_id`` is as it is given here; it is made when there is none.

    External ids of other dialects that are not given stay as they are.
    """
    if problem := check_external_id(OWN_ID, own_id):
        return reject(problem, "account_malformed")
    if wanted.external_ids.get(OWN_ID, own_id) != own_id:
        return reject("The account's own id is the one in the address.", "account_malformed")
    known = await facts.account_by_external_id(OWN_ID, own_id)
    external_ids = {**(known.external_ids if known else {}), **wanted.external_ids, OWN_ID: own_id}
    if known is None:
        return await create_account(facts, at, replace(wanted, external_ids=external_ids))
    if known.removed_at is not None:
        return reject("This account was removed; its id is not used again.", "account_removed")
    return await update_account(
        facts, at, known, {**{name: getattr(wanted, name) for name in _FIELDS}, "external_ids": external_ids}
    )


async def update_account(
    facts: Facts, at: Moment, account: Account, given: Mapping[str, Any]
) -> Decision[Account | Rejected]:
    """The account with the values that are given; the external ids that are given come beside the others."""
    external_ids = {**account.external_ids, **given.get("external_ids", {})}
    values = {name: getattr(account, name) for name in _FIELDS} | dict(given) | {"external_ids": external_ids}
    if problem := check_account(NewAccount(**values)):
        return reject(problem, "account_malformed")
    for dialect, external_id in sorted(external_ids.items()):
        known = await facts.account_by_external_id(dialect, external_id)
        if known is not None and known.id != account.id:
            return reject(
                worded(
                    "%(dialect)s id %(external_id)s belongs to another account.",
                    dialect=dialect,
                    external_id=external_id,
                ),
                "external_id_taken",
            )
    changed = replace(account, **{**values, "name": values["name"].strip()})
    if changed == account:
        return Decision(account, (), "unchanged")
    changed = replace(changed, version=account.version + 1)
    fields = [name for name in _FIELDS if getattr(account, name) != getattr(changed, name)]
    return Decision(changed, (Replace(changed), recorded(at, "account_changed", account_id=account.id, fields=fields)))


async def suspend_account(facts: Facts, at: Moment, account: Account) -> Decision[Account | Rejected]:
    """No token reaches the account until it is resumed."""
    return _switch(at, account, on=False)


async def resume_account(facts: Facts, at: Moment, account: Account) -> Decision[Account | Rejected]:
    """Tokens that reached it come back as they were."""
    return _switch(at, account, on=True)


async def remove_account(facts: Facts, at: Moment, account: Account, actor: str) -> Decision[Account | Rejected]:
    """The account is over, and with its row every token. Whoever hears of removals hears of each of its connections.

    The first of these go in the same commit, the rest afterwards (``aftermath.remove_connections``).
    """
    if account.removed_at is not None:
        return reject("There is no such account.", "account_unknown")
    removed = replace(account, removed_at=at.now, version=account.version + 1)
    changes: list[Change] = [Replace(removed)]
    for view in await facts.connections(Page(AT_A_TIME), account_id=account.id):
        changes += await removal(facts, at, view, reason="operator", actor=actor)
    entry = recorded(at, "account_removed", actor=actor, account_id=account.id)
    return Decision(removed, (*changes, entry), "account_removed")


def _switch(at: Moment, account: Account, *, on: bool) -> Decision[Account | Rejected]:
    if (account.suspended_at is None) == on:
        return Decision(account, (), "unchanged")
    changed = replace(account, suspended_at=None if on else at.now, version=account.version + 1)
    entry = recorded(at, "account_resumed" if on else "account_suspended", account_id=account.id)
    return Decision(changed, (Replace(changed), entry))
