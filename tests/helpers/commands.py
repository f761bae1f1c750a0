"""The ``grantway`` command from a process that has read it already, which takes a tenth of the time.

Each run is a process of its own still, forked from there, with environment, directory and standard streams as given.
"""

from __future__ import annotations

import atexit
import importlib
import io
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[2]
READ = ("grantway.cli", "grantway.protocol", "grantway.server")


@dataclass(frozen=True)
class Ran:
    """What came of a run."""

    returncode: int
    stdout: str
    stderr: str


class _Reader:
    """The process that has read everything, and forks."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def run(self, **asked: Any) -> Ran:
        with self._turn:
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
                )
                atexit.register(self._close, self._process)
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            return Ran(*json.loads(self._process.stdout.readline()))

    @staticmethod
    def _close(process: subprocess.Popen[str]) -> None:
        process.communicate()


_READER = _Reader()


def run(arguments: Sequence[str], environment: Mapping[str, str], directory: Path, stdin: str = "") -> Ran:
    """One command, with nothing of our own environment."""
    asked = {"environment": dict(environment), "directory": str(directory), "stdin": stdin}
    return _READER.run(arguments=[*arguments], **asked)


# --- in that process


def _main() -> None:
    for package in READ:
        for found in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
            if not found.name.endswith(".__main__") and not found.name.startswith("grantway.server.demo"):
                importlib.import_module(found.name)
    for line in sys.stdin:
        print(json.dumps(_forked(**json.loads(line))), flush=True)


def _forked(arguments: list[str], environment: dict[str, str], directory: str, stdin: str) -> tuple[int, str, str]:
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin.encode())
        given.seek(0)
        pid = os.fork()
        if pid == 0:
            for number, file in enumerate((given, out, err)):
                os.dup2(file.fileno(), number)
            _run(arguments, environment, directory)
        _, status = os.waitpid(pid, 0)
        for file in (out, err):
            file.seek(0)
        return os.waitstatus_to_exitcode(status), out.read().decode(), err.read().decode()


def _run(arguments: list[str], environment: dict[str, str], directory: str) -> NoReturn:
    from grantway.cli.running import run as command

    code = 1
    try:
        sys.stdin, sys.stdout, sys.stderr = (io.open(number, mode) for number, mode in ((0, "r"), (1, "w"), (2, "w")))  # noqa: SIM115, UP020
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(directory)
        code = command(arguments)
    except BaseException:  # noqa: BLE001  as the interpreter would say it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _main()
