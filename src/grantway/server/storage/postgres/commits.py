"""Commits: how long they may take, what is tried again, and when none is begun because those before it hang."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

from grantway.server.storage.port import Contended, OutcomeUntold, StorageError
from grantway.server.storage.postgres.link import Link, Lost, SqlError, Unreplicated
from grantway.server.storage.postgres.pool import Pool

T = TypeVar("T")

DEADLINE = 8.0
"""Seconds after which the outcome of a commit counts as unknown. ``statement_timeout`` does not bound its wait for a standby."""

HANGING = 2.0
"""Seconds after which a commit that was not answered keeps others from beginning."""

CONFLICTS = frozenset({"40001", "40P01"})
"""Serializable transactions that met, and a circle of waiting. Nothing happened; trying again helps."""

MISSES = frozenset({"22012", "23505"})
"""A guard that missed (see ``translation.guarded``), and a key that is taken."""

TRIES = 16
"""How often a conflict is tried again. Each round lets at least one of those who meet through."""


class Hanging(StorageError):
    """Commits are not answered at present (a standby that has to have them is away?). Nothing was changed."""


class Commits:
    """What is being committed in this process."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._begun: dict[object, float] = {}
        self.groups = 0
        self.jobs = 0

    def count(self, jobs: int) -> None:
        """So many jobs came true in one commit."""
        self.groups += 1
        self.jobs += jobs

    def refuse(self) -> None:
        """Raise ``Hanging`` while an earlier commit hangs."""
        if self._begun and monotonic() - min(self._begun.values()) > HANGING:
            raise Hanging("The database does not answer commits at present.")

    async def committed(self, work: Awaitable[T]) -> T:
        """The outcome of a round trip that commits. Raises ``Lost`` or ``OutcomeUntold`` when it cannot be told."""
        mark = object()
        self._begun[mark] = monotonic()
        try:
            async with asyncio.timeout(DEADLINE):
                return await work
        except TimeoutError:
            raise OutcomeUntold("The database did not answer a commit in time.") from None
        except Unreplicated as error:
            raise OutcomeUntold(str(error)) from error
        finally:
            del self._begun[mark]

    async def retried(self, work: Callable[[Link], Awaitable[T]]) -> T:
        """Let a link do what may meet others' work, until it goes through. Raises ``Contended`` and what ``committed`` does."""
        for tried in range(TRIES):
            try:
                async with self._pool.link() as link:
                    return await self.committed(work(link))
            except SqlError as error:
                if error.state not in CONFLICTS:
                    raise StorageError(f"The database refused: {error}.") from None
                await pause(tried)
        raise Contended("Too many changed the same at once.")


async def pause(tried: int) -> None:
    """Wait a moment of chance, longer each time, so that those who met do not meet again."""
    await asyncio.sleep(random.uniform(0, 0.002 * 2 ** min(tried, 5)))  # noqa: S311  nothing secret


__all__ = ["CONFLICTS", "MISSES", "TRIES", "Commits", "Hanging", "Lost", "pause"]
