"""The command line in this process, with a database and a directory of its own."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grantway.cli.running import run
from tests.helpers import engine


@dataclass
class Ran:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """The one JSON object on standard output; standard error is empty."""
        assert self.err == "", self.err
        assert self.out.count("\n") == 1
        answer = json.loads(self.out)
        assert isinstance(answer, dict)
        return answer


Grantway = Callable[..., Ran]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The data directory, not made yet. No setting of the person who runs the tests counts."""
    for name in list(os.environ):
        if name.startswith("GRANTWAY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRANTWAY_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "160")
    with engine.database() as named:
        for name, value in named.items():
            monkeypatch.setenv(name, value)
        yield tmp_path / "data"


@pytest.fixture
def grantway(data: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Grantway:
    """``grantway("users", "list", "--json")``."""

    def command(*arguments: str, stdin: str = "") -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capfd.readouterr()
        code = run([*arguments])
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return command


@pytest.fixture
def tell(grantway: Grantway) -> Callable[..., dict[str, Any]]:
    """The same with ``--json``, for commands that succeed: their answer."""

    def command(*arguments: str, stdin: str = "") -> dict[str, Any]:
        ran = grantway(*arguments, "--json", stdin=stdin)
        assert ran.code == 0, ran.out
        return ran.answer

    return command
