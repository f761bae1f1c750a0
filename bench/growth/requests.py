"""What a population costs its requests: refreshes and introspections of random grants over HTTP, by wrk, from one worker."""

from __future__ import annotations

import asyncio
import os
import random
import statistics
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench import processes
from bench.growth.installation import Installation, opened
from bench.load import load
from bench.server import Server

OPERATIONS = ("introspection", "refresh")
CONNECTIONS = 32
SERVERS, LOAD = "0", "1"
"""The cores on which server and database run, and wrk."""
RATE = 9_000
"""More a second than one worker answers: so many different grants are taken for each second."""


@dataclass(frozen=True)
class Figures:
    """Medians of the rounds: a second, latencies in milliseconds, and microseconds of CPU of server and database each."""

    operation: str
    per_second: float
    p50: float
    p99: float
    cpu: float
    refused: int


@dataclass(frozen=True)
class Method:
    rounds: int
    seconds: float


def measure(installation: Installation, method: Method, *, cold: bool = False) -> list[Figures]:
    """``cold``: what the system keeps of the database's files in memory is dropped before each round."""
    backend, settings = installation.backend, installation.backend.settings
    population = len(installation.generations)
    backend.settle_down()
    found = []
    with (
        Server(settings.data, 1, database=settings.database_url, cores=SERVERS) as server,
        _pinned(backend.roots, int(SERVERS)),
    ):
        for operation in OPERATIONS:
            wanted = min(population, int(RATE * method.seconds) * method.rounds)
            numbers = random.sample(range(population), wanted)
            runs = []
            for turn in range(method.rounds):
                script = _script(installation, operation, numbers[turn :: method.rounds])
                if cold:
                    backend.settle_down()
                    forget(backend.files())
                runs.append(_run(server, backend.roots, operation, script, method.seconds))
            if operation == "refresh":
                asyncio.run(_look_up(installation, numbers))
            found.append(_median(runs))
    return found


def _run(server: Server, others: tuple[int, ...], operation: str, script: tuple[str, ...], seconds: float) -> Figures:
    roots = (server.pid, *others)
    processes.rest(*roots)
    used = processes.cpu(*roots)
    came = load(server.url, *script, seconds=seconds, connections=CONNECTIONS, cores=LOAD)
    used = processes.cpu(*roots) - used
    return Figures(operation, came.per_second, came.p50, came.p99, used / max(1, came.requests) * 1e6, came.refused)


def _median(runs: Sequence[Figures]) -> Figures:
    def of(name: str) -> float:
        middle: float = statistics.median(getattr(one, name) for one in runs)
        return middle

    return Figures(
        runs[0].operation, of("per_second"), of("p50"), of("p99"), of("cpu"), sum(one.refused for one in runs)
    )


async def _look_up(installation: Installation, numbers: Iterable[int]) -> None:
    async with opened(installation.backend.settings) as service:
        await installation.look_up(service, numbers)


def _script(installation: Installation, operation: str, numbers: list[int]) -> tuple[str, ...]:
    made = installation.connections
    file = installation.backend.settings.data / "tokens"
    if operation == "introspection":
        file.write_text("".join(f"{made.access_token(number)}\n" for number in numbers))
        return "each.lua", "/introspect", *installation.credentials, str(file), "token=", ""
    generations = installation.generations
    file.write_text("".join(f"{made.refresh_token(number, generations[number])}\n" for number in numbers))
    return "refresh.lua", "/token", *installation.credentials, str(file)


def forget(files: Iterable[Path]) -> None:
    """Let the system drop what it keeps of these files in memory; what is not written yet stays."""
    for file in files:
        with suppress(FileNotFoundError):
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)


@contextmanager
def _pinned(roots: Iterable[int], core: int) -> Iterator[None]:
    """These processes and what descends from them run on one core meanwhile."""
    _put_on(roots, {core})
    try:
        yield
    finally:
        _put_on(roots, set(range(os.cpu_count() or 1)))


def _put_on(roots: Iterable[int], cores: set[int]) -> None:
    for root in roots:
        for pid in processes.tree(root):
            with suppress(ProcessLookupError):
                os.sched_setaffinity(pid, cores)
