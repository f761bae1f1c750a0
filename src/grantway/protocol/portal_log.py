"""What developers see of their integration at work: who is connected, what was delivered, and sending it again."""

from __future__ import annotations

from grantway.protocol.administration.answers import Rejected, reject
from grantway.protocol.decision import Decision, Refusal, refuse
from grantway.protocol.facts import ConnectionInView, Facts, NoticeState, Page, WebhookInView
from grantway.protocol.model import DeliveryAttempt, Event, Notice
from grantway.protocol.moment import Moment
from grantway.protocol.notices import Replayed, is_heard
from grantway.protocol.notices import replay as send_again
from grantway.protocol.overview import Listed, listed
from grantway.protocol.portal import AtWork, developer_of
from grantway.wire.errors import NOT_FOUND
from grantway.wire.record import record

ON_A_PAGE = 50
_READ_AT_ONCE = 200
_READ_AT_MOST = 1000
"""Rows of the outbox that one page is looked for in; the others' notices stand between a developer's own."""
THEIRS = frozenset({"remove_url", "webhook"})
"""Notices that are meant for the integration. What the platform and people are told is not its developers' to read."""


@record
class Connected:
    """Who is connected; ``older``: after which one there are more."""

    at_work: AtWork
    connections: tuple[Listed, ...]
    older: bytes | None


@record
class DeliveryLog:
    """What was to be delivered, newest first; ``older``: after which one there is more."""

    at_work: AtWork
    notices: tuple[Notice, ...]
    older: bytes | None
    connection: ConnectionInView | None = None


@record
class Delivered:
    """One notice with all its attempts, and what it is spelled from."""

    at_work: AtWork
    notice: Notice
    attempts: tuple[DeliveryAttempt, ...]
    event: Event | None
    webhook: WebhookInView | None

    @property
    def may_replay(self) -> bool:
        """Whether sending it again would reach somebody."""
        over = self.notice.delivered_at is not None or self.notice.dead_at is not None
        return over and (self.notice.webhook_id is None or (self.webhook is not None and is_heard(self.webhook)))


async def connected(
    facts: Facts, at: Moment, session: str | None, client_id: str, after: bytes | None
) -> Decision[Connected | Refusal]:
    """The accounts that the integration is connected to, newest first."""
    found = await developer_of(facts, at, session, client_id)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    views = await facts.connections(Page(ON_A_PAGE + 1, after), client_row_id=found.client.id)
    shown = tuple(listed(view, at) for view in views[:ON_A_PAGE])
    older = shown[-1].view.connection.id if len(views) > ON_A_PAGE else None
    return Decision(Connected(found, shown, older), reason="connected_shown")


async def deliveries(
    facts: Facts,
    at: Moment,
    session: str | None,
    client_id: str,
    *,
    after: bytes | None = None,
    state: NoticeState = "all",
    connection_id: bytes | None = None,
    webhook_id: bytes | None = None,
) -> Decision[DeliveryLog | Refusal]:
    """The integration's part of the outbox, of one connection or one webhook if that is asked."""
    found = await developer_of(facts, at, session, client_id)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    view = None
    if webhook_id is not None:
        webhook = await facts.webhook(webhook_id)
        connection_id = b"" if webhook is None else webhook.view.connection.id
    if connection_id is not None:
        view = await facts.connection(connection_id)
        if view is None or view.client.id != found.client.id:
            return refuse(NOT_FOUND, "connection_unknown")
    notices: list[Notice] = []
    last, read = after, 0
    while len(notices) <= ON_A_PAGE and read < _READ_AT_MOST:
        page = Page(_READ_AT_ONCE, last)
        rows = await (
            facts.notices(page, client_row_id=found.client.id, state=state)
            if connection_id is None
            else facts.notices(page, connection_id=connection_id, state=state)
        )
        notices += [one for one in rows if one.kind in THEIRS and webhook_id in (None, one.webhook_id)]
        read += len(rows)
        if len(rows) < _READ_AT_ONCE:
            last = None
            break
        last = rows[-1].id
    shown = tuple(notices[:ON_A_PAGE])
    older = shown[-1].id if len(notices) > ON_A_PAGE else last
    return Decision(DeliveryLog(found, shown, older, view), reason="deliveries_shown")


async def delivery(
    facts: Facts, at: Moment, session: str | None, client_id: str, notice_id: bytes
) -> Decision[Delivered | Refusal]:
    """One of them, with every attempt and what was answered."""
    found = await developer_of(facts, at, session, client_id)
    if isinstance(found, Refusal):
        return Decision(found, reason=found.reason)
    notice = await facts.notice(notice_id)
    if notice is None or notice.client_id != found.client.id or notice.kind not in THEIRS:
        return refuse(NOT_FOUND, "notice_unknown")
    event = None if notice.event_id is None else await facts.event(notice.event_id)
    webhook = None if notice.webhook_id is None else await facts.webhook(notice.webhook_id)
    shown = Delivered(found, notice, await facts.attempts(notice.id), event, webhook)
    return Decision(shown, reason="delivery_shown")


async def replay(
    facts: Facts, at: Moment, session: str | None, client_id: str, notice_id: bytes
) -> Decision[Replayed | Rejected | Refusal]:
    """Send it again, under the id that it had: a receiver that had it knows it by that."""
    found = await delivery(facts, at, session, client_id, notice_id)
    shown = found.answer
    if isinstance(shown, Refusal):
        return Decision(shown, reason=shown.reason)
    decision = await send_again(facts, at, notice_id, shown.at_work.actor)
    if decision.reason == "notice_waits_already":
        return reject("It is still waiting to be sent.", decision.reason)
    if isinstance(decision.answer, Refusal):
        return reject("The webhook that it was for is gone, or switched off.", decision.reason)
    return Decision(decision.answer, decision.changes, decision.reason)
