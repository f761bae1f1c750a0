"""Connections, as an operator sees and ends them, and their keys."""

from __future__ import annotations

from dataclasses import field, replace

from grantway.protocol.administration.answers import Rejected, recorded, reject
from grantway.protocol.decision import Add, Decision, Replace
from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.model import Connection, ConnectionKey
from grantway.protocol.moment import Moment
from grantway.wire import base62
from grantway.wire.record import record

KEY_PREFIX = "app_"


@record
class CreatedKey:
    """A key for Basic, and its secret as it is shown once."""

    key: ConnectionKey
    key_secret: str = field(repr=False)


async def create_key(facts: Facts, at: Moment, connection_id: bytes) -> Decision[CreatedKey | Rejected]:
    """A key that may end this connection and read what it reaches (Sunshine Conversations' Basic); it dies with it."""
    view = await facts.connection(connection_id)
    if view is None:
        return reject("There is no such connection.", "connection_unknown")
    if view.connection.removed_at is not None:
        return reject("This connection is removed.", "connection_removed")
    secret = base62.encode(at.draw(24))
    key = ConnectionKey(KEY_PREFIX + at.draw(12).hex(), connection_id, digest(secret), at.now)
    # The connection's version moves, so that no key appears beside a removal that did not see it.
    bumped: Connection = replace(view.connection, version=view.connection.version + 1)
    entry = recorded(
        at,
        "connection_key_created",
        connection_id=connection_id,
        client_id=view.client.id,
        account_id=view.account.id,
        key_id=key.key_id,
    )
    return Decision(CreatedKey(key, secret), (Add(key), Replace(bumped), entry))
