"""How a refusal is said: ``{"errors": [{"code", "title"}]}``, in the vendor's words where it has its own."""

from __future__ import annotations

from grantway.wire import json_bytes
from grantway.wire.encoding import JSON_TYPE, Parameters, read_json_object
from grantway.wire.errors import (
    ACCESS_DENIED,
    INSUFFICIENT_SCOPE,
    INVALID_REQUEST,
    INVALID_TOKEN,
    SERVER_ERROR,
    TOO_MANY_REQUESTS,
    Malformed,
    OAuthError,
)
from grantway.wire.headers import read_retry_after, write_bearer
from grantway.wire.http import JSON, NO_STORE, HttpAnswer, HttpRequest
from grantway.wire.messages import ErrorAnswer

HEADERS = (JSON, NO_STORE)

ACCEPT = (b"accept", JSON_TYPE.encode())
_CHALLENGE = (b"www-authenticate", b'Bearer realm="grantway"')
# The vendor's words where it has its own; everything else keeps the standard's code and our sentence.
_ITS_OWN = {
    INVALID_TOKEN: ("unauthorized", "Authorization is required"),
    INSUFFICIENT_SCOPE: ("forbidden", "Forbidden"),
}
_OURS = {code: error for error, (code, _) in _ITS_OWN.items()}
# What is suspended is forbidden for now and never unauthorized: on that, clients throw their tokens away.
_SUSPENDED = ("forbidden", "Access is suspended")


def write_error_answer(answer: ErrorAnswer, request: HttpRequest | None = None) -> HttpAnswer:
    """``{"errors": [{"code", "title"}]}``, always one entry. ``request`` makes no difference in this dialect."""
    error = answer.error
    headers = list(HEADERS)
    if error == INVALID_TOKEN:
        headers.append(_CHALLENGE)  # RFC 9110 §15.5.2: a 401 names a scheme
    if answer.retry_after is not None:
        headers.append((b"retry-after", b"%d" % answer.retry_after))
    code, title = _ITS_OWN.get(error, (error.code, error.description))
    if answer.connection_state == "suspended":
        code, title = _SUSPENDED
    return HttpAnswer(error.status, tuple(headers), json_bytes.dumps({"errors": [{"code": code, "title": title}]}))


def read_error_answer(answer: HttpAnswer) -> ErrorAnswer:
    """The refusal, the first of several.

    Which shape ``/oauth/token`` refuses in is not documented, so all three that the vendor has used are read: ``errors``
    (v2), ``{"error": {"code", "description"}}`` (v1), and RFC 6749's. The entries of the first are kept as they are.
    ``Malformed`` when there is no telling.
    """
    retry_after = read_retry_after(answer)
    try:
        members = read_json_object(answer.body)
        entries = members.mappings("errors")
        code, title = _read_entry(members)
    except Malformed:
        entries, code, title = (), None, ""
    if (code, title) == _SUSPENDED:
        return ErrorAnswer(ACCESS_DENIED, retry_after, "suspended", entries)
    if code is not None:
        ours = _OURS.get(code)
        if ours is not None and ours.status == answer.status:
            return ErrorAnswer(ours, retry_after, None, entries)
        return ErrorAnswer(OAuthError(code, max(answer.status, 400), title), retry_after, None, entries)
    if answer.status == 429:
        return ErrorAnswer(TOO_MANY_REQUESTS, retry_after)
    if answer.status >= 500:
        return ErrorAnswer(OAuthError(SERVER_ERROR.code, answer.status, SERVER_ERROR.description), retry_after)
    raise Malformed(INVALID_REQUEST, "answer_unreadable")


def _read_entry(members: Parameters) -> tuple[str | None, str]:
    entries = members.mappings("errors")
    if entries:
        entry = Parameters(entries[0])
        return entry.visible("code"), entry.one("title") or ""
    try:
        v1 = members.mapping("error")
    except Malformed:
        return members.visible("error"), members.one("error_description") or ""
    entry = Parameters(v1 or {})
    return entry.visible("code"), entry.one("description") or ""


def asking(token: str | None) -> tuple[tuple[bytes, bytes], ...]:
    """The headers of a caller with this token."""
    return (ACCEPT,) if token is None else (ACCEPT, (b"authorization", write_bearer(token).encode()))
