"""Commits: how long they may take, what is tried again, and when none is begun because those before it hang."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from time import monotonic

from grantway.server.storage.port import Contended, OutcomeUntold, StorageError
from grantway.server.storage.postgres.link import Answer, Link, Lost, Query, SqlError, Unreplicated, Useless
from grantway.server.storage.postgres.pool import Pool

DEADLINE = 5.0
"""Seconds after which the outcome of a commit counts as unknown. ``statement_timeout`` does not bound its wait for a standby."""

HANGING = 2.0
"""Seconds after which a commit that was not answered keeps others from beginning."""

CONFLICTS = frozenset({"40001", "40P01"})
"""Serializable transactions that met, and a circle of waiting. Nothing happened; trying again helps."""

MISSES = frozenset({"22012", "23505"})
"""A guard that missed (see ``translation.guarded``), and a key that is taken."""

TRIES = 16
"""How often a conflict is tried again. Each round lets at least one of those who meet through."""

CONNECTIONS = 3
"""How many connections are tried when one is lost before anything happened."""


class Hanging(StorageError):
    """Commits are not answered at present (a standby that has to have them is away?). Nothing was changed."""


class Commits:
    """What is being committed in this process.

    A commit that hangs keeps its connection: the server has not done with it, and another would hang as well. Until it is
    answered, or its connection is lost, no other begins; so there are never more of them than connections.
    """

    def __init__(self, pool: Pool, *, deadline: float = DEADLINE, hanging: float = HANGING) -> None:
        self._pool = pool
        self._deadline = deadline
        self._hanging = hanging
        self._begun: dict[asyncio.Future[list[Answer]], float] = {}
        self.groups = 0
        self.jobs = 0

    def count(self, jobs: int) -> None:
        """So many jobs came true in one commit."""
        self.groups += 1
        self.jobs += jobs

    def refuse(self) -> None:
        """Raise ``Hanging`` while an earlier commit hangs."""
        if self._begun and monotonic() - next(iter(self._begun.values())) > self._hanging:
            raise Hanging("The database does not answer commits at present.")

    async def committed(self, link: Link, queries: Sequence[Query]) -> list[Answer]:
        """The answers to a trip that commits. Raises ``Lost`` or ``OutcomeUntold`` when its outcome cannot be told."""
        sent = link.send(queries)
        self._begun[sent] = monotonic()
        sent.add_done_callback(self._begun.pop)
        try:
            try:
                async with asyncio.timeout(self._hanging):
                    return await asyncio.shield(sent)
            except TimeoutError:
                self._pool.set_aside(link)
            async with asyncio.timeout(self._deadline - self._hanging):
                return await asyncio.shield(sent)
        except TimeoutError:
            raise OutcomeUntold("The database did not answer a commit in time: it may have been done.") from None
        except Unreplicated as error:
            raise OutcomeUntold(str(error)) from error

    async def retried(self, queries: Sequence[Query]) -> list[Answer]:
        """Do on any link what may meet others' work, until it goes through. Raises ``Contended`` and what ``committed`` does."""
        conflicts = useless = 0
        while True:
            self.refuse()
            try:
                async with self._pool.link() as link:
                    return await self.committed(link, queries)
            except Useless:
                useless += 1
                if useless == CONNECTIONS:
                    raise
            except SqlError as error:
                conflicts += 1
                if error.state not in CONFLICTS:
                    raise StorageError(f"The database refused: {error}.") from None
                if conflicts == TRIES:
                    raise Contended("Too many changed the same at once.") from None
                await pause(conflicts)


async def pause(tried: int) -> None:
    """Wait a moment of chance, longer each time, so that those who met do not meet again."""
    await asyncio.sleep(random.uniform(0, 0.002 * 2 ** min(tried, 5)))  # noqa: S311  nothing secret


__all__ = ["CONFLICTS", "CONNECTIONS", "MISSES", "TRIES", "Commits", "Hanging", "Lost", "Useless", "pause"]
