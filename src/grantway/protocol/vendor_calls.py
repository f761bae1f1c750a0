"""What vendors' integrations ask with the token itself: which account is this, and: remove my access.

Sunshine Conversations: ``GET /v2/tokenInfo`` and ``DELETE /oauth/authorization``.
"""

from __future__ import annotations

from grantway.protocol import audit
from grantway.protocol.access import used_today
from grantway.protocol.bearer import bearer
from grantway.protocol.connections import Removed, removal, view_of
from grantway.protocol.decision import Decision, Refusal, refuse
from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.keys import same
from grantway.protocol.moment import Moment
from grantway.protocol.standing import SUSPENDED, why_client_is_out
from grantway.wire.errors import INVALID_TOKEN
from grantway.wire.messages import AccessRevocationRequest, TokenInfoAnswer, TokenInfoRequest

_NOBODY = bytes(32)


async def token_info(
    facts: Facts, at: Moment, request: TokenInfoRequest, dialect: str, issuer: str
) -> Decision[TokenInfoAnswer | Refusal]:
    """The account that the token reaches; a refusal also says that the credentials are no longer valid."""
    proven = await bearer(request.access_token, facts, at, dialect, issuer)
    if isinstance(proven, Refusal):
        return Decision(proven, reason=proven.reason)
    if proven.held is None:
        return refuse(INVALID_TOKEN, "token_without_account")
    account = proven.held.account
    answer = TokenInfoAnswer(
        id=account.external_ids[dialect],
        display_name=account.display_name or account.name[:100],
        subdomain=account.subdomain,
        settings=account.settings,
        metadata=account.metadata,
    )
    return Decision(answer, used_today(proven, at), "token_info_told")


async def revoke_access(
    facts: Facts, at: Moment, request: AccessRevocationRequest, dialect: str, issuer: str
) -> Decision[Removed | Refusal]:
    """Remove the connection that the credentials belong to: the same as the customer removing it by hand."""
    if request.access_token is None and request.key_id is not None:
        return await _by_key(request.key_id, request.key_secret or "", facts, at, dialect)
    proven = await bearer(request.access_token, facts, at, dialect, issuer, but_for=SUSPENDED)
    if isinstance(proven, Refusal):
        return Decision(proven, reason=proven.reason)
    held = proven.held
    if held is None:
        return refuse(INVALID_TOKEN, "token_without_account")
    actor = audit.by_client(held.client)
    changes = await removal(facts, at, view_of(held), reason="integrator", actor=actor)
    return Decision(Removed(held.connection), changes, "connection_removed")


async def _by_key(key_id: str, key_secret: str, facts: Facts, at: Moment, dialect: str) -> Decision[Removed | Refusal]:
    found = await facts.connection_key(key_id)
    if not same(digest(key_secret), _NOBODY if found is None else found[0].digest) or found is None:
        return refuse(INVALID_TOKEN, "connection_key_wrong")
    view = found[1]
    if view.client.policy.dialect != dialect:
        return refuse(INVALID_TOKEN, "connection_key_of_another_dialect")
    if view.connection.removed_at is not None:
        return refuse(INVALID_TOKEN, "connection_removed")
    out = why_client_is_out(view.client)
    if out is not None:
        return refuse(INVALID_TOKEN, out)
    actor = audit.by_client(view.client)
    changes = await removal(facts, at, view, reason="integrator", actor=actor)
    return Decision(Removed(view.connection), changes, "connection_removed")
