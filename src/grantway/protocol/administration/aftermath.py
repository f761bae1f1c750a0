"""What follows an end: a client or an account ends by one row, and its connections are removed after it in batches.

Their tokens are dead by then; what is left is to tell everybody, without a commit that grows with a success.
"""

from __future__ import annotations

from grantway.protocol.connections import Reason, removal
from grantway.protocol.decision import Change, Decision
from grantway.protocol.facts import ConnectionInView, Facts, Page
from grantway.protocol.model import AuditEntry
from grantway.protocol.moment import Moment

AT_A_TIME = 100
"""Connections that one commit removes."""
_LOOKED_BACK = 100
"""Clients, and accounts, that ended last: those whose connections may still be there. Removing takes minutes, not years."""

_REASONS: dict[str, Reason] = {"client_ended": "client_disabled", "account_removed": "operator"}
"""Why connections go, by the entry of the audit that says what they hung from."""


async def remove_connections(facts: Facts, at: Moment, limit: int = AT_A_TIME) -> Decision[int]:
    """The next connections of clients and accounts that ended are removed. Answers with how many; 0: there are no more."""
    gone: set[bytes] = set()
    changes: list[Change] = []
    for action, reason in _REASONS.items():
        for entry in await facts.audit(Page(_LOOKED_BACK), action=action):
            # Those that end with both their client and their account are removed, and told of, once.
            for view in await _left_by(facts, entry, limit):
                if view.connection.id not in gone and len(gone) < limit:
                    gone.add(view.connection.id)
                    changes += await removal(facts, at, view, reason=reason, actor=entry.actor)
            if len(gone) == limit:
                return Decision(limit, tuple(changes), "connections_removed")
    return Decision(len(gone), tuple(changes), "connections_removed" if gone else "nothing_to_remove")


async def _left_by(facts: Facts, entry: AuditEntry, limit: int) -> tuple[ConnectionInView, ...]:
    if entry.client_id is not None:
        return await facts.connections(Page(limit), client_row_id=entry.client_id)
    if entry.account_id is not None:
        return await facts.connections(Page(limit), account_id=entry.account_id)
    return ()
