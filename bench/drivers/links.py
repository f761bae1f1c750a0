"""Three ways of speaking to PostgreSQL over one connection, behind the same two calls."""

from __future__ import annotations

import asyncio
import importlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from psycopg import AsyncConnection, AsyncRawCursor
from psycopg import abc as psycopg_types
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import OperationalError, error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult
from psycopg.types.array import ListBinaryDumper
from psycopg.types.numeric import Int8BinaryDumper
from psycopg.types.string import StrBinaryDumper

Rows = Sequence[Sequence[Any]]


class Link(Protocol):
    """One connection."""

    async def ask(self, statement: str, *values: object) -> Rows:
        """One statement, and its rows."""

    async def together(self, *asked: tuple[Any, ...]) -> Sequence[Rows]:
        """Several statements with their values, in one round trip where the driver can; outside of ``begin`` one transaction."""

    async def close(self) -> None: ...


Opens = Callable[[str, bool], Awaitable[Link]]
"""Opens a link to an address; the second says whether statements may be prepared, which PgBouncer 1.18 cannot bear."""


class Asyncpg:
    """asyncpg: a protocol of its own in Cython; it has no pipeline."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, url: str, prepare: bool) -> Asyncpg:
        asyncpg = importlib.import_module("asyncpg")  # no dependency of the project
        return cls(await asyncpg.connect(url, statement_cache_size=100 if prepare else 0))

    async def ask(self, statement: str, *values: object) -> Rows:
        if values:
            rows: Rows = await self._connection.fetch(statement, *values)
            return rows
        await self._connection.execute(statement)  # the simple protocol: one round trip
        return ()

    async def together(self, *asked: tuple[Any, ...]) -> Sequence[Rows]:
        return [await self.ask(*each) for each in asked]

    async def close(self) -> None:
        await self._connection.close()


async def _connect(url: str, prepare: bool) -> AsyncConnection[tuple[Any, ...]]:
    connection = await AsyncConnection.connect(url, autocommit=True, cursor_factory=AsyncRawCursor)
    connection.prepare_threshold = 5 if prepare else None
    for kind, dumper in ((int, Int8BinaryDumper), (str, StrBinaryDumper), (list, ListBinaryDumper)):
        connection.adapters.register_dumper(kind, dumper)
    return connection


class Psycopg:
    """psycopg 3 as its documentation has it: cursors, and ``pipeline()`` for several statements."""

    def __init__(self, connection: AsyncConnection[tuple[Any, ...]]) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, url: str, prepare: bool) -> Psycopg:
        return cls(await _connect(url, prepare))

    async def ask(self, statement: str, *values: object) -> Rows:
        cursor = await self._connection.execute(statement, values or None, binary=True)
        return await cursor.fetchall() if cursor.pgresult and cursor.pgresult.nfields else ()

    async def together(self, *asked: tuple[Any, ...]) -> Sequence[Rows]:
        execute = self._connection.execute
        if len(asked) == 1:
            return [await self.ask(*asked[0])]
        async with self._connection.pipeline():
            cursors = [await execute(statement, values or None, binary=True) for statement, *values in asked]
        return [await one.fetchall() if one.pgresult and one.pgresult.nfields else () for one in cursors]

    async def close(self) -> None:
        await self._connection.close()


@dataclass
class _Known:
    """A statement, and how its values are written and its rows read."""

    text: bytes
    name: bytes | None
    formats: list[PyFormat]
    transformer: psycopg_types.Transformer
    seen: bool = False


@dataclass
class _Trip:
    """What was sent up to one Sync, and what has come back."""

    answer: asyncio.Future[Sequence[Rows]]
    known: list[_Known | None] = field(default_factory=list)
    rows: list[Rows] = field(default_factory=list)
    at: int = 0
    error: Exception | None = None


class Libpq:
    """psycopg's binding of libpq, used directly: always in pipeline mode, one callback, each statement learnt once."""

    def __init__(self, connection: AsyncConnection[tuple[Any, ...]], prepare: bool) -> None:
        self._connection, self._prepare = connection, prepare
        self._raw = connection.pgconn
        self._socket = self._raw.socket
        self._known: dict[str, _Known] = {}
        self._waiting: deque[_Trip] = deque()
        self._loop = asyncio.get_running_loop()
        self._raw.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._read)

    @classmethod
    async def open(cls, url: str, prepare: bool) -> Libpq:
        return cls(await _connect(url, prepare), prepare)

    async def ask(self, statement: str, *values: object) -> Rows:
        return (await self.together((statement, *values)))[0]

    async def together(self, *asked: tuple[Any, ...]) -> Sequence[Rows]:
        trip = _Trip(self._loop.create_future())
        for statement, *values in asked:
            known = self._known.get(statement) or self._learn(statement, values, trip)
            transformer = known.transformer
            written = transformer.dump_sequence(values, known.formats)
            if known.name is None:
                self._raw.send_query_params(
                    known.text, written, transformer.types, transformer.formats, result_format=Format.BINARY
                )
            else:
                self._raw.send_query_prepared(known.name, written, transformer.formats, result_format=Format.BINARY)
            trip.known.append(known)
        self._raw.pipeline_sync()
        self._waiting.append(trip)
        self._flush()
        return await trip.answer

    def _learn(self, statement: str, values: Sequence[object], trip: _Trip) -> _Known:
        name = f"s{len(self._known)}".encode() if self._prepare else None
        formats = [PyFormat.AUTO] * len(values)
        known = _Known(statement.encode(), name, formats, Transformer(self._connection))
        if name is not None:
            known.transformer.dump_sequence(values, formats)
            self._raw.send_prepare(name, known.text, known.transformer.types)
            trip.known.append(None)
        self._known[statement] = known
        return known

    def _flush(self) -> None:
        if self._raw.flush():
            self._loop.add_writer(self._socket, self._flush_more)

    def _flush_more(self) -> None:
        if not self._raw.flush():
            self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        raw = self._raw
        try:
            raw.consume_input()
        except OperationalError as error:  # lost: libpq would answer "no result" for ever
            self._loop.remove_reader(self._socket)
            for trip in self._waiting:
                trip.answer.set_exception(error)
            self._waiting.clear()
        while self._waiting and not raw.is_busy():
            trip = self._waiting[0]
            result = raw.get_result()
            if result is None:  # a statement has ended
                trip.at += 1
            elif result.status == ExecStatus.PIPELINE_SYNC:
                self._waiting.popleft()
                if trip.error is None:
                    trip.answer.set_result(trip.rows)
                else:
                    trip.answer.set_exception(trip.error)
            else:
                self._take(trip, result)

    def _take(self, trip: _Trip, result: PGresult) -> None:
        known, status = trip.known[trip.at], result.status
        if status == ExecStatus.FATAL_ERROR:
            trip.error = error_from_result(result)
        elif status == ExecStatus.TUPLES_OK and known is not None:
            known.transformer.set_pgresult(result, set_loaders=not known.seen)
            known.seen = True
            trip.rows.append(known.transformer.load_rows(0, result.ntuples, tuple))
        elif known is not None:
            trip.rows.append(())

    async def close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._raw.exit_pipeline_mode()
        await self._connection.close()


DRIVERS: dict[str, Opens] = {"asyncpg": Asyncpg.open, "psycopg": Psycopg.open, "psycopg.pq": Libpq.open}
