"""Through the browser: ``GET /v4/oauth/authorization`` and its answer, in the query or in the fragment."""

from __future__ import annotations

from grantway.wire.encoding import Parameters, join_query, read_query, read_scope, split_query, write_form, write_scope
from grantway.wire.errors import BY_CODE, INVALID_REQUEST, INVALID_SCOPE, Malformed, OAuthError
from grantway.wire.http import HttpRequest
from grantway.wire.messages import AuthorizationAnswer, AuthorizationRequest, TokenAnswer

AUTHORIZE_PATH = "/v4/oauth/authorization"

_ANSWER = frozenset(
    {"code", "state", "error", "error_description", "access_token", "token_type", "expires_in", "scope"}
)
_IN_FRAGMENT = frozenset({"token", "id_token"})


def read_authorization_request(request: HttpRequest) -> AuthorizationRequest:
    """What the client asks for. The vendor requires all four parameters: who leaves one out ends on a page."""
    sent = read_query(request.query)
    scope = sent.scope()
    if scope is None:
        raise Malformed(INVALID_SCOPE, "scope_missing")
    return AuthorizationRequest(
        client_id=sent.needed("client_id"),
        response_type=sent.needed("response_type"),
        redirect_uri=sent.needed("redirect_uri"),
        scope=scope,
        state=sent.exact("state"),
        code_challenge=sent.visible("code_challenge"),
        code_challenge_method=sent.visible("code_challenge_method"),
    )


def write_authorization_request(message: AuthorizationRequest) -> str:
    """The query string that is put behind the authorization endpoint's address."""
    parameters = [
        ("client_id", message.client_id),
        ("response_type", message.response_type),
        ("scope", None if message.scope is None else write_scope(message.scope)),
        ("redirect_uri", message.redirect_uri),
        ("state", message.state),
        ("code_challenge", message.code_challenge),
        ("code_challenge_method", message.code_challenge_method),
    ]
    return write_form([(name, value) for name, value in parameters if value is not None])


def write_authorization_answer(answer: AuthorizationAnswer) -> str:
    """The ``Location``: code or error in the query; for who asked for a token, token or error in the fragment.

    ``state`` is always there, empty when none was sent, as in the vendor's example. The vendor's script splits a fragment
    at ``&`` and ``=`` and knows no ``+`` for a space, so every value is percent-encoded (RFC 3986 §2.1).
    """
    error, token = answer.error, answer.token
    parameters: list[tuple[str, str | None]] = [("code", answer.code)]
    if token is not None:
        parameters += [
            ("access_token", token.access_token),
            ("token_type", token.token_type),
            ("expires_in", None if token.expires_in is None else str(token.expires_in)),
            ("scope", None if token.scope is None else write_scope(token.scope)),
        ]
    if error is not None:
        parameters += [("error", error.code), ("error_description", error.description)]
    pairs = [*((name, value) for name, value in parameters if value is not None), ("state", answer.state or "")]
    if _IN_FRAGMENT.isdisjoint(answer.response_type.split()):
        return join_query(answer.redirect_uri, pairs)
    return f"{answer.redirect_uri}#{write_form(pairs)}"


def read_authorization_answer(url: str) -> AuthorizationAnswer:
    """The answer in the address that the browser was sent to; ``redirect_uri`` is that address without the answer.

    An answer in the fragment is one to ``response_type=token``. What other sites add to fragments is not looked at.
    """
    address, _, fragment = url.partition("#")
    redirect_uri, sent = split_query(address, _ANSWER)
    _, inner = split_query("?" + fragment, _ANSWER)
    if inner.visible("access_token") is None and inner.visible("error") is None:
        code, error = sent.visible("code"), _error_in(sent)
        if (code is None) == (error is None):
            raise Malformed(INVALID_REQUEST, "neither_code_nor_error" if code is None else "code_and_error")
        return AuthorizationAnswer(redirect_uri, code, error, sent.exact("state"))
    token, error = _token_in(inner), _error_in(inner)
    if token is not None and error is not None:
        raise Malformed(INVALID_REQUEST, "token_and_error")
    return AuthorizationAnswer(address, None, error, inner.exact("state"), token=token, response_type="token")


def _error_in(sent: Parameters) -> OAuthError | None:
    code = sent.visible("error")
    if code is None:
        return None
    known = BY_CODE.get(code)
    description = sent.one("error_description") or (known.description if known else "")
    return OAuthError(code, known.status if known else 400, description)


def _token_in(sent: Parameters) -> TokenAnswer | None:
    access_token = sent.visible("access_token")
    if access_token is None:
        return None
    scope = sent.exact("scope")
    return TokenAnswer(
        access_token,
        sent.needed("token_type"),
        sent.number("expires_in"),
        scope=None if scope is None else read_scope(scope) if scope else (),
    )
