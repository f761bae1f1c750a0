"""CPU of every process for each request, by driver and way of asking, on a cluster made for it.

    python -m bench.drivers [--seconds 1.5] [--rounds 5] [--tasks 16 32] [--only WORD …]

Straight to PostgreSQL, and through PgBouncer in transaction mode. Every commit is flushed. Rounds alternate; medians.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import itertools
import os
import shutil
import socket
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.drivers.links import DRIVERS, Link
from bench.drivers.requests import REQUESTS, ROWS, SETUP, Bench
from bench.postgres import Cluster
from bench.processes import Program, cpu, free_port

LINKS = 8
"""Connections of each driver on each way."""
_BOUNCER = """[databases]
bench = host=127.0.0.1 port={server} user=bench
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {links}
max_client_conn = 200
"""


@dataclass(frozen=True)
class Sample:
    """What one run took: requests a second, and microseconds of CPU for each of them."""

    rate: float
    client: float
    postgres: float
    bouncer: float
    retried: float


def main() -> None:
    options = argparse.ArgumentParser(prog="bench.drivers", description=__doc__.partition("\n")[0] if __doc__ else "")
    options.add_argument("--seconds", type=float, default=1.5, help="of each run")
    options.add_argument("--rounds", type=int, default=5, help="runs of each kind; medians are shown")
    options.add_argument("--tasks", type=int, nargs="+", default=[16, 32], help="requests at a time")
    options.add_argument(
        "--only", nargs="+", default=[""], metavar="WORD", help="only requests with one of these words"
    )
    chosen = options.parse_args()
    requests = [name for name in REQUESTS if any(word in name for word in chosen.only)]
    with tempfile.TemporaryDirectory(prefix="grantway-drivers-") as made, ExitStack() as stack:
        Path(made).chmod(0o755)  # the servers run as another user when this runs as root
        cluster = stack.enter_context(Cluster(Path(made) / "cluster"))
        bouncer = _bouncer(Path(made), cluster, stack)
        uvloop.run(_measure(chosen, requests, cluster, bouncer))


def _bouncer(folder: Path, cluster: Cluster, stack: ExitStack) -> tuple[str, int] | None:
    """Its address and process, if there is a PgBouncer."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        print("There is no pgbouncer here; only the direct way is measured.")
        return None
    port = free_port()
    ini = folder / "pgbouncer.ini"
    ini.write_text(_BOUNCER.format(server=cluster.port, port=port, links=LINKS * len(DRIVERS)))
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []

    def ready() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    running = stack.enter_context(Program([*as_user, program, ini], folder / "pgbouncer.log", ready=ready))
    return f"postgresql://bench@127.0.0.1:{port}/bench", running.pid


async def _measure(
    chosen: argparse.Namespace, requests: Sequence[str], cluster: Cluster, bouncer: tuple[str, int] | None
) -> None:
    drivers = dict(DRIVERS)
    if importlib.util.find_spec("asyncpg") is None:
        print("asyncpg is not installed and left out; it comes by: .venv/bin/pip install asyncpg")
        del drivers["asyncpg"]
    ways = {"direct": cluster.url, **({"PgBouncer": bouncer[0]} if bouncer else {})}
    first = await DRIVERS["psycopg"](cluster.url, True)
    for statement in SETUP:
        await first.ask(statement)
    links = {
        (driver, way): [await opens(url, way == "direct") for _ in range(LINKS)]
        for driver, opens in drivers.items()
        for way, url in ways.items()
    }
    generations = [1] * ROWS
    kinds = [
        each
        for each in itertools.product(requests, chosen.tasks, ways, drivers)
        if not (each[3] == "asyncpg" and ("one pipeline" in each[0] or "at once" in each[0]))  # it has none
    ]
    samples: dict[tuple[str, int, str, str], list[Sample]] = {kind: [] for kind in kinds}
    pids = (cluster.pid, bouncer[1] if bouncer else None)
    for number in range(chosen.rounds + 1):
        for kind in kinds:
            request, tasks, way, driver = kind
            seconds = chosen.seconds if number else 0.2  # the first round prepares statements and warms the caches
            sample = await _run(request, tasks, links[driver, way], generations, seconds, pids)
            if number:
                samples[kind].append(sample)
        print(f"round {number} of {chosen.rounds}", end="\r", flush=True)
    _show(kinds, samples)
    for link in itertools.chain([first], *links.values()):
        await link.close()


async def _run(
    request: str,
    tasks: int,
    links: Sequence[Link],
    generations: list[int],
    seconds: float,
    pids: tuple[int, int | None],
) -> Sample:
    bench = Bench(links, generations)
    ask = REQUESTS[request]
    done = 0
    until = time.perf_counter() + seconds

    async def one(task: int) -> None:
        nonlocal done
        number = task * (ROWS // tasks)
        while time.perf_counter() < until:
            await ask(bench, number)
            done += 1
            number = task * (ROWS // tasks) + (number * 7919 + 1) % (ROWS // tasks)

    server, bouncer = pids
    begun, own, theirs, its = time.perf_counter(), time.process_time(), cpu(server), cpu(bouncer) if bouncer else 0.0
    await asyncio.gather(*[one(task) for task in range(tasks)])
    took, own = time.perf_counter() - begun, time.process_time() - own
    theirs, its = cpu(server) - theirs, (cpu(bouncer) if bouncer else 0.0) - its
    each = 1e6 / done
    return Sample(done / took, own * each, theirs * each, its * each, bench.retried / done)


def _show(kinds: Sequence[tuple[str, int, str, str]], samples: dict[tuple[str, int, str, str], list[Sample]]) -> None:
    print(
        "| request | at a time | way | driver | per second | client µs | PostgreSQL µs | PgBouncer µs | all µs | retried |"
    )
    print("|---|--:|---|---|--:|--:|--:|--:|--:|--:|")
    for kind in kinds:
        rate, client, postgres, bouncer, retried = (
            statistics.median(getattr(one, name) for one in samples[kind])
            for name in ("rate", "client", "postgres", "bouncer", "retried")
        )
        request, tasks, way, driver = kind
        print(
            f"| {request} | {tasks} | {way} | {driver} | {rate:,.0f} | {client:.0f} | {postgres:.0f} | {bouncer:.0f}"
            f" | {client + postgres + bouncer:.0f} | {retried:.1%} |"
        )


if __name__ == "__main__":
    main()
