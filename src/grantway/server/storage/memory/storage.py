"""Settling in dictionaries: a rule, its changes, and all of them or none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from grantway.protocol.decision import Decision
from grantway.protocol.facts import Rule
from grantway.protocol.model import Client, Connection, Notice
from grantway.server.storage.memory.changes import apply
from grantway.server.storage.memory.facts import MemoryFacts
from grantway.server.storage.memory.sweeping import sweep
from grantway.server.storage.memory.tables import Tables
from grantway.server.storage.port import ATTEMPTS, Census, Contended, Figures, GuardMissed, StorageError, drive

A = TypeVar("A")


class MemoryStorage:
    """Everything in this process and gone with it. ``clock`` gives the aware time by which rules decide."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._tables = Tables()
        self._meta: dict[str, bytes] = {}
        self._closed = False
        self._settled = 0

    async def settle(self, rule: Rule[A]) -> Decision[A]:
        """See ``Storage.settle``. Never waits, so it may be driven by a single ``send(None)``, too."""
        self._refuse_when_closed()
        missed: GuardMissed | None = None
        for _ in range(ATTEMPTS):
            now = self._clock()
            decision = drive(rule(MemoryFacts(self._tables, now), now))
            try:
                for change in decision.changes:
                    apply(change, self._tables)
            except GuardMissed as miss:
                self._tables.roll_back()
                missed = miss
            except BaseException:
                self._tables.roll_back()
                raise
            else:
                self._tables.commit()
                self._settled += 1
                return decision
        raise Contended(str(missed)) from missed

    async def propose(self, rule: Rule[A]) -> Decision[A]:
        """See ``Storage.propose``. Nothing comes between reading and changing here, so it is the same as to settle."""
        return await self.settle(rule)

    async def consult(self, rule: Rule[A]) -> Decision[A]:
        """See ``Storage.consult``."""
        self._refuse_when_closed()
        now = self._clock()
        decision = drive(rule(MemoryFacts(self._tables, now), now))
        return await self.settle(rule) if decision.changes else decision

    async def now(self) -> datetime:
        """The clock's time."""
        return self._clock()

    async def read_meta(self, key: str) -> bytes | None:
        """See ``Storage.read_meta``."""
        return self._meta.get(key)

    async def write_meta_once(self, key: str, value: bytes) -> bytes:
        """See ``Storage.write_meta_once``."""
        self._refuse_when_closed()
        return self._meta.setdefault(key, value)

    async def sweep(self, limit: int = 500) -> int:
        """See ``Storage.sweep``."""
        self._refuse_when_closed()
        return sweep(self._tables, self._clock(), limit)

    async def upkeep(self) -> None:
        """See ``Storage.upkeep``. Dictionaries want nothing."""

    async def sealable(self) -> int:
        """See ``Storage.sealable``."""
        return max(self._tables.numbers.values(), default=0)

    def figures(self) -> Figures:
        """See ``Storage.figures``. Nothing waits here, and there is no log."""
        return Figures(self._settled, self._settled)

    async def census(self) -> Census:
        """See ``Storage.census``."""
        connections, notices = self._tables.of(Connection).values(), self._tables.of(Notice).values()
        return Census(
            sum(each.removed_at is None for each in connections),
            sum(each.delivered_at is None and each.dead_at is None for each in notices),
            sum(each.dead_at is not None for each in notices),
            sum(each.suspended_at is not None and each.removed_at is None for each in connections),
            sum(each.ended_at is None for each in self._tables.of(Client).values()),
        )

    async def close(self) -> None:
        """Refuse everything from now on."""
        self._closed = True

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise StorageError("The storage is closed.")
