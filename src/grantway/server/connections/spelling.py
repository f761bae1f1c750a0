"""What a notice says, as its receiver reads it: the same bytes at every attempt, and on the pages that show them."""

from __future__ import annotations

from grantway.protocol.events import open_payload
from grantway.protocol.facts import WebhookInView
from grantway.protocol.ids import show
from grantway.protocol.model import Event, Notice
from grantway.protocol.notices import public_id, revocation_of
from grantway.protocol.vault import Vault
from grantway.wire.dialects.square import webhooks as square
from grantway.wire.dialects.standard import webhooks as standard
from grantway.wire.dialects.sunshine import webhooks as sunshine
from grantway.wire.messages import AccountSummary
from grantway.wire.webhook_messages import EventDelivery

_WRITERS = {"standard": standard.write_event_delivery, "sunshine": sunshine.write_event_delivery}


def spell(notice: Notice, found: WebhookInView | None, event: Event | None, vault: Vault) -> bytes:
    """The body. A webhook's notice is spelled by its dialect, that of a revoked authorization as the vendor's that has it;
    all others were when they were written.

    Raises ``Unsealable``.
    """
    if found is None or event is None:
        revoked = revocation_of(notice)
        return notice.body if revoked is None else square.write_authorization_revoked(revoked)
    webhook, account = found.webhook, found.view.account
    return _WRITERS[webhook.dialect](
        EventDelivery(
            event_id=show("ev", event.id),
            type=event.type,
            created_at=event.created_at,
            payload=open_payload(event, vault),
            connection_id=show("cn", webhook.connection_id),
            account=AccountSummary(show("ac", account.id), account.name),
            webhook_id=show("wh", webhook.id),
            app_id=account.external_ids.get(webhook.dialect),
        )
    )


def request_of(notice: Notice, target: str, body: bytes) -> str:
    """The request as text, for whoever looks for what was sent. What each attempt draws anew is only named."""
    lines = [
        f"POST {target}",
        "content-type: application/json",
        f"webhook-id: {public_id(notice)}",
        "webhook-timestamp: …",
        "webhook-signature: v1,…",
        *([] if revocation_of(notice) is None else [f"{square.SIGNATURE_HEADER}: …"]),
        "",
        body.decode("utf-8", "replace"),
    ]
    return "\n".join(lines)
