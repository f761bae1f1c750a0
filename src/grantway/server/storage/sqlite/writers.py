"""When and where groups are committed: in the event loop's next tick, or in a thread of their own.

Both take jobs by ``put``, which raises ``Overloaded`` when too many wait and ``StorageError`` when closed, and resolve
their futures once they are durable. ``close`` does what is queued first.

Committing in the loop costs no switching of threads and wins where syncing is fast; a thread wins where it is slow,
because the loop goes on meanwhile.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Literal

from grantway.server.storage.port import Overloaded, StorageError
from grantway.server.storage.sqlite.group import Committer, Job

GROUP = 256
"""Jobs in one transaction at most, so that nobody waits for more than some milliseconds of others' rules."""

FULL = "More requests wait for the storage than it takes in."
CLOSED = "The storage is closed."


def resolve(jobs: Sequence[Job]) -> None:
    """Tell the waiting what came of it."""
    for job in jobs:
        future = job.future
        if future.done():  # whoever waited was cancelled
            continue
        if job.error is not None:
            future.set_exception(job.error)
        else:
            future.set_result(job.value)


class TickWriter:
    """Commits in the event loop: what was queued in two turns of the loop is one group at their end."""

    kind: Literal["tick"] = "tick"

    def __init__(self, committer: Committer, queue_limit: int) -> None:
        self._committer = committer
        self._queue_limit = queue_limit
        self._waiting: deque[Job] = deque()
        self._called: asyncio.AbstractEventLoop | None = None
        self._closed = False

    @property
    def waiting(self) -> int:
        """Jobs that wait."""
        return len(self._waiting)

    def put(self, job: Job) -> None:
        if self._closed:
            raise StorageError(CLOSED)
        if len(self._waiting) >= self._queue_limit:
            raise Overloaded(FULL)
        self._waiting.append(job)
        loop = job.future.get_loop()
        if self._called is not loop:
            self._called = loop
            # After another turn of the loop: what that one brings shares the sync (measured: a sixth more of them).
            loop.call_soon(loop.call_soon, self._flush)

    def _flush(self) -> None:
        self._called = None
        jobs = _next_group(self._waiting)
        if not jobs:
            return
        if self._waiting:
            self._called = self._waiting[0].future.get_loop()
            self._called.call_soon(self._flush)
        try:
            self._committer.run(jobs)
        finally:
            resolve(jobs)

    async def close(self) -> None:
        self._closed = True
        while self._waiting:
            self._flush()


def _next_group(waiting: deque[Job]) -> list[Job]:
    jobs: list[Job] = []
    while waiting and len(jobs) < GROUP:
        if waiting[0].future.done():  # cancelled before anything was done for it
            waiting.popleft()
        elif waiting[0].work is None:
            jobs.append(waiting.popleft())
        else:
            return jobs or [waiting.popleft()]
    return jobs


class ThreadWriter:
    """Commits in a thread: what was queued while the last group was committed is the next one.

    Rules run in the event loop, as they do without a thread: two threads that both run Python would wait for each other
    at every statement. The thread does what takes long and needs no Python: it waits for a turn, and for the disk.
    """

    kind: Literal["thread"] = "thread"

    def __init__(self, committer: Committer, queue_limit: int) -> None:
        self._committer = committer
        self._queue_limit = queue_limit
        self._waiting: deque[Job] = deque()
        self._group: list[Job] = []
        self._unresolved = 0
        self._called: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._ended: Future[None] | None = None
        self._pending: Callable[[], None] | None = None
        self._steps: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        # A daemon, so that a process that forgets to close can end: what was not acknowledged need not happen.
        self._thread = threading.Thread(target=self._work, name="grantway-storage", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Jobs that wait."""
        return self._unresolved

    def put(self, job: Job) -> None:
        if self._closed:
            raise StorageError(CLOSED)
        if self._unresolved >= self._queue_limit:
            raise Overloaded(FULL)
        self._unresolved += 1
        self._waiting.append(job)
        loop = job.future.get_loop()
        self._take_over()
        if not self._group and self._called is not loop:
            self._called = loop
            loop.call_soon(loop.call_soon, self._begin)

    # in the event loop

    def _begin(self) -> None:
        self._called = None
        if self._group:
            return
        before = len(self._waiting)
        self._group = _next_group(self._waiting)
        self._unresolved -= before - len(self._waiting) - len(self._group)  # cancelled ones
        if not self._group:
            return
        if self._committer.turnstile.try_enter():
            self._open()
        else:
            self._steps.put(self._enter)

    def _open(self) -> None:
        self._committer.open(self._group)
        self._steps.put(self._finish)

    def _go_on(self) -> None:
        what, self._pending, self._called = self._pending, None, None
        if what is not None:
            what()

    def _take_over(self) -> None:
        """A loop that was to go on may have been closed before it did."""
        if self._pending is not None and self._called is not None and self._called.is_closed():
            self._go_on()

    def _landed(self) -> None:
        group, self._group = self._group, []
        self._unresolved -= len(group)
        resolve(group)
        self._begin()
        self._tell_end()

    # in the thread

    def _work(self) -> None:
        while (step := self._steps.get()) is not None:
            step()

    def _enter(self) -> None:
        self._committer.turnstile.__enter__()
        if not self._call(self._open):
            self._committer.open(self._group)
            self._finish()

    def _finish(self) -> None:
        with suppress(BaseException):  # it is every job's error by then
            self._committer.finish(self._group)
        self._committer.turnstile.leave()
        if not self._call(self._landed):
            self._landed_nowhere()

    def _call(self, what: Callable[[], None]) -> bool:
        """Have it called in the loop of somebody who waits; ``False`` when all of them are closed."""
        for loop in {job.future.get_loop() for job in (*self._group, *self._waiting)}:
            with suppress(RuntimeError):
                self._pending, self._called = what, loop
                loop.call_soon_threadsafe(self._go_on)
                return True
        self._pending = self._called = None
        return False

    def _landed_nowhere(self) -> None:
        """All loops are closed: nobody waits for these any more."""
        self._unresolved -= len(self._group)
        self._group = []
        self._tell_end()

    def _tell_end(self) -> None:
        if self._ended is not None and not self._group and not self._ended.done():
            self._ended.set_result(None)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._ended = Future()
        self._take_over()
        if not self._group:
            self._begin()
        self._tell_end()
        await asyncio.wrap_future(self._ended)
        self._steps.put(None)
        await asyncio.to_thread(self._thread.join)
