"""From an answer's bytes to a message, a refusal, or the kind of nonsense that it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from grantway.client.conversation import Reply
from grantway.client.errors import ErrorEntry, NoAnswer, NoAnswerKind, Refused
from grantway.wire import json_bytes
from grantway.wire.errors import Malformed
from grantway.wire.http import HttpAnswer
from grantway.wire.messages import ErrorAnswer, TokenAnswer

T = TypeVar("T")

_ERRORS = ("error", "errors", "@error")
_TOKEN_MEMBERS = ("access_token", "token_type", "expires_in", "expires_at", "refresh_token")


# Under which names vendors' entries of a refusal have what an ``ErrorEntry`` has.
_CODES = ("code", "@code", "type")
_DETAILS = ("detail", "@message", "title", "description", "message")


def understood(reply: Reply, read: Callable[[HttpAnswer], T | ErrorAnswer]) -> T:
    """The message, by the dialect's reader. Raises ``Refused`` or ``NoAnswer``."""
    answer = reply.answer
    if 300 <= answer.status < 400:
        raise NoAnswer("redirect", status=answer.status)
    message, reason = _read(answer, read)
    if reason is not None:
        raise NoAnswer(_kind(answer, reason), status=answer.status, reason=reason)
    if isinstance(message, ErrorAnswer):
        if _is_page(answer) and answer.status < 500 and answer.status != 429:
            raise NoAnswer("html", status=answer.status)  # of whatever stands in between: it knows of no token
        error = message.error
        raise Refused(
            error.code,
            status=answer.status,
            description=error.description,
            retry_after=message.retry_after,
            connection_state=message.connection_state,
            errors=tuple(_entry(one) for one in message.details),
        )
    # RFC 7009 §2.2 looks at no body of a success. But a hotel's sign-in page has revoked nothing.
    members = _members(answer.body) or {}
    if _is_page(answer):
        raise NoAnswer("html", status=answer.status)
    if any(members.get(name) for name in _ERRORS):
        raise NoAnswer("error_in_success", status=answer.status)
    if isinstance(message, TokenAnswer) and _is_half_camel(members):
        # Half of the members would be missed: a refresh token that is lost disconnects the customer weeks later.
        raise NoAnswer("camel_case", status=answer.status)
    read_as: T = message
    return read_as


def _read(answer: HttpAnswer, read: Callable[[HttpAnswer], Any]) -> tuple[Any, str | None]:
    # The error is turned into a value here: it would hold on to what was read.
    try:
        return read(answer), None
    except Malformed as malformed:
        return None, malformed.reason


def _entry(said: Mapping[str, Any]) -> ErrorEntry:
    """A vendor's entry, word for word. A Mason document names fields as an object: the first of them."""
    fields = said.get("fields")
    field = next(iter(fields), None) if isinstance(fields, dict) else said.get("field")
    return ErrorEntry(_text(said, _CODES), _text(said, _DETAILS), _text(said, ("category",)), _text_or_none(field))


def _text(said: Mapping[str, Any], names: Iterable[str]) -> str | None:
    return next((text for name in names if (text := _text_or_none(said.get(name))) is not None), None)


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _members(body: bytes) -> dict[str, Any] | None:
    try:
        members = json_bytes.loads(body)
    except ValueError:
        return None
    return members if isinstance(members, dict) else None


def _is_half_camel(members: Mapping[str, Any]) -> bool:
    return any(_camel(name) in members and name not in members for name in _TOKEN_MEMBERS)


def _camel(name: str) -> str:
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


def _kind(answer: HttpAnswer, reason: str) -> NoAnswerKind:
    """What this is that no reader understands."""
    body = answer.body.strip()
    if not body:
        return "empty"
    if _is_page(answer):
        return "html"
    members = _members(body)
    if members is None:
        return _not_an_object(body)
    if answer.status < 400 and any(name in members for name in _ERRORS):
        return "error_in_success"
    if _is_half_camel(members):
        return "camel_case"
    if reason.endswith("_missing") or reason == "answer_unreadable":
        return "missing_field"
    return "malformed" if reason.startswith(("json_", "parameter_", "too_many")) else "wrong_type"


def _is_page(answer: HttpAnswer) -> bool:
    return answer.body.lstrip().startswith(b"<") or "html" in (answer.header(b"content-type") or "").lower()


def _not_an_object(body: bytes) -> NoAnswerKind:
    for opening, closing in ((b"{", b"}"), (b"[", b"]")):
        if body.startswith(opening) and body.count(opening) > body.count(closing):
            return "truncated"
    try:
        json_bytes.loads(body)
    except ValueError:
        return "not_json"
    return "wrong_type"
