"""Keys of ``/jwks.json``: drawn, sealed, and tried at the start. When each signs is a rule's business."""

from __future__ import annotations

import base64
import hashlib
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from grantway.protocol.administration.signing_keys import DrawnKey, ensure_key
from grantway.protocol.model import SigningKey
from grantway.protocol.vault import Unsealable, Vault
from grantway.server.service import Service
from grantway.server.settings_sources import CannotStart

_ALGORITHM = "ES256"
_ECDSA = ec.ECDSA(hashes.SHA256())


def draw_signing_key(vault: Vault) -> DrawnKey:
    """A new ES256 key. Its ``kid`` is the thumbprint of its public half (RFC 7638), and its private half is sealed about it."""
    private = ec.generate_private_key(ec.SECP256R1())
    numbers = private.public_key().public_numbers()
    public = {"crv": "P-256", "kty": "EC", "x": _coordinate(numbers.x), "y": _coordinate(numbers.y)}
    thumbprint = hashlib.sha256(json.dumps(public, separators=(",", ":"), sort_keys=True).encode()).digest()
    kid = base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode()
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    jwk = {**public, "kid": kid, "alg": _ALGORITHM, "use": "sig"}
    return DrawnKey(kid, _ALGORITHM, vault.seal(der, kid.encode()), vault.current, jwk)


async def ensure_signing_key(service: Service) -> SigningKey:
    """The key that signs, drawn if there is none. A key that does not open or does not sign stops the start (``CannotStart``)."""
    key = (await service.settle(ensure_key, draw_signing_key(service.vault))).answer
    try:
        _try(service.vault, key)
    except (Unsealable, ValueError, InvalidSignature):
        raise CannotStart(
            f"The signing key {key.kid} cannot be used: its private half does not open or does not fit."
        ) from None
    return key


def _try(vault: Vault, key: SigningKey) -> None:
    """Sign something with the private half and verify it with the published one: after a commit it is too late to find out."""
    private = load_der_private_key(vault.open(key.key_id, key.private_sealed, key.kid.encode()), None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise InvalidSignature
    numbers = ec.EllipticCurvePublicNumbers(_number(key, "x"), _number(key, "y"), ec.SECP256R1())
    numbers.public_key().verify(private.sign(b"self-test", _ECDSA), b"self-test", _ECDSA)


def _coordinate(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()


def _number(key: SigningKey, name: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(key.public_jwk[name] + "="), "big")
