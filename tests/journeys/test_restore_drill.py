"""The restore drill: the disk is lost, a backup takes the place of the database, and nothing that was said is untrue."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.integration import Integration
from tests.helpers.owned import run
from tests.helpers.postgres import QUICK, Cluster, cluster
from tests.helpers.server import GRANTWAY, PASSWORD, Platform, Server, fetch, populate, serving
from tests.helpers.waiting import until


class OnSqlite:
    """One file, its backups, and a disk that dies."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "data" / "grantway.db"
        self.environment = {"GRANTWAY_DATABASE": str(self.database)}
        self._backup = folder / "backup.db"

    def back_up(self, server: Server) -> None:
        server.cli("backup", str(self._backup))

    def restore(self, server: Server) -> dict[str, Any]:
        for file in self.database.parent.glob("grantway.db*"):
            file.unlink()
        return server.cli("restore", str(self._backup))


class OnPostgres:
    """A base backup, the log of all that came after it, and the moment before somebody did what cannot be undone."""

    def __init__(self, folder: Path, running: Cluster) -> None:
        self._cluster = running
        self._moment = ""
        self.environment = {
            "GRANTWAY_DATABASE": running.url(running.create()),
            "GRANTWAY_REMOVALS_JOURNAL": str(folder / "removals"),
        }

    def back_up(self, server: Server) -> None:
        run(
            self._cluster.programs / "pg_basebackup", "-d", self._cluster.url(), "-D", self._cluster.folder / "base",
            "-c", "fast", "--no-sync", folder=self._cluster.folder,
        )  # fmt: skip
        with self._cluster.connect() as admin:
            ((now,),) = admin.execute("select now()").fetchall()
        self._moment = now.isoformat()

    def restore(self, server: Server) -> dict[str, Any]:
        """To that moment, by PostgreSQL's own means."""
        folder, data = self._cluster.folder, self._cluster.data
        with self._cluster.connect() as admin:
            ((last,),) = admin.execute("select pg_walfile_name(pg_switch_wal())").fetchall()
        until((folder / "archive" / last).exists, "the log is in the archive")
        self._cluster.stop("immediate")
        conf = (data / "postgresql.conf").read_text()
        shutil.rmtree(data)
        (folder / "base").rename(data)
        (data / "postgresql.conf").write_text(conf)
        self._cluster.configure(
            restore_command="cp ../archive/%f %p",
            recovery_target_time=self._moment,
            recovery_target_action="promote",
        )
        run("touch", "recovery.signal", folder=data)
        self._cluster.start()
        with self._cluster.connect() as admin:
            until(lambda: admin.execute("select pg_is_in_recovery()").fetchall() == [(False,)], "it takes changes")
        return server.cli("restore", "--mark", "--since", self._moment)


@pytest.fixture(params=["sqlite", "postgres"])
def engine_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OnSqlite | OnPostgres]:
    if request.param == "sqlite":
        yield OnSqlite(tmp_path)
        return
    archiving: dict[str, Any] = {
        "archive_mode": "on",
        "archive_command": "test ! -f ../archive/%f && cp %p ../archive/%f",
    }
    with cluster(**QUICK, **archiving) as running:
        run("mkdir", "archive", folder=running.folder)
        yield OnPostgres(tmp_path, running)


@contextmanager
def platform_on(engine: OnSqlite | OnPostgres, folder: Path) -> Iterator[Platform]:
    made = subprocess.run(["openssl", "rand", "-base64", "64"], check=True, capture_output=True)
    (folder / "key").write_bytes(made.stdout.replace(b"\n", b""))
    environment = {"GRANTWAY_MASTER_KEY_FILE": str(folder / "key"), **engine.environment}
    with serving(folder / "data", workers=2, command=(GRANTWAY,), **environment) as server:
        yield populate(server)


@pytest.fixture
def platform(engine_of: OnSqlite | OnPostgres, tmp_path: Path) -> Iterator[Platform]:
    with platform_on(engine_of, tmp_path) as made:
        yield made


def connected(integration: Integration, platform: Platform) -> dict[str, Any]:
    status, tokens = integration.exchange(integration.code(platform))
    assert status == 200, tokens
    return tokens


def connection_of(server: Server, integration: Integration) -> str:
    (one,) = server.cli("connections", "list", "--client", integration.client_id)["connections"]
    name: str = one["id"]
    return name


def test_after_the_drill_tokens_go_on_and_what_was_removed_stays_removed(
    platform: Platform, engine_of: OnSqlite | OnPostgres
) -> None:
    server = platform.server
    staying, leaving, revoking = (Integration.register(platform, name) for name in ("Stays", "Leaves", "Revokes"))
    stays, leaves, revokes = (connected(each, platform) for each in (staying, leaving, revoking))
    late = Integration.register(platform, "Late")
    code = late.code(platform)

    engine_of.back_up(server)

    # What the backup does not know of: refreshes, an exchange, a removal, a revocation, somebody who may not come back.
    for _ in range(3):
        status, stays = staying.refresh(stays["refresh_token"])
        assert status == 200
    status, lately = late.exchange(code)
    assert status == 200
    server.cli("connections", "remove", connection_of(server, leaving))
    assert revoking.post("/revoke", {"token": revokes["access_token"]})[0] == 200
    server.cli("users", "create", "--email", "bob@example.com", "--name", "Bob", "--password-stdin", stdin=PASSWORD)

    server.kill()
    answer = engine_of.restore(server)
    server.start()
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


def test_a_backup_under_load_is_of_one_moment_and_holds_what_was_answered_before_it(tmp_path: Path) -> None:
    with platform_on(OnSqlite(tmp_path), tmp_path) as platform:
        backed_up_under_load(platform, tmp_path)


def backed_up_under_load(platform: Platform, tmp_path: Path) -> None:
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
    for number in range(3):
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
