"""What the rules of administration have in common: how they say no, and how they are recorded."""

from __future__ import annotations

from typing import Any

from grantway.protocol.decision import Add, Change, Decision
from grantway.protocol.model import AuditEntry
from grantway.protocol.moment import Moment
from grantway.wire.record import record

OPERATOR = "operator"


@record
class Rejected:
    """No, and why, in a sentence for the operator who asked. ``reason`` is the stable slug beside it."""

    sentence: str
    reason: str


def reject(sentence: str, reason: str) -> Decision[Rejected]:
    """The decision to do nothing of what an operator asked."""
    return Decision(Rejected(sentence, reason), (), reason)


def recorded(
    at: Moment,
    action: str,
    *,
    actor: str = OPERATOR,
    reason: str | None = None,
    client_id: bytes | None = None,
    account_id: bytes | None = None,
    connection_id: bytes | None = None,
    user_id: bytes | None = None,
    **detail: Any,
) -> Change:
    """The audit entry of what is being done now. ``detail`` holds no secrets and no names of people."""
    return Add(
        AuditEntry(
            at.new_id(), at.now, actor, action, reason, client_id, account_id, connection_id, None, user_id, detail
        )
    )
