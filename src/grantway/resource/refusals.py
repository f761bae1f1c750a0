"""How the API says no: RFC 6750 §3."""

from __future__ import annotations

from grantway.wire.dialects.standard import write_bearer_challenge
from grantway.wire.errors import (
    ACCESS_DENIED,
    INSUFFICIENT_SCOPE,
    INVALID_REQUEST,
    INVALID_TOKEN,
    TEMPORARILY_UNAVAILABLE,
    OAuthError,
)
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import ErrorAnswer
from grantway.wire.record import record

REALM = "api"
ASK_AGAIN = 5
"""Seconds after which a caller may come back when the authorization server could not be asked."""
SUSPENDED_FOR = 300
"""The same while a connection is suspended, as the authorization server says it: nobody resumes it within a second."""


@record
class Refused:
    """Why a caller is not let in. ``reason`` is a slug for logs and tests, and is never sent."""

    error: OAuthError
    reason: str
    scope: tuple[str, ...] = ()
    retry_after: int | None = None
    connection_state: str | None = None


NO_TOKEN = Refused(INVALID_TOKEN, "access_token_missing")
"""Told the scheme and no error code: "the request lacks any authentication information" (RFC 6750 §3.1)."""
SUSPENDED = Refused(ACCESS_DENIED, "connection_suspended", retry_after=SUSPENDED_FOR, connection_state="suspended")
"""Never a 401: correct clients throw their tokens away on that, and a suspended connection comes back as it was."""


def invalid_request(reason: str) -> Refused:
    """Two tokens, or something that is none at all."""
    return Refused(INVALID_REQUEST, reason)


def invalid_token(reason: str) -> Refused:
    """Expired, revoked, malformed, for somebody else."""
    return Refused(INVALID_TOKEN, reason)


def insufficient_scope(scope: tuple[str, ...]) -> Refused:
    """A good token that does not reach this; the challenge names what would."""
    return Refused(INSUFFICIENT_SCOPE, "scope_too_small", scope)


def unavailable(reason: str, retry_after: int | None = None) -> Refused:
    """Nobody can say whether the token is good. Never open: come back."""
    return Refused(TEMPORARILY_UNAVAILABLE, reason, retry_after=retry_after or ASK_AGAIN)


def write_refusal(refused: Refused) -> HttpAnswer:
    """The answer, with its challenge."""
    answer = ErrorAnswer(refused.error, refused.retry_after, refused.connection_state)
    request = HttpRequest("GET", "/") if refused == NO_TOKEN else None
    return write_bearer_challenge(answer, request, realm=REALM, scope=refused.scope)
