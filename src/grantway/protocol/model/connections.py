"""Connections and what lives by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from typing import Any, Literal

from grantway.wire.record import record


@record
class Suspension:
    """Somebody paused a connection. Only an operator, or one who could have said it, takes it back."""

    at: datetime
    reason: Literal["customer", "operator", "member_left"]
    actor: str


@record
class Connection:
    """One client connected to one account: what people see, list and remove. One live one per client and account.

    Pending until its first token (``activated_at``). ``suspensions`` holds at most one per reason, oldest first;
    ``suspended_at`` is the time of the first: a connection stays suspended until all of them are taken back.
    """

    id: bytes
    client_id: bytes
    account_id: bytes
    integration_id: str
    scope: tuple[str, ...]
    created_at: datetime
    approved_by: bytes | None = None
    last_used_day: date | None = None
    suspended_at: datetime | None = None
    removed_at: datetime | None = None
    removed_reason: str | None = None
    removed_by: bytes | None = None
    version: int = 1
    activated_at: datetime | None = None
    suspensions: tuple[Suspension, ...] = ()


@record
class ConnectionKey:
    """A key for the few vendor calls that take Basic (Sunshine: revoke access). Dies with its connection."""

    key_id: str
    connection_id: bytes
    digest: bytes = field(repr=False)
    created_at: datetime


@record
class Webhook:
    """Where an integration hears of what happens in an account. Lives by its connection.

    ``secret`` is the signing key, sealed (``key_id``); ``previous_secret`` signs beside it until ``previous_until``.
    ``events`` are event types, ``order.*`` for all that begin so, ``*`` for all. ``dialect`` says how deliveries are
    spelled, ``options`` what that dialect keeps beside it. ``disabled_at`` is when its target said that it is gone.
    """

    id: bytes
    connection_id: bytes
    client_id: bytes
    url: str
    events: tuple[str, ...]
    secret: bytes = field(repr=False)
    key_id: str
    created_at: datetime
    dialect: Literal["standard", "sunshine"] = "standard"
    api_version: str = "1"
    options: Mapping[str, Any] = field(default_factory=dict)
    previous_secret: bytes | None = field(default=None, repr=False)
    previous_until: datetime | None = None
    disabled_at: datetime | None = None
    ended_at: datetime | None = None
    version: int = 1


@record
class Resource:
    """Something of the platform's that lives by a connection, or by one grant of it: a subscription, a webhook, …

    ``reference`` is the platform's id of it, unique per connection and kind while it is live. ``url`` is where the
    platform is told that it was cancelled.
    """

    id: bytes
    connection_id: bytes
    kind: str
    reference: str
    created_at: datetime
    grant_id: bytes | None = None
    url: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    cancelled_at: datetime | None = None
    cancelled_reason: str | None = None
    version: int = 1
