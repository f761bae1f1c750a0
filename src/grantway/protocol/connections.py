"""The end of a connection: tokens dead, everybody told, all in one commit. Who may end what, and who sees what."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from grantway.protocol import audit
from grantway.protocol.decision import (
    Change,
    Decision,
    EndGrant,
    EndUserGrants,
    Refusal,
    RemoveConnection,
    Replace,
    refuse,
)
from grantway.protocol.facts import ConnectionInView, Facts, GrantInUse
from grantway.protocol.ids import show
from grantway.protocol.model import Connection, Membership, Session, User
from grantway.protocol.moment import Moment
from grantway.protocol.sessions import is_recent, signed_in
from grantway.protocol.telling import cancel_with_grants, tell_removed
from grantway.wire.errors import LOGIN_REQUIRED, NOT_FOUND
from grantway.wire.record import record

SYSTEM = "system"
"""The actor, when nobody did it: it followed from something else."""

Reason = Literal["customer", "integrator", "operator", "reuse_detected", "member_left", "inactivity", "client_disabled"]
"""Why a connection changed. There are no others, whoever asks."""


@record
class Removed:
    """It is over. ``whole``: the connection; otherwise only what one member had approved of it."""

    connection: Connection
    whole: bool = True


@record
class Seat:
    """A person in front of a connection of their account, and since when they are signed in."""

    view: ConnectionInView
    membership: Membership
    session: Session
    user: User


def view_of(held: GrantInUse) -> ConnectionInView:
    """The connection of a grant, as those see it who are told of it."""
    return ConnectionInView(held.connection, held.client, held.account, None)


def moved(connection: Connection) -> Change:
    """The set of the connection's live grants changes: whoever has decided on that set meanwhile decides again."""
    return Replace(replace(connection, version=connection.version + 1))


async def removal(
    facts: Facts, at: Moment, view: ConnectionInView, *, reason: Reason, actor: str, by: bytes | None = None
) -> tuple[Change, ...]:
    """All that has to become true when a connection ends. Its grants need no change: every use reads the connection."""
    return (*ended(at, view, reason, actor, by), *await tell_removed(facts, at, view, reason=reason, actor=actor))


def ended(
    at: Moment, view: ConnectionInView, reason: Reason, actor: str, by: bytes | None = None
) -> tuple[Change, ...]:
    """The end itself, of which nobody is told: right for what never had a token."""
    written = audit.note(at, actor, "connection_removed", view.connection, reason=reason, user_id=by)
    return RemoveConnection(view.connection.id, at.now, reason, by), written


async def ending(
    facts: Facts, held: GrantInUse, at: Moment, *, reason: Reason, actor: str, by: bytes | None = None
) -> tuple[Change, ...]:
    """What has to become true when one grant is ended on purpose: with the last one the connection goes, too.

    Carries its guard: what was read of the connection (its other grants, what lives by it) moves its version.
    """
    end: tuple[Change, ...] = (
        EndGrant(held.grant.id, at.now, reason, by),
        audit.note(at, actor, "grant_ended", held.connection, reason=reason, grant_id=held.grant.id),
    )
    if held.connection.removed_at is not None:
        return end
    end = (moved(held.connection), *end)
    if await facts.has_live_grant_beside(held.connection.id, grant_id=held.grant.id):
        ends = {held.grant.id}
        return *end, *await cancel_with_grants(facts, at, view_of(held), ends, reason=reason, actor=actor)
    return *end, *await removal(facts, at, view_of(held), reason=reason, actor=actor, by=by)


async def remove(
    facts: Facts, at: Moment, connection_id: bytes, reason: Reason, actor: str
) -> Decision[Removed | Refusal]:
    """An operator or a client removes a connection."""
    view = await facts.connection(connection_id)
    if view is None or view.connection.removed_at is not None:
        return refuse(NOT_FOUND, "connection_unknown")
    changes = await removal(facts, at, view, reason=reason, actor=actor)
    return Decision(Removed(view.connection), changes, "connection_removed")


async def remove_by_user(
    facts: Facts, at: Moment, connection_id: bytes, session: str | None
) -> Decision[Removed | Refusal]:
    """A customer removes what is connected: owners and admins the connection, members what they approved themselves.

    To remove for everybody, owners and admins have signed in not long ago: an unattended screen must not end it.
    """
    seat = await seated(facts, at, connection_id, session)
    if isinstance(seat, Refusal):
        return Decision(seat, reason=seat.reason)
    connection, user_id = seat.view.connection, seat.user.id
    actor = show("us", user_id)
    if not seat.membership.may_connect:
        if await facts.has_live_grant_beside(connection.id, user_id=user_id):
            own = EndUserGrants(connection.id, user_id, at.now, "customer")
            written = audit.note(at, actor, "grants_ended", connection, reason="customer", user_id=user_id)
            theirs = {grant.id for grant in await facts.live_grants(connection.id, user_id)}
            cancelled = await cancel_with_grants(facts, at, seat.view, theirs, reason="customer", actor=actor)
            changes = (moved(connection), own, written, *cancelled)
            return Decision(Removed(connection, whole=False), changes, "grants_ended")
    elif is_unattended(seat, at):
        return refuse(LOGIN_REQUIRED, "sign_in_too_old")
    changes = await removal(facts, at, seat.view, reason="customer", actor=actor, by=user_id)
    return Decision(Removed(connection), changes, "connection_removed")


async def seated(facts: Facts, at: Moment, connection_id: bytes, session: str | None) -> Seat | Refusal:
    """Who is signed in, when they see the live connection: owners and admins all of the account, members what they approved.

    To anybody else it is as if there were none.
    """
    found = await signed_in(facts, at, session)
    if found is None:
        return Refusal(LOGIN_REQUIRED, "login_required")
    view = await facts.connection(connection_id)
    if view is None or view.connection.removed_at is not None:
        return Refusal(NOT_FOUND, "connection_unknown")
    membership = await facts.membership(view.account.id, found[1].id)
    if membership is None:
        return Refusal(NOT_FOUND, "connection_unknown")
    if not membership.may_connect and not await facts.live_grants(connection_id, found[1].id):
        return Refusal(NOT_FOUND, "connection_of_others")
    return Seat(view, membership, *found)


def is_unattended(seat: Seat, at: Moment) -> bool:
    """Whether the sign-in is too old to be sure that the person is still there."""
    return not is_recent(seat.session, at)
