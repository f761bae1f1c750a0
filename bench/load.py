"""One operation under load: wrk, one thread, a fixed time, and what came back."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parent / "lua"


@dataclass(frozen=True)
class Load:
    """What wrk saw. ``refused`` counts answers other than 200 and errors; latencies are in milliseconds.

    ``seconds`` end with the last answer: a script whose tokens are used up stops before its time.
    """

    requests: int
    refused: int
    seconds: float
    p50: float
    p99: float

    @property
    def answered(self) -> int:
        return self.requests - self.refused

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds if self.seconds else 0


def need_wrk() -> None:
    if shutil.which("wrk") is None:
        raise SystemExit("The load comes from wrk, which is not here; on Debian: apt-get install wrk.")


def load(
    url: str, script: str, *args: str, seconds: float, connections: int, cores: str | None = None, patience: int = 30
) -> Load:
    """Load one address. The arguments are the script's."""
    pinned = ["taskset", "--cpu-list", cores] if cores is not None and shutil.which("taskset") else []
    done = subprocess.run(
        [
            *pinned, "wrk", "-t1", f"-c{connections}", f"-d{round(seconds)}s", "--timeout", f"{patience}s",
            "-s", str(SCRIPTS / script), url, "--", *args,
        ],
        check=True,
        capture_output=True,
        text=True,
    )  # fmt: skip
    said = json.loads(done.stdout.rpartition("RESULT ")[2].splitlines()[0])
    return Load(**said)
