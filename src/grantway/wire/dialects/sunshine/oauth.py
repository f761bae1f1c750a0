"""OAuth as the vendor spells it: authorize, get token, token info, revoke access."""

from __future__ import annotations

from typing import Any

from grantway.wire import json_bytes
from grantway.wire.dialects.sunshine.failures import ACCEPT, HEADERS, asking, read_error_answer
from grantway.wire.encoding import (
    FORM_TYPE,
    JSON_TYPE,
    Parameters,
    join_query,
    read_form,
    read_json_object,
    read_query,
    split_query,
    write_form,
)
from grantway.wire.errors import (
    BY_CODE,
    INVALID_REQUEST,
    UNSUPPORTED_MEDIA_TYPE,
    Malformed,
    OAuthError,
)
from grantway.wire.headers import media_type, read_basic, read_bearer, write_basic
from grantway.wire.http import JSON, HttpAnswer, HttpRequest
from grantway.wire.messages import (
    AccessRevocationAnswer,
    AccessRevocationRequest,
    AuthorizationAnswer,
    AuthorizationRequest,
    ClientCredentials,
    ErrorAnswer,
    TokenAnswer,
    TokenInfoAnswer,
    TokenInfoRequest,
    TokenRequest,
)

AUTHORIZE_PATH = "/oauth/authorize"
TOKEN_PATH = "/oauth/token"
TOKEN_INFO_PATH = "/v2/tokenInfo"
ACCESS_REVOCATION_PATH = "/oauth/authorization"

LONGEST_DISPLAY_NAME = 100  # characters; the vendor's SDK refuses longer ones and empty ones

_ANSWER = frozenset({"code", "state", "error", "error_description"})


# --- GET /oauth/authorize -------------------------------------------------------------------------------------------


def read_authorization_request(request: HttpRequest) -> AuthorizationRequest:
    """What the integration asks for. A missing ``response_type`` is ``None``: a rule refuses it with a redirect."""
    sent = read_query(request.query)
    return AuthorizationRequest(
        client_id=sent.needed("client_id"),
        response_type=sent.visible("response_type"),
        redirect_uri=sent.visible("redirect_uri"),
        state=sent.exact("state"),
    )


def write_authorization_request(message: AuthorizationRequest) -> str:
    """The query string that is put behind the authorization endpoint's address."""
    parameters = [
        ("client_id", message.client_id),
        ("response_type", message.response_type),
        ("state", message.state),
        ("redirect_uri", message.redirect_uri),
    ]
    return write_form([(name, value) for name, value in parameters if value is not None])


def write_authorization_answer(answer: AuthorizationAnswer) -> str:
    """The ``Location``: ``code`` or ``error`` and ``error_description``, and ``state``. Never ``iss``."""
    error = answer.error
    parameters = [
        ("code", answer.code),
        ("error", error.code if error else None),
        ("error_description", error.description if error else None),
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
        known = BY_CODE.get(error_code)
        description = sent.one("error_description") or (known.description if known else "")
        error = OAuthError(error_code, known.status if known else 400, description)
    return AuthorizationAnswer(redirect_uri, code, error, sent.exact("state"))


# --- POST /oauth/token ----------------------------------------------------------------------------------------------


def read_token_request(request: HttpRequest) -> TokenRequest:
    """The exchange: JSON as specified, or a form as the vendor's own app sends it.

    All four fields are required, the credentials are in the body, and an ``Authorization`` header is not looked at.
    """
    sent = _read_body(request)
    return TokenRequest(
        grant_type=sent.needed("grant_type"),
        credentials=ClientCredentials(sent.needed("client_id"), sent.needed("client_secret"), "client_secret_post"),
        code=sent.needed("code"),
    )


def _read_body(request: HttpRequest) -> Parameters:
    if not request.body:
        return Parameters({})
    kind = media_type(request)
    if kind == JSON_TYPE:
        return read_json_object(request.body)
    if kind == FORM_TYPE:
        return read_form(request.body)
    raise Malformed(UNSUPPORTED_MEDIA_TYPE, "body_neither_json_nor_form")


def write_token_request(message: TokenRequest) -> HttpRequest:
    """The client's end of ``read_token_request``, as JSON. An absent code or secret is sent empty, and refused."""
    members = {
        "code": message.code or "",
        "grant_type": message.grant_type,
        "client_id": message.credentials.client_id,
        "client_secret": message.credentials.client_secret or "",
    }
    return HttpRequest("POST", TOKEN_PATH, headers=(JSON, ACCEPT), body=json_bytes.dumps(members))


def write_token_answer(answer: TokenAnswer) -> HttpAnswer:
    """The token and its type; the specification knows no other field."""
    members = {"access_token": answer.access_token, "token_type": answer.token_type}
    return HttpAnswer(200, HEADERS, json_bytes.dumps(members))


def read_token_answer(answer: HttpAnswer) -> TokenAnswer | ErrorAnswer:
    """The token, or the refusal."""
    members = _successful(answer)
    if members is None:
        return read_error_answer(answer)
    return TokenAnswer(members.needed("access_token"), members.needed("token_type"))


# --- GET /v2/tokenInfo ----------------------------------------------------------------------------------------------


def read_token_info_request(request: HttpRequest) -> TokenInfoRequest:
    """The question. No bearer token is ``None``: the vendor's SDK sends none by itself."""
    return TokenInfoRequest(read_bearer(request.header(b"authorization")))


def write_token_info_request(message: TokenInfoRequest) -> HttpRequest:
    """The client's end of ``read_token_info_request``."""
    return HttpRequest("GET", TOKEN_INFO_PATH, headers=asking(message.access_token))


def write_token_info_answer(answer: TokenInfoAnswer) -> HttpAnswer:
    """``AppResponse``. A display name that the SDK would refuse is cut, or null when empty."""
    app: dict[str, Any] = {"id": answer.id, "displayName": (answer.display_name or "")[:LONGEST_DISPLAY_NAME] or None}
    if answer.subdomain is not None:
        app["subdomain"] = answer.subdomain
    app["settings"] = dict(answer.settings)
    app["metadata"] = None if answer.metadata is None else dict(answer.metadata)
    return HttpAnswer(200, HEADERS, json_bytes.dumps({"app": app}))


def read_token_info_answer(answer: HttpAnswer) -> TokenInfoAnswer | ErrorAnswer:
    """``AppResponse``, or the refusal."""
    sent = _successful(answer)
    if sent is None:
        return read_error_answer(answer)
    app = sent.mapping("app")
    if app is None:
        raise Malformed(INVALID_REQUEST, "app_missing")
    members = Parameters(app)
    return TokenInfoAnswer(
        id=members.needed("id"),
        display_name=members.one("displayName"),
        subdomain=members.one("subdomain"),
        settings=members.mapping("settings") or {},
        metadata=members.mapping("metadata"),
    )


# --- DELETE /oauth/authorization ------------------------------------------------------------------------------------


def read_access_revocation_request(request: HttpRequest) -> AccessRevocationRequest:
    """Whose connection is to end: by token, or by connection key. ``Basic Og==`` is neither. A body is not looked at."""
    header = request.header(b"authorization")
    token = read_bearer(header)
    if token is not None:
        return AccessRevocationRequest(access_token=token)
    key_id, key_secret = read_basic(header, form_encoded=False) or (None, None)
    return AccessRevocationRequest(key_id=key_id, key_secret=key_secret)


def write_access_revocation_request(message: AccessRevocationRequest) -> HttpRequest:
    """The client's end of ``read_access_revocation_request``. The token wins when a key is there as well."""
    headers = asking(message.access_token)
    if message.access_token is None and message.key_id is not None:
        basic = write_basic(message.key_id, message.key_secret or "", form_encoded=False)
        headers = (*headers, (b"authorization", basic.encode()))
    return HttpRequest("DELETE", ACCESS_REVOCATION_PATH, headers=headers)


def write_access_revocation_answer(answer: AccessRevocationAnswer) -> HttpAnswer:
    """An empty object."""
    return HttpAnswer(200, HEADERS, b"{}")


def read_access_revocation_answer(answer: HttpAnswer) -> AccessRevocationAnswer | ErrorAnswer:
    """It is ended, or the refusal. What is no JSON object does not say that anything ended."""
    return read_error_answer(answer) if _successful(answer) is None else AccessRevocationAnswer()


def _successful(answer: HttpAnswer) -> Parameters | None:
    """The members of a good answer. One that tells of an error is none, whatever its status."""
    if not 200 <= answer.status < 300:
        return None
    members = read_json_object(answer.body)
    return None if any(members.plain.get(name) for name in ("errors", "error")) else members
