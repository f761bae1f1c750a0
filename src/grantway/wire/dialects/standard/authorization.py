"""Through the browser: the authorization request and its answer. RFC 6749 §4.1.1, §4.1.2; RFC 7636; 8707; 9207."""

from __future__ import annotations

from grantway.wire.dialects.standard.credentials import read_body
from grantway.wire.encoding import join_query, read_query, split_query, write_form, write_scope
from grantway.wire.errors import BY_CODE, INVALID_REQUEST, INVALID_TARGET, Malformed, OAuthError
from grantway.wire.http import HttpRequest
from grantway.wire.messages import AuthorizationAnswer, AuthorizationRequest

AUTHORIZE_PATH = "/authorize"

_ANSWER = frozenset({"code", "state", "iss", "error", "error_description", "error_uri"})


def read_authorization_request(request: HttpRequest) -> AuthorizationRequest:
    """What the client asks for: from the query, or from the form of a POST (RFC 6749 §3.1).

    A missing ``response_type`` is ``None``, so that a rule can send the refusal to the client. ``Malformed`` is for the
    person in front of the browser only: nothing in such a request can be trusted to name a place to go back to.
    """
    sent = read_body(request) if request.method == "POST" else read_query(request.query)
    return AuthorizationRequest(
        client_id=sent.needed("client_id"),
        response_type=sent.visible("response_type"),
        redirect_uri=sent.visible("redirect_uri"),
        scope=sent.scope(),
        state=sent.exact("state"),
        code_challenge=sent.visible("code_challenge"),
        code_challenge_method=sent.visible("code_challenge_method"),
        resource=sent.many("resource", INVALID_TARGET),
        prompt=tuple((sent.visible("prompt") or "").split()),
        ui_locales=tuple((sent.visible("ui_locales") or "").split()),  # OpenID Connect Core §3.1.2.1
    )


def write_authorization_request(message: AuthorizationRequest) -> str:
    """The query string that is put behind the authorization endpoint's address."""
    parameters = [
        ("response_type", message.response_type),
        ("client_id", message.client_id),
        ("redirect_uri", message.redirect_uri),
        ("scope", None if message.scope is None else write_scope(message.scope)),
        ("state", message.state),
        ("code_challenge", message.code_challenge),
        ("code_challenge_method", message.code_challenge_method),
        *[("resource", resource) for resource in message.resource],
        ("prompt", " ".join(message.prompt) or None),
        ("ui_locales", " ".join(message.ui_locales) or None),
    ]
    return write_form([(name, value) for name, value in parameters if value is not None])


def write_authorization_answer(answer: AuthorizationAnswer) -> str:
    """The ``Location`` that carries the answer: the redirect URI with a code, or an error, in its query."""
    error = answer.error
    parameters = [
        ("code", answer.code),
        ("error", error.code if error else None),
        ("error_description", error.description if error else None),
        ("state", answer.state),
        ("iss", answer.iss),
    ]
    return join_query(answer.redirect_uri, [(name, value) for name, value in parameters if value is not None])


def read_authorization_answer(url: str) -> AuthorizationAnswer:
    """The answer in the address that the browser was sent to.

    ``redirect_uri`` is the address without the answer's own parameters. An error's status is not told in a redirect: it
    is the one we know for its code, or 400.
    """
    redirect_uri, sent = split_query(url, _ANSWER)
    code, error_code = sent.visible("code"), sent.visible("error")
    if (code is None) == (error_code is None):
        raise Malformed(INVALID_REQUEST, "neither_code_nor_error" if code is None else "code_and_error")
    error = None
    if error_code is not None:
        known = BY_CODE.get(error_code)
        description = sent.one("error_description") or (known.description if known else "")
        error = OAuthError(error_code, known.status if known else 400, description)
    return AuthorizationAnswer(redirect_uri, code, error, sent.exact("state"), sent.visible("iss"))
