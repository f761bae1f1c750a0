"""This server alone: requests per second, latencies, CPU and memory of one and two workers on SQLite, on both cores.

    python -m bench [--workers 1 2] [--seconds 5] [--rounds 3] [--only refresh introspection]

``make bench`` (bench.compare) puts it beside its peers.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.load import load, need_wrk
from bench.seed import REDIRECT_URI, VERIFIER, Seeded, seed
from bench.server import Server
from grantway.server.settings import Settings

OPERATIONS = ("client_credentials opaque", "client_credentials ES256", "introspection", "refresh", "code exchange")
CODES_PER_SECOND = 6_000
GRANTS = 4_000


@dataclass(frozen=True)
class Figures:
    """Per second, latencies in milliseconds, CPU of the server in microseconds per request, memory in MB."""

    operation: str
    workers: int
    per_second: float
    p50: float
    p99: float
    cpu: float
    memory: float
    refused: int


def main() -> None:
    options = argparse.ArgumentParser(
        prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options.add_argument("--seconds", type=float, default=5, help="of each run")
    options.add_argument("--rounds", type=int, default=3, help="runs of each operation; medians are shown")
    options.add_argument("--connections", type=int, default=32)
    options.add_argument("--only", nargs="+", default=OPERATIONS, metavar="OPERATION")
    options.add_argument("--json", type=Path, help="write all figures there, too")
    chosen = options.parse_args()
    need_wrk()
    figures: list[Figures] = []
    print(
        f"{platform.machine()}, Python {platform.python_version()}; wrk with {chosen.connections} connections beside it"
    )
    for workers in chosen.workers:
        figures += _measure(workers, chosen)
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(one) for one in figures], indent=1))


def _measure(workers: int, chosen: argparse.Namespace) -> list[Figures]:
    with tempfile.TemporaryDirectory(prefix="grantway-bench-") as folder:
        data = Path(folder)
        codes = int(CODES_PER_SECOND * chosen.seconds * chosen.rounds) if "code exchange" in chosen.only else 0
        seeded = seed(Settings(data=data), data, codes=codes, grants=GRANTS)
        with Server(data, workers) as server:
            print(
                f"\n{workers} worker{'s' if workers > 1 else ''}, answering {server.started_in:.2f} s after the command"
            )
            print(f"{'':28}{'per second':>12}{'p50 ms':>9}{'p99 ms':>9}{'CPU µs':>9}{'MB':>7}{'refused':>9}")
            return [one for operation in chosen.only for one in _rounds(server, operation, seeded, chosen)]


def _rounds(server: Server, operation: str, seeded: Seeded, chosen: argparse.Namespace) -> Iterable[Figures]:
    runs = [_run(server, operation, seeded, turn, chosen) for turn in range(chosen.rounds)]
    median = {
        name: statistics.median(getattr(one, name) for one in runs) for name in ("per_second", "p50", "p99", "cpu")
    }
    print(
        f"{operation:28}{median['per_second']:12,.0f}{median['p50']:9.2f}{median['p99']:9.2f}{median['cpu']:9.0f}"
        f"{runs[-1].memory:7.0f}{sum(one.refused for one in runs):9}"
    )
    return runs


def _run(server: Server, operation: str, seeded: Seeded, turn: int, chosen: argparse.Namespace) -> Figures:
    script = _script(operation, seeded, turn, chosen)
    before = server.cpu()
    came = load(server.url, *script, seconds=chosen.seconds, connections=chosen.connections)
    used = server.cpu() - before
    return Figures(
        operation,
        server.workers,
        per_second=came.per_second,
        p50=came.p50,
        p99=came.p99,
        cpu=used / max(1, came.requests) * 1e6,
        memory=server.memory(),
        refused=came.refused,
    )


def _script(operation: str, seeded: Seeded, turn: int, chosen: argparse.Namespace) -> tuple[str, ...]:
    """The load script of an operation and its arguments."""
    id_, secret = seeded.jwt if operation.endswith("ES256") else seeded.opaque
    if operation.startswith("client_credentials"):
        return "same.lua", "/token", id_, secret, "grant_type=client_credentials&scope=contacts:read"
    if operation == "introspection":
        return "each.lua", "/introspect", id_, secret, str(seeded.access_tokens), "token=", ""
    if operation == "refresh":
        return "refresh.lua", "/token", id_, secret, str(_share(seeded.refresh_tokens, turn, chosen.rounds))
    rest = f"&redirect_uri={REDIRECT_URI}&code_verifier={VERIFIER}"
    return (
        "each.lua", "/token", id_, secret, str(_share(seeded.codes, turn, chosen.rounds)),
        "grant_type=authorization_code&code=", rest, "once",
    )  # fmt: skip


def _share(file: Path, turn: int, rounds: int) -> Path:
    """The part of the tokens that is this round's: a token that was used is not used again."""
    tokens = file.read_text().split()
    size = len(tokens) // rounds
    share = file.with_name(f"{file.name}-{turn}")
    share.write_text("\n".join(tokens[turn * size : (turn + 1) * size]) + "\n")
    return share


if __name__ == "__main__":
    main()
