"""Python peers are served by gunicorn: workers as its documentation advises, and threads, as those alone keep alive."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.peers.setup import HERE, ROOT, run
from bench.processes import Program, answers, free_port
from bench.systems import Amounts

WORKERS = 3
"""Twice the cores, and one: of the one core that servers have here."""
THREADS = 4


def serve(
    bin_: Path, peer: str, application: str, folder: Path, env: Mapping[str, str], cores: str, *, threads: int = THREADS
) -> tuple[Program, str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    options = ["--workers", str(WORKERS), "--worker-class", "gthread", "--threads", str(threads), "--keep-alive", "60"]
    program = Program(
        [bin_ / "gunicorn", *options, "--bind", f"127.0.0.1:{port}", application],
        folder / "gunicorn.log",
        ready=lambda: answers(url),
        env={**env, "PYTHONPATH": f"{HERE / peer}:{ROOT}"},
        cores=cores,
        folder=folder,
    )
    return program, url


def prepare(bin_: Path, peer: str, folder: Path, env: Mapping[str, str], amounts: Amounts) -> None:
    """Let the peer's program fill its database and write what it made."""
    made = (amounts.codes, amounts.refresh_tokens, amounts.access_tokens, amounts.revocable, amounts.races)
    command: list[str | Path] = [bin_ / "python", HERE / peer / "program.py", folder, *map(str, made)]
    run(command, folder=folder, env={**env, "PYTHONPATH": f"{HERE / peer}:{ROOT}"})
