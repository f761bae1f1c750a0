"""The end of a connection: tokens dead, the integration told, all in one commit. Who may end what."""

from __future__ import annotations

from datetime import timedelta

from grantway.protocol import audit
from grantway.protocol.decision import Add, Change, Decision, EndGrant, EndUserGrants, Refusal, RemoveConnection, refuse
from grantway.protocol.facts import ConnectionInView, Facts, GrantInUse
from grantway.protocol.ids import show
from grantway.protocol.model import Account, Client, Connection, User
from grantway.protocol.moment import Moment
from grantway.protocol.notices import remove_url_notice
from grantway.protocol.sessions import signed_in
from grantway.wire.errors import ACCESS_DENIED, LOGIN_REQUIRED, NOT_FOUND
from grantway.wire.record import record

RECENT = timedelta(minutes=15)
"""How long after signing in an owner may remove a connection without signing in again."""


@record
class Removed:
    """It is over. ``whole``: the connection; otherwise only what one member had approved of it."""

    connection: Connection
    whole: bool = True


def removal(
    connection: Connection,
    client: Client,
    account: Account,
    at: Moment,
    *,
    reason: str,
    actor: str,
    by: bytes | None = None,
) -> tuple[Change, ...]:
    """All that has to become true when a connection ends. Its grants need no change: every use reads the connection."""
    notice = remove_url_notice(client, connection, account, at)
    return (
        RemoveConnection(connection.id, at.now, reason, by),
        *(() if notice is None else (Add(notice),)),
        audit.note(at, actor, "connection_removed", connection, reason=reason, user_id=by),
    )


async def ending(
    facts: Facts, held: GrantInUse, at: Moment, *, reason: str, actor: str, by: bytes | None = None
) -> tuple[Change, ...]:
    """What has to become true when one grant is ended on purpose: with the last one the connection goes, too."""
    end = (
        EndGrant(held.grant.id, at.now, reason, by),
        audit.note(at, actor, "grant_ended", held.connection, reason=reason, grant_id=held.grant.id),
    )
    if held.connection.removed_at is not None or await facts.has_live_grant_beside(
        held.connection.id, grant_id=held.grant.id
    ):
        return end
    return *end, *removal(held.connection, held.client, held.account, at, reason=reason, actor=actor, by=by)


async def remove(
    facts: Facts, at: Moment, connection_id: bytes, reason: str, actor: str
) -> Decision[Removed | Refusal]:
    """An operator or a client removes a connection."""
    view = await facts.connection(connection_id)
    if view is None or view.connection.removed_at is not None:
        return refuse(NOT_FOUND, "connection_unknown")
    return Decision(Removed(view.connection), _whole(view, at, reason=reason, actor=actor), "connection_removed")


async def remove_by_user(
    facts: Facts, at: Moment, connection_id: bytes, session: str | None
) -> Decision[Removed | Refusal]:
    """A customer removes what is connected: owners and admins the connection, members what they approved themselves.

    To remove for everybody, owners and admins have signed in within ``RECENT``: an unattended screen must not end it.
    """
    found = await signed_in(facts, at, session)
    if found is None:
        return refuse(LOGIN_REQUIRED, "login_required")
    since, user_id = found[0].auth_time, found[1].id
    view = await facts.connection(connection_id)
    if view is None or view.connection.removed_at is not None:
        return refuse(NOT_FOUND, "connection_unknown")
    connection = view.connection
    membership = await facts.membership(view.account.id, user_id)
    if membership is None:
        return refuse(NOT_FOUND, "connection_unknown")
    actor, reason = show("us", user_id), "customer"
    if not membership.may_connect:
        if not await facts.live_grants(connection.id, user_id):
            return refuse(ACCESS_DENIED, "connection_of_others")
        if await facts.has_live_grant_beside(connection.id, user_id=user_id):
            ended = EndUserGrants(connection.id, user_id, at.now, reason)
            written = audit.note(at, actor, "grants_ended", connection, reason=reason, user_id=user_id)
            return Decision(Removed(connection, whole=False), (ended, written), "grants_ended")
    elif at.now - since > RECENT:
        return refuse(LOGIN_REQUIRED, "sign_in_too_old")
    return Decision(Removed(connection), _whole(view, at, reason=reason, actor=actor, by=user_id), "connection_removed")


async def connections_of(
    facts: Facts, at: Moment, session: str | None
) -> Decision[tuple[User, tuple[ConnectionInView, ...]] | Refusal]:
    """The signed-in customer and what is connected to their accounts."""
    found = await signed_in(facts, at, session)
    if found is None:
        return refuse(LOGIN_REQUIRED, "login_required")
    return Decision((found[1], await facts.connections_of_user(found[1].id)), reason="connections_shown")


def _whole(
    view: ConnectionInView, at: Moment, *, reason: str, actor: str, by: bytes | None = None
) -> tuple[Change, ...]:
    return removal(view.connection, view.client, view.account, at, reason=reason, actor=actor, by=by)
