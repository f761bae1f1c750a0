"""Workers as processes: what the parent does when they begin, die and are told to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.helpers.server import Server, fetch, serving

PROGRAM = """
import sys, threading
from grantway.server.workers import Workers

def work(ready):
{work}

{before}
print(Workers(2, [], work).run(lambda: print("ready", flush=True)))
"""


def run(work: str, before: str = "") -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(work=work, before=before)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)


def test_workers_that_cannot_begin_end_the_server() -> None:
    ran = run("    sys.exit(3)")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "False\n", "")


def test_a_process_with_a_thread_does_not_fork() -> None:
    ran = run("    ready()", "threading.Thread(target=threading.Event().wait, daemon=True).start()")
    assert ran.returncode == 1
    assert "Only a process with one thread may fork." in ran.stderr


def test_the_server_is_ready_when_all_workers_are(tmp_path: Path) -> None:
    with serving(tmp_path / "data", workers=2) as server:
        assert len(server.worker_pids()) == 2


def test_a_worker_that_dies_is_replaced_and_the_server_ends_in_order(tmp_path: Path) -> None:
    with serving(tmp_path / "data", workers=2) as server:
        killed, kept = server.worker_pids()
        os.kill(killed, signal.SIGKILL)
        while killed in (pids := server.worker_pids()) or len(pids) < 2:
            assert fetch("GET", f"{server.base_url}/health/live").status == 200
        assert kept in pids
        assert server.stop() == 0


def test_a_terminal_that_tells_everybody_at_once_ends_it_in_order(tmp_path: Path) -> None:
    with serving(tmp_path / "data", workers=2) as server:
        for pid in (*_all(server), *_all(server)[:1]):
            os.kill(pid, signal.SIGINT)
        assert server.ended() == 0
    assert not (tmp_path / "data/grantway.db-wal").exists()


def test_workers_whose_parent_was_killed_end_in_order(tmp_path: Path) -> None:
    with serving(tmp_path / "data", workers=2) as server:
        pids = server.worker_pids()
        assert server.process is not None
        server.process.kill()
        assert server.ended() == -signal.SIGKILL
        assert all(ended(pid) for pid in pids)
    assert not (tmp_path / "data/grantway.db-wal").exists()


def ended(pid: int) -> bool:
    """Whether the process ends within half a minute; it is nobody's child any more."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def _all(server: Server) -> list[int]:
    assert server.process is not None
    return [server.process.pid, *server.worker_pids()]
