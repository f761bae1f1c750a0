"""How a refusal is said: at the token endpoint and its family (RFC 6749 §5.2), and to a bearer (RFC 6750 §3)."""

from __future__ import annotations

from grantway.wire import json_bytes
from grantway.wire.encoding import read_json_object, write_scope
from grantway.wire.errors import INVALID_REQUEST, SERVER_ERROR, TOO_MANY_REQUESTS, Malformed, OAuthError
from grantway.wire.headers import read_retry_after
from grantway.wire.http import JSON, NO_STORE, HttpAnswer, HttpRequest
from grantway.wire.messages import ErrorAnswer

NO_CACHE = (b"pragma", b"no-cache")  # RFC 6749 §5.1 asks for it beside no-store
HEADERS = (JSON, NO_STORE, NO_CACHE)

_BASIC_CHALLENGE = (b"www-authenticate", b'Basic realm="grantway"')


def write_error_answer(answer: ErrorAnswer, request: HttpRequest | None = None) -> HttpAnswer:
    """A refusal as JSON.

    RFC 6749 §5.2: a 401 names the scheme that the client tried. One that did not try any (a public client in a browser,
    say) gets no challenge, because browsers answer it with a password box. Without ``request`` it is challenged.
    """
    headers = list(HEADERS)
    if answer.error.status == 401 and (request is None or _tried_header(request)):
        headers.append(_BASIC_CHALLENGE)
    return _write(answer, headers)


def write_bearer_challenge(
    answer: ErrorAnswer,
    request: HttpRequest | None = None,
    *,
    realm: str = "grantway",
    scope: tuple[str, ...] = (),
) -> HttpAnswer:
    """A refusal to a caller with an access token. ``scope`` is what would have been enough.

    RFC 6750 §3.1: one who sent no authentication at all is told the scheme and no error code.
    """
    headers = list(HEADERS)
    error = answer.error
    if request is not None and error.status == 401 and not _tried_header(request):
        headers.append((b"www-authenticate", f'Bearer realm="{realm}"'.encode()))
    elif error.status in {400, 401, 403}:
        challenge = f'Bearer realm="{realm}", error="{error.code}", error_description="{error.description}"'
        if scope:
            challenge += f', scope="{write_scope(scope)}"'
        headers.append((b"www-authenticate", challenge.encode()))
    return _write(answer, headers)


def _tried_header(request: HttpRequest) -> bool:
    return any(name == b"authorization" for name, _ in request.headers)


def _write(answer: ErrorAnswer, headers: list[tuple[bytes, bytes]]) -> HttpAnswer:
    error = answer.error
    if answer.retry_after is not None:
        headers.append((b"retry-after", b"%d" % answer.retry_after))
    members = {"error": error.code, "error_description": error.description}
    if answer.connection_state is not None:
        members["connection_state"] = answer.connection_state
    return HttpAnswer(error.status, tuple(headers), json_bytes.dumps(members))


def read_error_answer(answer: HttpAnswer) -> ErrorAnswer:
    """The refusal. Some servers refuse with status 200: that counts as 400.

    What a proxy says in HTML is the refusal that its status names: 429 ``too_many_requests``, 5xx ``server_error``.
    ``Malformed`` when there is no telling what it is.
    """
    retry_after = read_retry_after(answer)
    try:
        members = read_json_object(answer.body)
        code = members.visible("error")
        description = members.one("error_description") or ""
        state = members.visible("connection_state")
    except Malformed:
        code, description, state = None, "", None
    if code is not None:
        return ErrorAnswer(OAuthError(code, max(answer.status, 400), description), retry_after, state)
    if answer.status == 429:
        return ErrorAnswer(TOO_MANY_REQUESTS, retry_after)
    if answer.status >= 500:
        return ErrorAnswer(OAuthError(SERVER_ERROR.code, answer.status, SERVER_ERROR.description), retry_after)
    raise Malformed(INVALID_REQUEST, "answer_unreadable")
