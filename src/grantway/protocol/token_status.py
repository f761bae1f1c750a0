"""What is this token good for, asked with the token itself? Everybody who holds a token may ask (Square, Phone.com)."""

from __future__ import annotations

from datetime import datetime

from grantway.protocol.access import ProvenAccess, used_today
from grantway.protocol.bearer import bearer
from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.facts import Facts
from grantway.protocol.moment import Moment
from grantway.wire.messages import TokenStatusAnswer, TokenStatusRequest


async def token_status(
    facts: Facts, at: Moment, request: TokenStatusRequest, dialect: str, issuer: str
) -> Decision[TokenStatusAnswer | Refusal]:
    """The scope at use, until when, for which account and for whom in it, by the ids that the dialect knows them by."""
    proven = await bearer(request.access_token, facts, at, dialect, issuer)
    if isinstance(proven, Refusal):
        return Decision(proven, reason=proven.reason)
    answer = TokenStatusAnswer(
        scope=proven.scope,
        client_id=proven.client.client_id,
        expires_at=await _end_of(proven, facts),
        account_id=None if proven.account is None else proven.account.external_ids.get(dialect),
        member_id=await member_id_of(proven, facts),
    )
    return Decision(answer, used_today(proven, at), "token_status_told")


async def _end_of(proven: ProvenAccess, facts: Facts) -> datetime | None:
    """When it stops working: sooner than it was made for, if it was renewed."""
    access = proven.access
    renewed = await facts.ended_token(access.serial) if access.serial else None
    ends = [end for end in (access.expires_at, renewed.ends_at if renewed else None) if end is not None]
    return min(ends, default=None)


async def member_id_of(proven: ProvenAccess, facts: Facts) -> str | None:
    """Who the person is in the account, by the id that the client's dialect knows; ``None`` where it knows none."""
    held = proven.held
    if held is None or held.user is None:
        return None
    membership = await facts.membership(held.account.id, held.user.id)
    return None if membership is None else membership.external_ids.get(held.client.policy.dialect)
