"""The few connections that a process has to PostgreSQL, made when they are needed and dropped when they are broken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from grantway.server.storage.port import Overloaded, StorageError
from grantway.server.storage.postgres.link import Link

Pooler = Literal["none", "transaction"]

CONNECT_TIMEOUT = 2
"""Seconds to reach the database, each of its hosts: a host that is gone must not keep from the next one."""

PATIENCE = 5.0
"""Seconds until who waits for a connection is told that there is none."""

STALE = 0.1
"""Seconds without use after which a connection is looked at before it is lent."""

_DIRECT = {
    # Plans are made once for each statement. A sequential scan of a small table would make serializable transactions
    # that have nothing to do with one another conflict.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "jit": "off",
    "default_transaction_isolation": "read committed",
    "lock_timeout": "4s",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "15s",
    "synchronous_commit": "on",
    "timezone": "UTC",
}
"""How a session behaves, unless the address says otherwise. A pooler in transaction mode takes none of these."""


class Unreachable(StorageError):
    """There is no connection to the database right now. Nothing was read or changed."""


def conninfo(url: str, pooler: Pooler) -> str:
    """What libpq connects by. Raises ``StorageError`` with a sentence that holds no password."""
    try:
        given: dict[str, Any] = conninfo_to_dict(url)
    except psycopg.Error:
        raise StorageError("GRANTWAY_DATABASE is no address of PostgreSQL: postgresql://USER@HOST:PORT/NAME.") from None
    given.setdefault("connect_timeout", CONNECT_TIMEOUT)
    given.setdefault("application_name", "grantway")
    if "," in given.get("host", ""):
        given.setdefault("target_session_attrs", "read-write")  # of several hosts, the one that is not a standby
    if pooler == "none":
        said = " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in _DIRECT.items())
        given["options"] = f"{said} {given.get('options', '')}".strip()
    # A host that vanished without a word is noticed.
    given.setdefault("keepalives_idle", 10)
    given.setdefault("keepalives_interval", 3)
    given.setdefault("tcp_user_timeout", 15_000)
    return make_conninfo(**given)


class Pool:
    """Lends connections, ``size`` at most. For one event loop. ``when_lost`` is called when one has ended by itself or hangs."""

    def __init__(
        self,
        url: str,
        *,
        pooler: Pooler = "none",
        size: int = 8,
        queue_limit: int = 1024,
        patience: float = PATIENCE,
    ) -> None:
        self.when_lost: Callable[[], None] = lambda: None
        self._conninfo = conninfo(url, pooler)
        self._prepares = pooler == "none"
        self._size = size
        self._queue_limit = queue_limit
        self._patience = patience
        self._idle: list[Link] = []
        self._lent = 0
        self._aside: set[Link] = set()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._loop = asyncio.get_running_loop()
        self.closed = False

    @property
    def waiting(self) -> int:
        """Who waits for a connection."""
        return len(self._waiting)

    @asynccontextmanager
    async def link(self) -> AsyncIterator[Link]:
        """A connection for as long as the block lasts. Raises ``Unreachable``, ``Overloaded`` or ``StorageError``."""
        link = await self._take()
        try:
            yield link
            if link.in_transaction and not link.is_busy:
                await link.run([("rollback", ())])
        except BaseException:
            if link.in_transaction and not link.is_busy:
                link.close()
            raise
        finally:
            self._give_back(link)

    def set_aside(self, link: Link) -> None:
        """Lend another in place of this one: what it waits for may take long, and others are not to wait with it."""
        if link not in self._aside:
            self._aside.add(link)
            self._lent -= 1
            self._wake()

    def forget_idle(self) -> None:
        """End the connections that are not lent. New ones are made."""
        while self._idle:
            self._idle.pop().close()

    async def _take(self) -> Link:
        if self.closed:
            raise StorageError("The storage is closed.")
        while self._lent >= self._size:
            await self._turn()
        self._lent += 1
        while self._idle:
            link = self._idle.pop()
            if self._loop.time() - link.used_at < STALE or link.is_alive:
                return link
            self.when_lost()
        try:
            async with asyncio.timeout(self._patience):
                return await self._connect()
        except TimeoutError:
            self._lent -= 1
            self._wake()
            raise Unreachable("The database cannot be reached: no host answers.") from None
        except BaseException:
            self._lent -= 1
            self._wake()
            raise

    async def _turn(self) -> None:
        """Wait until a connection may be free."""
        if len(self._waiting) >= self._queue_limit:
            raise Overloaded("More requests wait for the database than the storage takes in.")
        turn: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._patience):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._wake()  # the turn was given, and is not taken
            if isinstance(error, TimeoutError):
                raise Unreachable("No connection to the database was free in time.") from None
            raise

    async def _connect(self) -> Link:
        try:
            connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
        except (psycopg.Error, OSError) as error:
            raise Unreachable(f"The database cannot be reached: {reason(error)}.") from None
        return Link(connection, prepares=self._prepares)

    def _give_back(self, link: Link) -> None:
        if link.is_busy:
            # Nobody waits for its answer any more. Until it comes the server has not done with it.
            self.set_aside(link)
            link.when_free(self._give_back)
            return
        if link in self._aside:
            self._aside.remove(link)
        else:
            self._lent -= 1
        if link.broken:
            self.when_lost()
        if link.is_lost:
            self.forget_idle()  # they ended the same way, or lead to the same server
        if link.broken or self.closed or self._lent + len(self._idle) >= self._size:
            link.close()
        else:
            self._idle.append(link)
        self._wake()

    def _wake(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def close(self) -> None:
        """End the connections that are not lent or that nobody waits for; the others end as they come back."""
        self.closed = True
        self.forget_idle()
        for link in list(self._aside):
            link.close()
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(StorageError("The storage is closed."))


_KNOWN = (
    "password authentication failed", "too many connections", "remaining connection slots", "starting up",
    "shutting down", "does not exist", "session is read-only", "recovery mode", "refused", "timeout expired",
    "could not translate host name", "server closed the connection", "unsupported startup parameter", "certificate",
)  # fmt: skip


def reason(error: BaseException) -> str:
    """Why there is no connection, in few words and without what the address holds: not all that libpq says."""
    said = str(error)
    return next((words for words in _KNOWN if words in said), type(error).__name__)
