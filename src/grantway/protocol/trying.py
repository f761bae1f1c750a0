"""A developer tries the flow of their integration: the real one, with a redirect URI of ours.

The code comes back to the portal and is exchanged there, without the client's secret, for one of its developers only.
What it gives never leaves this server: the page shows what the integration would have been told, without the tokens.
"""

from __future__ import annotations

from grantway.protocol.connections import ending
from grantway.protocol.decision import Decision, Refusal, RemoveConnection, refuse
from grantway.protocol.facts import Facts
from grantway.protocol.grant_types import authorization_code
from grantway.protocol.issuing import Issued, Reused
from grantway.protocol.model import Client
from grantway.protocol.moment import Moment
from grantway.protocol.portal import developer_of
from grantway.protocol.sessions import signed_in
from grantway.protocol.standing import why_client_is_out
from grantway.wire.errors import INVALID_GRANT, UNAUTHORIZED_CLIENT
from grantway.wire.messages import ClientCredentials, TokenRequest


def try_redirect_uri(issuer: str, client: Client) -> str:
    """Where a trial comes back to. Client ids have no character that would have to be encoded."""
    return f"{issuer}/developers/{client.client_id}/try/callback"


async def may_try(facts: Facts, at: Moment, client: Client, redirect_uri: str, session: str | None) -> bool:
    """Whether this is a trial by one of the client's developers."""
    if redirect_uri != try_redirect_uri(at.house.issuer, client):
        return False
    found = await signed_in(facts, at, session)
    return found is not None and await facts.developer(client.id, found[1].id) is not None


async def exchange_tried(
    facts: Facts, at: Moment, session: str | None, client_id: str, code: str, verifier: str | None
) -> Decision[Issued | Refusal]:
    """The code of a trial is exchanged, by the rule that every code goes through."""
    found = await developer_of(facts, at, session, client_id)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    client, redirect_uri = found.client, try_redirect_uri(at.house.issuer, found.client)
    out = why_client_is_out(client)
    if out is not None:
        return refuse(UNAUTHORIZED_CLIENT, out)
    request = TokenRequest(
        authorization_code.GRANT_TYPE,
        ClientCredentials(client_id, None, "none"),
        code=code,
        redirect_uri=redirect_uri,
        code_verifier=verifier,
    )
    presented = await authorization_code.load(request, facts)
    if presented.held is not None and presented.held.grant.user_id != found.user.id:
        return refuse(INVALID_GRANT, "code_of_another_user")
    decision = authorization_code.decide(request, client, presented, at)
    if isinstance(decision.answer, Reused):
        return refuse(INVALID_GRANT, decision.answer.reason)
    return Decision(decision.answer, decision.changes, decision.reason)


async def end_tried(
    facts: Facts, at: Moment, session: str | None, client_id: str, grant_id: bytes
) -> Decision[bool | Refusal]:
    """What a trial made ends, as the integration itself would end it. Whether the connection went with it."""
    found = await developer_of(facts, at, session, client_id)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    held = await facts.grant(grant_id)
    if held is None or held.client.id != found.client.id or held.grant.user_id != found.user.id:
        return refuse(INVALID_GRANT, "grant_unknown")
    changes = await ending(facts, held, at, reason="integrator", actor=found.actor, by=found.user.id)
    whole = any(isinstance(change, RemoveConnection) for change in changes)
    return Decision(whole, changes, "trial_ended")
