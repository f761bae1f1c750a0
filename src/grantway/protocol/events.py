"""Events: what happened in an account, as the platform publishes it, and which webhooks hear of it.

An event goes to the webhooks that asked for its type, of connections whose scope covers it, at the moment it is published:
one row for the event and one notice for each webhook. What happens to a connection is told to its own webhooks alike.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Literal

from grantway.protocol.administration.answers import Rejected, reject
from grantway.protocol.decision import Add, Change, Decision, Forget
from grantway.protocol.digests import digest
from grantway.protocol.facts import ConnectionInView, Facts
from grantway.protocol.ids import show
from grantway.protocol.model import Account, Event, IdempotentAnswer, Notice, Webhook
from grantway.protocol.moment import Moment
from grantway.protocol.vault import Vault
from grantway.wire.record import record

MAX_PAYLOAD = 48 * 1024
"""Bytes of JSON, so that a delivery stays below what receivers commonly read (64 KiB)."""
MAX_NAME = 255
"""Characters of an event id or an ordering key."""
REPEATS_KNOWN_FOR = timedelta(days=30)

TEST = "webhook.test"
"""The event that an integration sends itself."""
LifecycleEvent = Literal["connection.changed", "connection.suspended", "connection.resumed"]
_OURS = ("connection.", "webhook.")
"""How the types of events begin that only we say."""

_TYPE = r"[A-Za-z0-9_-]+(?:[.:][A-Za-z0-9_-]+)*"
_IS_TYPE = re.compile(_TYPE)
_IS_PATTERN = re.compile(rf"\*|{_TYPE}(?:[.:]\*)?")
_MAX_TYPE = 128


@record
class Published:
    """The event, and to how many webhooks it goes (``event.to``). ``repeated``: it had been published before."""

    event: Event
    repeated: bool = False


# --- types and patterns


def is_event_type(text: str) -> bool:
    """Whether this can be the type of an event: words with dots or colons between, ``order.paid``."""
    return len(text) <= _MAX_TYPE and _IS_TYPE.fullmatch(text) is not None


def is_event_pattern(text: str) -> bool:
    """A type, ``order.*`` for all that begin so, or ``*`` for all."""
    return len(text) <= _MAX_TYPE and _IS_PATTERN.fullmatch(text) is not None


def covers(patterns: Collection[str], event_type: str) -> bool:
    """Whether one of the patterns names the type."""
    return any(_names(pattern, event_type) for pattern in patterns)


def overlap(pattern: str, patterns: Collection[str]) -> bool:
    """Whether there can be a type that both name."""
    return any(_names(pattern, other) or _names(other, pattern) for other in patterns)


def _names(pattern: str, event_type: str) -> bool:
    return event_type.startswith(pattern[:-1]) if pattern.endswith("*") else pattern == event_type


def is_about_the_connection(event_type: str) -> bool:
    """Whether we say it of a connection itself: no scope is needed to hear it, and a suspended one hears it, too."""
    return event_type.startswith(_OURS)


async def covered_by(facts: Facts, scope: Collection[str]) -> tuple[str, ...]:
    """The event types that these scopes cover, as the catalogue has them; those of the connection itself always."""
    catalogued = [each.events for each in await facts.scopes() if each.name in scope]
    return (*(f"{ours}*" for ours in _OURS), *(pattern for events in catalogued for pattern in events))


# --- publishing


async def publish(
    facts: Facts,
    at: Moment,
    account: Account,
    event_type: str,
    payload: Mapping[str, Any],
    *,
    event_id: str | None = None,
    ordering_key: str | None = None,
) -> Decision[Published | Rejected]:
    """The platform says what happened in an account that is not removed.

    The same ``event_id`` again (for one account, within ``REPEATS_KNOWN_FOR``) is the same event, which nobody hears
    twice. Events with one ``ordering_key`` reach each webhook in the order in which they were published.
    """
    if problem := _problem(event_type, event_id, ordering_key):
        return reject(problem, "event_malformed")
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    if len(body) > MAX_PAYLOAD:
        return reject(f"The payload has at most {MAX_PAYLOAD // 1024} KiB of JSON.", "event_too_large")
    repetition: tuple[Change, ...] = ()
    new_id = at.new_id()
    if event_id is not None:
        known = digest(f"event {show('ac', account.id)} {event_id}")
        before = await facts.idempotent_answer(known)
        if before is not None and at.now < before.expires_at:
            event = await facts.event(at.vault.open(before.key_id, before.body_sealed, known))
            if event is not None:
                return Decision(Published(event, repeated=True), (), "event_repeated")
        sealed = at.vault.seal(new_id, known)
        remembered = IdempotentAnswer(known, known, 202, sealed, at.vault.current, at.now, at.now + REPEATS_KNOWN_FOR)
        repetition = (*(() if before is None else (Forget(before),)), Add(remembered))

    hearing = await _hearing(facts, account, event_type)
    event = _event(at, account.id, event_type, body, new_id, ordering_key, len(hearing))
    notices = [Add(webhook_notice(at, webhook, event, ordering_key)) for webhook in hearing]
    return Decision(Published(event), (Add(event), *repetition, *notices), "event_published")


def _problem(event_type: str, event_id: str | None, ordering_key: str | None) -> str | None:
    if not is_event_type(event_type):
        return f"An event type is words with dots between, such as order.paid, of at most {_MAX_TYPE} characters."
    if event_type.startswith(_OURS):
        return "Types that begin with connection. or webhook. are said by this server alone."
    if any(name is not None and not 0 < len(name) <= MAX_NAME for name in (event_id, ordering_key)):
        return f"An event id and an ordering key have 1 to {MAX_NAME} characters."
    return None


async def _hearing(facts: Facts, account: Account, event_type: str) -> list[Webhook]:
    """The webhooks that hear of it now. Who is suspended misses it: what is paused is not kept for later."""
    if account.suspended_at is not None:
        return []
    covering = {each.name for each in await facts.scopes() if covers(each.events, event_type)}
    return [
        webhook
        for webhook, connection in await facts.webhooks_of_account(account.id)
        if connection.suspended_at is None
        and not covering.isdisjoint(connection.scope)
        and covers(webhook.events, event_type)
    ]


# --- what is written down


def _event(
    at: Moment, account_id: bytes, event_type: str, payload: bytes, new_id: bytes, ordering_key: str | None, to: int
) -> Event:
    sealed = at.vault.seal(payload, new_id)
    return Event(new_id, account_id, event_type, sealed, at.vault.current, at.now, ordering_key, to)


def webhook_notice(at: Moment, webhook: Webhook, event: Event, ordering_key: str | None = None) -> Notice:
    """The row of the outbox by which one webhook hears of one event."""
    notice_id = at.new_id()
    return Notice(
        id=notice_id,
        line=notice_id if ordering_key is None else line_of(webhook, ordering_key),
        connection_id=webhook.connection_id,
        client_id=webhook.client_id,
        kind="webhook",
        url=webhook.url,
        body=b"",
        created_at=at.now,
        next_attempt_at=at.now,
        webhook_id=webhook.id,
        event_id=event.id,
    )


def line_of(webhook: Webhook, ordering_key: str) -> bytes:
    """The queue of one webhook's events with one ordering key."""
    return hashlib.sha256(webhook.id + ordering_key.encode()).digest()[:16]


def event_for(at: Moment, account_id: bytes, event_type: str, told: Mapping[str, Any], to: int) -> Event:
    """An event that we say ourselves."""
    body = json.dumps(told, separators=(",", ":")).encode()
    return _event(at, account_id, event_type, body, at.new_id(), None, to)


def open_payload(event: Event, vault: Vault) -> Mapping[str, Any]:
    """What was published. Raises ``Unsealable``."""
    payload: Mapping[str, Any] = json.loads(vault.open(event.key_id, event.payload_sealed, event.id))
    return payload


async def tell_webhooks(
    facts: Facts, at: Moment, view: ConnectionInView, what: LifecycleEvent, told: Mapping[str, Any]
) -> tuple[Change, ...]:
    """What happened to a connection, to those of its own webhooks that asked for it, in order."""
    hearing = [
        webhook
        for webhook in await facts.webhooks(view.connection.id)
        if webhook.disabled_at is None and covers(webhook.events, what)
    ]
    if not hearing:
        return ()
    event = event_for(at, view.account.id, what, told, len(hearing))
    return (Add(event), *(Add(webhook_notice(at, webhook, event, _OURS[0])) for webhook in hearing))
