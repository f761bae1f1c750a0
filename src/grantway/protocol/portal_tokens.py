"""Tokens without end in the developer portal: for accounts that the developer may connect, and only those."""

from __future__ import annotations

from grantway.protocol.administration.answers import Rejected, reject
from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.facts import Facts, GrantInUse
from grantway.protocol.issuing import Issued
from grantway.protocol.model import Account, Scope
from grantway.protocol.moment import Moment
from grantway.protocol.permanent import end_token, make_token, tokens_of
from grantway.protocol.portal import AtWork, developer_of, own_accounts
from grantway.wire.record import record


@record
class Bench:
    """The tokens of an integration that this developer may end, and for which accounts they may make another."""

    at_work: AtWork
    accounts: tuple[Account, ...]
    tokens: tuple[GrantInUse, ...]
    scopes: tuple[Scope, ...]


async def tokens(facts: Facts, at: Moment, session: str | None, client_id: str) -> Decision[Bench | Refusal]:
    """The tokens for the developer's own accounts."""
    found = await developer_of(facts, at, session, client_id)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    mine = await own_accounts(facts, found.user.id)
    made: list[GrantInUse] = []
    for account in mine:
        made += await tokens_of(facts, found.client, account.id)
    catalogue = {scope.name: scope for scope in await facts.scopes()}
    scopes = tuple(catalogue[name] for name in found.client.scopes if name in catalogue)
    return Decision(Bench(found, mine, tuple(made), scopes), reason="tokens_shown")


async def new_token(
    facts: Facts, at: Moment, session: str | None, client_id: str, account_id: bytes, scope: tuple[str, ...]
) -> Decision[Issued | Rejected | Refusal]:
    """A token of the developer's own for one of their accounts. Takes a sign-in that is not long ago."""
    found = await developer_of(facts, at, session, client_id, recently=True)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    if all(account.id != account_id for account in await own_accounts(facts, found.user.id)):
        return reject("There is no such account.", "account_unknown")
    made = await make_token(facts, at, client_id, account_id, scope, user=found.user, actor=found.actor)
    return Decision(made.answer, made.changes, made.reason)


async def drop_token(
    facts: Facts, at: Moment, session: str | None, client_id: str, grant_id: bytes
) -> Decision[GrantInUse | Rejected | Refusal]:
    """One of those tokens is good for nothing any more."""
    found = await developer_of(facts, at, session, client_id, recently=True)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    held = await facts.grant(grant_id)
    mine = {account.id for account in await own_accounts(facts, found.user.id)}
    if held is None or held.client.id != found.client.id or held.account.id not in mine:
        return reject("There is no such token.", "token_unknown")
    ended = await end_token(facts, at, grant_id, reason="integrator", actor=found.actor, by=found.user.id)
    return Decision(ended.answer, ended.changes, ended.reason)
