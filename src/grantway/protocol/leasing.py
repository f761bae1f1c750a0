"""Who may take a notice: what is due, whose turn it is, and what is not to be sent now, or not at all.

One target must not cost the others their turn. So it gets ``AT_A_TIME`` attempts at once, and all those of one integration
``AT_A_TIME_OF_CLIENT``; what is due for a target that keeps silent is put off without an attempt; where the notices of busy
ones fill the whole look, a wider one is taken, and where they fill that, too, some of them are put off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from grantway.protocol.decision import Change, Decision, DropNotice, LeaseNotice, PutOffNotice
from grantway.protocol.events import is_about_the_connection
from grantway.protocol.facts import DueNotice, Facts, WebhookInView
from grantway.protocol.model import Client, Event, Notice, User
from grantway.protocol.moment import Moment
from grantway.protocol.notices import LEASE, gives_up_at, is_heard, target_of
from grantway.protocol.standing import why_client_is_out
from grantway.wire.record import record

AT_A_TIME = 4
"""Attempts under way against one target in one process; the others' turns must not wait for a hanging one."""
AT_A_TIME_OF_CLIENT = 16
"""Attempts under way against all addresses of one integration: slow ones at many addresses must not take every place."""
WINDOW = 200
"""How many due notices a sender looks through for those whose targets are free, and puts off or drops at most."""
WIDE_WINDOW = 2000
"""How many when those were all of targets that have had their turn."""
BUSY_FOR = timedelta(minutes=1)
"""How long those wait that crowd out others while all that they may have is under way; less where it goes on quickly."""
ASK_AGAIN_AFTER = timedelta(minutes=15)
"""How long a notice waits whose connection is suspended."""


@record
class Delivery:
    """A notice that this sender holds (its ``lease`` is set), with what it is spelled and signed from.

    ``client`` is whose it is, ``user`` who is written to; ``webhook`` and ``event`` are those of a webhook's notice, whose
    ``url`` is then the webhook's present one.
    """

    notice: Notice
    client: Client | None = None
    user: User | None = None
    webhook: WebhookInView | None = None
    event: Event | None = None


def places_of(notice: Notice | DueNotice, target: str) -> dict[str, int]:
    """What an attempt takes a place of, and how many places each has."""
    places = {target: AT_A_TIME}
    if notice.client_id is not None and notice.kind in ("webhook", "remove_url"):
        places[f"client {notice.client_id.hex()}"] = AT_A_TIME_OF_CLIENT
    return places


async def lease_due(
    facts: Facts,
    at: Moment,
    limit: int,
    under_way: Mapping[str, int] | None = None,
    shut: Mapping[str, timedelta] | None = None,
    pace: Mapping[str, float] | None = None,
) -> Decision[tuple[Delivery, ...]]:
    """Take at most ``limit`` due notices, none without a place (``places_of``).

    ``under_way`` counts the places that this sender has taken, ``shut`` says how long targets are to be left alone,
    ``pace`` how many attempts a second those who share places get done.
    Every notice gets a lease of its own, so that a late report of an earlier attempt can never be taken for this one's.
    """
    taken = Counter(under_way or {})
    deliveries: list[Delivery] = []
    leases: list[Change] = []
    settled: list[Change] = []
    """What is put off or dropped."""
    crowd: list[tuple[DueNotice, str]] = []
    """With what they wait for a place of."""
    known: dict[bytes, WebhookInView | None] = {}
    seen = 0
    for window in (WINDOW, WIDE_WINDOW) if limit > 0 else ():
        due = (await facts.due_notices(at.now, window))[seen:]
        for one in due:
            if len(deliveries) >= limit or len(settled) >= WINDOW:
                break
            found = await _as_it_is_now(facts, one, known)
            target = target_of(one, None if found is None else found.webhook.url)
            places = places_of(one, target)
            full = [each for each, most in places.items() if taken[each] >= most]
            if full:
                crowd.append((one, full[0]))
                continue
            notice = await facts.notice(one.id)
            if notice is None:
                continue
            ready = await _ready(facts, at, notice, found, (shut or {}).get(target))
            if not isinstance(ready, Delivery):
                settled.append(ready)
                continue
            taken.update(places.keys())
            lease = LeaseNotice(notice.id, at.draw(16), at.now, at.now + LEASE)
            held = replace(ready.notice, lease=lease.lease, leased_until=lease.until)
            leases.append(lease)
            deliveries.append(replace(ready, notice=held))
        seen += len(due)
        if seen < window:
            break
    if seen >= WIDE_WINDOW and len(deliveries) < limit:
        # The longest due keep their turn. Who stands behind the crowd is seen at the next look.
        room = max(0, WINDOW - len(settled))
        waiting = Counter(place for _, place in crowd)
        for one, place in crowd[-room:] if room else ():
            notice = await facts.notice(one.id)
            if notice is not None:
                busy = _busy_for(waiting[place], (pace or {}).get(place, 0.0))
                settled.append(_put_off(at, notice, _spread(at, busy, 1), "target_busy"))
    reason = "notices_leased" if deliveries else "notices_put_off" if settled else "nothing_due"
    return Decision(tuple(deliveries), (*leases, *settled), reason)


async def _as_it_is_now(
    facts: Facts, notice: DueNotice, known: dict[bytes, WebhookInView | None]
) -> WebhookInView | None:
    """The webhook of a notice; asked for once, however many of its notices wait."""
    if notice.webhook_id is None:
        return None
    if notice.webhook_id not in known:
        known[notice.webhook_id] = await facts.webhook(notice.webhook_id)
    return known[notice.webhook_id]


async def _ready(
    facts: Facts, at: Moment, notice: Notice, found: WebhookInView | None, shut_for: timedelta | None
) -> Delivery | PutOffNotice | DropNotice:
    """All that sending takes; or that the notice is put off, or dropped because nobody is there any more."""
    if notice.kind == "mail":
        return Delivery(notice, user=await facts.user(notice.user_id) if notice.user_id else None)
    if shut_for is not None:
        return _put_off(at, notice, _spread(at, shut_for, 1 / 4), "target_silent")
    if notice.kind == "webhook":
        return await _webhook_ready(facts, at, notice, found)
    if notice.kind == "platform" and not at.house.hears_events:
        return DropNotice(notice.id, at.now, "platform_hears_nothing")
    client = await facts.client_by_row(notice.client_id) if notice.client_id else None
    return Delivery(notice, client)


async def _webhook_ready(
    facts: Facts, at: Moment, notice: Notice, found: WebhookInView | None
) -> Delivery | PutOffNotice | DropNotice:
    event = await facts.event(notice.event_id) if notice.event_id else None
    if found is None or event is None or not is_heard(found) or found.view.client.ended_at is not None:
        return DropNotice(notice.id, at.now, "webhook_gone")
    view = found.view
    paused = view.connection.suspended_at or view.account.suspended_at
    if why_client_is_out(view.client) or (paused and not is_about_the_connection(event.type)):
        return _put_off(at, notice, ASK_AGAIN_AFTER, "connection_suspended")
    return Delivery(replace(notice, url=found.webhook.url), view.client, webhook=found, event=event)


def _busy_for(waiting: int, pace: float) -> timedelta:
    """Half of the time that those which wait beside it will take: it is back before nothing is left to send."""
    return min(BUSY_FOR, timedelta(seconds=waiting / 2 / pace)) if pace > 0 else BUSY_FOR


def _spread(at: Moment, duration: timedelta, by: float) -> timedelta:
    """Not all in the same second: where notices come back together, so do their attempts."""
    return duration * (1 + by * at.draw(1)[0] / 256)


def _put_off(at: Moment, notice: Notice, duration: timedelta, error: str) -> PutOffNotice | DropNotice:
    until: datetime = gives_up_at(notice)
    if at.now >= until:
        return DropNotice(notice.id, at.now, error)
    return PutOffNotice(notice.id, at.now, min(at.now + duration, until))
