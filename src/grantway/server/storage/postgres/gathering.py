"""What many requests ask in the same moment leaves together: one round trip, and one statement where it is the same one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from grantway.protocol.model import EndedToken, FailureBucket
from grantway.server.storage.port import Overloaded, StorageError
from grantway.server.storage.postgres.clock import QUERY as ASK_TIME
from grantway.server.storage.postgres.clock import DatabaseClock
from grantway.server.storage.postgres.link import Link, Lost, Query, Row, SqlError
from grantway.server.storage.postgres.parameters import Array, blobs, texts
from grantway.server.storage.postgres.pool import Pool, Unreachable
from grantway.server.storage.postgres.translation import translated
from grantway.server.storage.sql.statements import clients, grants, house
from grantway.server.storage.sql.statements.rows import BY_KEY

I = TypeVar("I", bound="Item")  # noqa: E741

GROUP = 256
"""What leaves in one round trip at most."""

LANES = 2
"""Round trips of a kind that are under way at the same time. What comes meanwhile gathers."""

READ_DEADLINE = 5.0
"""Seconds after which a read is given up."""


class Item:
    """Something asked for, and who waits for it."""

    __slots__ = ("future",)

    def __init__(self, future: asyncio.Future[Any]) -> None:
        self.future = future

    def resolve(self, value: Any) -> None:
        if not self.future.done():
            self.future.set_result(value)

    def fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Flights(Generic[I]):
    """Takes items, and lets ``fly`` do many of them at once."""

    def __init__(self, fly: Callable[[Sequence[I]], Awaitable[None]], queue_limit: int) -> None:
        self._fly = fly
        self._queue_limit = queue_limit
        self._queue: deque[I] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        self._called = False

    @property
    def waiting(self) -> int:
        """Items that did not leave yet."""
        return len(self._queue)

    def put(self, item: I) -> None:
        """Take an item in. Raises ``Overloaded``."""
        if len(self._queue) >= self._queue_limit:
            raise Overloaded("More requests wait for the database than the storage takes in.")
        self._queue.append(item)
        self._call()

    def put_first(self, items: Sequence[I]) -> None:
        """Take back what could not leave with the others."""
        self._queue.extendleft(reversed(items))

    async def drain(self) -> None:
        """Wait until all is done."""
        while self._queue or self._under_way:
            self._call()
            await asyncio.sleep(0)
            if self._under_way:
                await asyncio.wait(self._under_way)

    def _call(self) -> None:
        if self._queue and not self._called and len(self._under_way) < LANES:
            self._called = True
            loop = asyncio.get_running_loop()
            # After another turn of the loop: what that one brings comes along.
            loop.call_soon(loop.call_soon, self._leave)

    def _leave(self) -> None:
        self._called = False
        items: list[I] = []
        while self._queue and len(items) < GROUP:
            item = self._queue.popleft()
            if not item.future.done():
                items.append(item)
        if items:
            task = asyncio.get_running_loop().create_task(self._flight(items))
            self._under_way.add(task)
            task.add_done_callback(self._landed)
            self._call()

    async def _flight(self, items: Sequence[I]) -> None:
        try:
            await self._fly(items)
        except BaseException as error:
            for item in items:
                item.fail(error if isinstance(error, Exception) else StorageError("The storage was stopped."))
            if not isinstance(error, Exception):
                raise

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._call()


class Asked(Item):
    """A statement in the engine's shared words, and its values."""

    __slots__ = ("statement", "values")

    def __init__(self, future: asyncio.Future[Any], statement: str, values: Sequence[Any]) -> None:
        super().__init__(future)
        self.statement = statement
        self.values = values


class Many(NamedTuple):
    """How one statement answers for many keys: its text, which tells the key last, and how the keys are sent."""

    text: str
    array: Callable[[Sequence[Any]], Array]


def _many(statement: str, key: str, array: Callable[[Sequence[Any]], Array]) -> Many:
    text = translated(statement)
    head, where = (
        text.split(f" where {key} = $1") if f" where {key} = $1" in text else text.split(f"\nwhere {key} = $1")
    )
    columns, source = head.split("from ", 1)
    kind = "bytea" if array is blobs else "text"
    return Many(f"{columns.rstrip()}, {key} from {source}\nwhere {key} = any ($1::{kind}[]){where}", array)


MANY: Mapping[str, Many] = {
    grants.GRANT_IN_USE: _many(grants.GRANT_IN_USE, "g.id", blobs),
    clients.CLIENT_VERSION: _many(clients.CLIENT_VERSION, "client_id", texts),
    clients.CLIENT_ROW_VERSION: _many(clients.CLIENT_ROW_VERSION, "id", blobs),
    BY_KEY[EndedToken]: _many(BY_KEY[EndedToken], "serial", blobs),
    BY_KEY[FailureBucket]: _many(BY_KEY[FailureBucket], "digest", blobs),
}
"""Statements that many requests ask at once, each for a key of its own."""

ONCE = frozenset({house.SIGNING_KEY_VERSIONS})
"""Statements whose answer for one moment is right for all who ask in it: the latest of them asks for all."""


class Reads:
    """Answers statements beside others, each on what is committed when it runs."""

    def __init__(self, pool: Pool, clock: DatabaseClock, queue_limit: int) -> None:
        self._pool = pool
        self._clock = clock
        self._flights: Flights[Asked] = Flights(self._fly, queue_limit)
        self.drain = self._flights.drain

    @property
    def waiting(self) -> int:
        """Who waits for a round trip to leave."""
        return self._flights.waiting

    def ask(self, statement: str, values: Sequence[Any], /) -> Awaitable[Sequence[Row]]:
        """The rows of a shared statement. Raises ``StorageError``."""
        future: asyncio.Future[Sequence[Row]] = asyncio.get_running_loop().create_future()
        if any(cannot_be_stored(value) for value in values):
            future.set_result([])
        else:
            self._flights.put(Asked(future, statement, values))
        return future

    async def ask_time(self) -> None:
        """Let the clock hear of the database's time. Raises ``StorageError``."""
        await self._answered([], with_time=True)

    async def _fly(self, items: Sequence[Asked]) -> None:
        try:
            await self._run(items)
        except SqlError as error:
            if len(items) == 1:
                raise StorageError(f"The database refused: {error}.") from None
            for item in items:  # the others are not to suffer from one
                try:
                    await self._run([item])
                except SqlError as refused:
                    item.fail(StorageError(f"The database refused: {refused}."))

    async def _run(self, items: Sequence[Asked]) -> None:
        groups: dict[Any, list[Asked]] = {}
        for item in items:
            alone = item.statement not in MANY and item.statement not in ONCE
            groups.setdefault((item.statement, tuple(item.values)) if alone else item.statement, []).append(item)
        queries = [_query(group) for group in groups.values()]
        answers = await self._answered(queries, with_time=self._clock.is_due)
        for group, rows in zip(groups.values(), answers, strict=True):
            _hand_out(group, rows)

    async def _answered(self, queries: list[Query], *, with_time: bool) -> list[list[Row]]:
        try:
            async with asyncio.timeout(READ_DEADLINE):
                try:
                    return await self._once(queries, with_time)
                except Lost:  # maybe it ended while it was idle; reading again changes nothing
                    return await self._once(queries, with_time)
        except TimeoutError:
            raise Unreachable("The database did not answer in time.") from None

    async def _once(self, queries: list[Query], with_time: bool) -> list[list[Row]]:
        async with self._pool.link() as link:
            asked = self._clock.steady()
            answers = await rows_of(link, [*queries, ASK_TIME] if with_time else queries)
            if with_time:
                self._clock.hear(answers.pop()[0][0], asked, self._clock.steady())
            return answers


async def rows_of(link: Link, queries: Sequence[Query]) -> list[list[Row]]:
    """The rows of each statement."""
    return [answer.rows for answer in await link.run(queries)]


def cannot_be_stored(value: Any) -> bool:
    """Whether no text of PostgreSQL is like that: it holds NUL, or half a surrogate pair."""
    if type(value) is not str or value.isascii():
        return type(value) is str and "\0" in value
    try:
        return b"\0" in value.encode()
    except UnicodeEncodeError:
        return True


def _query(group: Sequence[Asked]) -> Query:
    many = MANY.get(group[0].statement)
    if many is None or len(group) == 1:
        return translated(group[-1].statement), group[-1].values
    return many.text, (many.array(list(dict.fromkeys(item.values[0] for item in group))),)


def _hand_out(group: Sequence[Asked], rows: list[Row]) -> None:
    if len(group) == 1 or group[0].statement not in MANY:
        for item in group:
            item.resolve(rows)
        return
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(row[-1], []).append(row[:-1])
    for item in group:
        item.resolve(found.get(item.values[0], []))
