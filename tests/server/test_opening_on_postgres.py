"""What stands before the first request on PostgreSQL: the driver, the master key, and hosts that begin together."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from grantway.protocol.administration.signing_keys import ensure_key
from grantway.server.opening import open_service, planned, prepare
from grantway.server.service import Service
from grantway.server.settings import Settings
from grantway.server.settings_sources import CannotStart
from grantway.server.signing_keys import draw_signing_key

pytestmark = pytest.mark.own_storage


def settings_at(data: Path, url: str, key: Path | None = None) -> Settings:
    return Settings(data=data, database=SecretStr(url), master_key_file=key)


def test_without_the_driver_a_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grantway.server.opening.find_spec", lambda name: None)
    settings = settings_at(tmp_path / "data", "postgresql://ada:hunter2@db/grantway")
    for begin in (prepare, planned, lambda settings: asyncio.run(open_service(settings))):
        with pytest.raises(CannotStart, match=r"pip install 'grantway\[postgres\]'") as stopped:
            begin(settings)
        assert "hunter2" not in str(stopped.value)
    assert not (tmp_path / "data").exists()


def test_a_host_without_the_master_key_of_the_database_draws_none(tmp_path: Path, postgres_url: str) -> None:
    first, second = (settings_at(tmp_path / name, postgres_url) for name in ("first", "second"))
    prepare(first)

    async def begin() -> None:
        await (await open_service(first)).storage.close()

    asyncio.run(begin())
    with pytest.raises(CannotStart, match="its master key is not here"):
        prepare(second)
    assert not second.data.exists()
    prepare(settings_at(second.data, postgres_url, key=first.data / "master.key"))


def test_hosts_that_begin_together_have_one_schema_and_one_signing_key(tmp_path: Path, postgres_url: str) -> None:
    key = tmp_path / "key"
    key.write_text("A" * 86 + "==\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRANTWAY_")}
    environment |= {"GRANTWAY_DATABASE": postgres_url, "GRANTWAY_MASTER_KEY_FILE": str(key)}
    hosts = [
        subprocess.Popen(
            [sys.executable, "-m", "grantway.cli", "keys", "list", "--json"],
            env=environment | {"GRANTWAY_DATA": str(tmp_path / f"host{number}")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for number in range(4)
    ]
    said = [host.communicate(timeout=60) for host in hosts]
    assert [host.returncode for host in hosts] == [0] * 4, said


def test_the_first_signing_key_is_made_once_however_many_hosts_need_it(tmp_path: Path, postgres_url: str) -> None:
    settings = settings_at(tmp_path / "data", postgres_url)
    prepare(settings)

    async def race() -> set[str]:
        services: list[Service] = [await open_service(settings) for _ in range(3)]
        drawn = [(service, draw_signing_key(service.vault)) for service in services for _ in range(4)]
        made = await asyncio.gather(*(service.settle(ensure_key, key) for service, key in drawn))
        for service in services:
            await service.storage.close()
        return {each.answer.kid for each in made}

    assert len(asyncio.run(race())) == 1
