"""The storage port: facts in, changes out, all or nothing."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import datetime
from typing import Any, Protocol, TypeVar

from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts, Rule
from grantway.wire.record import record

A = TypeVar("A")


class StorageError(Exception):
    """A storage could not do what was asked; nothing was changed unless a subclass says otherwise."""


class GuardMissed(StorageError):
    """A change found another state than the rule had read. The storage lets the rule decide again (``ATTEMPTS`` times)."""


class Contended(StorageError):
    """The rule's guards missed ``ATTEMPTS`` times. Nothing was changed; asking again later is safe."""


class Overloaded(StorageError):
    """The queue is full. Nothing was read or changed."""


class OutcomeUnknown(StorageError):
    """The commit failed in a way that leaves open whether it happened. No answer may leave; the process must stop."""


class OutcomeUntold(StorageError):
    """The answer to a commit did not come: it may have happened. The storage goes on; asking again later is safe."""


ATTEMPTS = 5


@record
class Figures:
    """What a storage says of its own work in this process, for metrics. Counted since it was opened."""

    groups: int = 0
    """Transactions that were committed."""
    jobs: int = 0
    """What was done in them: rules, and work of the storage's own."""
    waiting: int = 0
    """Jobs that wait right now."""
    log_bytes: int = 0
    """What was committed and is not in the main file yet."""


@record
class Census:
    """How many there are, for metrics. Counted when asked, by indexes."""

    connections: int
    notices_waiting: int
    notices_dead: int
    suspended: int = 0
    """Connections that are suspended; they are among ``connections``."""
    clients: int = 0
    """Clients that are not ended, drafts included."""


class Storage(Protocol):
    """What the server asks of a storage."""

    async def settle(self, rule: Rule[A]) -> Decision[A]:
        """Run the rule on facts that hold still, make its changes true atomically and durably, give back the decision.

        Changes of refusals are made true like any others. Returns only when they are durable. A rule that raises
        changes nothing and its exception is passed on. Raises ``Contended``, ``Overloaded``, ``OutcomeUnknown``,
        ``OutcomeUntold`` or ``StorageError``.
        """
        ...

    async def propose(self, rule: Rule[A]) -> Decision[A]:
        """Like ``settle``, for rules whose changes carry every guard that they need.

        The rule decides on a plain read, beside others, and only its changes wait for their turn; when a guard misses, it
        decides again as ``settle`` has it. So what it read may be older than its changes: right for a rule that reads
        what every later use reads again anyway, and guards what it moves (a code's exchange, a refresh). Wrong for one
        that decides on what is absent or on how many there are.
        """
        ...

    async def consult(self, rule: Rule[A]) -> Decision[A]:
        """Like ``settle`` for rules that rarely change anything: the rule is run on a plain read first, and only if it
        comes back with changes it is settled (and decides again there)."""
        ...

    async def now(self) -> datetime:
        """The time by which rules decide."""
        ...

    async def read_meta(self, key: str) -> bytes | None:
        """A value about the database itself (the master key's check value), or ``None``."""
        ...

    async def write_meta_once(self, key: str, value: bytes) -> bytes:
        """Write such a value unless there is one; returns the one that is there now, durably."""
        ...

    async def sweep(self, limit: int = 500) -> int:
        """Delete at most ``limit`` rows of each kind that can have no effect any more; returns how many went."""
        ...

    async def upkeep(self) -> None:
        """What the engine wants done now and then by one process of all, off the request path."""
        ...

    async def sealable(self) -> int:
        """The number up to which no entry of the audit is still to come, whoever is writing one now. 0: not to be said now."""
        ...

    def figures(self) -> Figures:
        """What this process did with it. Never waits."""
        ...

    async def census(self) -> Census:
        """What it holds. Takes milliseconds where there are a hundred thousand connections: not for every request. Where there
        are many more it may be as old as twenty times what counting took."""
        ...

    async def close(self) -> None:
        """Finish what is queued, then let go of everything."""
        ...


def drive(coroutine: Coroutine[Any, Any, A]) -> A:
    """Run a coroutine that never really waits. Raises ``RuntimeError`` when it does: that is a fault of the rule."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        value: A = done.value
        return value
    coroutine.close()
    raise RuntimeError("a rule waited for something that is not a fact")


__all__ = [
    "ATTEMPTS", "Census", "Contended", "Facts", "Figures", "GuardMissed", "OutcomeUnknown", "OutcomeUntold", "Overloaded", "Rule", "Storage", "StorageError",
    "drive",
]  # fmt: skip
