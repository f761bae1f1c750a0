"""The life of a connection: pending, active, suspended and back, reauthorization required, removed.

A state is derived from times, never stored. Every change has a reason, an actor and a time, and is in the audit. The end
is in ``connections.py``; here is what comes before it, and what ends a connection without anybody asking.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from grantway.protocol import audit
from grantway.protocol.connections import SYSTEM, ended, is_unattended, moved, removal, seated
from grantway.protocol.decision import Change, Decision, EndGrant, EndUserGrants, Refusal, Replace, refuse
from grantway.protocol.facts import ConnectionInView, Facts
from grantway.protocol.ids import show
from grantway.protocol.model import Client, Connection, Grant, Suspension, User
from grantway.protocol.moment import Moment
from grantway.protocol.personal import is_their_own
from grantway.protocol.scope import within
from grantway.protocol.standing import why_client_is_out
from grantway.protocol.telling import cancel_with_grants, tell, tell_owners
from grantway.wire.errors import ACCESS_DENIED, LOGIN_REQUIRED, NOT_FOUND
from grantway.wire.record import record

State = Literal["pending", "active", "suspended", "reauthorization_required", "removed"]
Pause = Literal["customer", "operator", "member_left"]
"""Why a connection is suspended."""

THEIRS: frozenset[Pause] = frozenset({"customer", "member_left"})
"""Suspensions that the account's owners and admins may take back; an operator may take back any."""
EVERY: frozenset[Pause] = THEIRS | {"operator"}

ABANDONED_AFTER = timedelta(hours=1)
"""How long a connection may wait for its first token."""


@record
class Suspended:
    """It is suspended; its tokens come back as they were when it is resumed."""

    connection: Connection


@record
class Resumed:
    """It was taken back. The connection goes on, unless somebody else has suspended it, too."""

    connection: Connection


def state_of(connection: Connection, client: Client) -> State:
    """Where a connection is in its life. The one place that says so."""
    if connection.removed_at is not None:
        return "removed"
    if connection.suspended_at is not None or why_client_is_out(client) is not None:
        return "suspended"
    if connection.activated_at is None:
        return "pending"
    return "active" if within(client.required_scopes, connection.scope) else "reauthorization_required"


def is_held_by_an_operator(connection: Connection) -> bool:
    """Whether an operator has suspended it: a customer's consent cannot take that back."""
    return any(each.reason == "operator" for each in connection.suspensions)


# --- suspended and back


async def suspend(facts: Facts, at: Moment, connection_id: bytes, actor: str) -> Decision[Suspended | Refusal]:
    """An operator suspends a connection: its tokens are good for nothing until it is resumed."""
    view = await facts.connection(connection_id)
    if view is None or view.connection.removed_at is not None:
        return refuse(NOT_FOUND, "connection_unknown")
    return await _suspended(facts, at, view, "operator", actor)


async def resume(facts: Facts, at: Moment, connection_id: bytes, actor: str) -> Decision[Resumed | Refusal]:
    """An operator takes back whatever suspended a connection."""
    view = await facts.connection(connection_id)
    if view is None or view.connection.removed_at is not None:
        return refuse(NOT_FOUND, "connection_unknown")
    return await _resumed(facts, at, view, EVERY, "operator", actor)


async def suspend_by_user(
    facts: Facts, at: Moment, connection_id: bytes, session: str | None
) -> Decision[Suspended | Refusal]:
    """An owner or admin of the account suspends what is connected to it."""
    seat = await seated(facts, at, connection_id, session)
    if isinstance(seat, Refusal):
        return Decision(seat, reason=seat.reason)
    if not seat.membership.may_connect:
        return refuse(ACCESS_DENIED, "not_an_owner")
    if is_unattended(seat, at):
        return refuse(LOGIN_REQUIRED, "sign_in_too_old")
    return await _suspended(facts, at, seat.view, "customer", show("us", seat.user.id), seat.user.id)


async def resume_by_user(
    facts: Facts, at: Moment, connection_id: bytes, session: str | None
) -> Decision[Resumed | Refusal]:
    """An owner or admin of the account takes back what they or their like could have said."""
    seat = await seated(facts, at, connection_id, session)
    if isinstance(seat, Refusal):
        return Decision(seat, reason=seat.reason)
    if not seat.membership.may_connect:
        return refuse(ACCESS_DENIED, "not_an_owner")
    if is_unattended(seat, at):
        return refuse(LOGIN_REQUIRED, "sign_in_too_old")
    held = seat.view.connection
    if is_held_by_an_operator(held) and not any(each.reason in THEIRS for each in held.suspensions):
        return refuse(ACCESS_DENIED, "suspended_by_operator")
    return await _resumed(facts, at, seat.view, THEIRS, "customer", show("us", seat.user.id), seat.user.id)


async def suspending(
    facts: Facts, at: Moment, view: ConnectionInView, reason: Pause, actor: str, by: bytes | None = None
) -> tuple[Change, ...]:
    """What has to become true when a connection is suspended for this reason; nothing, if it is already."""
    connection = view.connection
    if any(each.reason == reason for each in connection.suspensions):
        return ()
    suspensions = (*connection.suspensions, Suspension(at.now, reason, actor))
    changed = replace(
        connection, suspensions=suspensions, suspended_at=suspensions[0].at, version=connection.version + 1
    )
    told: tuple[Change, ...] = ()
    if connection.suspended_at is None and connection.activated_at is not None:
        told = await tell(facts, at, view, "connection.suspended", reason=reason, actor=actor)
    if reason != "customer":  # those who said it themselves know
        told += await tell_owners(facts, at, view, "connection_suspended", reason)
    written = audit.note(at, actor, "connection_suspended", connection, reason=reason, user_id=by)
    return Replace(changed), written, *told


def taken_back(connection: Connection, reasons: Collection[Pause]) -> Connection:
    """The connection without its suspensions for these reasons, as the same version."""
    left = tuple(each for each in connection.suspensions if each.reason not in reasons)
    return replace(connection, suspensions=left, suspended_at=left[0].at if left else None)


async def resuming(
    facts: Facts,
    at: Moment,
    view: ConnectionInView,
    changed: Connection,
    reason: str,
    actor: str,
    by: bytes | None = None,
) -> tuple[Change, ...]:
    """What is written down and told when suspensions are taken back: ``changed`` is what becomes of the connection."""
    before = view.connection
    if before.suspensions == changed.suspensions and before.suspended_at == changed.suspended_at:
        return ()
    told: tuple[Change, ...] = ()
    if changed.suspended_at is None and before.activated_at is not None:
        told = await tell(facts, at, view, "connection.resumed", reason=reason, actor=actor)
    gone = [each.reason for each in before.suspensions if each not in changed.suspensions]
    written = audit.note(at, actor, "connection_resumed", before, reason=reason, user_id=by, taken_back=gone)
    return written, *told


async def _suspended(
    facts: Facts, at: Moment, view: ConnectionInView, reason: Pause, actor: str, by: bytes | None = None
) -> Decision[Suspended | Refusal]:
    changes = await suspending(facts, at, view, reason, actor, by)
    return Decision(Suspended(view.connection), changes, "connection_suspended" if changes else "unchanged")


async def _resumed(
    facts: Facts,
    at: Moment,
    view: ConnectionInView,
    reasons: Collection[Pause],
    reason: str,
    actor: str,
    by: bytes | None = None,
) -> Decision[Resumed | Refusal]:
    before = view.connection
    after = taken_back(before, reasons)
    changed = replace(after, version=before.version + 1)
    told = await resuming(facts, at, view, changed, reason, actor, by)
    if not told:
        return Decision(Resumed(before), reason="unchanged")
    resumed = "connection_resumed" if changed.suspended_at is None else "still_suspended"
    return Decision(Resumed(changed), (Replace(changed), *told), resumed)


# --- what nobody asked for


async def member_left(
    facts: Facts, at: Moment, account_id: bytes, user: User, *, stays: bool = False
) -> tuple[Change, ...]:
    """What becomes of what a user had allowed for an account when they lose the membership by which they could.

    Codes that wait to be exchanged always end, and so do tokens that they made by hand: those are in their own hands, and
    must not come back when somebody resumes the connection for everybody else. What was their own there ends with the
    membership; who ``stays`` a member keeps it. For the rest the client's policy says: keep, suspend, or remove; where others have allowed it, too, only
    this user's part ends. Whoever calls this takes the membership away in the same decision.
    """
    changes: list[Change] = []
    for connection in await facts.connections_approved_by(user.id, account_id):
        view = await facts.connection(connection.id)
        if view is not None:
            changes += await _left(facts, at, view, user, stays=stays)
    return tuple(changes)


async def _left(facts: Facts, at: Moment, view: ConnectionInView, user: User, *, stays: bool) -> tuple[Change, ...]:
    connection, policy = view.connection, view.client.policy
    codes = EndUserGrants(connection.id, user.id, at.now, "member_left", only_codes=True)
    exchanged = [each for each in await facts.live_grants(connection.id, user.id) if not _is_unexchanged(each)]
    shared = [each for each in exchanged if not is_their_own(policy, each) and each.origin != "permanent"]
    kept = [each for each in exchanged if stays and is_their_own(policy, each)]
    own = [each for each in exchanged if each not in shared and each not in kept]
    beside = await facts.has_live_grant_beside(connection.id, user_id=user.id)
    if own and not shared and not kept and not beside:
        return await removal(facts, at, view, reason="member_left", actor=SYSTEM)  # it was theirs alone
    if not shared or policy.member_left == "keep":
        return moved(connection), codes, *await _ended(facts, at, view, user, own)
    if beside:
        return moved(connection), codes, *await _ended(facts, at, view, user, shared + own)
    if policy.member_left == "remove":
        return await removal(facts, at, view, reason="member_left", actor=SYSTEM)
    suspended = await suspending(facts, at, view, "member_left", SYSTEM) or (moved(connection),)
    return *suspended, codes, *await _ended(facts, at, view, user, own)


async def _ended(
    facts: Facts, at: Moment, view: ConnectionInView, user: User, grants: Collection[Grant]
) -> tuple[Change, ...]:
    if not grants:
        return ()
    theirs = {each.id for each in grants}
    return (
        *(EndGrant(each.id, at.now, "member_left") for each in grants),
        audit.note(at, SYSTEM, "grants_ended", view.connection, reason="member_left", user_id=user.id),
        *await cancel_with_grants(facts, at, view, theirs, reason="member_left", actor=SYSTEM),
    )


def _is_unexchanged(grant: Grant) -> bool:
    return grant.origin == "code" and grant.generation == 0


async def remove_neglected(facts: Facts, at: Moment, limit: int = 20) -> Decision[int]:
    """Remove what nobody uses: connections that never got a token, and those that were not used for too long.

    Of the first nobody is told, because nobody but the customer has ever heard of them. How many. While the database was
    set back, nothing is: what looks unused may have been used since the backup.
    """
    if await facts.restoration() is not None:
        return Decision(0, (), "nothing_neglected")
    abandoned = await facts.abandoned_connections(at.now - ABANDONED_AFTER, limit)
    changes: list[Change] = []
    for view in abandoned:
        changes += ended(at, view, "inactivity", SYSTEM)
    idle: tuple[ConnectionInView, ...] = ()
    if at.house.inactivity is not None:
        idle = await facts.idle_connections((at.now - at.house.inactivity).date(), limit)
    for view in idle:
        changes += await removal(facts, at, view, reason="inactivity", actor=SYSTEM)
    gone = len(abandoned) + len(idle)
    return Decision(gone, tuple(changes), "neglected_removed" if gone else "nothing_neglected")
