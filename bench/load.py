"""One operation under load: wrk, one thread, a fixed time, and what came back."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.server import Server

SCRIPTS = Path(__file__).parent / "lua"


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


def run(server: Server, operation: str, script: str, *args: str, seconds: float, connections: int) -> Figures:
    """Load one operation. ``refused`` counts answers other than 200; they are not counted as done."""
    before = server.cpu()
    done = subprocess.run(
        [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{round(seconds)}s",
            "-s",
            str(SCRIPTS / script),
            server.url,
            "--",
            *args,
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    used = server.cpu() - before
    said = json.loads(done.stdout.rpartition("RESULT ")[2].splitlines()[0])
    answered = said["requests"] - said["refused"]
    return Figures(
        operation,
        server.workers,
        per_second=answered / said["seconds"],
        p50=said["p50"],
        p99=said["p99"],
        cpu=used / max(1, said["requests"]) * 1e6,
        memory=server.memory(),
        refused=said["refused"],
    )
