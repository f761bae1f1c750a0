"""What is said when the answer is no.

Two texts per refusal: the public sentence, which is here and never contains what the caller sent, and the private
``reason`` slug (``refresh_token_reused``), which logs and metrics count and which is never sent.
"""

from __future__ import annotations

from grantway.wire.record import record


@record
class OAuthError:
    """One error of the vocabulary: its code on the wire, HTTP status, and public sentence.

    ``field`` is the parameter that is wrong, for dialects that name it: one of our own names, never what was sent.
    """

    code: str
    status: int
    description: str
    field: str | None = None


# RFC 6749 §5.2
INVALID_REQUEST = OAuthError(
    "invalid_request", 400, "The request is missing a parameter, repeats one, or is malformed."
)
INVALID_CLIENT = OAuthError("invalid_client", 401, "Client authentication failed.")
INVALID_GRANT = OAuthError(
    "invalid_grant", 400, "The code or refresh token is invalid, expired, revoked, or not yours."
)
PASSWORD_WRONG = OAuthError("invalid_grant", 400, "The user name or the password is wrong.")
ACCOUNT_UNCLEAR = OAuthError(
    "invalid_request", 400, "This person belongs to several accounts, and the client to none of them."
)
UNAUTHORIZED_CLIENT = OAuthError("unauthorized_client", 400, "This client may not use this grant type.")
UNSUPPORTED_GRANT_TYPE = OAuthError("unsupported_grant_type", 400, "This grant type is not supported here.")
INVALID_SCOPE = OAuthError("invalid_scope", 400, "The scope is unknown, malformed, or more than was granted.")
# Square §3.7 tells a secret that is missing from one that is wrong.
CLIENT_SECRET_REQUIRED = OAuthError("client_secret_required", 400, "The client secret is missing.")
# RFC 6749 §4.1.2.1
ACCESS_DENIED = OAuthError("access_denied", 403, "The request was denied.")
UNSUPPORTED_RESPONSE_TYPE = OAuthError(
    "unsupported_response_type", 400, "This response type is not supported for this client."
)
SERVER_ERROR = OAuthError("server_error", 500, "Something went wrong on our side. It has been logged.")
TEMPORARILY_UNAVAILABLE = OAuthError("temporarily_unavailable", 503, "Busy. Try again shortly.")
OUTCOME_UNKNOWN = OAuthError("outcome_unknown", 503, "It is not known whether this was done. Ask again shortly.")
# RFC 6750 §3.1
INVALID_TOKEN = OAuthError("invalid_token", 401, "The access token is missing, expired, revoked, or malformed.")
INSUFFICIENT_SCOPE = OAuthError("insufficient_scope", 403, "The access token does not reach this.")
# RFC 7009 §2.2.1
UNSUPPORTED_TOKEN_TYPE = OAuthError("unsupported_token_type", 400, "This kind of token cannot be revoked here.")
# RFC 8707 §2
INVALID_TARGET = OAuthError("invalid_target", 400, "The resource is unknown, malformed, or more than was granted.")
# OpenID Connect Core §3.1.2.6
LOGIN_REQUIRED = OAuthError("login_required", 400, "The user is not signed in.")
CONSENT_REQUIRED = OAuthError("consent_required", 400, "The user has to be asked.")
# RFC 9110
TOO_MANY = OAuthError("limit_reached", 409, "There are as many of these as there may be.")
WEBHOOK_DISABLED = OAuthError(
    "webhook_disabled", 409, "This webhook is disabled because its target was gone. Give it an address to enable it."
)
NOT_FOUND = OAuthError("not_found", 404, "There is nothing here.")
METHOD_NOT_ALLOWED = OAuthError("method_not_allowed", 405, "This address does not take that method.")
CONFLICT = OAuthError("conflict", 409, "This does not fit what is there now.")
CONTENT_TOO_LARGE = OAuthError("content_too_large", 413, "The body is larger than is accepted here.")
UNSUPPORTED_MEDIA_TYPE = OAuthError("unsupported_media_type", 415, "The body is in a format that is not read here.")
UNPROCESSABLE = OAuthError("unprocessable", 422, "This can be read, but not be done.")
TOO_MANY_REQUESTS = OAuthError("too_many_requests", 429, "Too many attempts. Try again later.")
# draft-ietf-httpapi-idempotency-key-header §2.7
IDEMPOTENCY_KEY_REUSED = OAuthError("idempotency_key_reused", 422, "This Idempotency-Key was used for another request.")

BY_CODE = {error.code: error for error in reversed(list(globals().values())) if isinstance(error, OAuthError)}
"""The vocabulary by code. Where two share one, the more general comes first above, and is the one here."""


class Malformed(Exception):
    """What arrived cannot be read. The only error that reading ever raises.

    ``error`` is what is said, ``reason`` the private slug. Carries nothing of what arrived.
    """

    def __init__(self, error: OAuthError, reason: str) -> None:
        super().__init__(reason)
        self.error = error
        self.reason = reason
