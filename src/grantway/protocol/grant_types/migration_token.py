"""A token that an older system issued becomes tokens of ours, once (Square, ``migration_token``).

It is generation 0 of the grant that was made for it when it was brought along; the exchange is the guarded move to
generation 1. A second presentation is refused and ends nothing: what was given for the first stays good.
"""

from __future__ import annotations

from dataclasses import field

from grantway.protocol import audit
from grantway.protocol.activation import activation
from grantway.protocol.decision import Decision, MoveGeneration, Refusal, TouchUse, refuse
from grantway.protocol.digests import foreign_digest
from grantway.protocol.facts import Facts, GrantInUse
from grantway.protocol.issuing import Issued, issue_for_grant
from grantway.protocol.model import Client, ForeignToken
from grantway.protocol.moment import Moment
from grantway.protocol.standing import SUSPENDED, next_idle_end, suspended, why_out
from grantway.wire.errors import CLIENT_SECRET_REQUIRED, INVALID_GRANT, INVALID_REQUEST
from grantway.wire.messages import TokenRequest
from grantway.wire.record import record

GRANT_TYPE = "migration_token"
WRITES = True


@record
class Presented:
    """The token as it is known here, and the grant that it stands for."""

    token: ForeignToken | None = field(repr=False)
    held: GrantInUse | None


async def load(request: TokenRequest, facts: Facts) -> Presented:
    known = foreign_digest(request.migration_token or "")
    found = None if known is None else await facts.foreign_token(known)
    token = found if found is not None and found.kind == "migration" else None
    return Presented(token, None if token is None else await facts.grant(token.grant_id))


def decide(request: TokenRequest, client: Client, loaded: Presented, at: Moment) -> Decision[Issued | Refusal]:
    if request.migration_token is None:
        return refuse(INVALID_REQUEST, "migration_token_missing")
    if not client.confidential:
        return refuse(CLIENT_SECRET_REQUIRED, "client_secret_missing")  # no challenge was ever bound to such a token
    token, held = loaded.token, loaded.held
    if token is None or held is None:
        return refuse(INVALID_GRANT, "migration_token_unknown")
    grant = held.grant
    if grant.client_id != client.id:
        return refuse(INVALID_GRANT, "migration_token_of_another_client")
    out = why_out(held)
    if out is not None and out in SUSPENDED:
        return Decision(suspended(out), reason=out)
    if out is not None:
        return refuse(INVALID_GRANT, out)
    if token.expires_at is not None and at.now >= token.expires_at:
        return refuse(INVALID_GRANT, "migration_token_expired")
    if grant.generation > 0:
        return refuse(INVALID_GRANT, "migration_token_exchanged")
    secret = at.vault.open(grant.key_id, grant.secret, grant.id)
    return Decision(
        issue_for_grant(held, secret, 1, at, short_lived=request.short_lived, jwt=request.jwt),
        (
            MoveGeneration(grant.id, 0, at.now, refresh_idle_expires_at=next_idle_end(held.client, grant, at.now)),
            *activation(held, at),
            TouchUse(grant.id, held.connection.id, at.now.date()),
            audit.note(at, audit.by_client(client), "foreign_token_replaced", held.connection, grant_id=grant.id),
        ),
        "migrated",
    )
