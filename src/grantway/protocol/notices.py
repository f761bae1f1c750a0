"""Notices: what an integration is told after the fact, when a sender may take one, and what an attempt comes to.

A notice is added in the commit of the change it tells of and then delivered at least once, in order per line
(``Facts.due_notices`` gives only each line's oldest open one). A receiver knows a repetition by its id.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from grantway.protocol import ids
from grantway.protocol.decision import Decision, LeaseNotice, ReportDelivery
from grantway.protocol.facts import Facts
from grantway.protocol.model import Account, Client, Connection, DeliveryAttempt, Notice
from grantway.protocol.moment import Moment
from grantway.wire.record import record

ATTEMPT_TIMEOUT = timedelta(seconds=20)
LEASE = timedelta(seconds=60)
"""How long one sender may hold a notice: an attempt, the report of it, and a slow database in between."""
GIVE_UP_AFTER = timedelta(days=3)
FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(hours=8)
AT_A_TIME = 4
"""Attempts under way against one target in one process; the others' turns must not wait for a hanging one."""
WINDOW = 200
"""How many due notices a sender looks through for those whose targets are free."""
GONE = frozenset({404, 410})
"""What a target answers that will not come back. Repeating would only fill its log."""

Outcome = Literal["delivered", "retry", "dead", "lease_lost"]


@record
class Delivery:
    """A notice that this sender holds (its ``lease`` is set), and the client whose key signs it."""

    notice: Notice
    client: Client


def remove_url_notice(client: Client, connection: Connection, account: Account, at: Moment) -> Notice | None:
    """The call that tells an integration at its ``removeUrl`` that it was removed; ``None`` when it has none.

    Sunshine Conversations publishes no more of it than a POST of JSON with ``integrationId``. Since that id was never
    told to the integration before, ``appId`` (for accounts that have one) and ``clientId`` stand beside it.
    """
    if not client.remove_url:
        return None
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


def public_id(notice: Notice) -> str:
    """The id that the receiver sees: the same at every attempt."""
    return ids.show("nt", notice.id)


def target_of(url: str) -> str:
    """Host and port: whose turn it is, and all of a notice's address that may stand in a log."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


async def lease_due(
    facts: Facts, at: Moment, limit: int, under_way: Mapping[str, int] | None = None
) -> Decision[tuple[Delivery, ...]]:
    """Take at most ``limit`` due notices, no more than ``AT_A_TIME`` for one target.

    ``under_way`` counts by target what this sender is at already. Every notice gets a lease of its own, so that a late
    report of an earlier attempt can never be taken for this one's.
    """
    taken = Counter(under_way or {})
    deliveries: list[Delivery] = []
    changes: list[LeaseNotice] = []
    for notice in await facts.due_notices(at.now, WINDOW) if limit > 0 else ():
        target = target_of(notice.url)
        if taken[target] >= AT_A_TIME:
            continue
        client = await facts.client_by_row(notice.client_id) if notice.client_id else None
        if client is None:  # clients are never deleted, so this row was not written by us
            continue
        taken[target] += 1
        lease = LeaseNotice(notice.id, at.draw(16), at.now, at.now + LEASE)
        held = replace(notice, lease=lease.lease, leased_until=lease.until)
        changes.append(lease)
        deliveries.append(Delivery(held, client))
        if len(deliveries) >= limit:
            break
    return Decision(tuple(deliveries), tuple(changes), "notices_leased" if deliveries else "nothing_due")


async def report(
    facts: Facts,
    at: Moment,
    held: Notice,
    status: int | None,
    error: str | None,
    milliseconds: int = 0,
    answer: str = "",
) -> Decision[Outcome]:
    """Write down what came of an attempt: ``status`` and ``answer``, or ``error`` (a slug) where there was none.

    A sender whose lease is over, or was taken by another, writes nothing: the notice is then sent again under the same
    id, which its receiver can recognise.
    """
    stored = await facts.notice(held.id)
    if held.lease is None or stored is None or not _is_held(stored, held.lease, at.now):
        return Decision("lease_lost", (), "notice_lease_lost")
    began_at = at.now - timedelta(milliseconds=milliseconds)
    attempt = DeliveryAttempt(stored.id, stored.attempts + 1, began_at, milliseconds, status, error, answer)
    result = ReportDelivery(held.lease, attempt)
    if status is not None and 200 <= status < 300:
        return Decision("delivered", (replace(result, delivered_at=at.now),), "notice_delivered")
    if status in GONE:
        return Decision("dead", (replace(result, dead_at=at.now),), "notice_target_gone")
    gives_up_at = (stored.replayed_at or stored.created_at) + GIVE_UP_AFTER
    if at.now >= gives_up_at:
        return Decision("dead", (replace(result, dead_at=at.now),), "notice_given_up")
    # The last attempt falls on the last moment, so that a target which is back by then still hears of it.
    next_attempt_at = min(at.now + delay_after(stored.attempts, at), gives_up_at)
    return Decision("retry", (replace(result, next_attempt_at=next_attempt_at),), "notice_retried_later")


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
