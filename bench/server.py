"""The server under load: started as anybody would start it, and what it takes of CPU and memory."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType

_TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """``grantway serve`` on a free loopback port; a context manager."""

    def __init__(self, data: Path, workers: int) -> None:
        self.workers = workers
        self._data = data
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Server:
        self._log = (self._data / "bench.log").open("wb")
        command = [
            str(Path(sys.executable).with_name("grantway")), "serve",
            "--port", str(self.port), "--data", str(self._data), "--workers", str(self.workers),
        ]  # fmt: skip
        began = time.monotonic()
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log, start_new_session=True)
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/jwks.json", timeout=1):
                    self.started_in = time.monotonic() - began
                    break
            except OSError:
                if self._process.poll() is not None or time.monotonic() - began > 20:
                    raise SystemExit(self.log()[-2000:]) from None
                time.sleep(0.01)
        # The first worker answers; measured is when all of them do.
        time.sleep(0.5 * self.workers)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._log.close()

    def log(self) -> str:
        """What it has said so far."""
        return (self._data / "bench.log").read_text()

    def processes(self) -> list[int]:
        """The server's processes that do the work: the workers, or the only one."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        working = [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
        return working or [self._process.pid]

    def cpu(self) -> float:
        """Seconds of CPU that all working processes have taken so far."""
        total = 0
        for pid in self.processes():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / _TICKS

    def memory(self) -> float:
        """Megabytes resident in the largest worker."""
        return max(
            int(line.split()[1]) / 1024
            for pid in self.processes()
            for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            if line.startswith("VmRSS")
        )
