"""Programs under load: started on one core, waited for, and what all their processes take of CPU and memory."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")
_BUSY = 0.02
"""Seconds of CPU in a tenth of a second: who takes less is idle."""


class DidNotStart(SystemExit):
    """Said with the end of its log."""


class Program:
    """A program and all processes that it starts, on the given cores; a context manager. It has started once ``ready`` says so."""

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        *,
        ready: Callable[[], bool],
        env: Mapping[str, str] | None = None,
        cores: str | None = None,
        folder: Path | None = None,
        patience: float = 30,
        stop: signal.Signals = signal.SIGTERM,
    ) -> None:
        pinned = ["taskset", "--cpu-list", cores] if cores is not None and shutil.which("taskset") else []
        self._command = [*pinned, *(str(word) for word in command)]
        self._log, self._ready, self._folder, self._patience = log, ready, folder, patience
        self._stop = stop
        self._env = {**os.environ, **(env or {})}

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env=self._env, cwd=self._folder, start_new_session=True
            )
        self.pid = self._process.pid
        try:
            self._wait()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _wait(self) -> None:
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() - self._began > self._patience:
                raise DidNotStart(f"{' '.join(self._command)} did not start:\n{self.log()[-2000:]}")
            time.sleep(0.01)
        self.started_in = time.monotonic() - self._began

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.send_signal(self._stop)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        with suppress(ProcessLookupError):  # usually nobody is left
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(20)

    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text(errors="replace")


def answers(url: str) -> bool:
    """Whether an HTTP server is there, whatever it answers."""
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False


def listens(port: int) -> bool:
    """Whether something takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tree(*roots: int) -> list[int]:
    """These processes and all that descend from them."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _fields(int(entry.name))) is not None:
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, look = [], list(roots)
    while look:
        pid = look.pop()
        found.append(pid)
        look += children.get(pid, ())
    return found


def cpu(*roots: int) -> float:
    """Seconds of CPU that these and their descendants have taken so far; those that have ended and were waited for, too."""
    total = 0
    for pid in tree(*roots):
        if (fields := _fields(pid)) is not None:
            total += sum(map(int, fields[11:15]))  # utime, stime, and those of children that ended: proc(5)
    return total / _TICKS


def memory(*roots: int) -> float:
    """Megabytes resident in these and their descendants; pages that several share count once (PSS)."""
    total = 0
    for pid in tree(*roots):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue  # it has ended
        total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024


def rest(*roots: int, patience: float = 15) -> None:
    """Wait until they have nothing left to do."""
    until = time.monotonic() + patience
    before = cpu(*roots)
    while time.monotonic() < until:
        time.sleep(0.1)
        now = cpu(*roots)
        if now - before < _BUSY:
            return
        before = now


def _fields(pid: int) -> list[str] | None:
    """Of /proc/PID/stat, what follows the name: state, parent, …; nothing if it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
