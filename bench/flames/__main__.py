"""Where the CPU of a request goes, by operation: flame graphs and a table by part, of this tree and of an older one.

    git worktree add /elsewhere COMMIT
    python -m bench.flames [--before /elsewhere/src] [--rounds 5] [--seconds 2] [--only refresh …] [--record]

py-spy looks at one worker under load, 250 times a second. Both trees run in turn; medians of CPU. PostgreSQL has the load
generator's core: what gives the worker's own to another process would be seen waiting for it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench import tables
from bench.compare import LOAD_CORE, ROOT, SERVER_CORE, script_of
from bench.flames import drawing, stacks
from bench.flames.parts import PARTS
from bench.load import load, need_wrk
from bench.postgres import Cluster
from bench.server import Server
from bench.systems import ES256, EXCHANGE, INTROSPECTION, OPAQUE, REFRESH, REVOCATION, Running, read_material

ON_SQLITE = (OPAQUE, ES256, EXCHANGE, REFRESH, INTROSPECTION, REVOCATION)
ON_POSTGRES = (REFRESH, INTROSPECTION)
PICTURES = ROOT / "docs" / "images" / "flames"
DOCUMENT = ROOT / "docs" / "explanation" / "performance.md"
BEGIN, END = "<!-- begin: bench.flames -->", "<!-- end: bench.flames -->"
ELSEWHERE = " on PostgreSQL, the worker alone"
_CONNECTIONS = 32
_ONCE_PER_SECOND = 2_500
"""Codes and refresh tokens to revoke that a second may use up."""
_SAMPLES_PER_SECOND = 250


@dataclass
class Side:
    """One server that is looked at, and what was seen of each operation."""

    name: str
    there: Running
    server: int
    seen: dict[str, list[stacks.Stacks]] = field(default_factory=dict)


def main() -> None:
    chosen = _options()
    os.environ.setdefault("GRANTWAY_WRITER", "thread")  # not what the disk is like when each side starts
    need_wrk()
    with tempfile.TemporaryDirectory(prefix="grantway-flames-") as folder, ExitStack() as stack:
        Path(folder).chmod(0o755)  # PostgreSQL runs as somebody else
        here = ROOT / "src"
        trees = [("before", chosen.before), ("after", here)] if chosen.before else [("after", here)]
        on_sqlite = [stack.enter_context(_side(name, src, Path(folder) / name, chosen)) for name, src in trees]
        told = [_look_at(operation, on_sqlite, chosen) for operation in ON_SQLITE if operation in chosen.only]
        if operations := [operation for operation in ON_POSTGRES if operation in chosen.only]:
            cluster = stack.enter_context(Cluster(Path(folder) / "postgres", LOAD_CORE))
            side = stack.enter_context(_side("after", here, Path(folder) / "on-postgres", chosen, cluster.url))
            told += [_look_at(operation, [side], chosen, ELSEWHERE) for operation in operations]
    table = _table(told)
    print(table)
    if chosen.record:
        tables.record(table, DOCUMENT, BEGIN, END)


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(
        prog="bench.flames", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--before", type=Path, help="src of an older tree")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=2, help="of each run")
    options.add_argument("--only", nargs="+", default=ON_SQLITE, choices=ON_SQLITE, metavar="OPERATION")
    options.add_argument("--record", action="store_true", help="write pictures and table into the documentation")
    return options.parse_args()


@contextmanager
def _side(
    name: str, source: Path, folder: Path, chosen: argparse.Namespace, database: str | None = None
) -> Iterator[Side]:
    folder.mkdir()
    once = int(_ONCE_PER_SECOND * (chosen.rounds * chosen.seconds + 1))
    amounts = [once if EXCHANGE in chosen.only else 0, 2_000, 500, once if REVOCATION in chosen.only else 0]
    if database is not None:
        amounts = [0, 2_000, 500, 0]
    environment = {**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{ROOT}"}
    if database is not None:
        environment["GRANTWAY_DATABASE"] = database
    subprocess.run(
        [sys.executable, "-m", "bench.flames.filling", str(folder), *map(str, amounts)], check=True, env=environment
    )
    with Server(folder, 1, database=database, cores=SERVER_CORE, source=source) as server:
        (worker,) = server.processes()
        _favour(worker)
        yield Side(name, Running(server.url, (server.pid,), read_material(folder)), worker)


def _favour(pid: int) -> None:
    """On a busy machine a thread that was woken waits for its core, and is seen where it waited: in the loop."""
    with suppress(PermissionError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            os.setpriority(os.PRIO_PROCESS, int(task.name), -15)


def _look_at(
    operation: str, sides: Sequence[Side], chosen: argparse.Namespace, where: str = ""
) -> tuple[str, list[Side]]:
    for turn in range(chosen.rounds + 1):
        for side in sides:
            _run(operation, side, turn, chosen)
    graphs = [(side.name, stacks.tree(stacks.typical(side.seen[operation]), operation)) for side in sides]
    print(f"{operation}{where}: {', '.join(f'{name} {root.cpu:.0f} µs' for name, root in graphs)}", flush=True)
    if chosen.record:
        PICTURES.mkdir(parents=True, exist_ok=True)
        file = f"{operation}{' postgres' if where else ''}".lower().replace(" ", "-").replace("_", "-")
        (PICTURES / f"{file}.svg").write_text(drawing.draw(f"{operation}{where}, CPU of one request", graphs))
    return f"{operation}{where}", list(sides)


def _run(operation: str, side: Side, turn: int, chosen: argparse.Namespace) -> None:
    """Load one side once. The first turn warms."""
    script = script_of(side.there, operation, turn, chosen, 1)
    if script is None:
        raise SystemExit(f"There is no load for {operation}.")
    with tempfile.NamedTemporaryFile(suffix=".folded") as file:
        spy = _spy(side.server, file.name) if turn else None
        before = _cpu(side.server)
        came = load(
            side.there.url, *script, seconds=chosen.seconds if turn else 1, connections=_CONNECTIONS, cores=LOAD_CORE
        )
        used = {thread: cpu - before.get(thread, 0) for thread, cpu in _cpu(side.server).items()}
        if spy is None:
            return
        spy.send_signal(signal.SIGINT)
        if spy.wait(30) != 0:
            raise SystemExit("py-spy could not look: it needs to be root, or kernel.yama.ptrace_scope=0.")
        if came.refused or not came.answered:
            raise SystemExit(f"{operation}: {came.refused} of {came.requests} were refused.")
        each = {thread: cpu / came.answered for thread, cpu in used.items()}
        side.seen.setdefault(operation, []).append(stacks.read(Path(file.name).read_text(), each))


def _cpu(pid: int) -> dict[int, float]:
    """Microseconds of CPU that each thread of a process has taken so far."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {int(task.name): int((task / "schedstat").read_text().split()[0]) / 1e3 for task in tasks}


def _spy(pid: int, file: str) -> subprocess.Popen[bytes]:
    found = Path(sys.executable).with_name("py-spy")
    program = str(found) if found.exists() else shutil.which("py-spy")
    if program is None:
        raise SystemExit("Stacks are seen by py-spy, which is not here: make setup.")
    return subprocess.Popen(
        [
            program, "record", "--pid", str(pid), "--duration", "600", "--rate",
            str(_SAMPLES_PER_SECOND), "--threads", "--format", "raw", "--output", file,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _table(told: Sequence[tuple[str, Sequence[Side]]]) -> str:
    """Microseconds of each part, before → after."""
    lines = [f"| CPU µs of a request | all | {' | '.join(PARTS)} |", "|---|---:|" + "---:|" * len(PARTS)]
    for said, sides in told:
        operation = said.partition(ELSEWHERE)[0]
        parts = [stacks.by_part(stacks.typical(side.seen[operation])) for side in sides]
        cells = [[sum(each.values()) for each in parts], *([each[part] for each in parts] for part in PARTS)]
        lines.append(f"| {said} | {' | '.join(' → '.join(f'{one:.0f}' for one in cell) for cell in cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
