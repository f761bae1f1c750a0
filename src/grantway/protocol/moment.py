"""When and where a rule runs and with what in hand. Four fields; a fifth needs an argument."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from grantway.protocol.vault import ROW_SECRET_LENGTH, Vault
from grantway.wire.record import record


@record
class Installation:
    """What the operator chose for the whole installation, as far as rules ask for it; what differs by client is policy."""

    issuer: str = ""
    """The public address, without a trailing slash."""
    hears_events: bool = False
    """Whether the platform has an address of its own for what happens to connections (``connection.removed``)."""
    sends_mail: bool = False
    """Whether people are written to."""
    signs_in_elsewhere: bool = False
    """Whether people sign in at the platform itself, which may ask them for more than a password."""
    registration: Literal["open", "members", "closed"] = "members"
    """Who may register integrations in the portal: everybody signed in, owners and admins of accounts, nobody."""
    removal_grace: timedelta = timedelta(0)
    """How long the tokens of a removed connection still introspect, with the scope ``cleanup`` only."""
    inactivity: timedelta | None = None
    """After how long without use a connection is removed."""
    audit_kept: timedelta | None = None
    """After how long entries of the audit go; ``None``: never."""


@record
class Moment:
    """When and where: what a rule has in hand.

    ``now`` is aware and given by storage; ``vault`` opens row secrets; ``draw(n)`` gives n random bytes.
    """

    now: datetime
    vault: Vault
    draw: Callable[[int], bytes]
    house: Installation = Installation()

    def new_id(self) -> bytes:
        """A new row id: 48 bits of milliseconds, 80 random bits."""
        return int(self.now.timestamp() * 1000).to_bytes(6, "big") + self.draw(10)

    def new_secret(self, row_id: bytes) -> bytes:
        """A new random row secret, sealed for the row."""
        return self.vault.seal(self.draw(ROW_SECRET_LENGTH), row_id)
