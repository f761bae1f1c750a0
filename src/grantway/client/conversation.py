"""How a call is written once and made by both clients.

An operation is a generator: it yields what it needs (``Send`` a request, ``Pause``, ``Do`` something with a store, the
time ``Now``, random bytes by ``Draw``), is sent what came of it, and returns its typed value. ``Line`` and ``AsyncLine``
run it. What fails comes back as a value, so that no exception of the transport, which would carry the request with its
secrets, is ever in the chain of one that a user sees.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import field
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from grantway.client.errors import ClientError, NotReached
from grantway.wire.headers import read_retry_after
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.record import record

T = TypeVar("T")

LONGEST_PAUSE = 5
"""Seconds that a ``Retry-After`` is waited for; what asks for more is given back to the caller."""
SHORT_PAUSE = 0.5


@record
class Send:
    """This request, to this address. The request's own path and query are in it already."""

    url: str = field(repr=False)
    request: HttpRequest


@record
class Pause:
    """Wait so many seconds."""

    seconds: float


@record
class Do:
    """Call this: a store's work, which may block or be awaited. ``quick`` does not block and gives something to let go."""

    work: Callable[[], Any]
    quick: bool = False


@record
class Now:
    """The time."""


@record
class Draw:
    """So many random bytes."""

    size: int


@record
class Reply:
    """What came back, and when it was asked for: before anything was sent."""

    answer: HttpAnswer
    asked_at: datetime


Step: TypeAlias = Send | Pause | Do | Now | Draw
Operation: TypeAlias = Generator[Step, Any, T]


def send_to(url: str, request: HttpRequest) -> Send:
    """The request, to exactly this address, with its query behind it."""
    query = request.query.decode("ascii")
    if query:
        url += ("&" if "?" in url else "?") + query
    return Send(url, request)


def send_below(base_url: str, request: HttpRequest) -> Send:
    """The request, to its own path below this address; a slash at the address's end makes no difference."""
    return send_to(base_url.rstrip("/") + request.path, request)


def ask(send: Send, *, repeatable: bool = False) -> Operation[Reply]:
    """The answer, whatever it says. Raises ``NotReached``.

    A request of which nothing was sent is tried once more. ``repeatable``: so is one whose answer was lost, and one that
    was put off by 503 for a few seconds, because sending it twice does what sending it once does.
    """
    outcome = yield send
    if isinstance(outcome, NotReached) and (repeatable or not outcome.outcome_unknown):
        outcome = yield from _again(send, SHORT_PAUSE, outcome)
    elif repeatable and isinstance(outcome, Reply) and outcome.answer.status == 503:
        retry_after = read_retry_after(outcome.answer)
        if retry_after is None or retry_after <= LONGEST_PAUSE:
            outcome = yield from _again(send, SHORT_PAUSE if retry_after is None else retry_after, outcome)
    if isinstance(outcome, ClientError):
        raise outcome
    reply: Reply = outcome
    return reply


def _again(send: Send, seconds: float, before: Reply | NotReached) -> Operation[Reply | ClientError]:
    """The second outcome. What came ``before`` stands where there was no time for another, or where it had left and the
    other did not: it may have been done, or its answer says whether it was."""
    waited = yield Pause(seconds)
    if isinstance(waited, ClientError):
        return before
    outcome: Reply | ClientError = yield send
    if not isinstance(outcome, NotReached):
        return outcome
    stands = not outcome.outcome_unknown if isinstance(before, Reply) else before.outcome_unknown
    return before if stands else outcome
