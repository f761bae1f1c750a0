"""Who calls with an access token (RFC 6750): the start of every rule for integrations that already have one."""

from __future__ import annotations

from grantway.protocol.access import ProvenAccess, prove_access, why_inactive
from grantway.protocol.decision import Refusal
from grantway.protocol.facts import Facts
from grantway.protocol.moment import Moment
from grantway.protocol.standing import SUSPENDED, suspended
from grantway.wire.errors import INVALID_TOKEN


async def bearer(
    token: str | None,
    facts: Facts,
    at: Moment,
    dialect: str,
    issuer: str,
    *,
    but_for: frozenset[str] = frozenset(),
) -> ProvenAccess | Refusal:
    """The active token. ``but_for``: reasons that do not matter, since who is suspended may still leave."""
    if token is None:
        return Refusal(INVALID_TOKEN, "access_token_missing")
    proven = await prove_access(token, facts, at, issuer)
    if proven is None:
        return Refusal(INVALID_TOKEN, "access_token_unknown")
    if proven.client.policy.dialect != dialect:
        return Refusal(INVALID_TOKEN, "access_token_of_another_dialect")
    out = await why_inactive(proven, facts, at)
    if out is None or out in but_for:
        return proven
    return suspended(out) if out in SUSPENDED else Refusal(INVALID_TOKEN, out)
