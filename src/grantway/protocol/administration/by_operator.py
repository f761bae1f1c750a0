"""What operators see and do at their pages: who they are is settled with it, and the audit says who it was and why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Generic, TypeVar

from grantway.protocol import audit
from grantway.protocol.administration.answers import OPERATOR, Rejected, reject
from grantway.protocol.decision import Add, Change, Decision, Refusal
from grantway.protocol.facts import Facts
from grantway.protocol.model import AuditEntry
from grantway.protocol.moment import Moment
from grantway.protocol.sessions import Operating, signed_in_operator
from grantway.wire.record import record
from grantway.wire.sentence import worded

A = TypeVar("A")

LONGEST_WORD = 200
"""Characters in which an operator says why; they stay in the audit."""


@record
class ByOperator(Generic[A]):
    """What came of it, and which operator it was."""

    operating: Operating
    answer: A

    @property
    def may_change(self) -> bool:
        return self.operating.operator.role == "operator"


async def see(
    facts: Facts, at: Moment, session: str | None, sight: Callable[[Facts, Moment], Awaitable[A]]
) -> Decision[ByOperator[A] | Refusal]:
    """What an operator or a viewer asks to see."""
    operating = await signed_in_operator(facts, at, session, change=False)
    if isinstance(operating, Refusal):
        return Decision(operating, reason=operating.reason)
    return Decision(ByOperator(operating, await sight(facts, at)), reason="operator_sees")


async def act(
    facts: Facts,
    at: Moment,
    session: str | None,
    deed: Callable[[Facts, Moment, Operating], Awaitable[Decision[A]]],
    word: str = "",
) -> Decision[ByOperator[A] | Rejected | Refusal]:
    """What an operator does; ``word`` is why, in their own words. A no is answered as it is."""
    operating = await signed_in_operator(facts, at, session, change=True)
    if isinstance(operating, Refusal):
        return Decision(operating, reason=operating.reason)
    if len(word) > LONGEST_WORD:
        return reject(worded("Say why in at most %(most)s characters.", most=LONGEST_WORD), "word_too_long")
    decision = await deed(facts, at, operating)
    answer: Any = decision.answer
    changes = tuple(_in_the_name_of(operating, change, word) for change in decision.changes)
    if isinstance(answer, (Rejected, Refusal)):
        return Decision(answer, changes, decision.reason)
    return Decision(ByOperator(operating, decision.answer), changes, decision.reason)


def _in_the_name_of(operating: Operating, change: Change, word: str) -> Change:
    if not isinstance(change, Add) or not isinstance(change.record, AuditEntry):
        return change
    entry, actor = change.record, audit.by_user(operating.user)
    if entry.actor == OPERATOR:
        entry = replace(entry, actor=actor)
    if word and entry.actor == actor:
        entry = replace(entry, detail={**entry.detail, "word": word})
    return Add(entry)
