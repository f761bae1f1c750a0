"""``grantway doctor`` says what is certain, and changes nothing."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Grantway
from tests.helpers.database import connect, kill, settle_in
from tests.helpers.server import serving

Tell = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("GRANTWAY_PORT", str(probe.getsockname()[1]))


def states(answer: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["state"] for one in answer["checks"]}


@pytest.mark.own_storage
def test_where_nothing_is_nothing_is_made(tell: Tell, data: Path) -> None:
    answer = tell("doctor")
    assert answer["healthy"] is True
    assert states(answer) == {
        "settings": "ok", "data directory": "note", "master key": "note", "database": "note", "mail": "note",
        "server": "note",
    }  # fmt: skip
    assert not data.exists()


@pytest.mark.own_storage
def test_a_database_in_use_is_well(tell: Tell) -> None:
    tell("operators", "create", "--email", "olga@example.com")
    answer = tell("doctor")
    assert answer["healthy"] is True
    assert states(answer) == {
        "settings": "ok", "data directory": "ok", "master key": "ok", "database": "ok", "check of the key": "ok",
        "outbox": "ok", "signing keys": "note", "mail": "note", "server": "note",
    }  # fmt: skip


def test_a_postgresql_that_is_away_is_a_problem_and_the_data_directory_is_still_a_directory(
    grantway: Grantway, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.mkdir()
    monkeypatch.setenv("GRANTWAY_MASTER_KEY", "A" * 86 + "==")
    monkeypatch.setenv("GRANTWAY_DATABASE", "postgresql://grantway:hunter2@127.0.0.1:1/grantway")
    ran = grantway("doctor", "--json")
    checks = {one["name"]: (one["state"], one["said"]) for one in ran.answer["checks"]}
    assert checks["data directory"] == ("ok", f"{data} can be written to.")
    assert checks["database"][0] == "problem"
    assert "hunter2" not in str(ran.answer)


def test_it_names_what_waits_and_what_died(tell: Tell, data: Path) -> None:
    redirect = ("--redirect-uri", "https://c.example/cb", "--remove-url", "https://c.example/removed")
    tell("clients", "create", "--name", "Help", "--client-id", "helpdesk", *redirect)
    connection = settle_in(data, connect, "helpdesk", tell("accounts", "create", "--name", "Acme")["id"])
    tell("connections", "remove", connection)
    settle_in(data, kill, tell("deliveries", "list")["deliveries"][0]["id"])
    said = {one["name"]: one["said"] for one in tell("doctor")["checks"]}
    assert said["dead deliveries"].startswith("1 are dead")
    assert "operators create" in said["operators"]


@pytest.mark.own_storage
def test_another_key_an_old_schema_and_open_files_are_problems(tell: Tell, grantway: Grantway, data: Path) -> None:
    def problems() -> list[str]:
        ran = grantway("doctor", "--json")
        assert ran.code == 1
        assert ran.answer["healthy"] is False
        return [one["said"] for one in ran.answer["checks"] if one["state"] == "problem"]

    tell("users", "list")
    key = data / "master.key"
    key.chmod(0o644)
    assert problems() == [f"Others on this machine can read {key}: chmod 600."]
    key.chmod(0o600)
    kept = key.read_text()
    key.write_text("A" * 86 + "==\n")
    assert "not the one that the database" in problems()[0]
    key.unlink()
    assert "is missing" in problems()[0]
    assert not key.exists()
    key.write_text(kept)
    key.chmod(0o600)
    (data / "grantway.db").write_bytes(b"")
    assert "Run 'grantway migrate'" in problems()[0]


def test_it_asks_the_server_that_runs(tmp_path: Path, grantway: Grantway, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path / "data") as server:
        monkeypatch.setenv("GRANTWAY_PUBLIC_URL", server.base_url)
        assert states(grantway("doctor", "--json").answer)["server"] == "ok"


@pytest.mark.own_storage
def test_people_read_a_table_and_get_an_exit_code(grantway: Grantway, tell: Tell, data: Path) -> None:
    tell("users", "list")
    (data / "master.key").unlink()
    ran = grantway("doctor")
    assert ran.code == 1
    assert "is missing" in ran.out
