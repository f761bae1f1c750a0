"""A decision is an answer plus the changes that make it true.

A refusal is an answer like any other and may carry changes; those are committed too. A change is a fact about the
domain, not a statement of SQL; storage applies all changes of a decision or none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from typing import Generic, TypeVar

from grantway.protocol.model import DeliveryAttempt, Record
from grantway.wire.errors import OAuthError
from grantway.wire.record import record

A_co = TypeVar("A_co", covariant=True)


@record
class Refusal:
    """No. ``error`` is said, ``reason`` is the stable private slug that logs and metrics count.

    With ``to_verify`` it is not the last word: the client's secret may still fit one of these hashes, which takes too
    long to find out inside a rule (``foreign_secrets.py``).
    """

    error: OAuthError
    reason: str
    retry_after: int | None = None
    connection_state: str | None = None
    to_verify: tuple[str, ...] = field(default=(), repr=False)


@record
class Add:
    """A new record exists. Guard: its keys are free."""

    record: Record


@record
class Replace:
    """A record that carries ``version`` has a new value. Guard: the stored version is one less than the new one's."""

    record: Record


@record
class Put:
    """A record without ``version`` has this value now, whatever it was (failure buckets, icons, scopes)."""

    record: Record


@record
class Forget:
    """A record is gone. Guard: it is there, so that what may happen once happens once (a pending authorization)."""

    record: Record


@record
class MoveGeneration:
    """A code was exchanged or a refresh token rotated. Guard: the generation is still ``from_generation``, not revoked.

    ``previous_moved_at`` becomes the stored ``moved_at``; ``moved_at`` never goes back.
    """

    grant_id: bytes
    from_generation: int
    moved_at: datetime
    move_key: bytes | None = field(default=None, repr=False)
    refresh_idle_expires_at: datetime | None = None


@record
class MoveAhead:
    """A proven token knows more than its row: the row is at ``to_generation`` now. Guards as for ``MoveGeneration``."""

    grant_id: bytes
    from_generation: int
    to_generation: int
    moved_at: datetime
    move_key: bytes | None = field(default=None, repr=False)
    refresh_idle_expires_at: datetime | None = None


@record
class SetBack:
    """What is good for once or for a short time may have been used since the backup, so it is good for nothing. No guard.

    Sessions, one-time links, waiting authorization and sign-in requests are gone; codes that were not exchanged can not
    be any more, but their grants stay: a token of theirs may prove that they were.
    """

    at: datetime


@record
class EndGrant:
    """A grant is over, and all its tokens. No guard: ending what is ended changes nothing."""

    grant_id: bytes
    at: datetime
    reason: str
    by: bytes | None = None


@record
class EndUserGrants:
    """All live grants of one user under one connection are over (an account owner keeps the connection).

    ``only_codes``: only those whose code was not exchanged.
    """

    connection_id: bytes
    user_id: bytes
    at: datetime
    reason: str
    only_codes: bool = False


@record
class EndSessions:
    """A person is signed out everywhere, except with the session of digest ``keep``. No guard."""

    user_id: bytes
    keep: bytes | None = None


@record
class RemoveConnection:
    """A connection is over. Guard: it was not removed yet. Its grants die with it because every use reads it.

    Its live webhooks end and its live resources are cancelled with it, whoever added them meanwhile.
    """

    connection_id: bytes
    at: datetime
    reason: str
    by: bytes | None = None


@record
class TouchUse:
    """A grant and its connection were used on this day (UTC). No guard."""

    grant_id: bytes
    connection_id: bytes
    day: date


@record
class ReportDelivery:
    """What came of an attempt to deliver a notice. Guard: ``lease`` still holds it. The attempt is written down."""

    lease: bytes
    attempt: DeliveryAttempt
    delivered_at: datetime | None = None
    dead_at: datetime | None = None
    next_attempt_at: datetime | None = None


@record
class PutOffNotice:
    """A notice is not sent yet although it is due; no attempt is counted. Guard: as ``LeaseNotice``."""

    notice_id: bytes
    at: datetime
    until: datetime


@record
class DropNotice:
    """A notice has nobody to reach any more (its webhook is gone); ``error`` says why. Guard: as ``LeaseNotice``."""

    notice_id: bytes
    at: datetime
    error: str


@record
class ReplayNotice:
    """A notice is to be sent again at ``at``, whatever came of it before. Guard: it is delivered or dead."""

    notice_id: bytes
    at: datetime


@record
class TouchOperatorKey:
    """An operator key was used on this day (UTC). No guard."""

    key_id: bytes
    day: date


@record
class AddTallies:
    """So many more of each (``kind``, ``label``) in one hour. No guard."""

    hour: datetime
    counts: Mapping[tuple[str, str], int]


@record
class LeaseNotice:
    """A sender takes a notice until ``until``. Guard: undelivered, not dead, and no live lease at ``at``."""

    notice_id: bytes
    lease: bytes
    at: datetime
    until: datetime


@record
class SweepGrant:
    """A grant is gone, with what of an older system stands for it. No guard: one that moved or was used meanwhile stays."""

    grant_id: bytes
    generation: int
    last_used_day: date | None


@record
class LookAgain:
    """Nobody asks before that time whether anything of a grant can still be used. No guard."""

    grant_id: bytes
    at: datetime


@record
class RetireSeals:
    """The entries under all seals up to this number are old enough to go; the seals stay. No guard."""

    number: int
    at: datetime


Change = (
    Add | Replace | Put | Forget | MoveGeneration | EndGrant | EndUserGrants | EndSessions
    | RemoveConnection | TouchUse | LeaseNotice | ReportDelivery | PutOffNotice | DropNotice | ReplayNotice
    | TouchOperatorKey | AddTallies | MoveAhead | SetBack
    | SweepGrant | LookAgain | RetireSeals
)  # fmt: skip


@record
class Decision(Generic[A_co]):
    """``answer`` is true once ``changes`` are. ``reason`` says in one slug what happened."""

    answer: A_co
    changes: tuple[Change, ...] = ()
    reason: str = "ok"


def refuse(
    error: OAuthError,
    reason: str,
    *changes: Change,
    retry_after: int | None = None,
    connection_state: str | None = None,
) -> Decision[Refusal]:
    """The decision to say no, and what has to become true with it."""
    return Decision(Refusal(error, reason, retry_after, connection_state), changes, reason)
