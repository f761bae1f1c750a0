"""The stage with a catalogue whose scopes cover events, an integration that is connected, and short words for webhooks."""

from __future__ import annotations

from typing import Any

from grantway.protocol.decision import Decision, Put
from grantway.protocol.events import publish
from grantway.protocol.ids import show
from grantway.protocol.leasing import Delivery, lease_due
from grantway.protocol.model import Account, Notice, Scope, Webhook
from grantway.protocol.webhooks import ShownWebhook, create_webhook
from grantway.wire.webhook_messages import WebhookFields, WebhookRequest
from tests.helpers.stage import ISSUER, Stage

HOOK_URL = "https://bot.example/hooks"


class Hooks(Stage):
    """``read`` covers ``order.*``, ``write`` covers ``invoice.sent``; Bot is connected with every scope."""

    def __init__(self) -> None:
        super().__init__()
        self.bot = self.integration("Bot")
        self.make_true(
            Put(Scope("read", {"en": "Read orders"}, events=("order.*",))),
            Put(Scope("write", {"en": "Write invoices"}, events=("invoice.sent",))),
        )
        self.tokens = self.connect(self.bot)

    def about(self, webhook: ShownWebhook | str | None = None, token: str | None = None, **path: str) -> WebhookRequest:
        named = show("wh", webhook.webhook.id) if isinstance(webhook, ShownWebhook) else webhook
        return WebhookRequest(self.tokens.access if token is None else token, named, **path)

    def call(self, rule: Any, asked: WebhookRequest, *more: Any, dialect: str = "standard") -> Decision[Any]:
        return self.decide(rule, asked, *more, dialect, ISSUER)

    def try_create(self, *events: str, url: str = HOOK_URL, token: str | None = None, **more: Any) -> Decision[Any]:
        return self.call(create_webhook, self.about(token=token), WebhookFields(url, events or None, **more))

    def create(self, *events: str, **more: Any) -> ShownWebhook:
        made = self.try_create(*(events or ("order.*",)), **more).answer
        assert isinstance(made, ShownWebhook), made
        return made

    def webhook(self, shown: ShownWebhook) -> Webhook:
        return self.stored(Webhook, shown.webhook.id)

    def lease(self) -> list[Notice]:
        return [each.notice for each in self.decide(lease_due, 10).answer]

    def deliveries(self) -> tuple[Delivery, ...]:
        """What a sender takes now."""
        return self.decide(lease_due, 10).answer

    def publish(self, event_type: str, account: Account | None = None, /, **more: Any) -> Decision[Any]:
        payload = more.pop("payload", {"n": 1})
        return self.decide(publish, account or self.acme, event_type, payload, **more)
