"""Signatures of notices: Standard Webhooks (https://www.standardwebhooks.com), version ``v1``, HMAC-SHA256.

Sunshine's own ``removeUrl`` call carries no proof of where it comes from, so anybody could send one; these headers
stand beside it and cost an integration that does not look at them nothing.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from standardwebhooks import Webhook

from grantway.protocol import keys
from grantway.protocol.model import Client
from grantway.protocol.vault import Vault


def notice_secret(client: Client, vault: Vault) -> str:
    """The key that this client's notices are signed with, as its integrator gets it: ``whsec_`` and base64.

    Derived from the client's row secret, so it is stored nowhere. Raises ``Unsealable``.
    """
    return "whsec_" + base64.b64encode(_key(client, vault)).decode()


def sign(client: Client, vault: Vault, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers. ``message_id`` stays the same at every attempt, ``at`` is the attempt's own (aware) time.

    Raises ``Unsealable``.
    """
    signature = Webhook(_key(client, vault)).sign(message_id, at.astimezone(UTC), body.decode())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


def _key(client: Client, vault: Vault) -> bytes:
    return keys.derive(vault.open(client.key_id, client.secret, client.id), keys.NOTICES)
