"""Several processes at one PostgreSQL, and processes that are killed in the middle."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from grantway.protocol.decision import Add, Decision
from grantway.protocol.facts import Facts
from grantway.server.storage.postgres import PostgresStorage, migrate
from tests.helpers.postgres import Cluster
from tests.storage import hammer
from tests.storage.asking import an_id, grant, saying, the_world

ROOT = Path(__file__).parents[2]


@pytest.fixture
def url(postgres_cluster: Cluster) -> Iterator[str]:
    with postgres_cluster.migrated(migrate) as lent:
        yield lent


def start(what: str, url: str, number: int) -> subprocess.Popen[bytes]:
    """Start hammering in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.storage.hammer", what, url, "none", str(number)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def on(url: str, *changes: Any) -> None:
    decided(url, saying(None, *changes))


def decided(url: str, rule: Any) -> Any:
    """What the rule answers, made true by a storage of its own."""

    async def settle() -> Any:
        storage = await PostgresStorage.open(url)
        try:
            return (await storage.settle(rule)).answer
        finally:
            await storage.close()

    return asyncio.run(settle())


def test_ten_refreshes_at_once_from_each_of_two_processes_are_one_generation(url: str) -> None:
    numbers = range(hammer.FIRST, hammer.FIRST + 100)
    on(url, *[Add(each) for each in (*the_world(), *(grant(number) for number in numbers))])
    children = [start("race", url, len(numbers)) for _ in range(2)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
    for child in children:  # as near to one another as two processes come
        assert child.stdin is not None
        child.stdin.write(b"go\n")
        child.stdin.flush()
    said = [child.communicate(timeout=100) for child in children]
    assert [complaints for _, complaints in said] == [b"", b""]
    moved = [[int(each) for each in out.split()] for out, _ in said]
    assert sorted(moved[0] + moved[1]) == list(numbers)
    assert all(moved), "there was no race"


def test_what_two_processes_acknowledged_survives_kill_9_and_nothing_is_spent_twice(url: str) -> None:
    numbers = range(hammer.FIRST, hammer.FIRST + hammer.GRANTS)
    on(url, *[Add(each) for each in (*the_world(), *(grant(number) for number in numbers))])

    async def whole(facts: Facts, now: datetime) -> Decision[tuple[set[int], set[int]]]:
        moved = {n for n in numbers if (held := await facts.grant(an_id(n))) and held.grant.generation == 1}
        written = {n for n in numbers if await facts.ended_token(hammer.receipt(n).serial)}
        return Decision((moved, written))

    acknowledged: list[int] = []
    for turn in range(2):
        children = [start("spend", url, 2 * turn + each) for each in range(2)]
        first = [child.stdout.readline() for child in children if child.stdout is not None]  # both have begun
        for child in children:
            os.kill(child.pid, signal.SIGKILL)
        for child, line in zip(children, first, strict=True):
            rest, complaints = child.communicate(timeout=60)
            assert (child.returncode, complaints) == (-signal.SIGKILL, b"")
            acknowledged += [int(each) for each in (line + rest).split() if each != b"end"]
    moved, written = decided(url, whole)
    assert moved == written
    assert len(acknowledged) == len(set(acknowledged)) > 0
    assert moved >= set(acknowledged)
