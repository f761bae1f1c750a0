"""Through the browser: the permissions request and its answer (vendors.md §3.1)."""

from __future__ import annotations

from grantway.wire.encoding import join_query, read_query, split_query, write_form, write_scope
from grantway.wire.errors import ACCESS_DENIED, BY_CODE, INVALID_REQUEST, Malformed, OAuthError
from grantway.wire.http import HttpRequest
from grantway.wire.messages import AuthorizationAnswer, AuthorizationRequest

AUTHORIZE_PATH = "/oauth2/authorize"

_ANSWER = frozenset({"code", "response_type", "state", "error", "error_description"})
_USER_DENIED = "user_denied"


def read_authorization_request(request: HttpRequest) -> AuthorizationRequest:
    """What the application asks for. There is no ``response_type``: the answer is always a code.

    A code challenge is one of S256, unless somebody says otherwise and is refused for it; the vendor documents no
    ``code_challenge_method``. ``session=false``: the customer signs in, whoever is signed in.
    """
    sent = read_query(request.query)
    challenge, locale = sent.visible("code_challenge"), sent.visible("locale")
    must_sign_in = (sent.visible("session") or "").lower() == "false"  # "False" is seen as well
    return AuthorizationRequest(
        client_id=sent.needed("client_id"),
        response_type="code",
        redirect_uri=sent.visible("redirect_uri"),
        scope=sent.scope(),
        state=sent.exact("state"),
        code_challenge=challenge,
        code_challenge_method=None if challenge is None else sent.visible("code_challenge_method") or "S256",
        prompt=("login",) if must_sign_in else (),
        ui_locales=() if locale is None else (locale,),
    )


def write_authorization_request(message: AuthorizationRequest) -> str:
    """The query string that is put behind the authorization endpoint's address. One language goes in."""
    parameters = [
        ("client_id", message.client_id),
        ("scope", None if message.scope is None else write_scope(message.scope)),
        ("locale", next(iter(message.ui_locales), None)),
        ("session", "false" if "login" in message.prompt else None),
        ("state", message.state),
        ("code_challenge", message.code_challenge),
        ("redirect_uri", message.redirect_uri),
    ]
    return write_form([(name, value) for name, value in parameters if value is not None])


def write_authorization_answer(answer: AuthorizationAnswer) -> str:
    """The ``Location``: a code and what kind of answer it is, or an error, and ``state``. Never ``iss``."""
    error = answer.error
    denied = error == ACCESS_DENIED
    parameters = [
        ("code", answer.code),
        ("response_type", None if answer.code is None else "code"),
        ("error", error.code if error else None),
        ("error_description", _USER_DENIED if denied else error.description if error else None),
        ("state", answer.state),
    ]
    return join_query(answer.redirect_uri, [(name, value) for name, value in parameters if value is not None])


def read_authorization_answer(url: str) -> AuthorizationAnswer:
    """The answer in the address that the browser was sent to; ``redirect_uri`` is that address without the answer."""
    redirect_uri, sent = split_query(url, _ANSWER)
    code, error_code = sent.visible("code"), sent.visible("error")
    if (code is None) == (error_code is None):
        raise Malformed(INVALID_REQUEST, "neither_code_nor_error" if code is None else "code_and_error")
    error = None
    if error_code is not None:
        known, description = BY_CODE.get(error_code), sent.one("error_description") or ""
        if known is not None and description in ("", _USER_DENIED):
            description = known.description
        error = OAuthError(error_code, known.status if known else 400, description)
    return AuthorizationAnswer(redirect_uri, code, error, sent.exact("state"))
