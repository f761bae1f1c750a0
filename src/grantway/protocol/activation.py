"""The first token of a connection: from then on it is active, and the platform hears of it."""

from __future__ import annotations

from dataclasses import replace

from grantway.protocol import audit
from grantway.protocol.connections import view_of
from grantway.protocol.decision import Change, Replace
from grantway.protocol.facts import GrantInUse
from grantway.protocol.moment import Moment
from grantway.protocol.telling import platform_notice


def activation(held: GrantInUse, at: Moment) -> tuple[Change, ...]:
    """With its first token a connection is active, and the platform hears of it.

    Guarded by the connection's version: of two first tokens one is the first, and none comes after a removal.
    """
    connection = held.connection
    if connection.activated_at is not None:
        return ()
    active = replace(connection, activated_at=at.now, version=connection.version + 1)
    told = platform_notice(
        at,
        view_of(held),
        "connection.created",
        reason=None,
        actor=audit.by_client(held.client) if held.user is None else audit.by_user(held.user),
        scope=list(connection.scope),
    )
    return Replace(active), *told
