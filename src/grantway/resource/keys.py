"""The authorization server's public keys (RFC 7517): which of them may verify access tokens, and for how long."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Set
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from grantway.wire.encoding import read_json_object
from grantway.wire.errors import Malformed
from grantway.wire.http import HttpAnswer
from grantway.wire.record import record

if TYPE_CHECKING:
    from joserfc.jwk import Key

MOST_KEYS = 32
SMALLEST_RSA = 2048
SHORTEST, USUAL, LONGEST = timedelta(seconds=30), timedelta(minutes=5), timedelta(days=1)
"""How long keys are kept: what the answer's ``max-age`` says, within these; ``USUAL`` when it says nothing."""

_NEVER = datetime.min.replace(tzinfo=UTC)
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=\"?(\d{1,9})", re.IGNORECASE)


@record
class Keys:
    """What is known of the keys now."""

    by_id: Mapping[str, Key] = field(default_factory=dict, repr=False)
    fresh_until: datetime = _NEVER
    not_again_before: datetime = _NEVER
    failed: bool = False
    """Whether the last question had no answer."""


def read_keys(answer: HttpAnswer, algorithms: Set[str]) -> tuple[Mapping[str, Key], timedelta] | None:
    """The usable keys by their id and for how long, or ``None`` when the answer is no key set.

    Keys for encryption or other algorithms, symmetric and weak ones, and those without an id are left out.
    """
    if answer.status != 200:
        return None
    try:
        found = read_json_object(answer.body).plain.get("keys")
    except Malformed:
        return None
    if not isinstance(found, list):
        return None
    by_id: dict[str, Key] = {}
    for jwk in found[:MOST_KEYS]:
        key = _read_key(jwk, algorithms)
        if key is not None and key.kid is not None:
            by_id.setdefault(key.kid, key)
    return by_id, _lifetime(answer)


def _read_key(jwk: Any, algorithms: Set[str]) -> Key | None:
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    if not isinstance(jwk, dict) or jwk.get("kty") not in {"EC", "RSA", "OKP"} or "d" in jwk:
        return None  # a set that publishes private keys proves nothing with them
    if not isinstance(jwk.get("kid"), str) or jwk.get("use", "sig") != "sig":
        return None
    if jwk.get("alg") is not None and jwk["alg"] not in algorithms:
        return None
    try:
        if jwk["kty"] == "RSA" and _bits(jwk.get("n")) < SMALLEST_RSA:
            return None
        key = import_key(jwk)
        key.check_key_op("verify")
    except (JoseError, ValueError, TypeError):
        return None
    return key


def _bits(number: Any) -> int:
    """How long the number is (Base64urlUInt, RFC 7518 §2)."""
    return int.from_bytes(base64.urlsafe_b64decode(number + "==")).bit_length()


def _lifetime(answer: HttpAnswer) -> timedelta:
    found = _MAX_AGE.search(answer.header(b"cache-control") or "")
    return USUAL if found is None else min(max(timedelta(seconds=int(found[1])), SHORTEST), LONGEST)
