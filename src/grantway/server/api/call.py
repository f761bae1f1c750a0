"""What a call of the API is, and what its rule is handed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.operator_keys import actor_of
from grantway.protocol.decision import Decision, Refusal, refuse
from grantway.protocol.facts import Facts, Page
from grantway.protocol.ids import ID_LENGTH, parse
from grantway.protocol.model import OperatorKey
from grantway.protocol.moment import Moment
from grantway.server.service import Service
from grantway.wire.api.message import Answer, PageQuery, Request
from grantway.wire.api.reading import read_cursor
from grantway.wire.errors import NOT_FOUND
from grantway.wire.record import record

A = TypeVar("A")
R = TypeVar("R")

NOWHERE = bytes(ID_LENGTH)
"""The id of nothing."""


@record
class Asked:
    """One request of a call: whose key it came with, the values in its address, its query and body as messages.

    ``prepared`` is what the call made of the service before its rule ran, because rules roll no dice of their own.
    """

    by: OperatorKey
    path: Mapping[str, str]
    query: Any = None
    body: Any = None
    prepared: Any = None

    @property
    def actor(self) -> str:
        """How the audit names who asked."""
        return actor_of(self.by)

    def id(self, name: str, prefix: str) -> bytes:
        """The row id in the address; that of nothing when there is none."""
        return parse(prefix, self.path[name]) or NOWHERE

    @property
    def page(self) -> Page:
        """The page that is asked for, and one row more, which tells whether another page follows."""
        query: PageQuery = self.query
        return Page(query.limit + 1, read_cursor(query.cursor))


@record
class Paged:
    """One page of records, one more than was asked for if there are more; ``id_of`` is what cursors are made of."""

    rows: tuple[Any, ...]
    write: Callable[[Any], Answer]
    id_of: Callable[[Any], bytes]


CallRule = Callable[[Facts, Moment, Asked], Coroutine[Any, Any, Decision[Any]]]
"""Answers with the answer message, ``Paged``, ``None`` for nothing to say, ``Rejected`` or ``Refusal``."""


@record
class Call:
    """One line of the table.

    ``name`` is its operation id. ``scope`` is what the key has to have. ``answer`` is the message that comes back, for a
    page the message of one row (``paged``).
    """

    name: str
    method: str
    path: str
    scope: str
    summary: str
    rule: CallRule
    answer: Any = None
    status: int = 200
    body: type[Request] | None = None
    query: type[Request] | None = None
    paged: bool = False
    prepare: Callable[[Service], Any] | None = None

    @property
    def group(self) -> str:
        """What the call is about: the first half of its name."""
        return self.name.partition(".")[0]

    @property
    def honours_idempotency(self) -> bool:
        """Whether a repetition with the same ``Idempotency-Key`` gets the answer that was given before."""
        return self.method == "POST"


def said(decision: Decision[A | Rejected | Refusal], write: Callable[[A], Any]) -> Decision[Any]:
    """The decision with its answer as a message; a no stays as it is."""
    answer = decision.answer
    if isinstance(answer, (Rejected, Refusal)):
        return decision
    return Decision(write(answer), decision.changes, decision.reason)


def told(answer: Any, reason: str) -> Decision[Any]:
    """The decision to tell something and change nothing."""
    return Decision(answer, (), reason)


def nothing_there(reason: str) -> Decision[Refusal]:
    """The decision that there is nothing at this address."""
    return refuse(NOT_FOUND, reason)
