"""Work that fills a core for some tens of milliseconds: a few at a time, never in the event loop and never in a rule.

Two at a time and a short queue keep a flood of it from starving everything else: beyond the queue the answer is "busy"
at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

AT_A_TIME = 2
LONGEST_QUEUE = 32


class Busy(Exception):
    """So much is under way that this one has to come back later."""


class SlowWork:
    """Does it in threads, ``AT_A_TIME`` at once, at most ``LONGEST_QUEUE`` waiting."""

    def __init__(self, name: str) -> None:
        self._threads = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix=name)
        self._under_way = 0

    async def do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What comes of it. Raises ``Busy`` when the queue is full."""
        if self._under_way >= AT_A_TIME + LONGEST_QUEUE:
            raise Busy
        loop = asyncio.get_running_loop()
        self._under_way += 1
        future = self._threads.submit(work, *args, **kwargs)
        # A caller that goes away does not shorten the queue: the thread is at it until it is done.
        future.add_done_callback(lambda _: self._done(loop))
        return await asyncio.wrap_future(future)

    def _done(self, loop: asyncio.AbstractEventLoop) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._one_less)

    def _one_less(self) -> None:
        self._under_way -= 1

    def close(self) -> None:
        """Let the threads go; what is under way is finished first."""
        self._threads.shutdown(wait=False, cancel_futures=True)
