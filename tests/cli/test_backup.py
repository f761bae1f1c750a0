"""``grantway backup`` and ``grantway restore``: what they refuse, and what they leave alone."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from grantway.server.storage.sqlite import SqliteStorage
from tests.cli.conftest import Grantway
from tests.helpers.server import serving

Tell = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def on_sqlite(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRANTWAY_DATABASE", str(data / "grantway.db"))


@pytest.fixture
def there(tell: Tell) -> None:
    """An installation with somebody in it."""
    tell("users", "create", "--email", "ada@example.com", "--name", "Ada")


@pytest.fixture
def backup(there: None, tell: Tell, tmp_path: Path) -> Path:
    return Path(tell("backup", str(tmp_path / "backup.db"))["backup"])


def refused(ran: Any, reason: str) -> str:
    assert ran.code == 1
    assert ran.answer["reason"] == reason
    said: str = ran.answer["error"]
    return said


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def users(tell: Tell) -> list[str]:
    return [one["email"] for one in tell("users", "list")["users"]]


def test_a_backup_is_one_file_for_its_owner_without_the_key(backup: Path, data: Path, tmp_path: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["backup.db", "data"]
    key = (data / "master.key").read_bytes().strip()
    assert key not in backup.read_bytes()


def test_a_backup_into_a_directory_gets_a_name_of_its_time(there: None, tell: Tell, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    made = Path(tell("backup", str(tmp_path / "backups"))["backup"])
    assert made.parent == tmp_path / "backups"
    assert made.name.startswith("grantway-20")


def test_a_backup_overwrites_nothing(backup: Path, grantway: Grantway) -> None:
    before = backup.read_bytes()
    assert "overwrites nothing" in refused(grantway("backup", str(backup), "--json"), "storage")
    assert backup.read_bytes() == before


def test_there_is_nothing_to_back_up_before_the_first_start(grantway: Grantway, tmp_path: Path) -> None:
    refused(grantway("backup", str(tmp_path / "backup.db"), "--json"), "storage")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_database_makes_no_backup(there: None, grantway: Grantway, data: Path, tmp_path: Path) -> None:
    with opened(data / "grantway.db") as connection:
        connection.execute("pragma writable_schema = on")
        connection.execute("update sqlite_master set rootpage = 3 where name = 'users'")
    said = refused(grantway("backup", str(tmp_path / "backup.db"), "--json"), "storage")
    assert "damaged" in said or "malformed" in said
    assert sorted(each.name for each in tmp_path.iterdir()) == ["data"]


def test_a_restored_database_is_the_backups_and_the_other_is_kept(backup: Path, tell: Tell, data: Path) -> None:
    tell("users", "create", "--email", "bob@example.com", "--name", "Bob")
    answer = tell("restore", str(backup), "--replace")
    assert users(tell) == ["ada@example.com"]
    kept = Path(answer["replaced_database"])
    with opened(kept) as connection:
        assert connection.execute("select count(*) from users").fetchone() == (2,)
    assert not [each.name for each in data.iterdir() if each.name.startswith(".")]


def test_where_there_is_a_database_it_is_replaced_only_when_that_is_said(backup: Path, grantway: Grantway) -> None:
    assert "--replace" in refused(grantway("restore", str(backup), "--json"), "cannot_start")


def test_a_database_in_use_is_not_replaced_whatever_is_said(backup: Path, grantway: Grantway, data: Path) -> None:
    storage = SqliteStorage.open(data / "grantway.db", writer="tick")
    before = (data / "grantway.db").stat().st_ino
    try:
        assert "Stop the server" in refused(grantway("restore", str(backup), "--replace", "--json"), "storage")
    finally:
        asyncio.run(storage.close())
    assert (data / "grantway.db").stat().st_ino == before


def test_nor_one_that_a_server_serves(backup: Path, tmp_path: Path) -> None:
    database = str(tmp_path / "data" / "grantway.db")
    with (
        serving(tmp_path / "data", GRANTWAY_DATABASE=database) as server,
        pytest.raises(AssertionError, match="Stop the server first"),
    ):
        server.cli("restore", str(backup), "--replace")


def test_what_a_link_leads_to_is_not_replaced(backup: Path, grantway: Grantway, data: Path, tmp_path: Path) -> None:
    (data / "grantway.db").rename(tmp_path / "real.db")
    (data / "grantway.db").symlink_to(tmp_path / "real.db")
    assert "is a link" in refused(grantway("restore", str(backup), "--replace", "--json"), "cannot_start")
    assert (data / "grantway.db").is_symlink()


def test_a_damaged_database_can_be_replaced(backup: Path, tell: Tell, data: Path) -> None:
    (data / "grantway.db").write_bytes(b"not a database at all" * 1000)
    tell("restore", str(backup), "--replace")
    assert users(tell) == ["ada@example.com"]


def test_a_backup_of_another_key_is_refused_and_nothing_is_changed(
    backup: Path, grantway: Grantway, data: Path
) -> None:
    shutil.rmtree(data)
    assert grantway("migrate", "--json").code == 0
    before = {each.name: each.stat().st_ino for each in data.iterdir()}
    said = refused(grantway("restore", str(backup), "--replace", "--json"), "cannot_start")
    assert "The master key is not the one" in said
    assert {each.name: each.stat().st_ino for each in data.iterdir()} == before


def test_without_a_key_there_is_nothing_to_restore_with(backup: Path, grantway: Grantway, data: Path) -> None:
    shutil.rmtree(data)
    assert "no master key" in refused(grantway("restore", str(backup), "--json"), "cannot_start")
    assert not data.exists()


@pytest.mark.parametrize("what", ["nothing", "text", "another program's"])
def test_what_is_no_backup_is_refused(there: None, grantway: Grantway, tmp_path: Path, what: str) -> None:
    file = tmp_path / "file"
    if what == "text":
        file.write_text("no database\n" * 1000)
    if what == "another program's":
        with opened(file) as connection:
            connection.execute("create table notes (text)")
    refused(grantway("restore", str(file), "--replace", "--json"), "storage")


def test_a_copy_that_does_not_say_of_when_it_is_needs_to_be_told(
    there: None, tell: Tell, grantway: Grantway, data: Path, tmp_path: Path
) -> None:
    shutil.copyfile(data / "grantway.db", tmp_path / "copy.db")
    said = refused(grantway("restore", str(tmp_path / "copy.db"), "--replace", "--json"), "cannot_start")
    assert "--since" in said
    answer = tell("restore", str(tmp_path / "copy.db"), "--replace", "--since", "2026-01-31T08:00")
    assert answer["database_of"] == "2026-01-31T08:00:00Z"


def test_without_a_journal_that_is_said_plainly(
    backup: Path, tell: Tell, grantway: Grantway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRANTWAY_REMOVALS_JOURNAL", "off")
    ran = grantway("restore", str(backup), "--replace")
    assert ran.code == 0
    assert "It has come back" in " ".join(ran.out.split())


def test_who_was_disabled_since_the_backup_stays_so(backup: Path, tell: Tell, data: Path) -> None:
    tell("users", "disable", "ada@example.com")
    answer = tell("restore", str(backup), "--replace")
    assert (answer["journal"], answer["replayed"]) == (True, 1)
    (ada,) = tell("users", "list")["users"]
    assert ada["disabled_at"] is not None
    assert [each.stat().st_mode & 0o777 for each in (data / "removals").iterdir()] == [0o600]


def test_what_was_restored_by_other_means_is_marked_and_finished(there: None, tell: Tell, grantway: Grantway) -> None:
    refused(grantway("restore", "--mark", "--json"), "since_missing")
    tell("restore", "--mark", "--since", "2026-01-31")
    assert any(one["name"] == "restoration" for one in tell("doctor")["checks"])
    assert tell("restore", "--finish")["restored_at"]
    refused(grantway("restore", "--finish", "--json"), "not_restored")
    actions = [one["action"] for one in tell("audit", "search")["entries"]]
    assert actions[:2] == ["restoration_finished", "restored"]


@pytest.mark.parametrize("arguments", [[], ["x.db", "--mark"], ["--mark", "--finish"]])
def test_exactly_one_thing_is_to_be_done(grantway: Grantway, arguments: list[str]) -> None:
    assert grantway("restore", *arguments).code == 2


@pytest.mark.parametrize("arguments", [["backup", "x.db"], ["restore", "x.db"]])
def test_postgresql_has_ways_of_its_own(
    grantway: Grantway, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("GRANTWAY_DATABASE", "postgresql://nobody@127.0.0.1:9/none")
    ran = grantway(*arguments)
    assert ran.code == 2
    assert "PostgreSQL" in ran.err
