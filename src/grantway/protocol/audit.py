"""What is written down for later: consents, exchanges, ends, removals. Refreshes and machine tokens are not."""

from __future__ import annotations

from typing import Any

from grantway.protocol.decision import Add
from grantway.protocol.ids import show
from grantway.protocol.model import AuditEntry, Client, Connection, User
from grantway.protocol.moment import Moment


def by_user(user: User) -> str:
    """The actor, when a person did it."""
    return show("us", user.id)


def by_client(client: Client) -> str:
    """The actor, when an integration did it."""
    return f"client:{client.client_id}"


def note(
    at: Moment,
    actor: str,
    action: str,
    connection: Connection | None = None,
    *,
    reason: str | None = None,
    client_id: bytes | None = None,
    grant_id: bytes | None = None,
    user_id: bytes | None = None,
    **detail: Any,
) -> Add:
    """The change that writes one entry; what the connection tells need not be said again."""
    return Add(
        AuditEntry(
            id=at.new_id(),
            at=at.now,
            actor=actor,
            action=action,
            reason=reason,
            client_id=connection.client_id if connection else client_id,
            account_id=connection.account_id if connection else None,
            connection_id=connection.id if connection else None,
            grant_id=grant_id,
            user_id=user_id,
            detail=detail,
        )
    )
