"""What customers see of what is connected to their accounts. Owners and admins see all of an account, members what they
approved."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from grantway.protocol.connections import seated
from grantway.protocol.decision import Decision, Refusal, refuse
from grantway.protocol.facts import ConnectionInView, Facts, Page
from grantway.protocol.lifecycle import State, state_of
from grantway.protocol.model import Account, AuditEntry, Connection, Membership, Resource, Scope, User, Webhook
from grantway.protocol.moment import Moment
from grantway.protocol.sessions import signed_in
from grantway.wire.errors import LOGIN_REQUIRED, NOT_FOUND
from grantway.wire.record import record

ACCOUNTS = 20
"""Accounts whose connections one page shows; of more, only the names."""
OF_EACH = 10
"""Connections of each account on the page of all; an account's own page shows ``ON_A_PAGE``."""
ON_A_PAGE = 50
_HISTORY = 50


Use = Literal["never", "today", "this_week", "this_month", "longer_ago"]
"""When something was last used, as far as people are told: more would tell what others do."""


@record
class Listed:
    """One connection in a listing."""

    view: ConnectionInView
    state: State
    used: Use


@record
class OfAccount:
    """An account and what is connected to it. ``older``: after which one there are more."""

    account: Account
    membership: Membership
    connections: tuple[Listed, ...]
    older: bytes | None


@record
class Overview:
    """The accounts that are shown, and those that are only named because there are so many."""

    user: User
    accounts: tuple[OfAccount, ...]
    further: tuple[Account, ...]
    scopes: tuple[Scope, ...]


@record
class Detail:
    """One connection: what would go with it, and what happened to it. ``whole``: removing it ends it for everybody."""

    user: User
    membership: Membership
    listed: Listed
    webhooks: tuple[Webhook, ...]
    resources: tuple[Resource, ...]
    history: tuple[AuditEntry, ...]
    scopes: tuple[Scope, ...]
    whole: bool


async def overview(facts: Facts, at: Moment, session: str | None) -> Decision[Overview | Refusal]:
    """The first page."""
    found = await signed_in(facts, at, session)
    if found is None:
        return refuse(LOGIN_REQUIRED, "login_required")
    user = found[1]
    mine = await facts.memberships(user.id)
    shown = [await _of_account(facts, at, user, *one, Page(OF_EACH)) for one in mine[:ACCOUNTS]]
    further = tuple(account for _, account in mine[ACCOUNTS:])
    return Decision(Overview(user, tuple(shown), further, await facts.scopes()), reason="connections_shown")


async def of_account(
    facts: Facts, at: Moment, session: str | None, account_id: bytes, after: bytes | None
) -> Decision[Overview | Refusal]:
    """One account, page by page."""
    found = await signed_in(facts, at, session)
    if found is None:
        return refuse(LOGIN_REQUIRED, "login_required")
    user = found[1]
    membership, account = await facts.membership(account_id, user.id), await facts.account(account_id)
    if membership is None or account is None or account.removed_at is not None:
        return refuse(NOT_FOUND, "account_unknown")
    shown = await _of_account(facts, at, user, membership, account, Page(ON_A_PAGE, after))
    return Decision(Overview(user, (shown,), (), await facts.scopes()), reason="connections_shown")


async def detail(facts: Facts, at: Moment, session: str | None, connection_id: bytes) -> Decision[Detail | Refusal]:
    """One connection, for those who see it."""
    seat = await seated(facts, at, connection_id, session)
    if isinstance(seat, Refusal):
        return Decision(seat, reason=seat.reason)
    connection, whole = seat.view.connection, seat.membership.may_connect
    if not whole:
        whole = not await facts.has_live_grant_beside(connection.id, user_id=seat.user.id)
    shown = Detail(
        user=seat.user,
        membership=seat.membership,
        listed=listed(seat.view, at),
        webhooks=await facts.webhooks(connection.id),
        resources=await facts.resources(connection.id),
        history=await facts.audit(Page(_HISTORY), connection_id=connection.id),
        scopes=await facts.scopes(),
        whole=whole,
    )
    return Decision(shown, reason="connection_shown")


async def _of_account(
    facts: Facts, at: Moment, user: User, membership: Membership, account: Account, page: Page
) -> OfAccount:
    more = Page(page.limit + 1, page.after)
    if membership.may_connect:
        views = await facts.connections(more, account_id=account.id)
    else:
        # A person approves a handful by hand.
        mine = [each.id for each in await facts.connections_approved_by(user.id, account.id)]
        wanted = [each for each in sorted(mine, reverse=True) if page.after is None or each < page.after][: more.limit]
        views = tuple([view for each in wanted if (view := await facts.connection(each)) is not None])
    shown = tuple(listed(view, at) for view in views[: page.limit])
    older = shown[-1].view.connection.id if len(views) > page.limit else None
    return OfAccount(account, membership, shown, older)


def listed(view: ConnectionInView, at: Moment) -> Listed:
    """The connection with what a listing says of it."""
    return Listed(view, state_of(view.connection, view.client), _use(view.connection, at))


def _use(connection: Connection, at: Moment) -> Use:
    last, today = connection.last_used_day, at.now.date()
    if last is None:
        return "never"
    if last >= today:
        return "today"
    if last > today - timedelta(days=7):
        return "this_week"
    return "this_month" if last > today - timedelta(days=30) else "longer_ago"
