"""When a rule runs and with what in hand. Three fields; a fourth needs an argument."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from grantway.protocol.vault import ROW_SECRET_LENGTH, Vault
from grantway.wire.record import record


@record
class Moment:
    """``now`` is aware and given by storage; ``vault`` opens row secrets; ``draw(n)`` gives n random bytes."""

    now: datetime
    vault: Vault
    draw: Callable[[int], bytes]

    def new_id(self) -> bytes:
        """A new row id: 48 bits of milliseconds, 80 random bits."""
        return int(self.now.timestamp() * 1000).to_bytes(6, "big") + self.draw(10)

    def new_secret(self, row_id: bytes) -> bytes:
        """A new random row secret, sealed for the row."""
        return self.vault.seal(self.draw(ROW_SECRET_LENGTH), row_id)
