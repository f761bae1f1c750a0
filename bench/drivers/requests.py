"""What is asked of PostgreSQL: the tables, the statements, and requests that use them one by one or gathered."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bench.drivers.links import Link, Rows

ROWS = 20_000
_CLIENTS = 20
_NOW = 1_750_000_000_000_000

_TABLE = """create table {} (
  id bytea primary key, generation bigint not null, moved_at bigint, expires_at bigint, client_id bytea not null,
  account_id bytea not null, scope text collate "C" not null, secret bytea not null, created_at bigint not null
) with (fillfactor = 80, autovacuum_enabled = false)"""
_FILL = """insert into {} select k, 1, null, 1750000000000000, decode(lpad(to_hex(n % 20), 32, '0'), 'hex'), k,
  '["contacts:read","calls:write"]', decode(repeat('ab', 48), 'hex'), 1750000000000000
from generate_series(0, {} - 1) as n, decode(lpad(to_hex(n), 32, '0'), 'hex') as k"""
_TABLES = {"grants": ROWS, "accounts": ROWS, "clients": _CLIENTS}
SETUP = [
    statement.format(table, rows) for table, rows in _TABLES.items() for statement in (_TABLE, _FILL, "analyze {}")
]

_ONE = "select * from {} where id = $1"
_MANY = "select * from grants where id = any($1::bytea[])"
_MOVE = """update {} set generation = $2::bigint + 1, moved_at = greatest(moved_at, $3::bigint)
where id = $1 and generation = $2 returning id"""
_MOVES = """with asked as materialized (
  select * from unnest($1::bytea[], $2::bigint[], $3::bigint[]) as one(id, generation, moved_at)),
held as materialized (select id from grants where id = any($1) order by id for no key update)
update grants set generation = asked.generation + 1, moved_at = greatest(grants.moved_at, asked.moved_at)
from asked join held using (id) where grants.id = asked.id and grants.generation = asked.generation returning grants.id"""
_BEGIN = "begin isolation level serializable"
_AGAIN = ("40001", "40P01")


class Bench:
    """A few connections for many requests, and what the requests know: the generation of every row."""

    def __init__(self, links: Sequence[Link], generations: list[int]) -> None:
        self._generations = generations
        self._free = list(links)
        self._waiting: deque[asyncio.Future[Link]] = deque()
        self._loop = asyncio.get_running_loop()
        self._asked: list[tuple[bytes, tuple[int, ...], asyncio.Future[bool]]] = []
        self._sending: set[asyncio.Task[None]] = set()
        self.retried = 0

    async def _take(self) -> Link:
        if self._free:
            return self._free.pop()
        waiter: asyncio.Future[Link] = self._loop.create_future()
        self._waiting.append(waiter)
        return await waiter

    def _give(self, link: Link) -> None:
        if self._waiting:
            self._waiting.popleft().set_result(link)
        else:
            self._free.append(link)

    async def _alone(self, statement: str, *values: object) -> None:
        link = await self._take()
        rows = await link.ask(statement, *values)
        self._give(link)
        assert len(rows) == 1

    def _gather(self, send: Callable[[Link, Any], Awaitable[None]], id_: bytes, *values: int) -> asyncio.Future[bool]:
        """What all requests of a tick of the loop ask goes out together."""
        if not self._asked:
            self._loop.call_soon(self._start, send)
        future: asyncio.Future[bool] = self._loop.create_future()
        self._asked.append((id_, values, future))
        return future

    def _start(self, send: Callable[[Link, Any], Awaitable[None]]) -> None:
        asked, self._asked = self._asked, []
        task = self._loop.create_task(self._send(send, asked))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, send: Callable[[Link, Any], Awaitable[None]], asked: Any) -> None:
        link = await self._take()
        try:
            await send(link, asked)
        except Exception as error:  # noqa: BLE001 - it goes to those who wait
            for _, _, future in asked:
                if not future.done():
                    future.set_exception(error)
        self._give(link)

    async def _send_reads(self, link: Link, asked: Any) -> None:
        rows = {row[0]: row for row in await link.ask(_MANY, [id_ for id_, _, _ in asked])}
        for id_, _, future in asked:
            future.set_result(id_ in rows)

    async def _send_pipelined(self, link: Link, asked: Any) -> None:
        answers = await link.together(*[(_ONE.format("grants"), id_) for id_, _, _ in asked])
        for (_, _, future), rows in zip(asked, answers, strict=True):
            future.set_result(len(rows) == 1)

    async def _send_moves(self, link: Link, asked: Any) -> None:
        ids = [id_ for id_, _, _ in asked]
        generations, moments = zip(*[values for _, values, _ in asked], strict=True)
        moved = {row[0] for row in await link.ask(_MOVES, ids, list(generations), list(moments))}
        for id_, _, future in asked:
            future.set_result(id_ in moved)

    async def read(self, number: int) -> None:
        await self._alone(_ONE.format("grants"), _key(number))

    async def read_gathered(self, number: int) -> None:
        assert await self._gather(self._send_reads, _key(number))

    async def read_pipelined(self, number: int) -> None:
        assert await self._gather(self._send_pipelined, _key(number))

    async def move(self, number: int) -> None:
        await self._alone(_MOVE.format("grants"), _key(number), self._generations[number], _NOW)
        self._generations[number] += 1

    async def move_gathered(self, number: int) -> None:
        assert await self._gather(self._send_moves, _key(number), self._generations[number], _NOW)
        self._generations[number] += 1

    async def settle(self, number: int) -> None:
        """Each read waits for the one before."""
        grant, client, account = _reads(number)
        await self._serializable(number, ((_BEGIN,), grant), (client,), (account,))

    async def settle_at_once(self, number: int) -> None:
        """What is to be read is known when it begins."""
        await self._serializable(number, ((_BEGIN,), *_reads(number)))

    async def _serializable(self, number: int, *trips: tuple[tuple[Any, ...], ...]) -> None:
        link = await self._take()
        while not await self._committed(link, number, trips):
            self.retried += 1
            await link.ask("rollback")
        self._give(link)
        self._generations[number] += 1

    async def _committed(self, link: Link, number: int, trips: Sequence[tuple[tuple[Any, ...], ...]]) -> bool:
        """Whether it was; if not, it collided with another."""
        rows: Rows = ()
        try:
            for trip in trips:
                rows = (await link.together(*trip))[-1]
            *moved, _ = await link.together(
                (_MOVE.format("grants"), _key(number), self._generations[number], _NOW),
                (_MOVE.format("accounts"), _key(number), rows[0][1], _NOW),
                ("commit",),
            )
        except Exception as error:
            if getattr(error, "sqlstate", None) in _AGAIN:
                return False
            raise
        assert [len(each) for each in moved] == [1, 1]
        return True


def _key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def _reads(number: int) -> tuple[tuple[Any, ...], ...]:
    keys = {"grants": _key(number), "clients": _key(number % _CLIENTS), "accounts": _key(number)}
    return tuple((_ONE.format(table), key) for table, key in keys.items())


REQUESTS: dict[str, Callable[[Bench, int], Awaitable[None]]] = {
    "read, its own statement": Bench.read,
    "reads, gathered into any()": Bench.read_gathered,
    "reads, own statements in one pipeline": Bench.read_pipelined,
    "change, its own statement": Bench.move,
    "changes, gathered into unnest": Bench.move_gathered,
    "serializable: 3 reads in turn, 2 writes": Bench.settle,
    "serializable: 3 reads at once, 2 writes": Bench.settle_at_once,
}
