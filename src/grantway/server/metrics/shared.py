"""What several workers share: a file of each one's counts, so that any of them can tell those of all.

Written every few seconds, whole, and put in place at once. A worker that died leaves its file, because counters never go
back; the parent removes all of them when it starts. A single process needs no files.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from grantway.server.log import log
from grantway.server.master_key import make_private_directory
from grantway.server.metrics.counting import Metrics
from grantway.server.storage.port import Figures

EVERY = 2.0
"""Seconds between two writes: how old another worker's counts may be."""


class Shelf:
    """The files of all workers of one server. ``name`` is this worker's own."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._own = directory / f"{name}.json"
        self._written: bytes | None = None

    def put(self, metrics: Metrics, figures: Figures) -> None:
        """Write this worker's counts, if there is something new. A full disk must not stop the server."""
        text = orjson.dumps({**metrics.snapshot(), "gauges": asdict(figures)})
        if text == self._written:
            return
        try:
            waiting = self._own.with_suffix(".new")
            waiting.write_bytes(text)
            waiting.replace(self._own)
        except OSError as error:
            log.warning("metrics_not_written", error=type(error).__name__)
        else:
            self._written = text

    def others(self) -> list[dict[str, Any]]:
        """What the other workers wrote, and whether each is ``alive``; what cannot be read is left out."""
        found = []
        for path in sorted(self._directory.glob("*.json")):
            if path != self._own:
                with suppress(OSError, orjson.JSONDecodeError):
                    alive = _lives(int(path.stem.partition("-")[0]))
                    found.append({**orjson.loads(path.read_bytes()), "alive": alive})
        return found


def clear(data: Path) -> None:
    """Make the directory of the workers of this process, empty, and remove those of processes that are gone."""
    for old in data.glob("metrics-*"):
        pid = old.name.removeprefix("metrics-")
        if pid == str(os.getpid()) or not (pid.isdigit() and _lives(int(pid))):
            shutil.rmtree(old, ignore_errors=True)
    make_private_directory(directory_of(data, os.getpid()))


def shelf_of_worker(data: Path) -> Shelf:
    """The shelf of this worker, whose parent called ``clear``. The name holds its start, as a pid may come again."""
    started = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    return Shelf(directory_of(data, os.getppid()), f"{os.getpid()}-{started}")


def directory_of(data: Path, parent: int) -> Path:
    return data / f"metrics-{parent}"


async def keep_shared(
    shelf: Shelf, metrics: Metrics, figures: Callable[[], Figures], stop: asyncio.Event, every: float = EVERY
) -> None:
    """The background task of a worker: write until ``stop``; whoever stops it puts at last."""
    while not stop.is_set():
        shelf.put(metrics, figures())
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
