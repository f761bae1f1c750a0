"""What an application hears without asking: that it was revoked (vendors.md §3.6), and how it knows who said so.

The signature is HMAC-SHA256 under the bytes of the key's text, over the address that was registered and the body, in
base64: what the vendor's own libraries verify.
"""

from __future__ import annotations

import base64
import hmac

from grantway.wire import json_bytes
from grantway.wire.encoding import Parameters, read_json_object
from grantway.wire.errors import INVALID_REQUEST, Malformed
from grantway.wire.times import read_time, write_time
from grantway.wire.webhook_messages import AuthorizationRevoked, Revoker

SIGNATURE_HEADER = "x-square-hmacsha256-signature"

_TYPE = "oauth.authorization.revoked"
_REVOKERS: dict[Revoker, str] = {"customer": "MERCHANT", "client": "APPLICATION", "platform": "SQUARE"}
_BY_NAME = {name: revoker for revoker, name in _REVOKERS.items()}


def write_authorization_revoked(message: AuthorizationRevoked) -> bytes:
    """The body of the event."""
    revocation = {"revoked_at": write_time(message.revoked_at), "revoker_type": _REVOKERS[message.revoker]}
    return json_bytes.dumps(
        {
            "merchant_id": message.account_id,
            "type": _TYPE,
            "event_id": message.event_id,
            "created_at": write_time(message.created_at),
            "data": {"type": "revocation", "id": message.revocation_id, "object": {"revocation": revocation}},
        }
    )


def read_authorization_revoked(body: bytes) -> AuthorizationRevoked:
    """The event. ``Malformed`` when it is another one."""
    sent = read_json_object(body)
    if sent.needed("type") != _TYPE:
        raise Malformed(INVALID_REQUEST, "another_event")
    data = _within(sent, "data")
    revocation = _within(_within(data, "object"), "revocation")
    revoker = _BY_NAME.get(revocation.needed("revoker_type"))
    if revoker is None:
        raise Malformed(INVALID_REQUEST, "revoker_unknown")
    return AuthorizationRevoked(
        event_id=sent.needed("event_id"),
        created_at=read_time(sent.needed("created_at")),
        revocation_id=data.needed("id"),
        revoked_at=read_time(revocation.needed("revoked_at")),
        revoker=revoker,
        account_id=sent.needed("merchant_id"),
    )


def _within(sent: Parameters, name: str) -> Parameters:
    found = sent.mapping(name)
    if found is None:
        raise Malformed(INVALID_REQUEST, f"{name}_missing")
    return Parameters(found)


def write_signature(key: str, url: str, body: bytes) -> str:
    """The value of ``SIGNATURE_HEADER``."""
    return base64.b64encode(hmac.digest(key.encode(), url.encode() + body, "sha256")).decode()
