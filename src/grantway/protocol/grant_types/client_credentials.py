"""A client acts for itself (RFC 6749 §4.4). Writes nothing: the token hangs from the client's own row."""

from __future__ import annotations

from grantway.protocol.decision import Decision, Refusal, refuse
from grantway.protocol.facts import Facts
from grantway.protocol.issuing import Issued, issue_for_client
from grantway.protocol.model import Client
from grantway.protocol.moment import Moment
from grantway.protocol.scope import within
from grantway.wire.errors import INVALID_SCOPE, INVALID_TARGET, UNAUTHORIZED_CLIENT
from grantway.wire.messages import TokenRequest

GRANT_TYPE = "client_credentials"
WRITES = False


async def load(request: TokenRequest, facts: Facts) -> None:
    """Nothing but the client itself."""


def decide(request: TokenRequest, client: Client, loaded: None, at: Moment) -> Decision[Issued | Refusal]:
    if not client.confidential:
        return refuse(UNAUTHORIZED_CLIENT, "public_client_credentials")  # RFC 6749 §4.4: confidential clients only
    scope = client.default_scopes if request.scope is None else request.scope  # RFC 6749 §3.3
    if not within(scope, client.scopes):
        return refuse(INVALID_SCOPE, "scope_exceeds_client")
    resource = request.resource or client.resources
    if not within(resource, client.resources):
        return refuse(INVALID_TARGET, "resource_exceeds_client")  # RFC 8707 §2
    secret = at.vault.open(client.key_id, client.secret, client.id)
    # RFC 6749 §4.4.3: a refresh token should not be included.
    return Decision(issue_for_client(client, secret, at, scope, resource), reason="issued_to_client")
