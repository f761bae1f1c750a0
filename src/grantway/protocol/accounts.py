"""Which accounts a token reaches, asked by who holds it."""

from __future__ import annotations

from grantway.protocol.access import used_today
from grantway.protocol.bearer import bearer
from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.facts import Facts
from grantway.protocol.ids import show
from grantway.protocol.lifecycle import state_of
from grantway.protocol.moment import Moment
from grantway.wire.messages import AccountsAnswer, AccountsRequest, ReachedAccount


async def accounts(
    facts: Facts, at: Moment, request: AccountsRequest, dialect: str, issuer: str
) -> Decision[AccountsAnswer | Refusal]:
    """A grant's token reaches the account of its connection, a client's own the account that the client belongs to."""
    proven = await bearer(request.access_token, facts, at, dialect, issuer)
    if isinstance(proven, Refusal):
        return Decision(proven, reason=proven.reason)
    held = proven.held
    if held is not None:
        reached = ReachedAccount(
            id=show("ac", held.account.id),
            name=held.account.name,
            scope=proven.scope,
            connection_id=show("cn", held.connection.id),
            connection_state=state_of(held.connection, held.client),
        )
        return Decision(AccountsAnswer((reached,)), used_today(proven, at), "accounts_told")
    account = proven.own_account
    if account is None:
        return Decision(AccountsAnswer(), reason="accounts_told")
    reached = ReachedAccount(show("ac", account.id), account.name, proven.scope)
    return Decision(AccountsAnswer((reached,)), reason="accounts_told")
