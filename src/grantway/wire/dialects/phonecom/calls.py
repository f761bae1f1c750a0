"""What all calls share: who asks, what a body is, and what a good answer is."""

from __future__ import annotations

from grantway.wire.dialects.phonecom.failures import read_error_answer, wrong
from grantway.wire.encoding import FORM_TYPE, JSON_TYPE, Parameters, read_form, read_json_object
from grantway.wire.errors import INVALID_REQUEST, UNSUPPORTED_MEDIA_TYPE, Malformed
from grantway.wire.headers import media_type, read_bearer, write_bearer
from grantway.wire.http import JSON, NO_STORE, HttpAnswer, HttpRequest
from grantway.wire.messages import ErrorAnswer

ACCEPT = (b"accept", JSON_TYPE.encode())
HEADERS = (JSON, NO_STORE)
DONE = HttpAnswer(200, HEADERS, b'{"success":true}')
"""How the vendor answers DELETE."""


def token_in(request: HttpRequest) -> str | None:
    """The token of ``Authorization: Bearer T`` or of a bare ``T``: the SDKs' key has no prefix unless one is set."""
    header = (request.header(b"authorization") or "").strip(" ")
    is_bare = " " not in header and header.lower() != "bearer"
    return read_bearer(write_bearer(header) if is_bare else header)


def asking(token: str | None) -> tuple[tuple[bytes, bytes], ...]:
    """The headers of a caller with this token."""
    return (ACCEPT,) if token is None else (ACCEPT, (b"authorization", write_bearer(token).encode()))


def body_of(request: HttpRequest) -> Parameters:
    """JSON or a form. Of an empty body the type is not asked: SDKs name one all the same."""
    if not request.body:
        return Parameters({})
    kind = media_type(request)
    if kind == JSON_TYPE:
        return read_json_object(request.body)
    if kind == FORM_TYPE:
        return read_form(request.body)
    raise Malformed(UNSUPPORTED_MEDIA_TYPE, "body_neither_json_nor_form")


def text_in(sent: Parameters, name: str) -> str | None:
    """What ``visible`` gives; a refusal names the parameter."""
    return sent.visible(name, wrong(name, "is not text of visible characters"))


def needed_in(sent: Parameters, name: str) -> str:
    """The same, or ``Malformed`` when it is absent."""
    value = text_in(sent, name)
    if value is None:
        raise Malformed(wrong(name, "is missing"), f"{name}_missing")
    return value


def members_of(answer: HttpAnswer) -> Parameters | ErrorAnswer:
    """The members of a good answer. A Mason error with a good status is a refusal all the same."""
    if not 200 <= answer.status < 300:
        return read_error_answer(answer)
    members = read_json_object(answer.body)
    return read_error_answer(answer) if members.mapping("@error") is not None else members


def refusal_in(answer: HttpAnswer) -> ErrorAnswer | None:
    """``None`` when it is done, or the refusal. What the vendor answers is not always documented: nothing at all will do."""
    if 200 <= answer.status < 300 and not answer.body:
        return None
    members = members_of(answer)
    if isinstance(members, ErrorAnswer):
        return members
    if members.flag("success") is False:
        raise Malformed(INVALID_REQUEST, "success_false")
    return None
