"""The server under load: started as anybody would start it, and what it takes of CPU and memory."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from typing_extensions import override

from bench import processes
from bench.processes import Program, answers, free_port


class Server(Program):
    """``grantway serve`` on a free loopback port; a context manager."""

    def __init__(
        self,
        data: Path,
        workers: int,
        *,
        database: str | None = None,
        cores: str | None = None,
        source: Path | None = None,
    ) -> None:
        """``source``: where ``grantway`` is imported from, if not from where everybody does."""
        self.workers = workers
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(
            [
                Path(sys.executable).with_name("grantway"), "serve",
                "--port", str(self.port), "--data", data, "--workers", str(workers),
            ],
            data / "bench.log",
            ready=lambda: answers(f"{self.url}/jwks.json"),
            env={
                **({"GRANTWAY_DATABASE": database} if database else {}),
                **({"PYTHONPATH": str(source)} if source else {}),
            },
            cores=cores,
        )  # fmt: skip

    @override
    def _wait(self) -> None:
        super()._wait()
        # The first worker answers; measured is when all of them do.
        time.sleep(0.5 * self.workers)

    def processes(self) -> list[int]:
        """The server's processes that do the work: the workers, or the only one."""
        working = [pid for pid in processes.tree(self.pid) if pid != self.pid]
        return working or [self.pid]

    def cpu(self) -> float:
        """Seconds of CPU that all processes of the server have taken so far."""
        return processes.cpu(self.pid)

    def memory(self) -> float:
        """Megabytes resident in the largest worker."""
        return max(
            int(line.split()[1]) / 1024
            for pid in self.processes()
            for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            if line.startswith("VmRSS")
        )
