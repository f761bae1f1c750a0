"""End this token (RFC 7009). What is unknown is answered as if it had been ended; nothing is told of others' tokens."""

from __future__ import annotations

from grantway.protocol import audit
from grantway.protocol.access import ProvenAccess, prove_access
from grantway.protocol.client_authentication import VerifiedSecret, authenticate_client
from grantway.protocol.connections import ending
from grantway.protocol.decision import Decision, Put, Refusal, refuse
from grantway.protocol.facts import Facts
from grantway.protocol.model import Client, EndedToken
from grantway.protocol.moment import Moment
from grantway.protocol.policy import MINUTE
from grantway.protocol.refresh_tokens import ProvenRefresh, prove_refresh
from grantway.wire.errors import INVALID_GRANT
from grantway.wire.messages import RevocationAnswer, RevocationRequest

SKEW = MINUTE
"""How much longer than necessary an ended token is remembered, should a clock be set back."""


async def revoke(
    facts: Facts,
    at: Moment,
    request: RevocationRequest,
    dialect: str,
    issuer: str,
    verified: VerifiedSecret | None = None,
) -> Decision[RevocationAnswer | Refusal]:
    """A refresh token of any generation ends its grant; an access token ends alone, unless it is its own grant."""
    client = await authenticate_client(request.credentials, facts, at, dialect, verified)
    if isinstance(client, Refusal):
        return Decision(client, reason=client.reason)
    is_refresh = request.token.startswith("gwr_")
    proven = None if is_refresh else await prove_access(request.token, facts, at, issuer)
    if proven is None:
        refresh = await prove_refresh(request.token, facts, at)  # ours, or an older system's
        if refresh is not None:
            return await _refresh_token(refresh, client, facts, at)
        # RFC 7009 §2.2: what is unknown is no error.
        return Decision(RevocationAnswer(), reason=f"{'refresh' if is_refresh else 'access'}_token_unknown")
    if proven.client.id != client.id:
        return refuse(INVALID_GRANT, "access_token_of_another_client")  # RFC 7009 §2.1
    return await end_access_token(proven, facts, at)


async def _refresh_token(
    proven: ProvenRefresh, client: Client, facts: Facts, at: Moment
) -> Decision[RevocationAnswer | Refusal]:
    held, grant = proven.held, proven.held.grant
    if grant.client_id != client.id:
        return refuse(INVALID_GRANT, "refresh_token_of_another_client")
    if grant.revoked_at is not None:
        return Decision(RevocationAnswer(), reason="grant_ended")
    changes = await ending(facts, held, at, reason="integrator", actor=audit.by_client(client))
    return Decision(RevocationAnswer(), changes, "grant_revoked")


async def end_access_token(proven: ProvenAccess, facts: Facts, at: Moment) -> Decision[RevocationAnswer | Refusal]:
    """An access token ends alone; one without an end of its own is its grant, and that ends."""
    access, held, client = proven.access, proven.held, proven.client
    if access.expires_at is None or not access.serial:
        if held is None or held.grant.revoked_at is not None:
            return Decision(RevocationAnswer(), reason="grant_ended")
        changes = await ending(facts, held, at, reason="integrator", actor=audit.by_client(client))
        return Decision(RevocationAnswer(), changes, "grant_revoked")
    keep_until = access.expires_at + client.policy.renewal_grace + SKEW
    known = await facts.ended_token(access.serial)
    if at.now >= keep_until or (known is not None and known.ends_at is None):
        return Decision(RevocationAnswer(), reason="access_token_ended")
    return Decision(RevocationAnswer(), (Put(EndedToken(access.serial, keep_until)),), "access_token_revoked")
