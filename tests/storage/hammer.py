"""A process of its own that hammers a database: ``python hammer.py spend|count|race|visit DATABASE WRITER NUMBER``, where the
database is a file or an address of PostgreSQL, which has no writer.

``spend`` exchanges grants until it is killed and prints each one that was acknowledged, unbuffered; ``count`` moves one
grant NUMBER times; ``race`` refreshes each of NUMBER grants ten times at once and prints who moved it; ``visit`` opens the storage, moves that grant once, sweeps and closes, NUMBER times, like a command.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from datetime import datetime
from typing import Any

from grantway.protocol.decision import Add, Decision, MoveGeneration
from grantway.protocol.facts import Facts
from grantway.protocol.model import EndedToken
from grantway.server.storage.port import Contended
from grantway.server.storage.postgres import PostgresStorage
from grantway.server.storage.sqlite import SqliteStorage
from tests.storage.asking import DAY, NOON, an_id, saying

GRANTS = 3000
FIRST = 1000


def receipt(number: int) -> EndedToken:
    """What is written with the exchange of a grant."""
    return EndedToken(b"receipt %d" % number, NOON + 9999 * DAY)


async def spend(storage: Any, seed: int) -> None:
    numbers = list(range(FIRST, FIRST + GRANTS))
    random.Random(seed).shuffle(numbers)

    async def one() -> None:
        while numbers:
            number = numbers.pop()
            try:
                exchange = MoveGeneration(an_id(number), 0, NOON)
                await storage.settle(saying(number, exchange, Add(receipt(number))))
            except Contended:
                continue  # spent before
            os.write(1, b"%d\n" % number)

    await asyncio.gather(*[one() for _ in range(16)])
    os.write(1, b"end\n")
    await asyncio.Event().wait()  # for the end that comes to all


async def move(facts: Facts, now: datetime) -> Decision[int]:
    held = await facts.grant(an_id(5))
    assert held is not None
    return Decision(held.grant.generation, (MoveGeneration(an_id(5), held.grant.generation, now),))


async def count(storage: Any, times: int) -> None:
    async def one() -> None:
        for _ in range(times // 10):
            await storage.settle(move)
            await storage.consult(saying(None))

    await asyncio.gather(*[one() for _ in range(10)])


async def race(storage: Any, times: int) -> None:
    def refresh(number: int) -> Any:
        async def rule(facts: Facts, now: datetime) -> Decision[bool]:
            held = await facts.grant(an_id(number))
            assert held is not None
            moves = held.grant.generation == 0
            return Decision(moves, (MoveGeneration(an_id(number), 0, now),) if moves else ())

        return rule

    os.write(1, b"ready\n")
    sys.stdin.readline()
    for number in range(FIRST, FIRST + times):
        decisions = await asyncio.gather(*[storage.propose(refresh(number)) for _ in range(10)])
        os.write(1, b"%d\n" % number * sum(each.answer for each in decisions))


async def opened(database: str, writer: Any) -> Any:
    if database.startswith("postgresql:"):
        return await PostgresStorage.open(database)
    return SqliteStorage.open(database, writer=writer)


async def main(what: str, database: str, writer: Any, number: int) -> None:
    if what == "visit":
        for _ in range(number):
            storage = await opened(database, writer)
            await storage.settle(move)
            await storage.sweep()
            await storage.close()
        return
    storage = await opened(database, writer)
    await {"spend": spend, "count": count, "race": race}[what](storage, number)
    await storage.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
