"""The arithmetic of the comparison: medians of runs, ratios to peers, and which aims hold."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.systems import ES256, INTROSPECTION, OPAQUE, OPERATIONS, REFRESH, System


@dataclass(frozen=True)
class Run:
    """One run of one operation. CPU is of all processes of the system, in seconds; latencies are in milliseconds."""

    system: str
    operation: str
    answered: int
    refused: int
    seconds: float
    cpu: float
    p50: float
    p99: float


@dataclass(frozen=True)
class Cell:
    """The medians of the runs of one system and operation. ``cpu`` is in microseconds a request."""

    per_second: float
    per_cpu_second: float
    cpu: float
    p50: float
    p99: float
    refused: int
    spread: float
    """Of requests per CPU-second: the largest of the runs over the smallest."""


@dataclass(frozen=True)
class Aim:
    """So many times the best figure of a peer's configurations, in requests per CPU-second."""

    peer: str
    times: float
    operations: tuple[str, ...] = OPERATIONS
    of: str | None = None
    """The peer's configuration, if not the best of them in each operation."""
    ours: tuple[str, ...] = ("grantway-sqlite", "grantway-postgres")


ON_SQLITE, ON_POSTGRES = ("grantway-sqlite",), ("grantway-postgres",)
AIMS = (
    Aim("oidc-provider", 2, (OPAQUE, ES256), "oidc-provider-memory"),
    Aim("oidc-provider", 3, (REFRESH,), "oidc-provider-memory"),
    Aim("oidc-provider", 3, (INTROSPECTION,), "oidc-provider-memory", ON_SQLITE),
    Aim("oidc-provider", 2, (INTROSPECTION,), "oidc-provider-memory", ON_POSTGRES),
    Aim("Authlib", 8),
    Aim("django-oauth-toolkit", 20),
    Aim("Ory Hydra", 5),
    Aim("Keycloak", 5),
)

Cells = Mapping[tuple[str, str], Cell]


def cell(runs: Iterable[Run]) -> Cell | None:
    """The medians; nothing if nothing was ever answered. A request that was refused costs, and counts for nothing."""
    counted = [run for run in runs if run.answered]
    if not counted:
        return None
    rates = [run.answered / max(run.cpu, 0.01) for run in counted]
    per_cpu_second = statistics.median(rates)
    return Cell(
        per_second=statistics.median(run.answered / run.seconds for run in counted),
        per_cpu_second=per_cpu_second,
        cpu=1e6 / per_cpu_second,
        p50=statistics.median(run.p50 for run in counted),
        p99=statistics.median(run.p99 for run in counted),
        refused=sum(run.refused for run in counted),
        spread=max(rates) / min(rates),
    )


@dataclass(frozen=True)
class Verdict:
    """What came of one aim in one operation."""

    operation: str
    ours: str
    theirs: str
    ratio: float
    times: float

    @property
    def holds(self) -> bool:
        return self.ratio >= self.times


def verdicts(cells: Cells, systems: Iterable[System]) -> list[Verdict]:
    """Every aim of which both sides were measured."""
    found: list[Verdict] = []
    by_peer: dict[str, list[str]] = {}
    for system in systems:
        by_peer.setdefault(system.peer, []).append(system.key)
    for aim in AIMS:
        candidates = [aim.of] if aim.of is not None else by_peer.get(aim.peer, [])
        for operation in aim.operations:
            theirs = {key: cells[key, operation].per_cpu_second for key in candidates if (key, operation) in cells}
            for ours in aim.ours:
                if theirs and (ours, operation) in cells:
                    best = max(theirs, key=theirs.__getitem__)
                    ratio = cells[ours, operation].per_cpu_second / theirs[best]
                    found.append(Verdict(operation, ours, best, ratio, aim.times))
    return found
