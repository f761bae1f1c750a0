"""The restore drill: the disk is lost, a backup takes the place of the database, and nothing that was said is untrue."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.integration import Integration
from tests.helpers.server import GRANTWAY, PASSWORD, Platform, Server, fetch, populate, serving


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    environment = {
        "GRANTWAY_MASTER_KEY_FILE": str(tmp_path / "key"),
        "GRANTWAY_DATABASE": str(tmp_path / "data" / "grantway.db"),
    }
    with serving(tmp_path / "data", workers=2, command=(GRANTWAY,), **environment) as server:
        yield populate(server)


@pytest.fixture(autouse=True)
def key(tmp_path: Path) -> None:
    made = subprocess.run(["openssl", "rand", "-base64", "64"], check=True, capture_output=True)
    (tmp_path / "key").write_bytes(made.stdout.replace(b"\n", b""))


def connected(integration: Integration, platform: Platform) -> dict[str, Any]:
    status, tokens = integration.exchange(integration.code(platform))
    assert status == 200, tokens
    return tokens


def connection_of(server: Server, integration: Integration) -> str:
    (one,) = server.cli("connections", "list", "--client", integration.client_id)["connections"]
    name: str = one["id"]
    return name


def restored(server: Server, backup: str, *options: str) -> dict[str, Any]:
    """The disk dies, and the backup is put into place; the server runs again."""
    server.kill()
    for file in server.data.glob("grantway.db*"):
        file.unlink()
    answer = server.cli("restore", backup, *options)
    server.start()
    return answer


def test_after_the_drill_tokens_go_on_and_what_was_removed_stays_removed(platform: Platform, tmp_path: Path) -> None:
    server = platform.server
    staying, leaving, revoking = (Integration.register(platform, name) for name in ("Stays", "Leaves", "Revokes"))
    stays, leaves, revokes = (connected(each, platform) for each in (staying, leaving, revoking))
    late = Integration.register(platform, "Late")
    code = late.code(platform)

    backup = server.cli("backup", str(tmp_path / "backup.db"))["backup"]

    # What the backup does not know of: refreshes, an exchange, a removal, a revocation, somebody who may not come back.
    for _ in range(3):
        status, stays = staying.refresh(stays["refresh_token"])
        assert status == 200
    status, lately = late.exchange(code)
    assert status == 200
    server.cli("connections", "remove", connection_of(server, leaving))
    assert revoking.post("/revoke", {"token": revokes["access_token"]})[0] == 200
    server.cli("users", "create", "--email", "bob@example.com", "--name", "Bob", "--password-stdin", stdin=PASSWORD)

    answer = restored(server, backup)
    assert answer["journal"] is True
    assert answer["replayed"] == 2
    # Tokens that were refreshed since the backup go on where they were.
    status, again = staying.refresh(stays["refresh_token"])
    assert status == 200, again
    assert staying.introspect(again["access_token"])["active"] is True
    assert staying.refresh(again["refresh_token"])[0] == 200
    # A code cannot be used a second time; its tokens are good.
    assert refused(late.exchange(code))
    assert late.introspect(lately["access_token"])["active"] is True
    assert late.refresh(lately["refresh_token"])[0] == 200
    # What was taken away stays so.
    assert leaving.introspect(leaves["access_token"])["active"] is False
    assert refused(leaving.refresh(leaves["refresh_token"]))
    assert revoking.introspect(revokes["access_token"])["active"] is False
    assert revoking.refresh(revokes["refresh_token"])[0] == 200
    # People sign in again.
    page = fetch("GET", f"{server.base_url}/connections", [("Cookie", platform.customer.cookie_header)])
    assert page.status == 303
    assert "sign-in" in (page.header("location") or "")
    # It is written down.
    actions = [one["action"] for one in server.cli("audit", "search")["entries"]]
    assert {"restored", "connection_removed", "removal_replayed", "grant_caught_up"} <= set(actions)
    server.cli("restore", "--finish")


def refused(answer: tuple[int, dict[str, Any]]) -> bool:
    return (answer[0], answer[1]["error"]) == (400, "invalid_grant")


def test_a_backup_under_load_is_of_one_moment_and_holds_what_was_answered_before_it(
    platform: Platform, tmp_path: Path
) -> None:
    server, integration = platform.server, Integration.register(platform, "Busy")
    token = connected(integration, platform)["refresh_token"]
    loading = subprocess.Popen(
        [
            sys.executable,
            "-c",
            _REFRESH_FOR_EVER,
            integration.base_url,
            integration.client_id,
            integration.client_secret or "",
            token,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert loading.stdout is not None
    for number in range(5):
        before = int(loading.stdout.readline())
        backup = Path(server.cli("backup", str(tmp_path / f"{number}.db"))["backup"])
        assert backup.stat().st_mode & 0o777 == 0o600
        connection = sqlite3.connect(f"file:{backup}?mode=ro", uri=True)
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        ((generation,),) = connection.execute("select max(generation) from grants").fetchall()
        connection.close()
        assert generation > before
    loading.send_signal(signal.SIGKILL)
    loading.wait()
    loading.stdout.close()


_REFRESH_FOR_EVER = """
import json, sys, urllib.parse, urllib.request
base, client, secret, token = sys.argv[1:]
done = 0
while True:
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client, "client_secret": secret}
    with urllib.request.urlopen(base + "/token", urllib.parse.urlencode(form).encode()) as answer:
        token = json.load(answer)["refresh_token"]
    done += 1
    print(done, flush=True)
"""
