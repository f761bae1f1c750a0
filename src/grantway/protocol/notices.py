"""Notices: messages that have to reach somebody after the fact, what an attempt at one comes to, and sending one again.

A notice is added in the commit of the change it tells of and then delivered at least once, in order per line
(``Facts.due_notices`` gives only each line's oldest open one). A receiver knows a repetition by its id. Who may take one
is in ``leasing.py``.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit
from uuid import UUID

from grantway.protocol import audit, ids
from grantway.protocol.decision import Change, Decision, Refusal, Replace, ReplayNotice, ReportDelivery, refuse
from grantway.protocol.facts import DueNotice, Facts, Page, WebhookInView
from grantway.protocol.model import Account, Client, Connection, DeliveryAttempt, Notice
from grantway.protocol.moment import Moment
from grantway.wire.errors import CONFLICT, NOT_FOUND
from grantway.wire.record import record
from grantway.wire.webhook_messages import AuthorizationRevoked, Revoker

ATTEMPT_TIMEOUT = timedelta(seconds=20)
LEASE = timedelta(seconds=60)
"""How long one sender may hold a notice: an attempt, the report of it, and a slow database in between."""
GIVE_UP_AFTER = timedelta(days=3)
FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(hours=8)
GONE = frozenset({404, 410})
"""What a target answers that will not come back. Repeating would only fill its log."""
GONE_FOR_GOOD = 410
"""With which a webhook's target says that it wants no other event either (Standard Webhooks, "Disabling")."""
REPLAYED_AT_ONCE = 100
LOOKED_THROUGH = 10
"""Batches of dead notices that one call looks through for one with something to send."""
"""Notices that one decision has sent again."""

Outcome = Literal["delivered", "retry", "dead", "lease_lost"]

_REVOKED = "authorization_revoked"
_REVOKERS: dict[str, Revoker] = {"customer": "customer", "integrator": "client"}
"""Who ended it, by the reason; all other reasons are the platform's."""


@record
class Came:
    """What came of one attempt: ``status`` and ``answer`` (its beginning), or ``error`` (a slug) where there was none.

    ``retry_after`` are the seconds that the target asked to be left alone (RFC 9110 §10.2.3).
    """

    status: int | None
    error: str | None = None
    answer: str = ""
    retry_after: int | None = None


@record
class Replayed:
    """It is in the outbox again, under the same id."""

    notice: Notice


@record
class ReplayedMany:
    """So many are in the outbox again. ``after``: go on there for the rest; ``None`` when all were seen.

    ``left_out`` have nobody to reach any more and stay dead.
    """

    count: int
    left_out: int
    after: bytes | None


def remove_url_notice(
    client: Client, connection: Connection, account: Account, at: Moment, reason: str
) -> Notice | None:
    """The call that tells an integration at its ``removeUrl`` that it was removed; ``None`` when it has none.

    Sunshine Conversations publishes no more of it than a POST of JSON with ``integrationId``. Since that id was never
    told to the integration before, ``appId`` (for accounts that have one) and ``clientId`` stand beside it. Where policy
    has it that the authorization was revoked, the notice holds what is told of that and is spelled when it is sent.
    """
    if not client.remove_url:
        return None
    told: dict[str, str | None]
    if client.policy.removal_notice == "authorization_revoked":
        account_id = account.external_ids.get(client.policy.dialect)
        told = {"type": _REVOKED, "account_id": account_id, "revoker": _REVOKERS.get(reason, "platform")}
    else:
        told = {
            "integrationId": connection.integration_id,
            "appId": account.external_ids.get("sunshine"),
            "clientId": client.client_id,
        }
    return Notice(
        id=at.new_id(),
        line=connection.id,
        connection_id=connection.id,
        client_id=client.id,
        kind="remove_url",
        url=client.remove_url,
        body=json.dumps({key: value for key, value in told.items() if value}, separators=(",", ":")).encode(),
        created_at=at.now,
        next_attempt_at=at.now,
    )


def revocation_of(notice: Notice) -> AuthorizationRevoked | None:
    """What a notice tells of a revoked authorization; ``None`` for one that tells of something else.

    Its ids are UUIDs, as the vendor that has this call says, made from those of our rows: the same at every attempt.
    """
    told = json.loads(notice.body) if notice.kind == "remove_url" and notice.connection_id is not None else {}
    if told.get("type") != _REVOKED:
        return None
    return AuthorizationRevoked(
        event_id=str(UUID(bytes=notice.id, version=4)),
        created_at=notice.created_at,
        revocation_id=str(UUID(bytes=notice.connection_id, version=4)),
        revoked_at=notice.created_at,
        revoker=told["revoker"],
        account_id=told.get("account_id") or "",
    )


def public_id(notice: Notice) -> str:
    """The id that the receiver sees: the same at every attempt."""
    return ids.show("nt", notice.id)


def target_of(notice: Notice | DueNotice, url: str | None = None) -> str:
    """Host and port: whose turn it is, and all of a notice's address that may stand in a log. ``url``: instead of its own."""
    return urlsplit(notice.url if url is None else url).netloc.rpartition("@")[2].lower() or notice.kind


def gives_up_at(notice: Notice) -> datetime:
    """Until when a notice is tried."""
    return (notice.replayed_at or notice.created_at) + GIVE_UP_AFTER


async def report(facts: Facts, at: Moment, held: Notice, came: Came, milliseconds: int = 0) -> Decision[Outcome]:
    """Write down what came of an attempt.

    A sender whose lease is over, or was taken by another, writes nothing: the notice is then sent again under the same
    id, which its receiver can recognise.
    """
    stored = await facts.notice(held.id)
    if held.lease is None or stored is None or not _is_held(stored, held.lease, at.now):
        return Decision("lease_lost", (), "notice_lease_lost")
    began_at = at.now - timedelta(milliseconds=milliseconds)
    status = came.status
    attempt = DeliveryAttempt(stored.id, stored.attempts + 1, began_at, milliseconds, status, came.error, came.answer)
    result = ReportDelivery(held.lease, attempt)
    if status is not None and 200 <= status < 300:
        return Decision("delivered", (replace(result, delivered_at=at.now),), "notice_delivered")
    if status is not None and _is_final(stored, status):
        dead = replace(result, dead_at=at.now)
        return Decision("dead", (dead, *await _disabled(facts, at, stored, status)), "notice_target_gone")
    until = gives_up_at(stored)
    if at.now >= until:
        return Decision("dead", (replace(result, dead_at=at.now),), "notice_given_up")
    asked = min(timedelta(seconds=came.retry_after or 0), LONGEST_DELAY)
    # The last attempt falls on the last moment, so that a target which is back by then still hears of it.
    next_attempt_at = min(at.now + max(delay_after(await _failed(facts, stored), at), asked), until)
    return Decision("retry", (replace(result, next_attempt_at=next_attempt_at),), "notice_retried_later")


async def _failed(facts: Facts, notice: Notice) -> int:
    """How many attempts failed since it was last asked for: who has one replayed waits as for a new one."""
    if notice.replayed_at is None:
        return notice.attempts
    return sum(attempt.at >= notice.replayed_at for attempt in await facts.attempts(notice.id))


def _is_final(notice: Notice, status: int) -> bool:
    """RFC 5321 §4.2.1: 5xx of a mail server is for good; of a web server it passes."""
    return status >= 500 if notice.kind == "mail" else status in GONE


async def _disabled(facts: Facts, at: Moment, notice: Notice, status: int) -> tuple[Change, ...]:
    found = await facts.webhook(notice.webhook_id) if notice.webhook_id and status == GONE_FOR_GOOD else None
    if found is None or found.webhook.disabled_at is not None or found.webhook.ended_at is not None:
        return ()
    webhook = found.webhook
    shown = ids.show("wh", webhook.id)
    written = audit.note(at, "system", "webhook_disabled", found.view.connection, reason="target_gone", webhook=shown)
    return Replace(replace(webhook, disabled_at=at.now, version=webhook.version + 1)), written


def _is_held(stored: Notice, lease: bytes, now: datetime) -> bool:
    return (
        stored.lease == lease
        and stored.leased_until is not None
        and now < stored.leased_until
        and stored.delivered_at is None
        and stored.dead_at is None
    )


def delay_after(attempts: int, at: Moment) -> timedelta:
    """How long to wait when this many attempts had failed before the present one: doubling, give or take a quarter.

    The jitter keeps the notices of one outage from all coming back in the same second.
    """
    delay = min(FIRST_DELAY * (1 << min(attempts, 20)), LONGEST_DELAY)
    jitter = int.from_bytes(at.draw(4), "big") / 2**32
    return delay * (0.75 + jitter / 2)


# --- sending again


async def replay(facts: Facts, at: Moment, notice_id: bytes, actor: str) -> Decision[Replayed | Refusal]:
    """Somebody has a notice sent again, delivered or dead: the same id, a new timestamp, three more days.

    One that waits is already on its way, and one whose webhook is gone has nobody to reach.
    """
    notice = await facts.notice(notice_id)
    if notice is None:
        return refuse(NOT_FOUND, "notice_unknown")
    if _waits(notice):
        return Decision(Replayed(notice), (), "notice_waits_already")
    if not await _reaches_somebody(facts, notice):
        return refuse(CONFLICT, "notice_without_receiver")
    return Decision(Replayed(notice), _again(at, notice, actor), "notice_replayed")


async def replay_dead(
    facts: Facts,
    at: Moment,
    actor: str,
    *,
    client_row_id: bytes | None = None,
    webhook_id: bytes | None = None,
    after: bytes | None = None,
) -> Decision[ReplayedMany | Refusal]:
    """The next batch of a client's, or of one webhook's, dead notices is sent again; newest first, from ``after`` on.

    Batches without anybody to reach are passed by, up to ``LOOKED_THROUGH`` of them.
    """
    connection_id = None
    if webhook_id is not None:
        found = await facts.webhook(webhook_id)
        if found is None:
            return refuse(NOT_FOUND, "webhook_unknown")
        connection_id = found.webhook.connection_id
    again: list[Notice] = []
    left_out = 0
    for _ in range(LOOKED_THROUGH):
        page = Page(REPLAYED_AT_ONCE, after)
        listed = await facts.notices(page, connection_id=connection_id, client_row_id=client_row_id, state="dead")
        theirs = [notice for notice in listed if webhook_id in (None, notice.webhook_id)]
        again = [notice for notice in theirs if await _reaches_somebody(facts, notice)]
        left_out += len(theirs) - len(again)
        after = listed[-1].id if len(listed) == REPLAYED_AT_ONCE else None
        if again or after is None:
            break
    changes = [change for notice in again for change in _again(at, notice, actor)]
    reason = "notices_replayed" if again else "nothing_dead"
    return Decision(ReplayedMany(len(again), left_out, after), tuple(changes), reason)


def _waits(notice: Notice) -> bool:
    return notice.delivered_at is None and notice.dead_at is None


async def _reaches_somebody(facts: Facts, notice: Notice) -> bool:
    if notice.webhook_id is None:
        return True
    found = await facts.webhook(notice.webhook_id)
    return found is not None and is_heard(found) and await facts.event(notice.event_id or b"") is not None


def is_heard(found: WebhookInView) -> bool:
    """Whether a webhook can still be delivered to."""
    webhook, view = found.webhook, found.view
    ended = (webhook.ended_at, webhook.disabled_at, view.connection.removed_at, view.account.removed_at)
    return all(at is None for at in ended)


def _again(at: Moment, notice: Notice, actor: str) -> tuple[Change, ...]:
    written = audit.note(at, actor, "notice_replayed", client_id=notice.client_id, notice=public_id(notice))
    return ReplayNotice(notice.id, at.now), written
