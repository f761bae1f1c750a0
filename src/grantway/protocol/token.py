"""The token endpoint: what is common to all grant types, so that none of them can forget a step."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

from grantway.protocol.administration.approval import may_connect_draft
from grantway.protocol.client_authentication import VerifiedSecret, authenticate_client, may_ask
from grantway.protocol.connections import SYSTEM, ending
from grantway.protocol.decision import Decision, Refusal, refuse
from grantway.protocol.facts import Facts
from grantway.protocol.grant_types import authorization_code, client_credentials, migration_token, refresh_token
from grantway.protocol.issuing import Issued, Reused, as_signed
from grantway.protocol.moment import Moment
from grantway.protocol.standing import SUSPENDED, suspended, why_own_is_out
from grantway.wire.errors import INVALID_GRANT, UNAUTHORIZED_CLIENT, UNSUPPORTED_GRANT_TYPE
from grantway.wire.messages import TokenRequest

GRANT_TYPES = (authorization_code, client_credentials, refresh_token, migration_token)
_BY_NAME: dict[str, ModuleType] = {module.GRANT_TYPE: module for module in GRANT_TYPES}


def writes(request: TokenRequest) -> bool:
    """Whether a request of this grant type usually changes something."""
    module = _BY_NAME.get(request.grant_type)
    return module is not None and bool(module.WRITES)


async def token(
    facts: Facts, at: Moment, request: TokenRequest, dialect: str, verified: VerifiedSecret | None = None
) -> Decision[Issued | Refusal]:
    """Decide a token request (RFC 6749 §5)."""
    # 1. Who is it?
    client = await authenticate_client(request.credentials, facts, at, dialect, verified)
    if isinstance(client, Refusal):
        return Decision(client, reason=client.reason)
    # 2. May it ask for this kind of thing at all?
    module = _BY_NAME.get(request.grant_type)
    if module is None:
        return refuse(UNSUPPORTED_GRANT_TYPE, "grant_type_unknown")
    if not may_ask(client, request.grant_type):
        return refuse(UNAUTHORIZED_CLIENT, "grant_type_not_allowed")
    # 3. The grant type's own rule.
    loaded: Any = await module.load(request, facts)
    decision: Decision[Issued | Refusal | Reused] = module.decide(request, client, loaded, at)
    # 4. What two hold ends, as if it had been ended on purpose; with the last grant the connection goes.
    answer = decision.answer
    if isinstance(answer, Reused):
        changes = await ending(facts, answer.held, at, reason="reuse_detected", actor=SYSTEM)
        return refuse(INVALID_GRANT, answer.reason, *changes)
    # 5. What a client does for itself it does for the account that it belongs to.
    if isinstance(answer, Issued) and answer.held is None:
        answer = await _at_its_account(answer, facts)
    # 6. A JWT is signed by a key that is chosen with the facts.
    if isinstance(answer, Issued):
        answer = await as_signed(answer, facts, at)
    if isinstance(answer, Refusal):
        return Decision(answer, decision.changes if answer is decision.answer else (), answer.reason)
    return Decision(answer, decision.changes, decision.reason)


async def _at_its_account(issued: Issued, facts: Facts) -> Issued | Refusal:
    if issued.client.account_id is None:
        return issued
    account = await facts.account(issued.client.account_id)
    out = why_own_is_out(issued.client, account)
    if out is not None:
        return suspended(out) if out in SUSPENDED else Refusal(UNAUTHORIZED_CLIENT, out)
    if account is not None and not await may_connect_draft(facts, issued.client, account):
        return Refusal(UNAUTHORIZED_CLIENT, "client_is_draft")  # who registered it has nothing to say there any more
    return replace(issued, own_account=account)
