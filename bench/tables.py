"""What was measured, as Markdown: it is printed, and put into the documentation between two marks."""

from __future__ import annotations

import platform
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Cells, Verdict, verdicts
from bench.race import Outcome
from bench.systems import System

BEGIN, END = "<!-- begin: make bench -->", "<!-- end: make bench -->"


@dataclass(frozen=True)
class Method:
    rounds: int
    seconds: float


def write(
    systems: Sequence[System],
    operations: Sequence[str],
    cells: Cells,
    raced: Mapping[str, Counter[Outcome]],
    memory: Mapping[str, int],
    method: Method,
) -> str:
    parts = [
        _described(method),
        _per_cpu_second(systems, operations, cells, memory),
        _aims(systems, cells),
        _raced(systems, raced),
        _details(systems, operations, cells),
    ]
    return "\n\n".join(part for part in parts if part)


def record(text: str, document: Path, first: str = BEGIN, last: str = END) -> None:
    """Put the tables between the marks of the document."""
    said = document.read_text()
    before, begin, rest = said.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise SystemExit(f"{document.name} has no place for the tables: {first} … {last}")
    document.write_text(f"{before}{first}\n\n{text}\n\n{last}{after}")


def machine() -> str:
    """This machine in a few words."""
    facts = dict(_pairs(Path("/proc/cpuinfo").read_text()))
    memory = int(dict(_pairs(Path("/proc/meminfo").read_text()))["MemTotal"].split()[0]) / 1024**2
    cores = Path("/proc/cpuinfo").read_text().count("processor\t")
    name = facts.get("model name", platform.machine())
    return (
        f"{cores} cores ({name}), {memory:.0f} GB, Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def _described(method: Method) -> str:
    return (
        f"{datetime.now(UTC):%d %B %Y}, {machine()}. 32 kept-alive connections from wrk on one core; each system with all "
        f"its processes, databases included, on the other. Medians of {method.rounds} runs of {method.seconds:g} s each, in turn "
        "over all systems, after one that warms and is not counted (1 s; Keycloak's JVM 5 s)."
    )


def _per_cpu_second(
    systems: Sequence[System], operations: Sequence[str], cells: Cells, memory: Mapping[str, int]
) -> str:
    rows = [
        [
            _named(system),
            system.durability,
            *(_number(cells[system.key, each].per_cpu_second) if (system.key, each) in cells else "—" for each in operations),
            str(memory.get(system.key, 0)),
        ]
        for system in systems
    ]  # fmt: skip
    head = ["requests per CPU-second", "what a restart finds", *operations, "MB"]
    return table(head, rows, left=2)


def _aims(systems: Sequence[System], cells: Cells) -> str:
    """A row for each operation and aim; ours in columns."""
    names = {system.key: f"{system.peer}, {system.setup}" for system in systems}
    found = verdicts(cells, systems)
    ours = list(dict.fromkeys(each.ours for each in found))
    by_row = {
        (each.operation, each.theirs): {other.ours: other for other in found if _row(other) == _row(each)}
        for each in found
    }
    rows = [
        [operation, names[theirs], *(_told(held.get(key)) for key in ours)]
        for (operation, theirs), held in by_row.items()
    ]
    return table(["times theirs", "aimed at", *(names[key] for key in ours)], rows, left=2) if rows else ""


def _row(verdict: Verdict) -> tuple[str, str]:
    return verdict.operation, verdict.theirs


def _told(verdict: Verdict | None) -> str:
    if verdict is None:
        return "—"
    return f"{verdict.ratio:.1f} of {verdict.times:g}{'' if verdict.holds else ' **missed**'}"


def _raced(systems: Sequence[System], raced: Mapping[str, Counter[Outcome]]) -> str:
    rows = [
        [_named(system), "; ".join(f"{outcome} ({times} ×)" for outcome, times in raced[system.key].most_common())]
        for system in systems
        if raced.get(system.key)
    ]
    return table(["ten requests with one refresh token at once", "outcome, and how often"], rows, left=2)


def _details(systems: Sequence[System], operations: Sequence[str], cells: Cells) -> str:
    rows = []
    for operation in operations:
        for system in systems:
            found = cells.get((system.key, operation))
            if found is not None:
                rows.append(
                    [
                        operation, f"{system.peer}, {system.setup}", _number(found.per_second), f"{found.p50:.1f}",
                        f"{found.p99:.1f}", _number(found.cpu), f"{found.spread:.2f}", _number(found.refused),
                    ]
                )  # fmt: skip
    head = ["", "", "per second", "p50 ms", "p99 ms", "CPU µs", "largest over smallest", "refused"]
    return table(head, rows, left=2)


def _named(system: System) -> str:
    return f"{system.peer} {system.version}".strip() + f", {system.setup}{' (its fastest)' if system.fastest else ''}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}" if value else "0"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int) -> str:
    lines = ["---" if column < left else "---:" for column in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, lines, *rows))


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip(), value.strip()
