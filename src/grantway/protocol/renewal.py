"""An access token that ends soon, or ended lately, becomes another one (Square, ``RenewToken``).

The older way beside refresh tokens, so it is for what a secret protects: grants that are used with the client's secret
and whose refresh token stays the same. The token that was presented works on for two minutes, in which repeating is
answered with yet another one; after that it is over, or one expired token would be a fountain.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from grantway.protocol.access import ProvenAccess, prove_access, used_today, why_inactive
from grantway.protocol.client_authentication import VerifiedSecret, authenticate_client
from grantway.protocol.decision import Add, Change, Decision, Refusal, refuse
from grantway.protocol.facts import Facts
from grantway.protocol.issuing import Issued, as_signed, issue_for_grant
from grantway.protocol.model import EndedToken
from grantway.protocol.moment import Moment
from grantway.protocol.revocation import SKEW
from grantway.protocol.standing import SUSPENDED, goes_without_secret, suspended
from grantway.wire.errors import INVALID_CLIENT, INVALID_TOKEN
from grantway.wire.messages import RenewalRequest

WORKS_ON = timedelta(seconds=120)
"""How long a renewed token works beside the new one, and may be renewed again should the answer be lost."""
RENEWED = frozenset({"code", "migration"})
"""Origins of grants whose access tokens can be renewed."""


async def renew(
    facts: Facts,
    at: Moment,
    request: RenewalRequest,
    dialect: str,
    issuer: str,
    verified: VerifiedSecret | None = None,
) -> Decision[Issued | Refusal]:
    """Another access token of the same grant, with the same scope and of the same kind."""
    client = await authenticate_client(request.credentials, facts, at, dialect, verified)
    if isinstance(client, Refusal):
        return Decision(client, reason=client.reason)
    if not client.confidential:
        return refuse(INVALID_CLIENT, "client_secret_missing")
    proven = await prove_access(request.access_token, facts, at, issuer)
    if proven is None:
        return refuse(INVALID_TOKEN, "access_token_unknown")
    if proven.client.id != client.id:
        return refuse(INVALID_TOKEN, "access_token_of_another_client")
    access, held = proven.access, proven.held
    if held is None or held.grant.origin not in RENEWED or goes_without_secret(client, held.grant):
        return refuse(INVALID_TOKEN, "access_token_not_renewable")
    if access.expires_at is None or not access.serial:
        return refuse(INVALID_TOKEN, "access_token_not_renewable")
    last = access.expires_at + client.policy.renewal_grace
    if at.now >= last:
        return refuse(INVALID_TOKEN, "access_token_expired")
    out = await why_inactive(replace(proven, access=replace(access, expires_at=None)), facts, at)
    if out is not None and out in SUSPENDED:
        return Decision(suspended(out), reason=out)
    if out is not None:
        return refuse(INVALID_TOKEN, out)
    secret = at.vault.open(held.grant.key_id, held.grant.secret, held.grant.id)
    issued = issue_for_grant(
        held,
        secret,
        held.grant.generation,
        at,
        proven.scope,
        access.resource,
        short_lived=_is_short_lived(proven),
        jwt=proven.form == "account_jwt",
    )
    renewed = await as_signed(issued, facts, at)
    if isinstance(renewed, Refusal):
        return Decision(renewed, reason=renewed.reason)
    changes: tuple[Change, ...] = used_today(proven, at)
    if await facts.ended_token(access.serial) is None:
        # Guarded: of two at once one is the first, and none comes after a revocation.
        changes = (Add(EndedToken(access.serial, last + SKEW, at.now + WORKS_ON)), *changes)
    return Decision(renewed, changes, "renewed")


def _is_short_lived(proven: ProvenAccess) -> bool:
    access, short = proven.access, proven.client.policy.short_access_token_lifetime
    return access.expires_at is not None and access.expires_at - access.issued_at == short
