"""The census of a database with very many connections."""

from __future__ import annotations

import asyncio

from grantway.server.storage.counting import SHARE, Counts
from grantway.server.storage.port import Census


class Counting:
    """A count that takes two seconds of a clock that is turned, and gives one connection more each time."""

    def __init__(self, *, many: int) -> None:
        self.now = 0.0
        self.done = 0
        self.counts = Counts(self._count, many=many, clock=lambda: self.now)

    async def _count(self) -> Census:
        await asyncio.sleep(0)
        self.now += 2
        self.done += 1
        return Census(100 + self.done, 0, 0)

    async def connections(self) -> int:
        return (await self.counts.census()).connections


def test_where_there_are_few_connections_they_are_counted_each_time() -> None:
    async def ask() -> list[int]:
        counting = Counting(many=1000)
        return [await counting.connections() for _ in range(3)]

    assert asyncio.run(ask()) == [101, 102, 103]


def test_where_there_are_many_a_twentieth_of_the_time_is_spent_counting_at_most() -> None:
    async def ask() -> list[int]:
        counting = Counting(many=100)
        found = [await counting.connections(), await counting.connections()]
        counting.now += 2 * SHARE - 1
        found.append(await counting.connections())
        counting.now += 1
        found.append(await counting.connections())
        return found

    assert asyncio.run(ask()) == [101, 101, 101, 102]


def test_several_who_ask_at_once_get_one_count() -> None:
    async def ask() -> list[int]:
        counting = Counting(many=100)
        return await asyncio.gather(*(counting.connections() for _ in range(4)))

    assert asyncio.run(ask()) == [101] * 4
