"""How a refusal is said: ``{"errors": [{"category", "code", "detail", "field"}]}``, and one case otherwise.

An application that is not who it says it is gets ``{"message", "type"}``, the shape of the vendor's older interface: the
two are told apart by it. No refusal has status 409, on which the vendor's libraries repeat a request.
"""

from __future__ import annotations

from grantway.wire import json_bytes
from grantway.wire.dialects.square.fields import FIELD_ERRORS
from grantway.wire.encoding import JSON_TYPE, Parameters, read_json_object
from grantway.wire.errors import (
    ACCESS_DENIED,
    CLIENT_SECRET_REQUIRED,
    CONTENT_TOO_LARGE,
    INSUFFICIENT_SCOPE,
    INVALID_CLIENT,
    INVALID_GRANT,
    INVALID_REQUEST,
    INVALID_SCOPE,
    INVALID_TOKEN,
    OUTCOME_UNKNOWN,
    SERVER_ERROR,
    TEMPORARILY_UNAVAILABLE,
    TOO_MANY_REQUESTS,
    UNAUTHORIZED_CLIENT,
    UNSUPPORTED_GRANT_TYPE,
    Malformed,
    OAuthError,
)
from grantway.wire.headers import read_retry_after
from grantway.wire.http import JSON, NO_STORE, HttpAnswer, HttpRequest
from grantway.wire.messages import ErrorAnswer
from grantway.wire.record import record

HEADERS = (JSON, NO_STORE)
ACCEPT = (b"accept", JSON_TYPE.encode())

_CHALLENGE = (b"www-authenticate", b'Bearer realm="grantway"')
_NOT_AUTHORIZED = {"message": "Not Authorized", "type": "service.not_authorized"}
_NOT_GOOD = "This request could not be authorized."
_BEARER_NOT_GOOD = "The `Authorization` http header of your request was malformed, incorrect or expired."
_SUSPENDED = "Access is suspended."


@record
class _Words:
    """How the vendor says an error. ``detail`` and ``status`` are the error's own where they are ``None``."""

    code: str
    category: str = "INVALID_REQUEST_ERROR"
    field: str | None = None
    status: int | None = None
    detail: str | None = None


_ITS_OWN = {
    INVALID_REQUEST: _Words("BAD_REQUEST"),
    INVALID_GRANT: _Words("UNAUTHORIZED", "AUTHENTICATION_ERROR", None, 401, _NOT_GOOD),
    INVALID_TOKEN: _Words("UNAUTHORIZED", "AUTHENTICATION_ERROR", None, 401, _BEARER_NOT_GOOD),
    CLIENT_SECRET_REQUIRED: _Words(
        "MISSING_REQUIRED_PARAMETER", field="client_secret", detail="missing required parameter 'client_secret'"
    ),
    UNSUPPORTED_GRANT_TYPE: _Words("INVALID_VALUE", field="grant_type"),
    UNAUTHORIZED_CLIENT: _Words("INVALID_VALUE", field="grant_type"),
    INVALID_SCOPE: _Words("INVALID_VALUE", field="scopes"),
    INSUFFICIENT_SCOPE: _Words("INSUFFICIENT_SCOPES", "AUTHENTICATION_ERROR"),
    ACCESS_DENIED: _Words("FORBIDDEN", "AUTHENTICATION_ERROR"),
    CONTENT_TOO_LARGE: _Words("REQUEST_ENTITY_TOO_LARGE"),
    TOO_MANY_REQUESTS: _Words("RATE_LIMITED", "RATE_LIMIT_ERROR"),
    SERVER_ERROR: _Words("INTERNAL_SERVER_ERROR", "API_ERROR"),
    TEMPORARILY_UNAVAILABLE: _Words("SERVICE_UNAVAILABLE", "API_ERROR"),
    OUTCOME_UNKNOWN: _Words("SERVICE_UNAVAILABLE", "API_ERROR"),
}
_WHAT = {
    "authorization_code": "Authorization code",
    "refresh_token": "Refresh token",
    "migration_token": "Migration token",
}
# Read backwards: several of ours may be one of the vendor's, and then the sentence tells which.
_BY_SENTENCE = {
    (words.code, words.field, words.detail or error.description): error for error, words in _ITS_OWN.items()
}
_BY_FIELD = {(words.code, words.field): error for error, words in reversed(_ITS_OWN.items())}
# What no sentence tells: the vendor refuses a code, a token and a bearer with the same entry.
_REFUSED = frozenset({"UNAUTHORIZED", "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_REVOKED"})


def write_error_answer(answer: ErrorAnswer, request: HttpRequest | None = None) -> HttpAnswer:
    """A refusal. ``request`` tells what was not found, in the vendor's sentence for it (vendors.md §3.7)."""
    error = answer.error
    headers = list(HEADERS)
    if answer.retry_after is not None:
        headers.append((b"retry-after", b"%d" % answer.retry_after))
    if error == INVALID_CLIENT:
        return HttpAnswer(401, tuple(headers), json_bytes.dumps(_NOT_AUTHORIZED))
    is_bearer = error == INVALID_TOKEN and not _has_client_header(request)
    if is_bearer:
        headers.append(_CHALLENGE)  # RFC 9110 §15.5.2: a 401 names a scheme
    words = _ITS_OWN.get(error) or _Words(error.code.upper(), field=FIELD_ERRORS.get(error))
    detail = words.detail or error.description
    if error == INVALID_GRANT:
        detail = _not_found(request) or detail
    elif error == INVALID_TOKEN and not is_bearer:
        detail = _NOT_GOOD  # the token is in the body, and the header was right
    if answer.connection_state == "suspended":
        detail = _SUSPENDED
    entry = {"category": words.category, "code": words.code, "detail": detail}
    if words.field is not None:
        entry["field"] = words.field
    status = words.status or error.status
    return HttpAnswer(400 if status == 409 else status, tuple(headers), json_bytes.dumps({"errors": [entry]}))


def _has_client_header(request: HttpRequest | None) -> bool:
    sent = () if request is None else request.headers
    return any(name == b"authorization" and value[:7].lower() == b"client " for name, value in sent)


def _not_found(request: HttpRequest | None) -> str | None:
    """The sentence for a code or token that is not good; the client has proven itself, so it may read its id in it."""
    try:
        sent = read_json_object(b"" if request is None else request.body)
        what, client_id = _WHAT.get(sent.visible("grant_type") or ""), sent.visible("client_id")
    except Malformed:
        return None
    return None if what is None else f"{what} not found for app {client_id}"


def read_success(answer: HttpAnswer) -> Parameters | None:
    """The members of an answer, unless it is a refusal: one that says so is one, whatever its status."""
    if not 200 <= answer.status < 300:
        return None
    sent = read_json_object(answer.body)
    return None if sent.mappings("errors") or {"message", "type"} <= sent.plain.keys() else sent


def read_error_answer(answer: HttpAnswer, refused: OAuthError = INVALID_TOKEN) -> ErrorAnswer:
    """The refusal, the first of several; all entries are kept as they are.

    ``refused`` is what it means here that something shown was not good. ``Malformed`` when there is no telling.
    """
    retry_after = read_retry_after(answer)
    status = max(answer.status, 400)
    try:
        members = read_json_object(answer.body)
        entries = members.mappings("errors")
        if entries:
            error, state = _read_entry(Parameters(entries[0]), status, refused)
            return ErrorAnswer(error, retry_after, state, entries)
        kind, message = members.visible("type"), members.one("message") or ""
    except Malformed:
        kind, message = None, ""
    if kind is not None:
        # An older answer says in this shape, too, that a code was not found.
        known = INVALID_CLIENT if message == _NOT_AUTHORIZED["message"] else refused
        error = OAuthError(known.code if kind == _NOT_AUTHORIZED["type"] else kind, status, message)
        return ErrorAnswer(error, retry_after, None, ({"message": message, "type": kind},))
    if answer.status == 429:
        return ErrorAnswer(TOO_MANY_REQUESTS, retry_after)
    if answer.status >= 500:
        return ErrorAnswer(OAuthError(SERVER_ERROR.code, answer.status, SERVER_ERROR.description), retry_after)
    raise Malformed(INVALID_REQUEST, "answer_unreadable")


def _read_entry(entry: Parameters, status: int, refused: OAuthError) -> tuple[OAuthError, str | None]:
    code, field, detail = entry.needed("code"), entry.one("field"), entry.one("detail") or ""
    if code in _REFUSED:
        return OAuthError(refused.code, status, detail), None
    known = _BY_SENTENCE.get((code, field, detail)) or _BY_FIELD.get((code, field))
    state = "suspended" if (code, detail) == ("FORBIDDEN", _SUSPENDED) else None
    return OAuthError(code.lower() if known is None else known.code, status, detail), state
