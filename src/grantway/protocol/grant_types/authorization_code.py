"""A code becomes tokens, once (RFC 6749 §4.1.3, RFC 7636 §4.6, OAuth 2.1 §4.1.3).

A code is generation 0 of its grant; the exchange is the guarded move to generation 1. Codes have no grace: a second
presentation is refused, and when it is a fully valid one, and not the echo of a race, it ends the grant.
"""

from __future__ import annotations

from dataclasses import field

from grantway.protocol import audit
from grantway.protocol.activation import activation
from grantway.protocol.decision import Decision, MoveGeneration, Refusal, TouchUse, refuse
from grantway.protocol.facts import Facts, GrantInUse
from grantway.protocol.issuing import Issued, Reused, issue_for_grant
from grantway.protocol.keys import CODE, mac
from grantway.protocol.model import Client, Grant
from grantway.protocol.moment import Moment
from grantway.protocol.pkce import verifies
from grantway.protocol.redirect_uri import is_same
from grantway.protocol.scope import within
from grantway.protocol.standing import SUSPENDED, next_idle_end, suspended, why_out
from grantway.protocol.tokens import UnprovenCode, read_code
from grantway.wire.errors import CLIENT_SECRET_REQUIRED, INVALID_GRANT, INVALID_REQUEST, INVALID_TARGET
from grantway.wire.messages import TokenRequest
from grantway.wire.record import record

GRANT_TYPE = "authorization_code"
WRITES = True


@record
class Presented:
    """The code as it was read, and the grant that it names."""

    code: UnprovenCode | None = field(repr=False)
    held: GrantInUse | None


async def load(request: TokenRequest, facts: Facts) -> Presented:
    code = read_code(request.code or "")
    return Presented(code, None if code is None else await facts.grant(code.grant_id))


def decide(request: TokenRequest, client: Client, loaded: Presented, at: Moment) -> Decision[Issued | Refusal | Reused]:
    if request.code is None:
        return refuse(INVALID_REQUEST, "code_missing")
    code, held = loaded.code, loaded.held
    if code is None or held is None or held.grant.origin != "code":
        mac(bytes(32), CODE, bytes(16))  # the same work as for a code that exists
        return refuse(INVALID_GRANT, "code_unknown")
    grant = held.grant
    secret = at.vault.open(grant.key_id, grant.secret, grant.id)
    if not code.is_proven(secret):
        return refuse(INVALID_GRANT, "code_unknown")
    if grant.client_id != client.id:
        return refuse(INVALID_GRANT, "code_of_another_client")  # RFC 6749 §4.1.3
    if held.client.confidential and not client.confidential and grant.code_challenge is None:
        return refuse(CLIENT_SECRET_REQUIRED, "client_secret_missing")  # nothing else proves who asks
    wrong = _why_not_bound(request, grant, client)
    if wrong is not None:
        return refuse(INVALID_GRANT, wrong)
    out = why_out(held)
    if out is not None and out in SUSPENDED:
        return Decision(suspended(out), reason=out)
    if out is not None:
        return refuse(INVALID_GRANT, out)
    if grant.generation > 0:
        return _presented_again(held, at)
    if grant.code_expires_at is None or at.now >= grant.code_expires_at:
        return refuse(INVALID_GRANT, "code_expired")
    if request.resource and not within(request.resource, grant.resource):
        return refuse(INVALID_TARGET, "resource_exceeds_grant")  # RFC 8707 §2.2
    return Decision(
        issue_for_grant(
            held,
            secret,
            1,
            at,
            resource=request.resource or None,
            short_lived=request.short_lived,
            jwt=request.jwt,
        ),
        (
            MoveGeneration(grant.id, 0, at.now, refresh_idle_expires_at=next_idle_end(held.client, grant, at.now)),
            *activation(held, at),
            TouchUse(grant.id, held.connection.id, at.now.date()),
            audit.note(at, audit.by_client(client), "code_exchanged", held.connection, grant_id=grant.id),
        ),
        "code_exchanged",
    )


def _why_not_bound(request: TokenRequest, grant: Grant, client: Client) -> str | None:
    """Why this code is not for this request, or ``None``."""
    digest = grant.redirect_uri_digest
    if client.policy.repeats_redirect_uri and grant.redirect_uri_was_sent and request.redirect_uri is None:
        return "redirect_uri_missing"  # RFC 6749 §4.1.3: required if it was in the authorization request
    if request.redirect_uri is not None and (digest is None or not is_same(request.redirect_uri, digest)):
        return "redirect_uri_differs"
    if grant.code_challenge is None:
        # RFC 9700 §2.1.1: a verifier without a challenge is a downgrade.
        return None if request.code_verifier is None else "code_verifier_unexpected"
    if request.code_verifier is None:
        return "code_verifier_missing"
    return None if verifies(request.code_verifier, grant.code_challenge) else "code_verifier_wrong"


def _presented_again(held: GrantInUse, at: Moment) -> Decision[Issued | Refusal | Reused]:
    """RFC 6749 §4.1.2: deny, and revoke what it gave; but not for a race or an SDK's retry within seconds."""
    grant = held.grant
    exchanged_at = grant.moved_at if grant.generation == 1 else grant.previous_moved_at
    # The exact time is overwritten by later moves, but no exchange is later than the code's expiry.
    latest = min(time for time in (exchanged_at, grant.code_expires_at, at.now) if time is not None)
    if at.now - latest <= held.client.policy.code_reuse_window:
        return refuse(INVALID_GRANT, "code_presented_twice")
    return Decision(Reused(held, "code_reused"))
