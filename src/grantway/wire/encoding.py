"""From bytes to values and back. Reading raises ``Malformed`` and never any other error.

Sizes are in bytes. Nothing that arrived is repeated in an error: a reason names our own parameter names only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from grantway.wire import json_bytes
from grantway.wire.errors import INVALID_REQUEST, INVALID_SCOPE, Malformed, OAuthError

MAX_PARAMETERS = 64
MAX_VALUE = 8 * 1024  # bytes of UTF-8 in one parameter's value
MAX_DEPTH = 8  # objects and arrays inside one another
REPEATABLE = frozenset({"resource", "audience"})  # RFC 8707 §2, RFC 8693 §2.1

FORM_TYPE = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"

_DIGITS = "0123456789abcdefABCDEF"
_BYTES = {high + low: bytes([int(high + low, 16)]) for high in _DIGITS for low in _DIGITS}
_ASCII = {code: byte.decode() for code, byte in _BYTES.items() if byte.isascii()}
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")  # RFC 6749 appendix A.4
_LARGEST = 2**63 - 1


class Parameters:
    """The parameters of a request, or the members of a JSON object. Its ``repr`` shows none of them.

    Every reading method takes the name, gives ``None`` (or nothing) when the parameter is absent, and raises
    ``Malformed`` when it is there and is something else.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    @property
    def plain(self) -> Mapping[str, Any]:
        """All of them as they are, for who reads them by a schema."""
        return self._values

    def exact(self, name: str) -> str | None:
        """The text as it was sent: sent empty is ``""``."""
        value = self._values.get(name)
        if value is None or value.__class__ is str:
            return value
        raise Malformed(INVALID_REQUEST, f"{name}_not_text")

    def one(self, name: str) -> str | None:
        """The text. RFC 6749 §3.1: "Parameters sent without a value MUST be treated as if they were omitted"."""
        value = self._values.get(name)
        if not value and (value is None or value == ""):
            return None
        if value.__class__ is not str:
            raise Malformed(INVALID_REQUEST, f"{name}_not_text")
        return value

    def visible(self, name: str, error: OAuthError = INVALID_REQUEST) -> str | None:
        """The text, of characters 0x20 to 0x7e only: VSCHAR of RFC 6749 appendix A."""
        value = self._values.get(name)
        if not value and (value is None or value == ""):
            return None
        if value.__class__ is not str or not (value.isascii() and value.isprintable()):
            raise Malformed(error, f"{name}_malformed")
        return value

    def needed(self, name: str) -> str:
        """What ``visible`` gives, or ``Malformed`` when it is absent."""
        value = self.visible(name)
        if value is None:
            raise Malformed(INVALID_REQUEST, f"{name}_missing")
        return value

    def many(self, name: str, error: OAuthError = INVALID_REQUEST) -> tuple[str, ...]:
        """The texts, of visible characters, in their order: a repeatable parameter, or a JSON string or array."""
        value = self._values.get(name)
        if value is None:
            return ()
        values = value if value.__class__ is list else [value]
        if not all(item.__class__ is str and item.isascii() and item.isprintable() for item in values):
            raise Malformed(error, f"{name}_malformed")
        return tuple([item for item in values if item])

    def scope(self, name: str = "scope") -> tuple[str, ...] | None:
        """The scope tokens in their order, without repeats (RFC 6749 §3.3)."""
        value = self._values.get(name)
        if not value and (value is None or value == ""):
            return None
        if value.__class__ is not str:
            raise Malformed(INVALID_SCOPE, f"{name}_not_text")
        return read_scope(value)

    def number(self, name: str) -> int | None:
        """A whole number from 0 to 2^63 - 1. Digits in quotes are one, too: several vendors answer so."""
        value = self._values.get(name)
        if value is None:
            return None
        if value.__class__ is str and len(value) <= 19 and value.isascii() and value.isdigit():
            value = int(value)
        if value.__class__ is not int or not 0 <= value <= _LARGEST:
            raise Malformed(INVALID_REQUEST, f"{name}_not_a_number")
        return value

    def flag(self, name: str) -> bool | None:
        """``true`` or ``false`` of a JSON object."""
        value = self._values.get(name)
        if value is None or value.__class__ is bool:
            return value
        raise Malformed(INVALID_REQUEST, f"{name}_not_true_or_false")

    def mapping(self, name: str) -> Mapping[str, Any] | None:
        """An object inside a JSON object."""
        value = self._values.get(name)
        if value is None or value.__class__ is dict:
            return value
        raise Malformed(INVALID_REQUEST, f"{name}_not_an_object")

    def mappings(self, name: str) -> tuple[Mapping[str, Any], ...]:
        """An array of objects inside a JSON object."""
        value = self._values.get(name)
        if value is None:
            return ()
        if value.__class__ is not list or not all(item.__class__ is dict for item in value):
            raise Malformed(INVALID_REQUEST, f"{name}_not_objects")
        return tuple(value)


# --- forms and queries ----------------------------------------------------------------------------------------------


def read_form(body: bytes) -> Parameters:
    """The parameters of ``application/x-www-form-urlencoded`` bytes (RFC 6749 appendix B). No bytes are no parameters.

    ``Malformed`` when a parameter other than ``REPEATABLE`` occurs twice (RFC 6749 §3.1), when percent-encoding or
    UTF-8 is broken, at a NUL, and beyond ``MAX_PARAMETERS`` and ``MAX_VALUE``.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Malformed(INVALID_REQUEST, "form_not_utf8") from None
    encoded = "%" in text or "+" in text
    if "\0" in text or (encoded and "%00" in text):
        raise Malformed(INVALID_REQUEST, "form_with_nul")
    pairs = text.split("&")
    # Machines mostly send what needs no decoding, and a body this short holds no value that is too long.
    if not encoded and len(body) <= MAX_VALUE:
        try:
            values = dict([pair.split("=", 1) for pair in pairs])
        except ValueError:  # a name without "="
            values = {}
        if len(values) == len(pairs) <= MAX_PARAMETERS:
            return Parameters(values)
    return Parameters(_read_pairs(pairs))


read_query = read_form


def _read_pairs(pairs: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    pairs = [pair for pair in pairs if pair]
    if len(pairs) > MAX_PARAMETERS:
        raise Malformed(INVALID_REQUEST, "too_many_parameters")
    for pair in pairs:
        name, _, value = pair.partition("=")
        if "%" in pair or "+" in pair:
            name, value = form_decoded(name), form_decoded(value)
        if len(value) > MAX_VALUE // 4 and len(value.encode()) > MAX_VALUE:
            raise Malformed(INVALID_REQUEST, "parameter_too_long")
        if name not in values:
            values[name] = value
        elif name in REPEATABLE:
            before = values[name]
            values[name] = [*before, value] if before.__class__ is list else [before, value]
        else:
            raise Malformed(INVALID_REQUEST, "parameter_repeated")
    return values


def form_decoded(text: str) -> str:
    """One form-encoded name or value, decoded; strict where ``urllib.parse`` lets mistakes through."""
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    first, *parts = text.split("%")
    try:
        return first + "".join([_ASCII[part[:2]] + part[2:] for part in parts])
    except KeyError:  # beyond ASCII, or broken
        pass
    try:
        return (first.encode() + b"".join([_BYTES[part[:2]] + part[2:].encode() for part in parts])).decode()
    except (KeyError, UnicodeDecodeError):
        raise Malformed(INVALID_REQUEST, "percent_encoding_broken") from None


def write_form(pairs: Iterable[tuple[str, str]]) -> str:
    """The pairs form-encoded, in their order. A space is ``%20``: every decoder reads that, not every one ``+``."""
    return "&".join([f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs])


def split_query(url: str, names: frozenset[str]) -> tuple[str, Parameters]:
    """A URL taken apart: the URL without those query parameters, and those parameters. A fragment is dropped.

    What else is in the query stays in the URL as it was written.
    """
    try:
        url.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        raise Malformed(INVALID_REQUEST, "url_not_unicode") from None
    address, _, query = url.partition("#")[0].partition("?")
    kept: list[str] = []
    taken: list[str] = []
    for pair in query.split("&"):
        (taken if pair.partition("=")[0] in names else kept).append(pair)
    rest = "&".join(kept)
    return (f"{address}?{rest}" if rest else address), read_query("&".join(taken).encode())


def join_query(url: str, pairs: Iterable[tuple[str, str]]) -> str:
    """The URL with the pairs added to its query, which is kept (RFC 6749 §3.1.2)."""
    separator = "" if url.endswith(("?", "&")) else "&" if "?" in url else "?"
    return url + separator + write_form(pairs)


# --- JSON -----------------------------------------------------------------------------------------------------------


def read_json_object(body: bytes, most: int = MAX_PARAMETERS) -> Parameters:
    """The members of a JSON object (RFC 8259, UTF-8).

    ``Malformed`` when it is anything else, has a name twice at any depth, holds a NUL, or goes beyond
    ``most`` members, ``MAX_VALUE`` in one of them, or ``MAX_DEPTH``.
    """
    try:
        values = json_bytes.loads(body)
    except ValueError:
        raise Malformed(INVALID_REQUEST, "json_malformed") from None
    if values.__class__ is not dict:
        raise Malformed(INVALID_REQUEST, "json_not_an_object")
    if len(values) > most:
        raise Malformed(INVALID_REQUEST, "too_many_parameters")
    if not _is_plain(body, values):
        _look_closely(body, values)
    if len(body) > MAX_VALUE and any(
        value.__class__ is str and len(value.encode()) > MAX_VALUE for value in values.values()
    ):
        raise Malformed(INVALID_REQUEST, "parameter_too_long")
    return Parameters(values)


def _is_plain(body: bytes, values: dict[str, Any]) -> bool:
    """Whether the object certainly has no name twice, told without parsing it again.

    In a flat object without escapes each name and each text takes two quotation marks. orjson keeps the last of two
    equal names; the marks of the other would be left over. NULs can only be written as escapes.
    """
    marks = 2 * len(values)
    for value in values.values():
        if value.__class__ is str:
            marks += 2
        elif value.__class__ is list or value.__class__ is dict:
            return False
    return b"\\" not in body and body.count(b'"') == marks


def _look_closely(body: bytes, values: dict[str, Any]) -> None:
    level: list[Any] = [values]
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for value in level:
            if value.__class__ is dict:
                below.extend(value)
                below.extend(value.values())
            elif value.__class__ is list:
                below.extend(value)
            elif value.__class__ is str and "\0" in value:
                raise Malformed(INVALID_REQUEST, "json_with_nul")
        level = below
        if not level:
            break
    else:
        raise Malformed(INVALID_REQUEST, "json_too_deep")
    try:
        json.loads(body, object_pairs_hook=_refuse_repeats)
    except (ValueError, RecursionError):  # only what a repeated name hides can still be wrong
        raise Malformed(INVALID_REQUEST, "json_malformed") from None


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise Malformed(INVALID_REQUEST, "parameter_repeated")


# --- scopes ---------------------------------------------------------------------------------------------------------


def read_scope(text: str) -> tuple[str, ...]:
    """Scope tokens in their order, without repeats (RFC 6749 §3.3). Spaces too many are forgiven."""
    tokens = text.split(" ")
    if _SCOPE.fullmatch(text) is None:
        tokens = [token for token in tokens if token]
        if _SCOPE.fullmatch(" ".join(tokens)) is None:
            raise Malformed(INVALID_SCOPE, "scope_malformed")
    return tuple(dict.fromkeys(tokens))


def write_scope(scope: Iterable[str]) -> str:
    """Scope tokens as they travel."""
    return " ".join(scope)
