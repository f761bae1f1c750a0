"""A person leaves an integration with the token that they came with (Phone.com ``DELETE /v4/oauth/access-token``)."""

from __future__ import annotations

from grantway.protocol import audit
from grantway.protocol.bearer import bearer
from grantway.protocol.connections import ending
from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.facts import Facts
from grantway.protocol.moment import Moment
from grantway.protocol.revocation import end_access_token
from grantway.protocol.standing import SUSPENDED
from grantway.wire.messages import SignOutAnswer, SignOutRequest


async def sign_out(
    facts: Facts, at: Moment, request: SignOutRequest, dialect: str, issuer: str
) -> Decision[SignOutAnswer | Refusal]:
    """End the grant that the token hangs from, refresh token and all; a client's own token ends alone.

    Who is suspended may still leave. Who has left already holds no active token, and is told so.
    """
    proven = await bearer(request.access_token, facts, at, dialect, issuer, but_for=SUSPENDED)
    if isinstance(proven, Refusal):
        return Decision(proven, reason=proven.reason)
    held = proven.held
    if held is None:
        ended = await end_access_token(proven, facts, at)
        return Decision(SignOutAnswer(), ended.changes, ended.reason)
    changes = await ending(facts, held, at, reason="integrator", actor=audit.by_client(proven.client))
    return Decision(SignOutAnswer(), changes, "signed_out")
