"""Metrics as Prometheus reads them (text format 0.0.4)."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from grantway import __version__
from grantway.server.metrics.counting import BOUNDS, Cell, Metrics
from grantway.server.storage.port import Census

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[tuple[str, str], ...]


def exposition(metrics: Metrics, gauges: Iterable[Mapping[str, Any]], census: Census) -> bytes:
    """All of it. ``gauges`` are those of each process; what one that ended has counted stays counted."""
    per_process = list(gauges)
    alive = [each for each in per_process if each["alive"]]
    families = [
        *_answered(metrics),
        *_counted(metrics),
        _family("grantway_storage_groups_total", "counter", "Transactions committed.", _sum(per_process, "groups")),
        _family("grantway_storage_jobs_total", "counter", "What was done in them.", _sum(per_process, "jobs")),
        _family("grantway_storage_waiting", "gauge", "Jobs that wait for a transaction.", _sum(alive, "waiting")),
        _family(
            "grantway_storage_log_bytes",
            "gauge",
            "Size of the write-ahead log.",
            [((), max(each["log_bytes"] for each in alive))],
        ),
        _family("grantway_connections", "gauge", "Connections that are not removed.", [((), census.connections)]),
        _family(
            "grantway_notices",
            "gauge",
            "Notices in the outbox.",
            [((("state", "waiting"),), census.notices_waiting), ((("state", "dead"),), census.notices_dead)],
        ),
        _family("grantway_workers", "gauge", "Server processes.", [((), len(alive))]),
        _family(
            "grantway_build_info",
            "gauge",
            "The release that runs.",
            [((("version", __version__), ("python", platform.python_version())), 1)],
        ),
    ]
    return "".join(families).encode()


def _answered(metrics: Metrics) -> Iterator[str]:
    requests: Counter[Labels] = Counter()
    decisions: Counter[Labels] = Counter()
    by_route: dict[str, Cell] = {}
    for (route, status, reason), cell in metrics.answers.items():
        requests[("route", route), ("status", f"{status // 100}xx")] += cell.count
        decisions[("route", route), ("reason", reason)] += cell.count
        by_route.setdefault(route, Cell()).add(cell)
    yield _family("grantway_requests_total", "counter", "Requests answered.", requests.items())
    yield _family("grantway_decisions_total", "counter", "Why they were answered so.", decisions.items())
    yield _histogram("grantway_request_duration_seconds", "How long answering took.", by_route)


def _counted(metrics: Metrics) -> Iterator[str]:
    names = {
        "tokens": ("grantway_tokens_total", "Access tokens made.", ("grant_type", "format")),
        "deliveries": ("grantway_deliveries_total", "Attempts to deliver a notice.", ("kind", "outcome")),
        "connections": ("grantway_connection_changes_total", "Connections made.", ("change",)),
        "audited": ("grantway_audited_total", "Audit entries written.", ("action",)),
    }
    for what, (name, told, labels) in names.items():
        found = [
            (tuple(zip(labels, key[1:], strict=False)), count)
            for key, count in metrics.counts.items()
            if key[0] == what
        ]
        yield _family(name, "counter", told, found)


def _sum(gauges: list[Mapping[str, Any]], name: str) -> list[tuple[Labels, float]]:
    return [((), sum(each[name] for each in gauges))]


def _histogram(name: str, told: str, by_route: Mapping[str, Cell]) -> str:
    lines = _head(name, "histogram", told)
    for route, cell in sorted(by_route.items()):
        so_far = 0
        for bound, count in zip((*BOUNDS, None), cell.buckets, strict=True):
            so_far += count
            below = "+Inf" if bound is None else f"{bound / 1000:g}"
            lines += _line(f"{name}_bucket", (("route", route), ("le", below)), so_far)
        lines += _line(f"{name}_sum", (("route", route),), cell.ms / 1000)
        lines += _line(f"{name}_count", (("route", route),), cell.count)
    return lines


def _family(name: str, kind: str, told: str, samples: Iterable[tuple[Labels, float]]) -> str:
    return _head(name, kind, told) + "".join(_line(name, labels, value) for labels, value in sorted(samples))


def _head(name: str, kind: str, told: str) -> str:
    return f"# HELP {name} {told}\n# TYPE {name} {kind}\n"


def _line(name: str, labels: Labels, value: float) -> str:
    inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
    return f"{name}{{{inside}}} {value:.15g}\n" if inside else f"{name} {value:.15g}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
