"""Servers for tests that refuse to run as root: as whom, in which directory, at which port, and ended for sure."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

SECONDS = 120
"""For what takes two, on a machine that does ten things at once."""

PID_FILES = ("server.pid", "data/postmaster.pid")

_COMPANION = f"""
read -r said
if [ "$said" != done ]; then
    for file in {" ".join(PID_FILES)}; do [ ! -e $file ] || kill -QUIT "$(head -n 1 $file)"; done
    cd / && rm -rf "$1"
fi
"""


def _owner() -> pwd.struct_passwd | None:
    """Nobody else, unless we are root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def run(*command: str | Path, folder: Path) -> str:
    """What this program says, run as the owner in this directory, once it has ended well."""
    owner = _owner()
    owned: dict[str, Any] = {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    done = subprocess.run(
        [*command], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=SECONDS, **owned,
    )  # fmt: skip
    said = done.stdout.decode()
    assert done.returncode == 0, f"{Path(command[0]).name}: {said}"
    return said


@contextmanager
def owned_folder() -> Iterator[Path]:
    """A directory that the owner reaches (pytest's own are closed to others), with a name short enough for sockets.

    A companion hears when this process is no more, however it ended: then it ends the server whose pid file is there,
    at once, and removes the directory.
    """
    folder = Path(tempfile.mkdtemp(prefix="gw-pg-"))
    owner = _owner()
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    companion = subprocess.Popen(
        ["/bin/sh", "-c", _COMPANION, "sh", folder], cwd=folder, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield folder
    finally:
        companion.communicate(b"done\n", timeout=SECONDS)
        shutil.rmtree(folder)


def at_a_free_port(start: Callable[[int], None], log: Path) -> int:
    """Where it started. When somebody took the port since we looked, as the log then says, it is started at another."""
    while True:
        log.unlink(missing_ok=True)
        port = free_port()
        try:
            start(port)
        except AssertionError:
            if "Address already in use" not in log.read_text():
                raise
        else:
            return port


def free_port() -> int:
    """Not one of those that the kernel gives to whoever asks for any: a server comes back to its own port."""
    while True:
        port = 10_240 + secrets.randbelow(20_000)
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port


def is_alive(pid: int) -> bool:
    """Not for those who have ended, although nobody has asked yet how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
