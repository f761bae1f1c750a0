"""Several processes at one database, and processes that are killed in the middle."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from operator import methodcaller
from pathlib import Path
from typing import Any

import pytest

from grantway.server.storage.port import StorageError
from grantway.server.storage.sqlite import SqliteStorage, migrate
from tests.storage import hammer
from tests.storage.asking import add, an_id, ask, do, grant, saying, the_world, user

ROOT = Path(__file__).parents[2]


def start(what: str, database: Path, writer: str, number: int) -> subprocess.Popen[bytes]:
    """Start hammering in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.storage.hammer", what, str(database), writer, str(number)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("writer", ["tick", "thread"])
def test_what_was_acknowledged_survives_kill_9_and_nothing_is_spent_twice(database: Path, writer: str) -> None:
    storage = SqliteStorage.open(database, writer="tick")
    add(storage, *the_world(), *[grant(number) for number in range(hammer.FIRST, hammer.FIRST + hammer.GRANTS)])
    asyncio.run(storage.close())
    acknowledged: list[int] = []
    for turn in range(4):
        child = start("spend", database, writer, turn)
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(random.uniform(0.0, 0.08))
        os.kill(child.pid, signal.SIGKILL)
        rest, complaints = child.communicate(timeout=30)
        assert complaints == b""
        lines = (first + rest).split(b"\n")[:-1]
        assert child.returncode == -signal.SIGKILL
        acknowledged += [int(line) for line in lines if line != b"end"]
        check(database, acknowledged)
    assert len(acknowledged) == len(set(acknowledged)) > 0


def check(database: Path, acknowledged: list[int]) -> None:
    """Everything that was acknowledged is there, and every exchange is whole."""
    storage = SqliteStorage.open(database, writer="tick")

    async def spent(facts: Any) -> tuple[set[int], set[int]]:
        numbers = range(hammer.FIRST, hammer.FIRST + hammer.GRANTS)
        moved = {number for number in numbers if (await facts.grant(an_id(number))).grant.generation == 1}
        written = {number for number in numbers if await facts.ended_token(hammer.receipt(number).serial)}
        return moved, written

    moved, written = ask(storage, spent)
    do(storage)
    asyncio.run(storage.close())
    assert moved == written
    assert moved >= set(acknowledged)


def test_workers_and_a_command_take_turns_and_every_move_counts(database: Path) -> None:
    storage = SqliteStorage.open(database, writer="tick")
    add(storage, *the_world())
    children = [
        start("count", database, "tick", 400),
        start("count", database, "thread", 400),
        start("visit", database, "tick", 20),
    ]
    for child in children:
        _, complaints = child.communicate(timeout=60)
        assert (child.returncode, complaints) == (0, b"")
    assert ask(storage, lambda facts: facts.grant(an_id(5))).grant.generation == 820
    asyncio.run(storage.close())


def test_two_that_migrate_at_once_do_it_once(tmp_path: Path) -> None:
    path = tmp_path / "data" / "grantway.db"
    code = "import sys; from grantway.server.storage.sqlite import migrate; print(len(migrate(sys.argv[1])))"
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    results = [child.communicate(timeout=30) for child in children]
    assert [complaints for _, complaints in results] == [b""] * 3
    assert sorted(int(count) for count, _ in results) == [0, 0, len(migrate(tmp_path / "other.db"))]


def test_one_process_sees_at_once_what_another_has_changed(database: Path) -> None:
    mine, other = (SqliteStorage.open(database, writer=kind) for kind in ("tick", "thread"))
    for number in range(1, 20):
        add(other, user(number))
        assert ask(mine, methodcaller("user", an_id(number))) is not None
        mine, other = other, mine
    for each in (mine, other):
        asyncio.run(each.close())


def test_a_fork_cannot_use_its_parents_storage(database: Path) -> None:
    code = """
import asyncio, os, sys
from grantway.server.storage.sqlite.turnstile import Turnstile
from grantway.server.storage.port import StorageError
from pathlib import Path
turnstile = Turnstile(Path(sys.argv[1]))
child = os.fork()
if child == 0:
    try:
        with turnstile:
            os._exit(1)
    except StorageError:
        os._exit(7)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-c", code, str(database)], timeout=30).returncode == 7


def test_a_foreign_program_that_holds_the_database_too_long_is_told_of(database: Path) -> None:
    storage = SqliteStorage.open(database, writer="tick")
    storage._writing.execute("pragma busy_timeout = 50").fetchall()
    foreign = sqlite3.connect(database, isolation_level=None)
    foreign.execute("begin immediate")
    with pytest.raises(StorageError, match="locked"):
        do(storage)
    assert asyncio.run(storage.consult(saying(None))).answer is None
    foreign.execute("rollback")
    foreign.close()
    do(storage)
    asyncio.run(storage.close())
