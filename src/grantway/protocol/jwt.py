"""Access tokens that are JWTs: RFC 9068 (``at+jwt``, ES256), and the vendors' kind that names the account (HS256).

The two are never interchangeable: the header's ``typ`` and ``alg`` are both part of what is checked, the first is
verified by a key of ``/jwks.json`` only, the second under its grant's own secret only. Nobody but this server can verify
the second kind, so it is good for what its row says at every use.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from grantway.protocol import ids
from grantway.protocol.keys import ACCOUNT_JWT, derive, same
from grantway.protocol.scope import at_positions, positions
from grantway.protocol.tokens import ID_LENGTH, MAX_TOKEN_LENGTH, SERIAL_LENGTH, Access, RowKind
from grantway.wire import base62
from grantway.wire.record import record

_ES256 = ec.ECDSA(hashes.SHA256())
_KIND_LETTERS: dict[RowKind, str] = {"grant": "g", "client": "c"}
_KINDS: dict[str, RowKind] = {letter: kind for kind, letter in _KIND_LETTERS.items()}


@record
class UnverifiedJwt:
    """A JWT taken apart, nothing verified."""

    header: Mapping[str, Any]
    payload: Mapping[str, Any]
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def read(text: str) -> UnverifiedJwt | None:
    """The parts of a JWT in compact form (RFC 7519 §7.2), or ``None`` when it is not one."""
    if len(text) > MAX_TOKEN_LENGTH or text.count(".") != 2 or not text.isascii():
        return None
    head, body, tail = text.split(".")
    try:
        header, payload, signature = json.loads(_unpad(head)), json.loads(_unpad(body)), _unpad(tail)
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or not isinstance(payload, dict):
        return None
    return UnverifiedJwt(header, payload, f"{head}.{body}".encode(), signature)


# RFC 9068 -------------------------------------------------------------------------------------------------------------


def access_claims(
    access: Access, *, issuer: str, client_id: str, subject: str, extra: Mapping[str, Any]
) -> dict[str, Any]:
    """The claims of an RFC 9068 access token (§2.2); without a resource the audience is the issuer itself."""
    if access.expires_at is None:
        raise ValueError("a JWT access token needs an expiry (RFC 9068 §2.2)")
    return {
        "iss": issuer,
        "sub": subject,
        "aud": list(access.resource) if len(access.resource) > 1 else (access.resource or (issuer,))[0],
        "client_id": client_id,
        "scope": " ".join(access.scope),
        "iat": int(access.issued_at.timestamp()),
        "exp": int(access.expires_at.timestamp()),
        "jti": _KIND_LETTERS[access.kind] + base62.encode(access.row_id + access.serial),
        **extra,
    }


@lru_cache(maxsize=64)
def _access_header(kid: str) -> str:
    return _pad(json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": kid}, separators=(",", ":")).encode())


def sign_access(claims: bytes, kid: str, key: ec.EllipticCurvePrivateKey) -> str:
    """The JWT over the claims (JSON bytes), signed with ES256 (RFC 7518 §3.4)."""
    signed = f"{_access_header(kid)}.{_pad(claims)}"
    r, s = decode_dss_signature(key.sign(signed.encode(), _ES256))
    return f"{signed}.{_pad(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


@lru_cache(maxsize=64)
def _public_key(x: str, y: str) -> ec.EllipticCurvePublicKey:
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(_unpad(x), "big"), int.from_bytes(_unpad(y), "big"), ec.SECP256R1()
    )
    return numbers.public_key()


def verified_access(jwt: UnverifiedJwt, issuer: str, public_jwks: Mapping[str, Mapping[str, Any]]) -> Access | None:
    """What an ``at+jwt`` of ours says, or ``None`` when it is not one (RFC 9068 §4). Expiry is not looked at here."""
    if jwt.header.get("typ") != "at+jwt" or jwt.header.get("alg") != "ES256" or jwt.payload.get("iss") != issuer:
        return None
    kid = jwt.header.get("kid")
    jwk = public_jwks.get(kid) if isinstance(kid, str) else None
    if jwk is None or len(jwt.signature) != 64:
        return None
    r, s = int.from_bytes(jwt.signature[:32], "big"), int.from_bytes(jwt.signature[32:], "big")
    try:
        _public_key(jwk["x"], jwk["y"]).verify(encode_dss_signature(r, s), jwt.signed, _ES256)
    except InvalidSignature:
        return None
    return _signed_access(jwt.payload, issuer)


def _signed_access(payload: Mapping[str, Any], issuer: str) -> Access | None:
    jti = payload["jti"]
    data = base62.decode(jti[1:], ID_LENGTH + SERIAL_LENGTH)
    if data is None or jti[:1] not in _KINDS:
        return None
    aud = payload["aud"]
    audience = (aud,) if isinstance(aud, str) else tuple(aud)
    return Access(
        _KINDS[jti[:1]],
        data[:ID_LENGTH],
        data[ID_LENGTH:],
        datetime.fromtimestamp(payload["iat"], UTC),
        datetime.fromtimestamp(payload["exp"], UTC),
        tuple(payload["scope"].split()),
        () if audience == (issuer,) else audience,
    )


# The vendors' kinds ---------------------------------------------------------------------------------------------------


def write_account_jwt(secret: bytes, access: Access, *, client_id: str, account: str) -> str:
    """A token as Sunshine Conversations' own: ``azp`` in the header, ``appId`` in the payload, no ``exp``."""
    header = {"alg": "HS256", "typ": "JWT", "kid": ids.show("gr", access.row_id), "azp": client_id}
    payload = {"scope": " ".join(access.scope), "appId": account, "iat": int(access.issued_at.timestamp())}
    return _signed_by_grant(secret, header, payload)


def write_serial_jwt(
    secret: bytes, access: Access, ordered: tuple[tuple[str, ...], tuple[str, ...]], *, client_id: str, account: str
) -> str:
    """One with an end (``exp``) and a serial (``jti``) of its own, short however much it allows (Square, ``use_jwt``).

    ``ordered`` are the grant's scope and resource lists. What is chosen of them is a bitmap (``scp``, ``rsc``), as in opaque
    tokens: the vendor's 59 permissions would be longer than its limit of 1,024 characters.
    """
    header = {"alg": "HS256", "typ": "JWT", "kid": ids.show("gr", access.row_id)}
    payload: dict[str, Any] = {
        "client_id": client_id,
        "account": account,
        "scp": f"{positions(access.scope, ordered[0]):x}",
        "iat": int(access.issued_at.timestamp()),
        "jti": base62.encode(access.serial),
    }
    if ordered[1]:
        payload["rsc"] = f"{positions(access.resource, ordered[1]):x}"
    if access.expires_at is not None:
        payload["exp"] = int(access.expires_at.timestamp())
    return _signed_by_grant(secret, header, payload)


def _signed_by_grant(secret: bytes, header: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
    signed = ".".join(_pad(json.dumps(part, separators=(",", ":")).encode()) for part in (header, payload))
    return f"{signed}.{_pad(_account_signature(secret, signed.encode()))}"


def account_grant_id(jwt: UnverifiedJwt) -> bytes | None:
    """The grant that an account JWT says it hangs from."""
    kid = jwt.header.get("kid")
    if jwt.header.get("typ") != "JWT" or jwt.header.get("alg") != "HS256" or not isinstance(kid, str):
        return None
    return ids.parse("gr", kid)


def is_proven_account_jwt(jwt: UnverifiedJwt, secret: bytes) -> bool:
    """Whether it was signed under the grant's own secret."""
    return same(jwt.signature, _account_signature(secret, jwt.signed))


def account_access(jwt: UnverifiedJwt, grant_id: bytes, ordered: tuple[tuple[str, ...], tuple[str, ...]]) -> Access:
    """What a proven account JWT says; ``ordered`` as it was written with. One without a serial ends with its grant."""
    issued_at = datetime.fromtimestamp(jwt.payload["iat"], UTC)
    if "jti" in jwt.payload:
        expires_at, serial = jwt.payload.get("exp"), base62.decode(jwt.payload["jti"], SERIAL_LENGTH)
        return Access(
            "grant",
            grant_id,
            serial or b"",
            issued_at,
            None if expires_at is None else datetime.fromtimestamp(expires_at, UTC),
            at_positions(int(jwt.payload["scp"], 16), ordered[0]),
            at_positions(int(jwt.payload.get("rsc", "0"), 16), ordered[1]),
        )
    return Access("grant", grant_id, b"", issued_at, None, tuple(jwt.payload["scope"].split()), ())


def _account_signature(secret: bytes, signed: bytes) -> bytes:
    return hmac.digest(derive(secret, ACCOUNT_JWT), signed, "sha256")


def _pad(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unpad(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64url") from None
