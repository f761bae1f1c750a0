"""One connection to PostgreSQL: many statements in one round trip, each prepared once.

On the lower level of psycopg (``psycopg.pq``, which is libpq's pipeline mode): a statement costs a tenth of what a cursor of
the upper level does, because nothing is decided anew for each and the socket is watched once for good.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer

from grantway.server.storage.port import StorageError
from grantway.server.storage.postgres.parameters import dumped

Row = tuple[Any, ...]
Query = tuple[str, Sequence[Any]]

_ELSEWHERE = frozenset({"25006", "0A000"})
"""Refused only here: by a server that is a standby by now, or for a plan older than the last migration."""


class SqlError(Exception):
    """The server refused a statement. ``state`` is its SQLSTATE; what it says holds no values (those are in its detail)."""

    def __init__(self, state: str, said: str) -> None:
        super().__init__(f"{said} ({state})")
        self.state = state


class Lost(StorageError):
    """The connection ended before the answer came. What was sent may have happened."""


class Useless(Lost):
    """The connection is of no use for this. Nothing of what was to be sent happened: another connection may do it."""


class Unreplicated(StorageError):
    """It is committed here, but the server gave up waiting for the standby that should have it, too."""


class Answer(NamedTuple):
    """What came of one statement: its rows, and how many it changed."""

    rows: list[Row]
    changed: int


class Link:
    """A connection that this event loop uses for one trip at a time. ``broken``: it is of no use any more;
    ``is_lost``: and that was not our doing.

    ``prepares``: whether statements stay prepared (a pooler in transaction mode may give each another connection).
    """

    __slots__ = (
        "_answers", "_committed", "_connection", "_error", "_future", "_loaders", "_loop", "_names", "_pg",
        "_rolls_back", "_sent", "_socket", "_unreplicated", "_writing", "broken", "is_lost", "prepares", "used_at",
    )  # fmt: skip

    def __init__(self, connection: psycopg.AsyncConnection[Any], *, prepares: bool) -> None:
        self._connection = connection
        self._pg = connection.pgconn
        self._loop = asyncio.get_running_loop()
        self._names: dict[str, bytes] = {}
        self._loaders: dict[str, Any] = {}  # a Transformer each
        self._sent: deque[tuple[str, bool]] = deque()
        self._answers: list[Answer] = []
        self._error: SqlError | None = None
        self._future: asyncio.Future[list[Answer]] | None = None
        self._rolls_back = False
        self._writing = False
        self._unreplicated = False
        self._committed = False
        self._socket = self._pg.socket  # libpq forgets it when it closes it, and the loop must not
        self.broken = False
        self.is_lost = False
        self.prepares = prepares
        self.used_at = self._loop.time()
        self._pg.nonblocking = 1
        self._pg.notice_handler = self._noticed
        self._pg.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._readable)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, or failed and not rolled back."""
        return not self.broken and self._pg.transaction_status != pq.TransactionStatus.IDLE

    @property
    def is_busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._future is not None

    @property
    def is_alive(self) -> bool:
        """Whether nothing says that the other end has gone. Looks at what arrived, and waits for nothing."""
        if not self.broken:
            self._readable()
        return not self.broken

    async def run(self, queries: Sequence[Query]) -> list[Answer]:
        """Send the statements at once and wait for all answers. Without a ``begin`` among them they are one transaction.

        Raises what ``send`` says. Cancelled in between, the connection is broken.
        """
        try:
            return await self.send(queries)
        except asyncio.CancelledError:
            self.close()
            raise

    def send(self, queries: Sequence[Query]) -> asyncio.Future[list[Answer]]:
        """The answers that are to come. They fail with ``SqlError`` for the first statement that the server refused
        (nothing of the transaction happened), ``Lost``, ``Useless`` and ``Unreplicated``.
        """
        if self._future is not None or self.broken:
            raise Useless("The connection to the database is not free.")
        self._answers, self._error, self._unreplicated, self._committed = [], None, False, False
        future = self._future = self._loop.create_future()
        self._rolls_back = self._pg.transaction_status == pq.TransactionStatus.INERROR
        try:
            if self._rolls_back:
                self._send("rollback", ())
            for text, values in queries:
                self._send(text, values)
            self._pg.pipeline_sync()
            self._flush()
        except psycopg.OperationalError:
            self._lose()
        except BaseException:
            self._future = None
            self.close()
            raise
        return future

    def when_free(self, tell: Callable[[Link], None]) -> None:
        """Call this once the answer that is to come has come, or is lost."""
        if self._future is not None:
            self._future.add_done_callback(lambda _: tell(self))

    def close(self) -> None:
        """End the connection. What it still waited for is lost, unless a commit was answered and nothing after it."""
        if self.broken:
            return
        self.broken = True
        with suppress(OSError, ValueError):
            self._loop.remove_reader(self._socket)
            if self._writing:
                self._loop.remove_writer(self._socket)
        self._pg.finish()
        if self._committed and not self._sent:
            self._resolve()
        else:
            self._settle(Lost("The connection to the database was lost."))

    def _lose(self) -> None:
        self.is_lost = True
        self.close()

    def _send(self, text: str, values: Sequence[Any]) -> None:
        sent, formats = dumped(values)
        if not self.prepares:
            self._sent.append((text, False))
            self._pg.send_query_params(text.encode(), sent, None, formats, 1)
            return
        name = self._names.get(text)
        if name is None:
            name = self._names[text] = b"g%d" % len(self._names)
            self._sent.append((text, True))
            self._pg.send_prepare(name, text.encode())
        self._sent.append((text, False))
        self._pg.send_query_prepared(name, sent, formats, 1)

    def _flush(self) -> None:
        left = self._pg.flush()
        if left and not self._writing:
            self._loop.add_writer(self._socket, self._writable)
        elif not left and self._writing:
            self._loop.remove_writer(self._socket)
        self._writing = bool(left)

    def _writable(self) -> None:
        self._attempt(self._flush)

    def _readable(self) -> None:
        self._attempt(self._read)

    def _attempt(self, what: Callable[[], None]) -> None:
        try:
            what()
        except psycopg.Error:
            self._lose()
        if not self.broken and self._pg.status == pq.ConnStatus.BAD:
            self._lose()

    def _read(self) -> None:
        pg = self._pg
        pg.consume_input()
        while not pg.is_busy():
            result = pg.get_result()
            if result is None:
                if pg.status == pq.ConnStatus.BAD:
                    return  # nothing comes any more, and it says so for ever
                if not self._sent and self._future is None:
                    return  # a notice, while nobody waits
                continue
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                self._resolve()
                return
            self._take(result)

    def _take(self, result: pq.abc.PGresult) -> None:
        status = result.status
        if not self._sent:  # the server says farewell without being asked
            self._lose()
            return
        text, preparing = self._sent.popleft()
        if status == pq.ExecStatus.FATAL_ERROR:
            self._error = self._error or _error_of(result)
        if preparing:
            if status != pq.ExecStatus.COMMAND_OK:
                del self._names[text]
        elif status == pq.ExecStatus.TUPLES_OK:
            self._answers.append(Answer(self._rows(text, result), result.command_tuples or 0))
        elif status == pq.ExecStatus.COMMAND_OK:
            self._committed = text == "commit" and result.command_status == b"COMMIT"
            self._answers.append(Answer([], result.command_tuples or 0))

    def _rows(self, text: str, result: pq.abc.PGresult) -> list[Row]:
        if not result.ntuples:
            return []
        loader = self._loaders.get(text)
        if loader is None:
            loader = self._loaders[text] = Transformer(self._connection)
            loader.set_pgresult(result, set_loaders=True, format=pq.Format.BINARY)
        else:
            loader.set_pgresult(result, set_loaders=False)
        return loader.load_rows(0, result.ntuples, tuple)

    def _resolve(self) -> None:
        if self._error is None:
            if self._unreplicated:
                self._settle(Unreplicated("It was done, but maybe on one server only."))
            else:
                self._settle(self._answers[1:] if self._rolls_back else self._answers)
            return
        if self._error.state in _ELSEWHERE:
            self._settle(Useless(f"The database refused: {self._error}."))
            self._lose()
        else:
            self._settle(self._error)

    def _settle(self, outcome: list[Answer] | Exception) -> None:
        future, self._future = self._future, None
        self.used_at = self._loop.time()
        if future is None or future.done():
            return
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    def _noticed(self, result: pq.abc.PGresult) -> None:
        # 'canceling wait for synchronous replication' is a warning without a code of its own.
        if result.error_field(pq.DiagnosticField.SQLSTATE) == b"01000":
            self._unreplicated = True


def _error_of(result: pq.abc.PGresult) -> SqlError:
    state = result.error_field(pq.DiagnosticField.SQLSTATE) or b"08000"
    said = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"The connection ended."
    return SqlError(state.decode(), said.decode("utf-8", "replace"))
