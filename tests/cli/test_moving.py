"""``grantway export`` and ``grantway import``: files, streams, and what they refuse."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Grantway
from tests.helpers.server import GRANTWAY

Tell = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def on_sqlite(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRANTWAY_DATABASE", str(data / "grantway.db"))


@pytest.fixture
def there(tell: Tell) -> None:
    """An installation with somebody in it."""
    tell("users", "create", "--email", "ada@example.com", "--name", "Ada")


def elsewhere(monkeypatch: pytest.MonkeyPatch, data: Path, tmp_path: Path) -> None:
    """From now on commands work on another, empty data directory with the same key."""
    monkeypatch.setenv("GRANTWAY_MASTER_KEY_FILE", str(data / "master.key"))
    monkeypatch.setenv("GRANTWAY_DATA", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GRANTWAY_DATABASE", str(tmp_path / "elsewhere" / "grantway.db"))


def refused(ran: Any, reason: str) -> str:
    assert (ran.code, ran.answer["reason"]) == (1, reason)
    said: str = ran.answer["error"]
    return said


def test_an_export_is_for_its_owner_only_and_says_what_is_in_it(
    there: None, tell: Tell, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "installation.jsonl"
    answer = tell("export", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert (answer["bytes"], answer["rows"]["users"]) == (file.stat().st_size, 1)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["data", "installation.jsonl"]
    elsewhere(monkeypatch, data, tmp_path)
    assert tell("import", str(file))["rows"] == answer["rows"]
    assert [one["email"] for one in tell("users", "list")["users"]] == ["ada@example.com"]


def test_it_goes_through_a_pipe(
    there: None, tell: Tell, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = subprocess.run([GRANTWAY, "export", "-"], stdout=subprocess.PIPE, check=True).stdout
    elsewhere(monkeypatch, data, tmp_path)
    subprocess.run([GRANTWAY, "import", "-"], input=out, stdout=subprocess.DEVNULL, check=True)
    assert [one["email"] for one in tell("users", "list")["users"]] == ["ada@example.com"]


def test_standard_output_is_one_thing_at_a_time(there: None, grantway: Grantway) -> None:
    assert grantway("export", "-", "--json").code == 2


def test_an_export_overwrites_nothing(there: None, grantway: Grantway, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    refused(grantway("export", str(tmp_path / "mine"), "--json"), "file_exists")
    assert (tmp_path / "mine").read_text() == "mine"


def test_where_it_cannot_be_written_that_is_said(there: None, grantway: Grantway, tmp_path: Path) -> None:
    assert "No such file" in refused(grantway("export", str(tmp_path / "none" / "file"), "--json"), "file_unwritable")


def test_what_stops_an_export_leaves_no_file(grantway: Grantway, tmp_path: Path) -> None:
    refused(grantway("export", str(tmp_path / "file"), "--json"), "storage")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_export_is_refused(there: None, grantway: Grantway, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear reader,\n")
    refused(grantway("import", str(tmp_path / "letter"), "--json"), "not_an_export")
    refused(grantway("import", str(tmp_path / "none"), "--json"), "file_unreadable")


def test_an_installation_is_not_taken_into_itself(there: None, tell: Tell, grantway: Grantway, tmp_path: Path) -> None:
    tell("export", str(tmp_path / "file"))
    assert "already" in refused(grantway("import", str(tmp_path / "file"), "--json"), "cannot_start")
