"""The master key: drawn once, whoever comes first; and never another one on the same database."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from grantway.protocol.vault import Vault
from grantway.server.master_key import ensure_master_key, key_warning, load_vault, write_private
from grantway.server.opening import open_service, prepare
from grantway.server.settings import Settings
from grantway.server.settings_sources import CannotStart
from grantway.server.storage.memory import MemoryStorage
from tests.helpers.people import TurningClock

GRANTWAY = Path(sys.executable).with_name("grantway")


def opened(settings: Settings) -> Vault:
    async def work() -> Vault:
        service = await open_service(settings)
        await service.storage.close()
        return service.vault

    prepare(settings)
    return asyncio.run(work())


def drawn() -> str:
    return base64.b64encode(secrets.token_bytes(64)).decode()


def test_it_is_drawn_before_the_database_for_this_user_only(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data")
    key = ensure_master_key(settings)
    path = tmp_path / "data/master.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["master.key"]
    assert ensure_master_key(settings) == key
    assert key.in_data
    assert len(key.raw) == 64
    assert base64.b64encode(key.raw).decode() not in repr(key)


def test_ten_processes_on_a_fresh_directory_agree(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRANTWAY_")}
    environment["GRANTWAY_DATA"] = str(tmp_path / "data")
    code = (
        "from grantway.server.settings_sources import load_settings\n"
        "from grantway.server.master_key import ensure_master_key\n"
        "from grantway.server.opening import prepare\n"
        "s = load_settings(); prepare(s); print(ensure_master_key(s).id)"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(10)
    ]
    said = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0] * 10, said
    assert len({out for out, _ in said}) == 1
    assert not [path for path in (tmp_path / "data").iterdir() if path.name.startswith(".")]


def test_commands_at_once_on_a_fresh_directory_all_succeed(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRANTWAY_")}
    environment["GRANTWAY_DATA"] = str(tmp_path / "data")
    running = [
        subprocess.Popen(
            [GRANTWAY, "accounts", "create", "--name", f"Account {number}", "--json"],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for number in range(4)
    ]  # fmt: skip
    said = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0] * 4, said
    assert len({json.loads(out)["id"] for out, _ in said}) == 4


def test_the_database_is_opened_with_the_key_that_it_was_made_with(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data")
    sealed = opened(settings).seal(b"secret", b"row")
    again = opened(settings)
    assert again.open(again.current, sealed, b"row") == b"secret"


@pytest.mark.parametrize("name", ["master_key", "master_key_file"])
def test_a_given_key_leaves_no_file(tmp_path: Path, name: str) -> None:
    key = drawn()
    (tmp_path / "key").write_text(f"{key}\n")
    given: dict[str, Any] = {name: key if name == "master_key" else tmp_path / "key"}
    settings = Settings(data=tmp_path / "data", **given)
    opened(settings)
    assert not (tmp_path / "data/master.key").exists()
    other = Settings(data=tmp_path / "data", master_key=SecretStr(drawn()))
    with pytest.raises(CannotStart, match="not the one that the database"):
        opened(other)
    with pytest.raises(CannotStart, match="is missing"):
        opened(Settings(data=tmp_path / "data"))
    opened(settings)


def test_a_refused_key_has_changed_nothing(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data")
    opened(settings)
    kept = (tmp_path / "data/master.key").read_bytes()
    (tmp_path / "data/master.key").unlink()
    with pytest.raises(CannotStart, match="is missing"):
        prepare(settings)
    assert not (tmp_path / "data/master.key").exists()
    (tmp_path / "data/master.key").write_bytes(kept)
    opened(settings)


@pytest.mark.parametrize("text", ["", "short", "A" * 88, "ä" * 88, base64.b64encode(bytes(63)).decode(), "\x00"])
def test_what_is_no_key_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "master.key").write_text(text)
    with pytest.raises(CannotStart) as stopped:
        ensure_master_key(Settings(data=tmp_path))
    assert not text or text not in str(stopped.value)


def test_a_directory_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStart, match="cannot be made"):
        ensure_master_key(Settings(data=tmp_path / "file/data"))
    with pytest.raises(CannotStart, match="There is no master key"):
        ensure_master_key(Settings(data=tmp_path, master_key_file=tmp_path / "none"))


def test_a_private_file_is_written_once_and_whole(tmp_path: Path) -> None:
    assert write_private(tmp_path / "one", b"first")
    assert not write_private(tmp_path / "one", b"second")
    assert (tmp_path / "one").read_bytes() == b"first"
    assert [each.name for each in tmp_path.iterdir()] == ["one"]


def test_the_check_value_tells_nothing_of_the_key(tmp_path: Path) -> None:
    storage = MemoryStorage(TurningClock())
    settings = Settings(data=tmp_path)

    async def work() -> bytes | None:
        await load_vault(settings, storage)
        return await storage.read_meta("master_key_check")

    check = asyncio.run(work())
    raw = ensure_master_key(settings).raw
    assert check is not None
    assert raw not in check
    assert raw not in base64.b64decode(check.split()[1])


def test_the_key_beside_the_database_is_warned_of_where_others_can_come(tmp_path: Path) -> None:
    assert key_warning(Settings(data=tmp_path)) is None
    public = Settings(data=tmp_path, public_url="https://login.example.com")
    assert str(tmp_path) in (key_warning(public) or "")
    assert key_warning(public.model_copy(update={"master_key_file": tmp_path / "elsewhere"})) is None
    several = public.model_copy(update={"database": SecretStr("postgresql://db.example/grantway")})
    assert "every host needs it" in (key_warning(several) or "")
