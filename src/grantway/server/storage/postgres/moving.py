"""Generations that move: of many grants in one statement, each guarded by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from grantway.protocol.decision import MoveGeneration
from grantway.server.storage.port import OutcomeUntold, StorageError
from grantway.server.storage.postgres.commits import Commits
from grantway.server.storage.postgres.gathering import Flights, Item
from grantway.server.storage.postgres.link import Answer, Lost, Query, Useless
from grantway.server.storage.postgres.parameters import blobs, integers
from grantway.server.storage.postgres.pool import Unreachable
from grantway.server.storage.postgres.statements import MOVE_GENERATIONS, MOVED
from grantway.server.storage.sql.codec import micros

ASK_AGAIN_FOR = 4.0
"""Seconds for which a lost move is asked for again, while its request waits."""
ASK_AGAIN_EVERY = 0.2


class Move(Item):
    """A move, and who waits to hear whether it happened (``False``: its guard missed)."""

    __slots__ = ("move",)

    def __init__(self, future: asyncio.Future[Any], move: MoveGeneration) -> None:
        super().__init__(future)
        self.move = move


class Moves:
    """Moves generations, durably."""

    def __init__(self, commits: Commits, queue_limit: int) -> None:
        self._commits = commits
        self._flights: Flights[Move] = Flights(self._fly, queue_limit)
        self.drain = self._flights.drain

    @property
    def waiting(self) -> int:
        """Moves that did not leave yet."""
        return self._flights.waiting

    async def move(self, move: MoveGeneration) -> bool:
        """Whether it happened; ``False`` when the grant has moved on or ended.

        Raises ``OutcomeUntold`` when that cannot be told, and ``StorageError``.
        """
        self._commits.refuse()
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._flights.put(Move(future, move))
        return await future

    async def _fly(self, items: Sequence[Move]) -> None:
        # One statement changes a row once, so of several that move one grant the first leaves now.
        first: dict[bytes, Move] = {}
        others = [item for item in items if first.setdefault(item.move.grant_id, item) is not item]
        if others:
            self._flights.put_first(others)
        try:
            await self._moved(list(first.values()))
        except OutcomeUntold as unknown:
            for item in first.values():
                item.fail(unknown)

    async def _moved(self, items: Sequence[Move]) -> None:
        moves = [item.move for item in items]
        idle = [
            None if each.refresh_idle_expires_at is None else micros(each.refresh_idle_expires_at) for each in moves
        ]
        values = (
            blobs([each.grant_id for each in moves]),
            integers([each.from_generation for each in moves]),
            integers([micros(each.moved_at) for each in moves]),
            blobs([each.move_key for each in moves]),
            integers(idle),
        )
        try:
            answers = await self._commits.retried([(MOVE_GENERATIONS, values)])
        except Useless as nothing_happened:
            raise Unreachable(str(nothing_happened)) from nothing_happened
        except Lost:
            await self._ask_again(items)
            return
        moved = {row[0] for row in answers[0].rows}
        self._commits.count(len(items))
        for item in items:
            item.resolve(item.move.grant_id in moved)

    async def _ask_again(self, items: Sequence[Move]) -> None:
        """The connection was lost before the answer. A move that is seen happened; any other is as if its guard had missed:
        the rule decides anew, and what it then moves is guarded again."""
        answers = await self._answered_at_last([(MOVED, (blobs([item.move.grant_id for item in items]),))])
        found = {row[0]: (row[1], row[2]) for row in answers[0].rows}
        for item in items:
            generation, moved_at = found.get(item.move.grant_id, (None, None))
            happened = generation == item.move.from_generation + 1 and moved_at == micros(item.move.moved_at)
            item.resolve(happened)

    async def _answered_at_last(self, queries: Sequence[Query]) -> list[Answer]:
        loop = asyncio.get_running_loop()
        end = loop.time() + ASK_AGAIN_FOR
        while True:
            try:
                return await self._commits.retried(queries)
            except StorageError as trouble:
                if loop.time() > end:
                    raise OutcomeUntold(
                        "The connection to the database was lost while a token was moved on: that may have been done."
                    ) from trouble
            await asyncio.sleep(ASK_AGAIN_EVERY)
