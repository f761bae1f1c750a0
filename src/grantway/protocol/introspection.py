"""What is this token good for? (RFC 7662) A client sees its own, a resource server those for it, an operator all."""

from __future__ import annotations

from grantway.protocol.access import CLEANUP, ProvenAccess, may_clean_up, prove_access, used_today, why_inactive
from grantway.protocol.client_authentication import VerifiedSecret, authenticate_client
from grantway.protocol.decision import Decision, Refusal, refuse
from grantway.protocol.facts import Facts
from grantway.protocol.ids import show
from grantway.protocol.issuing import account_of, subject_of
from grantway.protocol.model import Client
from grantway.protocol.moment import Moment
from grantway.protocol.refresh_tokens import ProvenRefresh, prove_refresh
from grantway.protocol.scope import within
from grantway.protocol.standing import SUSPENDED, refresh_end, why_out
from grantway.protocol.token_status import member_id_of
from grantway.wire import base62
from grantway.wire.errors import INVALID_CLIENT
from grantway.wire.messages import IntrospectionAnswer, IntrospectionRequest

INACTIVE = IntrospectionAnswer(active=False)
SUSPENDED_FOR_NOW = IntrospectionAnswer(active=False, connection_state="suspended")
"""Told to who may see the token anyway, so that an API does not say ``invalid_token``: the client would throw it away."""


async def introspect(
    facts: Facts,
    at: Moment,
    request: IntrospectionRequest,
    dialect: str,
    issuer: str,
    verified: VerifiedSecret | None = None,
) -> Decision[IntrospectionAnswer | Refusal]:
    """Answer, telling nothing of a token that the caller has no business with (RFC 7662 §4)."""
    caller = await authenticate_client(request.credentials, facts, at, dialect, verified)
    if isinstance(caller, Refusal):
        return Decision(caller, reason=caller.reason)
    if not caller.confidential:
        return refuse(INVALID_CLIENT, "public_client_introspects")  # RFC 7662 §2.1: the caller must be authorized
    is_refresh = request.token.startswith("gwr_")
    proven = None if is_refresh else await prove_access(request.token, facts, at, issuer)
    if proven is None:
        refresh = await prove_refresh(request.token, facts, at)  # ours, or an older system's
        if refresh is not None:
            return _refresh_token(refresh, caller, at, issuer)
        return Decision(INACTIVE, reason=f"{'refresh' if is_refresh else 'access'}_token_unknown")
    if not _may_see(caller, proven, issuer):
        return Decision(INACTIVE, reason="not_the_callers_business")
    out = await why_inactive(proven, facts, at)
    if out == "connection_removed" and await may_clean_up(proven, facts, at):
        return Decision(await _active(proven, facts, issuer, CLEANUP), reason="active_for_cleanup")
    if out is not None:
        return Decision(SUSPENDED_FOR_NOW if out in SUSPENDED else INACTIVE, reason=out)
    return Decision(await _active(proven, facts, issuer, proven.scope), used_today(proven, at), "active")


def _may_see(caller: Client, proven: ProvenAccess, issuer: str) -> bool:
    if caller.kind == "operator" or caller.id == proven.client.id:
        return True
    audience = proven.access.resource or (issuer,)
    return caller.kind == "resource_server" and any(one in caller.resources for one in audience)


async def _active(proven: ProvenAccess, facts: Facts, issuer: str, scope: tuple[str, ...]) -> IntrospectionAnswer:
    access, held = proven.access, proven.held
    is_personal = bool(scope) and within(scope, proven.client.policy.personal_scopes)
    return IntrospectionAnswer(
        active=True,
        scope=scope,
        client_id=proven.client.client_id,
        token_type="Bearer",
        exp=None if access.expires_at is None else int(access.expires_at.timestamp()),
        iat=int(access.issued_at.timestamp()),
        sub=subject_of(proven.client, held),
        aud=access.resource or (issuer,),
        iss=issuer,
        jti=base62.encode(access.serial) if access.serial else None,
        connection_id=None if held is None else show("cn", held.connection.id),
        account=None if proven.account is None else account_of(proven.client, proven.account),
        member_id=await member_id_of(proven, facts) if is_personal else None,
    )


def _refresh_token(
    proven: ProvenRefresh, caller: Client, at: Moment, issuer: str
) -> Decision[IntrospectionAnswer | Refusal]:
    """A refresh token is active only as the live generation, and only for its own client and operators."""
    held, grant = proven.held, proven.held.grant
    if caller.kind != "operator" and caller.id != grant.client_id:
        return Decision(INACTIVE, reason="not_the_callers_business")
    if not proven.is_live:
        return Decision(INACTIVE, reason="refresh_token_superseded")
    out = why_out(held)
    if out is not None:
        return Decision(INACTIVE, reason=out)
    ends = (refresh_end(held, proven.unknown_until), proven.expires_at)
    end = min((each for each in ends if each is not None), default=None)
    if end is not None and at.now >= end:
        return Decision(INACTIVE, reason="refresh_token_expired")
    answer = IntrospectionAnswer(
        active=True,
        scope=tuple(one for one in grant.scope if one in held.connection.scope),
        client_id=held.client.client_id,
        exp=None if end is None else int(end.timestamp()),
        iat=int((grant.moved_at or grant.created_at).timestamp()),
        sub=subject_of(held.client, held),
        aud=grant.resource or (issuer,),
        iss=issuer,
        connection_id=show("cn", held.connection.id),
        account=account_of(held.client, held.account),
    )
    return Decision(answer, reason="active")
