"""The rule at the door: which token was sent, is it for this API, does it reach far enough?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grantway.resource.refusals import (
    NO_TOKEN,
    Refused,
    insufficient_scope,
    invalid_request,
    invalid_token,
    write_refusal,
)
from grantway.resource.token import AccessToken
from grantway.resource.verifier import Verifier
from grantway.wire.encoding import read_scope
from grantway.wire.errors import Malformed
from grantway.wire.headers import read_bearer
from grantway.wire.http import Headers, HttpAnswer, HttpRequest
from grantway.wire.record import record

KEY = "grantway.token"
"""Where the application finds its caller's token, in the ASGI scope and in the WSGI environment."""
CLEANUP = "cleanup"
"""All that a token reaches whose connection was removed a moment ago. It passes only where exactly that is asked for."""


@record
class Wanted:
    """What a token must be for: this API, and at least this scope."""

    audience: str | None
    scope: tuple[str, ...]


def wanted(verifier: Verifier, audience: str | None, required_scope: str | Iterable[str]) -> Wanted:
    """What the settings of the middleware come to. ``ValueError`` when they would let anybody in."""
    if audience is None and not verifier.knows_audience:
        raise ValueError("Name the audience: without it, a token for any other API would be let in (RFC 9068 §4).")
    words = required_scope if isinstance(required_scope, str) else " ".join(required_scope)
    return Wanted(audience, read_scope(words) if words else ())


def read_token(headers: Headers, query: bytes) -> str | Refused:
    """The token of ``Authorization: Bearer``, the only place where it is looked for.

    RFC 6750 §2.3 on tokens in the query: "SHOULD NOT be used", since addresses are logged and shared. One there beside the
    header's is a second method and refused (§3.1); one there alone is no token.
    """
    try:
        header = HttpRequest("GET", "/", headers=headers).header(b"authorization")
        if header is None or header.partition(" ")[0].lower() != "bearer":
            return NO_TOKEN
        if "," in header:
            return invalid_request("authorization_repeated")  # how WSGI servers join two headers
        token = read_bearer(header)
    except Malformed as error:
        return Refused(error.error, error.reason)
    if token is None:
        return invalid_request("bearer_empty")
    if any(pair.partition(b"=")[0] == b"access_token" for pair in query.split(b"&")):
        return invalid_request("two_tokens")
    return token


def admit(token: AccessToken, to: Wanted) -> Refused | None:
    """Why a good token is not let in here, or ``None``."""
    if to.audience is not None and to.audience not in token.audience:
        return invalid_token("wrong_audience")  # RFC 9068 §4
    if token.scope == (CLEANUP,) and to.scope != (CLEANUP,):
        return invalid_token("connection_removed")
    return None if token.has(*to.scope) else insufficient_scope(to.scope)


class InsufficientScope(Exception):
    """The token does not reach what this route asks for.

    The middleware answers it where it arrives. Frameworks that turn exceptions into answers themselves get a handler that
    gives ``answer``. Nothing of the token is in it.
    """

    def __init__(self, scope: tuple[str, ...]) -> None:
        super().__init__(" ".join(scope))
        self.scope = scope

    @property
    def answer(self) -> HttpAnswer:
        """403, with the challenge that names the scope (RFC 6750 §3.1)."""
        return write_refusal(insufficient_scope(self.scope))


def token_of(scope: Mapping[str, Any]) -> AccessToken:
    """The caller's token, from the ASGI scope or the WSGI environment. ``LookupError`` where nothing protects."""
    token: AccessToken | None = scope.get(KEY)
    if token is None:
        raise LookupError("There is no access token here: this route is not behind Protect.")
    return token


def require(token: AccessToken, *scope: str) -> None:
    """Raise ``InsufficientScope`` unless the token reaches all of these."""
    if not token.has(*scope):
        raise InsufficientScope(scope)
