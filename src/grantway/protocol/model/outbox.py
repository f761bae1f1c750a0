"""What has to reach somebody: events, the outbox, and what came of each attempt."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import Literal

from grantway.wire.record import record

NoticeKind = Literal["remove_url", "webhook", "platform", "resource", "mail"]


@record
class Event:
    """Something that happened in an account, as the platform published it. ``payload_sealed`` is JSON.

    ``ordering_key``: events with the same key reach a webhook in the order in which they were published. ``to`` is how
    many webhooks it went to.
    """

    id: bytes
    account_id: bytes
    type: str
    payload_sealed: bytes = field(repr=False)
    key_id: str
    created_at: datetime
    ordering_key: str | None = None
    to: int = 0


@record
class Notice:
    """A message that has to reach somebody: a row of the outbox, written in the commit of the change it tells of.

    ``line`` is the queue it stands in: notices of one line go out one after another, in order; a line of its own (its
    id) waits for nobody. ``body`` is JSON bytes and never contains a token. A ``webhook`` notice has none; it says
    which ``event_id`` goes to which ``webhook_id`` and is spelled when it is sent. ``platform`` and ``mail`` have no
    ``url``: where they go is a setting, or the address of ``user_id`` when it is sent. ``lease`` names the sender that
    is at it until ``leased_until``. ``replayed_at`` is when somebody had it sent again; three days count from there.
    """

    id: bytes
    line: bytes
    connection_id: bytes | None
    client_id: bytes | None
    kind: NoticeKind
    url: str
    body: bytes
    created_at: datetime
    next_attempt_at: datetime
    attempts: int = 0
    last_status: int | None = None
    last_error: str | None = None
    delivered_at: datetime | None = None
    dead_at: datetime | None = None
    lease: bytes | None = None
    leased_until: datetime | None = None
    webhook_id: bytes | None = None
    event_id: bytes | None = None
    user_id: bytes | None = None
    replayed_at: datetime | None = None


@record
class DeliveryAttempt:
    """One attempt to deliver a notice: when, how long it took, and what came back.

    ``answer`` is the first 2 KiB of what was answered, as text; ``error`` a slug where there was no answer.
    """

    notice_id: bytes
    number: int
    at: datetime
    milliseconds: int
    status: int | None = None
    error: str | None = None
    answer: str = ""
