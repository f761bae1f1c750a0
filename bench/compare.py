"""``make bench``: this server and its peers in one run on this machine, the same operations by the same load.

    python -m bench.compare [--quick] [--systems KEY …] [--operations NAME …] [--rounds 5] [--seconds 1] [--record]

Every system has its servers, databases included, on one core; the load has another. All systems run at once and are
loaded in turn: a round is every operation on every system, A B C … before the next operation. The first round warms and
is not counted. ``--record`` puts the tables into docs/explanation/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from bench import ours, peers, processes, tables
from bench.check import check
from bench.figures import Run, cell
from bench.load import load, need_wrk
from bench.race import Outcome, races
from bench.systems import (
    EXCHANGE,
    INTROSPECTION,
    OPERATIONS,
    REFRESH,
    REVOCATION,
    Amounts,
    Caller,
    Missing,
    Running,
    System,
)

CONNECTIONS = 32
LOAD_CORE, SERVER_CORE = "0", "1"
SYSTEMS = (*ours.SYSTEMS, *peers.SYSTEMS)
ROOT = Path(__file__).parents[1]


def main() -> None:
    chosen = _options()
    need_wrk()
    if (os.cpu_count() or 1) < 2:
        raise SystemExit("The load and the servers need a core each.")
    began = time.monotonic()
    systems = [system for system in SYSTEMS if not chosen.systems or system.key in chosen.systems]
    runs: list[Run] = []
    raced: dict[str, Counter[Outcome]] = {}
    memory: Counter[str] = Counter()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="grantway-bench-")))
        folder.chmod(0o711)  # PostgreSQL's own user has to find its folder
        running = _start(stack, folder, systems, chosen)
        for turn in range(chosen.rounds + 1):
            print(f"{time.monotonic() - began:5.0f} s  round {turn} of {chosen.rounds}", flush=True)
            for operation in chosen.operations:
                for system, there in running.items():
                    run = _measure(system, there, operation, turn, chosen)
                    memory[system.key] = max(memory[system.key], round(processes.memory(*there.roots)))
                    if run is not None and turn:
                        runs.append(run)
        for system, there in running.items():
            raced[system.key] = races(there)
            processes.rest(*there.roots)
    seen = [system for system in systems if system in running]
    cells = {
        (system.key, operation): found
        for system in seen
        for operation in chosen.operations
        if (found := cell(run for run in runs if (run.system, run.operation) == (system.key, operation))) is not None
    }
    text = tables.write(seen, chosen.operations, cells, raced, memory, tables.Method(chosen.rounds, chosen.seconds))
    print(f"\n{text}\n{time.monotonic() - began:.0f} seconds")
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(run) for run in runs], indent=1))
    if chosen.record:
        tables.record(text, ROOT / "docs" / "explanation" / "performance.md")


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(
        prog="bench.compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--systems", nargs="+", choices=[system.key for system in SYSTEMS], metavar="KEY")
    options.add_argument("--operations", nargs="+", default=OPERATIONS, choices=OPERATIONS, metavar="NAME")
    options.add_argument("--rounds", type=int, default=5, help="of which medians are shown")
    options.add_argument("--seconds", type=float, default=1, help="of each run")
    options.add_argument("--quick", action="store_true", help="one round of a second each, to see that all of it works")
    options.add_argument("--record", action="store_true", help="write the tables into the documentation")
    options.add_argument("--json", type=Path, help="write all runs there")
    chosen = options.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.seconds = 1, 1.0
    return chosen


def _start(stack: ExitStack, folder: Path, systems: list[System], chosen: argparse.Namespace) -> dict[System, Running]:
    running: dict[System, Running] = {}
    for system in systems:
        began, own = time.monotonic(), folder / system.key
        own.mkdir()
        try:
            there = stack.enter_context(system.start(own, _amounts(system, chosen), SERVER_CORE))
            check(there, chosen.operations)
        except (Missing, processes.DidNotStart) as missing:
            print(f"Without {system.peer} ({system.setup}): {missing}", flush=True)
            continue
        running[system] = there
        print(f"{system.peer}, {system.setup}: filled and started in {time.monotonic() - began:.1f} s", flush=True)
    return running


def _amounts(system: System, chosen: argparse.Namespace) -> Amounts:
    seconds = (system.warm + chosen.rounds * chosen.seconds) * system.stretch

    def used(operation: str) -> int:
        return round(system.rates[operation] * seconds) if operation in chosen.operations else 0

    grants = system.pool * (chosen.rounds + 1)
    return Amounts(used(EXCHANGE), grants, system.pool, used(REVOCATION))


def _measure(system: System, there: Running, operation: str, turn: int, chosen: argparse.Namespace) -> Run | None:
    """One run; nothing if the system does not do this. The first turn warms."""
    script = script_of(there, operation, turn, chosen, system.warm)
    if script is None:
        return None
    seconds = (chosen.seconds if turn else system.warm) * system.stretch
    before = processes.cpu(*there.roots)
    came = load(there.address(operation), *script, seconds=seconds, connections=CONNECTIONS, cores=LOAD_CORE)
    used = processes.cpu(*there.roots) - before
    processes.rest(*there.roots)
    return Run(system.key, operation, came.answered, came.refused, came.seconds, used, came.p50, came.p99)


def script_of(
    there: Running, operation: str, turn: int, chosen: argparse.Namespace, warm: float
) -> tuple[str, ...] | None:
    """The load script of an operation and its arguments."""
    material = there.material
    user = material.user

    def each(path: str | None, name: str, before: str, after: str = "", once: str = "once") -> tuple[str, ...] | None:
        if path is None:
            return None
        file = material.file(name) if once != "once" else _share(material.file(name), turn, chosen, warm)
        return "each.lua", path, user.id, user.secret, str(file), before, after, once

    if operation == EXCHANGE:
        return each(material.token, "codes", "grant_type=authorization_code&code=", material.exchange)
    if operation == REFRESH:
        # Each of them is used again and again: as many for the turn that warms as for any other.
        file = _share(material.file("refresh_tokens"), turn, chosen, chosen.seconds)
        return "refresh.lua", material.token, user.id, user.secret, str(file)
    if operation == INTROSPECTION:
        return each(material.introspection, "access_tokens", "token=", once="again")
    if operation == REVOCATION:
        return each(material.revocation, "revocable", "token=")
    caller: Caller | None = material.callers.get(operation)
    return None if caller is None else ("same.lua", material.token, caller.id, caller.secret, caller.body)


def _share(file: Path, turn: int, chosen: argparse.Namespace, warm: float) -> Path:
    """The part of the tokens that is this turn's: a token that was used is not used again. The first turn only warms."""
    tokens = file.read_text().split()
    first = round(len(tokens) * warm / (warm + chosen.rounds * chosen.seconds))
    size = (len(tokens) - first) // chosen.rounds
    start = first + (turn - 1) * size if turn else 0
    share = file.with_name(f"{file.name}-{turn}")
    share.write_text("".join(f"{token}\n" for token in tokens[start : start + size if turn else first]))
    return share


if __name__ == "__main__":
    main()
