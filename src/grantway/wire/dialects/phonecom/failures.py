"""How a refusal is said: as a Mason document (``application/vnd.mason+json``).

``@message`` and ``@httpStatusCode`` are always there: the vendor's command line asserts that the one is text and the other a
number. ``@code`` is the standard's code, ``@id`` the id of the request. ``fields`` stands in every 422 and ``@rateLimit`` in
every 429, where its clients look unasked. There is no ``@time``: the ``Date`` header has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grantway.wire import json_bytes
from grantway.wire.encoding import Parameters, read_json_object
from grantway.wire.errors import (
    ACCESS_DENIED,
    INVALID_GRANT,
    INVALID_REQUEST,
    INVALID_SCOPE,
    INVALID_TARGET,
    INVALID_TOKEN,
    NOT_FOUND,
    SERVER_ERROR,
    TOO_MANY_REQUESTS,
    UNAUTHORIZED_CLIENT,
    UNSUPPORTED_GRANT_TYPE,
    UNSUPPORTED_RESPONSE_TYPE,
    Malformed,
    OAuthError,
)
from grantway.wire.headers import read_retry_after
from grantway.wire.http import NO_STORE, HttpAnswer, HttpRequest
from grantway.wire.messages import ErrorAnswer

MASON = (b"content-type", b"application/vnd.mason+json")
_CHALLENGE = (b"www-authenticate", b'Bearer realm="grantway"')

# The vendor documents 401, 403 and 422 where the standard says 400: what was shown is not good, may not, cannot be done.
_STATUS = {INVALID_GRANT.code: 401, UNAUTHORIZED_CLIENT.code: 403}
_FIELDS = {
    INVALID_SCOPE.code: "scope",
    INVALID_TARGET.code: "resource",
    UNSUPPORTED_GRANT_TYPE.code: "grant_type",
    UNSUPPORTED_RESPONSE_TYPE.code: "response_type",
}
# What a status means where no code is told.
_BY_STATUS = {401: INVALID_TOKEN, 403: ACCESS_DENIED, 404: NOT_FOUND, 422: INVALID_REQUEST, 429: TOO_MANY_REQUESTS}


def status_of(error: OAuthError) -> int:
    """The status with which this dialect says the error."""
    return _STATUS.get(error.code, 422 if error.status == 400 else error.status)


def wrong(name: str, problem: str) -> OAuthError:
    """What is said of a parameter: ``problem`` completes the sentence that begins with its name."""
    return OAuthError(INVALID_REQUEST.code, 422, f"The parameter {name} {problem}.", name)


def write_error_answer(answer: ErrorAnswer, request: HttpRequest | None = None) -> HttpAnswer:
    """``{"@error": …}``. ``request`` is asked for its id only."""
    error = answer.error
    status = status_of(error)
    headers = [MASON, NO_STORE]
    members: dict[str, Any] = {
        "@message": error.description,
        "@httpStatusCode": status,
        "@code": error.code,
        "@messages": [error.description],
    }
    if request is not None and request.request_id:
        members["@id"] = request.request_id
    if status == 422:
        field = error.field or _FIELDS.get(error.code)
        members["fields"] = {} if field is None else {field: [error.description]}
    if error == INVALID_TOKEN:
        headers.append(_CHALLENGE)  # RFC 9110 §15.5.2: a 401 names a scheme
    if answer.retry_after is not None:
        headers.append((b"retry-after", b"%d" % answer.retry_after))
    if status == 429:
        members["@rateLimit"] = {} if answer.retry_after is None else {"Retry-After": answer.retry_after}
    if answer.connection_state is not None:
        members["connection_state"] = answer.connection_state
    return HttpAnswer(status, tuple(headers), json_bytes.dumps({"@error": members}))


def read_error_answer(answer: HttpAnswer) -> ErrorAnswer:
    """The refusal, with the vendor's document. Its texts are unknown: what has no ``@code`` is what its status says.

    ``Malformed`` when there is no telling what it is.
    """
    document = _document_in(answer)
    try:
        members = Parameters(document or {})
        code, description = members.visible("@code"), members.one("@message")
        field, state = _field_in(members), members.visible("connection_state")
        limit = Parameters(members.mapping("@rateLimit") or {}).number("Retry-After")
    except Malformed:
        code = description = field = state = limit = None
    retry_after = read_retry_after(answer)
    if retry_after is None:
        retry_after = limit
    known = _BY_STATUS.get(answer.status, SERVER_ERROR if answer.status >= 500 else None)
    if code is None and known is None:
        if description is None:
            raise Malformed(INVALID_REQUEST, "answer_unreadable")
        known = INVALID_REQUEST
    status = max(answer.status, 400)
    if known is not None and description is None:
        description = known.description
    error = OAuthError(code or (known or INVALID_REQUEST).code, status, description or "", field)
    return ErrorAnswer(error, retry_after, state, () if document is None else (document,))


def _document_in(answer: HttpAnswer) -> Mapping[str, Any] | None:
    try:
        return read_json_object(answer.body).mapping("@error")
    except Malformed:
        return None


def _field_in(members: Parameters) -> str | None:
    """The first field that is named, unless the code says it already."""
    named = next(iter(members.mapping("fields") or {}), None)
    return None if named == _FIELDS.get(members.visible("@code") or "") else named
