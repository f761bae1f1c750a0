"""What stands in headers: who calls and how it is proven, what a body is, when to come back. Raises ``Malformed`` only."""

from __future__ import annotations

import binascii
import re
from urllib.parse import quote

from grantway.wire.encoding import MAX_VALUE, form_decoded
from grantway.wire.errors import INVALID_CLIENT, INVALID_REQUEST, INVALID_TOKEN, Malformed
from grantway.wire.http import HttpAnswer, HttpRequest

_B64TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")  # RFC 6750 §2.1
_LONGEST_IDEMPOTENCY_KEY = 255


def media_type(message: HttpRequest) -> str | None:
    """What the body is said to be, in lower case, without parameters such as ``charset``."""
    value = message.header(b"content-type")
    return None if value is None else value.partition(";")[0].strip().lower()


def after_scheme(header: str | None, scheme: str) -> str | None:
    """What follows the scheme, given in lower case; the header's may be in any (RFC 9110 §11.1). ``None``: nothing."""
    first, _, rest = (header or "").partition(" ")
    return rest.strip(" ") or None if first.lower() == scheme else None


def read_basic(header: str | None, *, form_encoded: bool = True) -> tuple[str, str] | None:
    """Name and password of an ``Authorization: Basic`` header; ``None`` for another scheme and for ``Basic Og==``.

    RFC 6749 §2.3.1: both halves are form-encoded before base64. Many clients do not do that; as strict servers do, we
    decode all the same: it changes nothing for identifiers and secrets without ``%`` and ``+``, which ours are.
    ``form_encoded=False`` is plain RFC 7617. The password may be empty, the name may not.
    """
    encoded = after_scheme(header, "basic")
    if encoded is None:
        return None
    try:
        name, colon, password = binascii.a2b_base64(encoded, strict_mode=True).decode().partition(":")
    except ValueError:  # binascii.Error and UnicodeError are both
        raise Malformed(INVALID_CLIENT, "basic_malformed") from None
    if colon and not name and not password:
        return None
    if form_encoded:
        try:
            name, password = form_decoded(name), form_decoded(password)
        except Malformed:
            raise Malformed(INVALID_CLIENT, "basic_malformed") from None
    both = name + password
    if not (colon and name and both.isascii() and both.isprintable() and len(both) <= MAX_VALUE):
        raise Malformed(INVALID_CLIENT, "basic_malformed")
    return name, password


def write_basic(name: str, password: str, *, form_encoded: bool = True) -> str:
    """The value of an ``Authorization`` header (RFC 6749 §2.3.1, or RFC 7617 when not form-encoded)."""
    if form_encoded:
        name, password = quote(name, safe=""), quote(password, safe="")
    return "Basic " + binascii.b2a_base64(f"{name}:{password}".encode(), newline=False).decode()


def read_bearer(header: str | None) -> str | None:
    """The token of an ``Authorization: Bearer`` header (RFC 6750 §2.1); ``None`` for another scheme and for no token."""
    token = after_scheme(header, "bearer")
    if token is None:
        return None
    if len(token) > MAX_VALUE or _B64TOKEN.fullmatch(token) is None:
        raise Malformed(INVALID_TOKEN, "bearer_malformed")
    return token


def write_bearer(token: str) -> str:
    """The value of an ``Authorization`` header."""
    return f"Bearer {token}"


def read_idempotency_key(request: HttpRequest) -> str | None:
    """The ``Idempotency-Key`` as it is, quotation marks included: it is only ever compared with itself."""
    key = request.header(b"idempotency-key")
    if not key:
        return None
    if len(key) > _LONGEST_IDEMPOTENCY_KEY or " " in key or not key.isprintable():
        raise Malformed(INVALID_REQUEST, "idempotency_key_malformed")
    return key


def read_retry_after(answer: HttpAnswer) -> int | None:
    """Seconds (RFC 9110 §10.2.3). A date is taken for no answer: reading it would need a clock."""
    value = answer.header(b"retry-after")
    return int(value) if value is not None and len(value) <= 9 and value.isascii() and value.isdigit() else None
