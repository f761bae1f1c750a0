"""The messages about webhooks: how an integration manages its connection's, and what is delivered to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any, Literal

from grantway.wire.messages import AccountSummary
from grantway.wire.record import record


@record
class WebhookRequest:
    """A call about the webhooks of the connection that the token belongs to: list them, or show, test, end ``webhook_id``.

    ``account`` and ``integration`` are whose webhooks the caller says it means, where a dialect's path says so.
    """

    access_token: str | None = field(default=None, repr=False)
    webhook_id: str | None = None
    account: str | None = None
    integration: str | None = None


@record
class WebhookFields:
    """What a webhook is to be. ``None`` is left as it is. ``options`` are what one dialect keeps beside it."""

    url: str | None = None
    events: tuple[str, ...] | None = None
    version: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@record
class WebhookAnswer:
    """One webhook. ``secret`` is there when it is shown; the one before it signs as well until ``previous_until``."""

    id: str
    url: str
    events: tuple[str, ...]
    version: str
    created_at: datetime | None = None
    disabled_at: datetime | None = None
    secret: str | None = field(default=None, repr=False)
    previous_until: datetime | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@record
class WebhookListAnswer:
    """The connection's webhooks, oldest first."""

    webhooks: tuple[WebhookAnswer, ...]


@record
class WebhookTestAnswer:
    """A test is on its way: the id that its delivery carries."""

    delivery_id: str


@record
class EventDelivery:
    """One event as a webhook hears it. ``payload`` is what the platform published, or what we say of the connection.

    ``app_id`` is the account's id in the dialect that is spoken, where that has one.
    """

    event_id: str
    type: str
    created_at: datetime
    payload: Mapping[str, Any]
    connection_id: str
    account: AccountSummary
    webhook_id: str
    app_id: str | None = None


Revoker = Literal["customer", "client", "platform"]
"""Who ended an authorization: somebody of the account, the client itself, or whoever runs the platform."""


@record
class AuthorizationRevoked:
    """A client is told that all its tokens for an account are over (Square, ``oauth.authorization.revoked``).

    ``event_id`` is the same at every attempt; ``account_id`` is the one by which the client's dialect knows the account.
    """

    event_id: str
    created_at: datetime
    revocation_id: str
    revoked_at: datetime
    revoker: Revoker
    account_id: str
