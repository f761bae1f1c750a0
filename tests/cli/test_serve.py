"""``grantway serve`` as it is run: one process or several, commands beside it, an orderly end."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Grantway
from tests.helpers.server import GRANTWAY, fetch, serving


@pytest.mark.parametrize("workers", [1, 2])
def test_it_serves_until_it_is_told_to_stop(tmp_path: Path, workers: int) -> None:
    with serving(tmp_path / "data", workers=workers) as server:
        reply = fetch("GET", f"{server.base_url}/.well-known/oauth-authorization-server")
        assert reply.json()["issuer"] == server.base_url
        assert len(fetch("GET", f"{server.base_url}/jwks.json").json()["keys"]) == 1
        assert reply.header("server") is None
        # A command beside the running server; what it makes works at once.
        made = server.cli("clients", "create", "--name", "Machine", "--scope", "a")
        body = f"grant_type=client_credentials&client_id={made['client_id']}&client_secret={made['client_secret']}"
        form = [("content-type", "application/x-www-form-urlencoded")]
        for _ in range(6):
            assert fetch("POST", f"{server.base_url}/token", form, body.encode()).status == 200
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 10
    # WAL is put away: the storage was closed, not dropped.
    assert not (tmp_path / "data/grantway.db-wal").exists()


def test_a_rotated_key_is_published_by_a_running_server(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        create = ("clients", "create", "--name", "Machine", "--scope", "a", "--set", "access_token_format=jwt")
        made = server.cli(*create)
        body = f"grant_type=client_credentials&client_id={made['client_id']}&client_secret={made['client_secret']}"
        form = [("content-type", "application/x-www-form-urlencoded")]
        first = fetch("POST", f"{server.base_url}/token", form, body.encode()).json()["access_token"]
        server.cli("keys", "rotate")
        assert len(fetch("GET", f"{server.base_url}/jwks.json").json()["keys"]) == 2
        rotated = server.cli("keys", "rotate", "--now")["keys"]
        published = fetch("GET", f"{server.base_url}/jwks.json").json()["keys"]
        assert [key["kid"] for key in published] == [key["kid"] for key in rotated]
        second = fetch("POST", f"{server.base_url}/token", form, body.encode()).json()["access_token"]
        assert first.split(".")[0] != second.split(".")[0]


def test_an_address_that_is_taken_is_a_sentence(grantway: Grantway) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = grantway("serve", "--port", str(taken.getsockname()[1]), "--json")
    assert ran.code == 1
    assert "Cannot listen on 127.0.0.1" in ran.answer["error"]


def test_off_loopback_it_wants_its_public_address(grantway: Grantway) -> None:
    ran = grantway("serve", "--host", "0.0.0.0")
    assert ran.code == 1
    assert "GRANTWAY_PUBLIC_URL: It is required" in ran.err


def test_a_wrong_key_is_said_once_and_without_a_traceback(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRANTWAY_")}
    environment["GRANTWAY_DATA"] = str(tmp_path / "data")
    subprocess.run([GRANTWAY, "migrate"], env=environment, check=True, capture_output=True)
    (tmp_path / "data/master.key").write_text("A" * 86 + "==\n")
    arguments = [str(GRANTWAY), "serve", "--port", "0", "--workers", "2"]
    ran = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("grantway: The master key is not the one")
    assert ran.stderr.count("\n") == 1
    said = subprocess.run([*arguments, "--json"], env=environment, capture_output=True, text=True, timeout=60)
    assert json.loads(said.stdout)["reason"] == "cannot_start"
