"""Worker processes: forked from a parent that has read everything, replaced when they die, stopped in order.

What the parent has read is read once and shared, which halves the start of two workers and a third of their memory. It is
safe because the parent has one thread and nothing open but the socket: no database, no event loop, no key in use. Each
worker opens its own.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from types import FrameType

NEVER_STARTED = 3
"""Exit code of a worker that could not begin, which uvicorn has, too."""
PAUSE = 1.0
"""Seconds before a worker that died is replaced, so that one that dies at once does not take the machine."""
LOOK = 0.5
"""Seconds until a Ctrl-C is passed on: a terminal sends it to workers as well, and a second one means hurry."""

_HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_FORK = multiprocessing.get_context("fork")


class Workers:
    """The workers of one server. ``work`` is what each of them does, with a function to call once it takes requests."""

    def __init__(
        self, number: int, sockets: Sequence[socket.socket], work: Callable[[Callable[[], None]], object]
    ) -> None:
        self._number = number
        self._sockets = sockets
        self._work = work
        self._alive: list[ForkProcess] = []
        self._is_stopping = False
        self._is_in_a_hurry = False
        self._asked_by_terminal = False

    def run(self, ready: Callable[[], None]) -> bool:
        """Until all have ended; ``ready`` is called when all take requests. Whether they ever did."""
        if threading.active_count() > 1:
            raise RuntimeError("Only a process with one thread may fork.")
        signal.signal(signal.SIGTERM, self._pass_on)
        signal.signal(signal.SIGHUP, self._pass_on)
        signal.signal(signal.SIGINT, self._note)
        self._parent = os.pipe()
        hears, says = _FORK.Pipe(duplex=False)
        for _ in range(self._number):
            self._start(says)
        started = 0
        while self._alive:
            if self._is_in_a_hurry or (self._asked_by_terminal and not self._is_stopping):
                self._stop()
            heard = wait([hears, *(each.sentinel for each in self._alive)], LOOK)
            if hears in heard:
                hears.recv_bytes()
                started += 1
                if started == self._number:
                    ready()
            for dead in [each for each in self._alive if each.exitcode is not None]:
                self._alive.remove(dead)
                if self._is_stopping:
                    continue
                if dead.exitcode == NEVER_STARTED and started < self._number:
                    self._stop()  # the others would not begin, either
                    continue
                time.sleep(PAUSE)
                self._start(says)
        return started >= self._number

    def _start(self, says: Connection) -> None:
        if self._is_stopping:
            return
        process = _FORK.Process(target=self._live, args=(says,))
        # Until it has a hand for signals of its own, the child would pass one on to its siblings; and the parent would
        # not yet know the child.
        signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
        try:
            process.start()
            self._alive.append(process)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)

    def _live(self, says: Connection) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, leave)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the parent passes on what it means
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
        hears, lives = self._parent
        os.close(lives)
        threading.Thread(target=_end_with_parent, args=(hears,), daemon=True).start()
        self._work(lambda: says.send_bytes(b"."))

    def _stop(self) -> None:
        self._is_stopping = True
        for each in self._sockets:
            each.close()  # the workers have their own, and nobody is to wait at one that nobody answers
        for process in self._alive:
            if process.pid is not None and process.exitcode is None:
                os.kill(process.pid, signal.SIGTERM)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        # Two signals that come close together are one to a worker, so it is told again until it ends.
        self._is_in_a_hurry = self._is_stopping
        self._stop()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._is_stopping:
            self._pass_on(number, frame)
        self._asked_by_terminal = True


def _end_with_parent(hears: int) -> None:
    """Stop in order when the parent has gone without a word: nobody else would tell this worker to."""
    os.read(hears, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def leave(number: int, frame: FrameType | None) -> None:
    """End this process as told. uvicorn raises the signal again when it has stopped in order; that is no failure."""
    raise SystemExit(0)
