"""Connections, what lives by them, events and deliveries."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from msgspec import Meta

from grantway.wire.api.message import (
    AccountId,
    Answer,
    ClientId,
    ConnectionId,
    EventType,
    Json,
    PageQuery,
    Request,
    Time,
    Url,
)

State = Literal["pending", "active", "suspended", "reauthorization_required", "removed"]
DeliveryKind = Literal["remove_url", "webhook", "platform", "resource", "mail"]
DeliveryState = Literal["waiting", "delivered", "dead"]
Reference = Annotated[str, Meta(min_length=1, max_length=255)]
GrantId = Annotated[str, Meta(pattern="^gr_[0-9A-Za-z]{22}$")]


class ConnectionQuery(PageQuery, frozen=True, kw_only=True):
    """Which connections."""

    account: AccountId | None = None
    client: ClientId | None = None
    state: Annotated[
        Literal["live", "suspended", "removed", "all"], Meta(description="live: all that are not removed.")
    ] = "live"


class Suspension(Answer, frozen=True, kw_only=True):
    """Somebody paused the connection."""

    at: Time
    reason: str
    actor: str


class Connection(Answer, frozen=True, kw_only=True):
    """One client connected to one account."""

    id: str
    integration_id: str
    state: State
    client_id: str
    client_name: str
    account_id: str
    account_name: str
    scope: list[str]
    approved_by: str | None
    created_at: Time
    activated_at: Time | None
    last_used_day: date | None
    suspensions: list[Suspension]
    removed_at: Time | None
    removed_reason: str | None


class NewResource(Request, frozen=True, kw_only=True):
    """Something of the platform's that ends with the connection, or with one grant of it; ``url`` hears of it."""

    kind: Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,63}$", examples=["subscription"])]
    reference: Reference
    grant_id: GrantId | None = None
    url: Url | None = None
    metadata: Json = {}


class Resource(Answer, frozen=True, kw_only=True):
    """Something of the platform's that lives by a connection."""

    id: str
    connection_id: str
    kind: str
    reference: str
    grant_id: str | None
    url: str | None
    metadata: Json
    created_at: Time
    cancelled_at: Time | None
    cancelled_reason: str | None


class ResourceQuery(Request, frozen=True, kw_only=True):
    """Which resources."""

    cancelled: Annotated[bool, Meta(description="Cancelled ones, too.")] = False


class NewEvent(Request, frozen=True, kw_only=True):
    """Something that happened in an account. Events with the same ``ordering_key`` arrive in their order.

    The same ``id`` again within 30 days is the same event, which nobody hears twice.
    """

    account: AccountId
    type: EventType
    payload: dict[str, Any]
    id: Reference | None = None
    ordering_key: Reference | None = None


class Event(Answer, frozen=True, kw_only=True):
    """The event's id, and to how many webhooks it goes."""

    id: str
    to: int


class DeliveryQuery(PageQuery, frozen=True, kw_only=True):
    """Which deliveries."""

    connection: ConnectionId | None = None
    client: ClientId | None = None
    state: Literal["waiting", "delivered", "dead", "all"] = "all"


class Delivery(Answer, frozen=True, kw_only=True):
    """A message that has to reach somebody."""

    id: str
    kind: DeliveryKind
    state: DeliveryState
    connection_id: str | None
    event_id: str | None
    webhook_id: str | None
    created_at: Time
    attempts: int
    last_status: int | None
    last_error: str | None
    next_attempt_at: Time | None
    delivered_at: Time | None
    dead_at: Time | None


class Attempt(Answer, frozen=True, kw_only=True):
    """One attempt: when, how long it took, and the beginning of what came back."""

    number: int
    at: Time
    milliseconds: int
    status: int | None
    error: str | None
    answer: str


class DeliveryInFull(Answer, frozen=True, kw_only=True):
    """A delivery with all its attempts."""

    delivery: Delivery
    attempts: list[Attempt]
