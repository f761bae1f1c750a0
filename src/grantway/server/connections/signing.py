"""Signatures of notices: Standard Webhooks (https://www.standardwebhooks.com), version ``v1``, HMAC-SHA256.

Sunshine's own calls carry no proof of where they come from, so anybody could send one; these headers stand beside them
and cost an integration that does not look at them nothing. Square's carry a signature of their own, under the text of the
same secret: what the vendor's libraries call the signature key.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

from grantway.protocol import keys
from grantway.protocol.model import Client
from grantway.protocol.vault import ROW_SECRET_LENGTH, Vault
from grantway.server.service import Service

_EVENTS_SECRET = "platform_events_secret"
"""Its name in the database's meta: the master key's id, a zero byte, and the sealed key."""


def notice_secret(client: Client, vault: Vault) -> str:
    """The key that this client's notices are signed with, as its integrator gets it: ``whsec_`` and base64.

    Standard Webhooks signs with what the text stands for, Square with the text itself.
    Derived from the client's row secret, so it is stored nowhere. Raises ``Unsealable``.
    """
    return _shown(notice_key(client, vault))


def notice_key(client: Client, vault: Vault) -> bytes:
    """The same as bytes. Raises ``Unsealable``."""
    return keys.derive(vault.open(client.key_id, client.secret, client.id), keys.NOTICES)


async def events_secret(service: Service) -> str:
    """The key that calls to the platform itself are signed with, as its operator gets it. Drawn at the first need."""
    return _shown(await events_key(service))


async def events_key(service: Service) -> bytes:
    """The same as bytes. A random one, kept sealed: the master key only seals. Raises ``Unsealable``."""
    stored = await service.storage.read_meta(_EVENTS_SECRET)
    if stored is None:
        vault = service.vault
        sealed = vault.seal(service.draw(ROW_SECRET_LENGTH), _EVENTS_SECRET.encode())
        stored = await service.storage.write_meta_once(_EVENTS_SECRET, vault.current.encode() + b"\0" + sealed)
    key_id, _, sealed = stored.partition(b"\0")
    return service.vault.open(key_id.decode(), sealed, _EVENTS_SECRET.encode())


def sign(signing_keys: Sequence[bytes], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers. ``message_id`` stays the same at every attempt, ``at`` is the attempt's own (aware) time.

    Several keys give several signatures, with blanks between: a receiver needs to know one of them.
    """
    said = body.decode()
    signatures = [Webhook(key).sign(message_id, at.astimezone(UTC), said) for key in signing_keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _shown(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()
