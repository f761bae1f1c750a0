"""A client ends all that an account has allowed it (Square, ``RevokeToken``): its tokens, and what lives by them.

Its secret proves who asks, so a token is no more than the name of an authorization here: an expired or ended one names it
as well, and repeating is safe.
"""

from __future__ import annotations

from grantway.protocol import audit
from grantway.protocol.access import ProvenAccess, prove_access
from grantway.protocol.client_authentication import VerifiedSecret, authenticate_client
from grantway.protocol.connections import removal, view_of
from grantway.protocol.decision import Change, Decision, Refusal, refuse
from grantway.protocol.facts import ConnectionInView, Facts, Page
from grantway.protocol.model import Client
from grantway.protocol.moment import Moment
from grantway.protocol.revocation import end_access_token
from grantway.wire.errors import INVALID_CLIENT, INVALID_REQUEST, NOT_FOUND
from grantway.wire.messages import AuthorizationRevocationAnswer, AuthorizationRevocationRequest


async def revoke_authorization(
    facts: Facts,
    at: Moment,
    request: AuthorizationRevocationRequest,
    dialect: str,
    issuer: str,
    verified: VerifiedSecret | None = None,
) -> Decision[AuthorizationRevocationAnswer | Refusal]:
    """The connection goes, as if the customer had removed it; with ``only_access_token`` nothing but that token."""
    client = await authenticate_client(request.credentials, facts, at, dialect, verified)
    if isinstance(client, Refusal):
        return Decision(client, reason=client.reason)
    if not client.confidential:
        return refuse(INVALID_CLIENT, "client_secret_missing")
    if request.access_token is None:
        if request.only_access_token or request.account_id is None:
            return refuse(INVALID_REQUEST, "access_token_missing")
        return await _of_account(facts, at, client, request.account_id, dialect)
    proven = await prove_access(request.access_token, facts, at, issuer)
    if proven is None or proven.held is None or proven.client.id != client.id:
        return refuse(NOT_FOUND, "access_token_unknown" if proven is None else "access_token_of_another_client")
    held = proven.held
    if request.account_id is not None and held.account.external_ids.get(dialect) != request.account_id:
        return refuse(INVALID_REQUEST, "account_differs")
    if held.grant.origin == "permanent":
        return refuse(INVALID_REQUEST, "permanent_token")  # made by hand, and ended by hand
    if request.only_access_token:
        return await _only(proven, facts, at)
    return await _removed(facts, at, view_of(held), client)


async def _only(proven: ProvenAccess, facts: Facts, at: Moment) -> Decision[AuthorizationRevocationAnswer | Refusal]:
    ended = await end_access_token(proven, facts, at)
    answer = ended.answer if isinstance(ended.answer, Refusal) else AuthorizationRevocationAnswer()
    return Decision(answer, ended.changes, ended.reason)


async def _of_account(
    facts: Facts, at: Moment, client: Client, account_id: str, dialect: str
) -> Decision[AuthorizationRevocationAnswer | Refusal]:
    account = await facts.account_by_external_id(dialect, account_id)
    if account is None:
        return refuse(NOT_FOUND, "account_unknown")
    live = await facts.live_connection(client.id, account.id)
    if live is not None:
        return await _removed(facts, at, ConnectionInView(live, client, account, None), client)
    earlier = await facts.connections(Page(1), account_id=account.id, client_row_id=client.id, state="removed")
    if not earlier:
        return refuse(NOT_FOUND, "account_not_connected")
    return Decision(AuthorizationRevocationAnswer(), reason="connection_removed_before")


async def _removed(
    facts: Facts, at: Moment, view: ConnectionInView, client: Client
) -> Decision[AuthorizationRevocationAnswer | Refusal]:
    if view.connection.removed_at is not None:
        return Decision(AuthorizationRevocationAnswer(), reason="connection_removed_before")
    changes: tuple[Change, ...] = await removal(facts, at, view, reason="integrator", actor=audit.by_client(client))
    return Decision(AuthorizationRevocationAnswer(), changes, "connection_removed")
