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
from collections.abc import Sequence
from typing import Any, Literal

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
    """Commits in a thread: what was queued while the last group was committed is the next one."""

    kind: Literal["thread"] = "thread"

    def __init__(self, committer: Committer, queue_limit: int) -> None:
        self._committer = committer
        self._queue_limit = queue_limit
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._unresolved = 0
        self._closed = False
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
        self._queue.put(job)

    def _work(self) -> None:
        waiting: deque[Job] = deque()
        going_on = True
        while going_on or waiting:
            if not waiting:
                going_on = self._take(waiting, self._queue.get())
            while going_on and len(waiting) < GROUP:
                try:
                    going_on = self._take(waiting, self._queue.get_nowait())
                except queue.Empty:
                    break
            taken = list(waiting)
            jobs = _next_group(waiting)
            if jobs:
                self._committer.run(jobs)
            left = set(map(id, waiting))
            self._hand_back([job for job in taken if id(job) not in left])

    @staticmethod
    def _take(waiting: deque[Job], job: Job | None) -> bool:
        if job is None:
            return False
        waiting.append(job)
        return True

    def _hand_back(self, jobs: Sequence[Job]) -> None:
        loops: dict[Any, list[Job]] = {}
        for job in jobs:
            loops.setdefault(job.future.get_loop(), []).append(job)
        for loop, its in loops.items():
            try:
                loop.call_soon_threadsafe(self._resolve, its)
            except RuntimeError:  # that loop is closed, and nobody waits any more
                self._unresolved -= len(its)

    def _resolve(self, jobs: Sequence[Job]) -> None:
        self._unresolved -= len(jobs)
        resolve(jobs)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)
