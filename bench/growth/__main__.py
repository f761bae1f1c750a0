"""``make bench-growth``: how a database grows with its use and its connections, and what that costs a request, on both engines.

    python -m bench.growth [--on sqlite postgres] [--refreshes 10000x1000 1000000x10] [--reauthorizations 300]
                           [--populations 1000 1000000 10000000] [--days 30] [--seconds 5] [--rounds 3] [--folder DIRECTORY]

For each engine: one person authorizes again and again; then one database grows from size to size. At each size that is named it is
refreshed so many times over, or asked over HTTP, whole and, at the largest, from a cold disk; at last the house's own work is timed.
Needs 25 GB of disk and hours for all of it. What is printed is Markdown.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench.growth import reauthorizing
from bench.growth.installation import Backend, Installation
from bench.growth.postgres import PostgresBackend, on_postgres
from bench.growth.refreshes import Run, refresh, use_daily
from bench.growth.requests import Figures, Method, measure
from bench.growth.sizes import Size, beside, total
from bench.growth.sqlite import on_sqlite
from bench.growth.upkeep import look_after, scans
from bench.load import need_wrk
from bench.tables import machine

ENGINES: dict[str, Callable[[Path], AbstractContextManager[Backend]]] = {"sqlite": on_sqlite, "postgres": on_postgres}


def main() -> None:
    options = argparse.ArgumentParser(
        prog="bench.growth", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--on", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    options.add_argument("--refreshes", nargs="*", type=_product, default=[(10_000, 1000), (1_000_000, 10)])
    options.add_argument("--populations", nargs="*", type=int, default=[1_000, 1_000_000, 10_000_000])
    options.add_argument("--reauthorizations", type=int, default=300)
    options.add_argument(
        "--days", type=int, default=30, help="on which the fewest connections are used, one after the other"
    )
    options.add_argument("--seconds", type=float, default=5, help="of each run of wrk")
    options.add_argument("--rounds", type=int, default=3, help="runs of wrk; medians are shown")
    options.add_argument("--folder", type=Path, help="where the databases are made; left out, where temporary files go")
    chosen = options.parse_args()
    need_wrk()
    print(f"{datetime.now(UTC):%d %B %Y, %H:%M} UTC, {machine()}\n")
    for engine in chosen.on:
        began = time.monotonic()
        if chosen.reauthorizations:
            with _backend(engine, chosen.folder) as backend:
                _reauthorize(backend, chosen.reauthorizations)
        if chosen.refreshes or chosen.populations:
            with _backend(engine, chosen.folder) as backend:
                _grow(backend, chosen)
        print(f"All of it on {engine}: {(time.monotonic() - began) / 60:.0f} minutes.\n", flush=True)


def _product(text: str) -> tuple[int, int]:
    connections, times = text.split("x")
    return int(connections), int(times)


@contextmanager
def _backend(engine: str, folder: Path | None) -> Iterator[Backend]:
    """The engine on an empty directory, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="grantway-bench-", dir=folder) as made:
        Path(made).chmod(0o755)  # PostgreSQL runs as somebody else
        with ENGINES[engine](Path(made)) as backend:
            yield backend


def _reauthorize(backend: Backend, times: int) -> None:
    run = reauthorizing.reauthorize(backend, times)
    print(f"### {backend.name}: one person authorizes {times} times again\n")
    moments = (("before", run.before), ("after", run.after), ("a month later, swept", run.swept))
    print(beside(moments), end="\n\n", flush=True)


def _grow(backend: Backend, chosen: argparse.Namespace) -> None:
    installation = Installation.on(backend)
    empty = total(backend.sizes())
    method = Method(chosen.rounds, chosen.seconds)
    asked: list[tuple[str, Figures]] = []
    for size in sorted({connections for connections, _ in chosen.refreshes} | set(chosen.populations)):
        before = len(installation.generations)
        took = installation.grow(size)
        sizes = backend.sizes()
        print(f"### {backend.name}: {size:,} connections\n")
        print(
            f"{size - before:,} written in {took:.0f} s; {total(sizes) / 1e6:,.0f} MB, "
            f"{(total(sizes) - empty) / size:,.0f} bytes per connection, of which its grant "
            f"{(sizes['grants'].table + sizes['grants'].indexes) / size:,.0f} and it itself "
            f"{(sizes['connections'].table + sizes['connections'].indexes) / size:,.0f}\n",
            flush=True,
        )
        for connections, times in chosen.refreshes:
            if connections == size:
                run = refresh(installation, connections, times)
                _tell(f"{connections:,} connections × {times:,} refreshes", run)
        if chosen.days and size == min((each for each, _ in chosen.refreshes), default=0):
            run = use_daily(installation, size, chosen.days)
            _tell(f"{size:,} connections, the first use of {chosen.days} days", run)
        if size in chosen.populations:
            asked += [(f"{size:,}", each) for each in measure(installation, method)]
            if size == max(chosen.populations):
                asked += [(f"{size:,}, cold", each) for each in measure(installation, method, cold=True)]
            _show(asked)
    _look_after(installation)


def _tell(what: str, run: Run) -> None:
    print(
        f"{what}: {run.seconds:.0f} s, {run.done / run.seconds:,.0f}/s, "
        f"{run.cpu / run.done * 1e6:.0f} µs of CPU each, log of {run.log_bytes / 1e6:.0f} MB at most"
    )
    for name, size in run.after.items():
        was = run.before.get(name, Size(0, 0, 0))
        if size.updates - was.updates >= run.done:
            share = (size.heap_only - was.heap_only) / (size.updates - was.updates)
            print(f"{size.updates - was.updates:,} updates of {name}, {share:.2%} of them heap-only")
    moments = (("before", run.before), ("after", run.after), ("after vacuum", run.vacuumed))
    print(f"\n{beside(moments)}\n", flush=True)


def _show(asked: Sequence[tuple[str, Figures]]) -> None:
    print("| grants | | per second | p50 ms | p99 ms | CPU µs | refused |\n|---:|---|---:|---:|---:|---:|---:|")
    for size, each in asked:
        print(
            f"| {size} | {each.operation} | {each.per_second:,.0f} | {each.p50:.1f} | {each.p99:.1f} | {each.cpu:.0f} | "
            f"{each.refused} |"
        )
    print(flush=True)


def _look_after(installation: Installation) -> None:
    backend = installation.backend
    print(f"### {backend.name}: the house's own work at {len(installation.generations):,} grants\n")
    if isinstance(backend, PostgresBackend):
        with scans(backend) as found:
            _timed(installation)
        print(f"\nRead at length: {'; '.join(found) or 'nothing'}\n", flush=True)
    else:
        _timed(installation)


def _timed(installation: Installation) -> None:
    print("| | median ms | longest ms |\n|---|---:|---:|")
    for what, median, longest in look_after(installation):
        print(f"| {what} | {median:.1f} | {longest:.1f} |", flush=True)
    print()


if __name__ == "__main__":
    main()
