"""A PostgreSQL cluster of its own with the settings it comes with: every commit is flushed, unless told otherwise."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from typing_extensions import override

from bench.processes import Program, free_port

_SETTINGS = ("listen_addresses=127.0.0.1", "max_connections=200")
_UNFLUSHED = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def binary(name: str) -> str | None:
    """Where a program of the newest PostgreSQL is, if there is one."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(found[-1]) if found else shutil.which(name)


class Cluster(Program):
    """PostgreSQL on a free loopback port with an empty database ``bench``; a context manager."""

    def __init__(self, folder: Path, cores: str | None = None, *, flushed: bool = True) -> None:
        initdb, postgres, self._psql = binary("initdb"), binary("postgres"), binary("psql")
        if initdb is None or postgres is None or self._psql is None:
            raise FileNotFoundError("There is no PostgreSQL here.")
        self.port = free_port()
        # The server refuses to run as root.
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
        folder.mkdir()
        if as_user:
            shutil.chown(folder, "postgres", "postgres")
        data = folder / "data"
        make = [initdb, "--pgdata", str(data), "--auth=trust", "--username=bench", "--encoding=UTF8", "--locale=C"]
        subprocess.run([*as_user, *make], check=True, capture_output=True, cwd=folder)
        settings = (*_SETTINGS, f"unix_socket_directories={folder}", *(() if flushed else _UNFLUSHED))
        options = [word for each in settings for word in ("-c", each)]
        super().__init__(
            [*as_user, postgres, "-D", data, "-p", str(self.port), *options],
            folder.with_name(f"{folder.name}.log"),
            ready=self._is_ready,
            cores=cores,
            folder=folder,
            stop=signal.SIGINT,  # fast: without waiting for those who are connected
        )

    @override
    def _wait(self) -> None:
        super()._wait()
        self._ask("postgres", "CREATE DATABASE bench")

    @property
    def url(self) -> str:
        return f"postgresql://bench@127.0.0.1:{self.port}/bench"

    def _is_ready(self) -> bool:
        try:
            self._ask("postgres", "SELECT 1")
        except subprocess.CalledProcessError:
            return False
        return True

    def _ask(self, database: str, statement: str) -> None:
        address = f"postgresql://bench@127.0.0.1:{self.port}/{database}"
        subprocess.run([str(self._psql), address, "-qc", statement], check=True, capture_output=True)
