"""The fields of a body as the vendor bounds them, and what is wrong with one said in its words."""

from __future__ import annotations

from grantway.wire.encoding import JSON_TYPE, Parameters, read_json_object
from grantway.wire.errors import UNSUPPORTED_MEDIA_TYPE, Malformed, OAuthError
from grantway.wire.headers import media_type
from grantway.wire.http import HttpRequest

_LONGEST = {
    "client_id": 191,
    "client_secret": 1024,
    "code": 191,
    "redirect_uri": 2048,
    "refresh_token": 1024,
    "migration_token": 1024,
    "access_token": 1024,
    "merchant_id": 191,
    "code_verifier": 128,  # RFC 7636 §4.1
    "grant_type": 20,
}
"""Characters in each field of text (vendors.md §3.2). What is shorter than the vendor says is merely wrong."""
_SENTENCES = {
    "missing_required_parameter": "missing required parameter '{}'",
    "value_too_long": "'{}' is too long.",
    "expected_string": "'{}' must be a string of visible ASCII characters.",
    "expected_boolean": "'{}' must be true or false.",
    "expected_array": "'{}' must be an array of strings.",
}
_ERRORS = {
    (kind, field): OAuthError(kind, 400, sentence.format(field))
    for kind, sentence in _SENTENCES.items()
    for field in (*_LONGEST, "scopes", "short_lived", "use_jwt", "revoke_only_access_token")
}
FIELD_ERRORS = {error: field for (_, field), error in _ERRORS.items()}
"""What can be wrong with a field, and the field."""


def read_body(request: HttpRequest) -> Parameters:
    """The members of the JSON object. Of an empty body the type is not asked (vendors.md §4, 6)."""
    if not request.body:
        return Parameters({})
    if media_type(request) != JSON_TYPE:
        raise Malformed(UNSUPPORTED_MEDIA_TYPE, "body_not_json")
    return read_json_object(request.body)


def text(sent: Parameters, name: str) -> str | None:
    """The text of this field, within the vendor's bounds; ``None`` when it is absent or empty."""
    try:
        value = sent.visible(name)
    except Malformed:
        raise _wrong("expected_string", name, f"{name}_malformed") from None
    if value is None:
        return None
    if len(value) > _LONGEST[name]:
        raise _wrong("value_too_long", name, f"{name}_too_long")
    return value


def needed(sent: Parameters, name: str) -> str:
    """The text of this field, or the refusal that it is missing."""
    value = text(sent, name)
    if value is None:
        raise missing(name)
    return value


def flag(sent: Parameters, name: str) -> bool:
    """Whether this field is ``true``."""
    try:
        return bool(sent.flag(name))
    except Malformed:
        raise _wrong("expected_boolean", name, f"{name}_not_true_or_false") from None


def texts(sent: Parameters, name: str) -> tuple[str, ...] | None:
    """The texts of this array, in their order and without repeats; ``None`` when there is none in it, or no array."""
    value = sent.plain.get(name)
    if value is None:
        return None
    if value.__class__ is not list:
        raise _wrong("expected_array", name, f"{name}_not_an_array")
    try:
        return tuple(dict.fromkeys(sent.many(name))) or None
    except Malformed:
        raise _wrong("expected_array", name, f"{name}_malformed") from None


def missing(name: str) -> Malformed:
    """The refusal of a request without this field."""
    return _wrong("missing_required_parameter", name, f"{name}_missing")


def _wrong(kind: str, name: str, reason: str) -> Malformed:
    return Malformed(_ERRORS[kind, name], reason)
