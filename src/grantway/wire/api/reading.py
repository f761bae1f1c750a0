"""From bytes to messages. Reading raises ``Malformed`` (and its kind ``Unfit``) and never any other error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from grantway.wire import base62
from grantway.wire.api.message import Request
from grantway.wire.api.problem import Place, Unfit
from grantway.wire.encoding import JSON_TYPE, read_json_object, read_query
from grantway.wire.errors import UNPROCESSABLE, UNSUPPORTED_MEDIA_TYPE, Malformed
from grantway.wire.headers import media_type
from grantway.wire.http import HttpRequest

R = TypeVar("R", bound=Request)

_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_MEMBER = re.compile(r"^Object (?P<what>contains unknown|missing required) field `(?P<name>.*)`$", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>[^\]]*)\]")
UNKNOWN_MEMBER = "There is no such member."
_MISSING = "This is needed."
_NOT_OF_THEM = "This is none of the values that are taken here."


def read_body(request: HttpRequest, kind: type[R]) -> R:
    """The message in a JSON body. No body is one without members, if the message needs none."""
    if not request.body:
        return _convert({}, kind, "body_missing")
    if media_type(request) != JSON_TYPE:
        raise Malformed(UNSUPPORTED_MEDIA_TYPE, "body_not_json")
    return _convert(read_json_object(request.body).plain, kind, "body_unfit")


def read_line(line: bytes, kind: type[R]) -> R:
    """The message in one line of JSON Lines."""
    return _convert(read_json_object(line).plain, kind, "line_unfit")


def read_parameters(request: HttpRequest, kind: type[R]) -> R:
    """The message in a query. Each parameter occurs once; those that are not known are refused."""
    try:
        return msgspec.convert(read_query(request.query).plain, kind, strict=False)
    except msgspec.ValidationError as unfit:
        detail, steps = _read_unfit(str(unfit))
    raise Unfit("query_unfit", Place(detail=detail, parameter=steps[0] if steps else ""))


def read_cursor(cursor: str | None) -> bytes | None:
    """The id after which a page begins."""
    if cursor is None:
        return None
    row_id = base62.decode(cursor, 16)
    if row_id is None:
        place = Place(detail="This is the next of no page.", parameter="cursor")
        raise Unfit("cursor_malformed", place, error=UNPROCESSABLE)
    return row_id


def write_cursor(row_id: bytes) -> str:
    """The cursor of the page that begins after this row."""
    return base62.encode(row_id)


def _convert(values: Mapping[str, Any], kind: type[R], reason: str) -> R:
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as unfit:
        detail, steps = _read_unfit(str(unfit))
    pointer = "#" + "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)
    raise Unfit(reason, Place(detail=detail, pointer=pointer))


def _read_unfit(told: str) -> tuple[str, list[str]]:
    """What msgspec found, without the value that it found there, and the steps that lead to it."""
    found = _AT.match(told)
    what, path = (told, None) if found is None else (found["what"], found["path"])
    steps = [step["name"] or step["index"] for step in _STEP.finditer(path or "")]
    member = _MEMBER.match(what)
    if member is not None:
        steps.append(member["name"])
        return UNKNOWN_MEMBER if member["what"].startswith("contains") else _MISSING, steps
    if what.startswith("Invalid enum value"):
        return _NOT_OF_THEM, steps
    return f"{what.replace('`', '')}.", steps
