"""SQLite fails at any statement: who is told yes finds it done, who is told no finds nothing, and nothing is half done."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from grantway.protocol.decision import Add, Decision, MoveGeneration, Replace
from grantway.protocol.facts import Facts, Page
from grantway.protocol.model import EndedToken
from grantway.server.storage.port import Contended, OutcomeUnknown, StorageError
from grantway.server.storage.sqlite import SqliteStorage, migrate
from tests.storage.asking import NOON, account, add, an_id, ask, audit_entry, do, saying, the_world, user

Fault = Literal["full", "io", "memory"]
CODES: dict[Fault, int] = {
    "full": sqlite3.SQLITE_FULL,
    "io": sqlite3.SQLITE_IOERR_WRITE,
    "memory": sqlite3.SQLITE_NOMEM,
}


class Failing(sqlite3.Connection):
    """Fails at the n-th statement from now, once or from then on, and like SQLite takes the transaction along.

    ``only`` counts just these statements: which number a commit has depends on how a thread happens to group.
    """

    fault: Fault = "io"
    after: int | None = None
    only: str | None = None
    for_good = False
    keeps_transaction = False
    commits_nevertheless = False
    failed_at: str | None = None

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:  # type: ignore[explicit-override]
        if self.after is not None and sql != "rollback" and self.only in (None, sql):
            self.after -= 1
            if self.after == 0 or (self.after < 0 and self.for_good):
                self.failed_at = self.failed_at or sql
                if self.in_transaction and not self.keeps_transaction:
                    super().execute("commit" if sql == "commit" and self.commits_nevertheless else "rollback")
                error = sqlite3.OperationalError(f"simulated: {self.fault}")
                error.sqlite_errorcode = CODES[self.fault]
                raise error
        return super().execute(sql, *values)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the world in it, to be copied."""
    path = tmp_path_factory.mktemp("template") / "grantway.db"
    migrate(path)
    storage = SqliteStorage.open(path, writer="tick")
    add(storage, *the_world())
    asyncio.run(storage.close())
    return path


async def reads_and_adds(facts: Facts, now: datetime) -> Decision[str]:
    await facts.grant(an_id(5))
    return Decision(
        "several", (Add(user(21)), Replace(account(external_ids={"square": "m"}, version=2)), Add(user(22)))
    )


async def moves(facts: Facts, now: datetime) -> Decision[str]:
    held = await facts.grant(an_id(5))
    assert held is not None
    return Decision("move", (MoveGeneration(an_id(5), held.grant.generation, now),))


async def raises(facts: Facts, now: datetime) -> Decision[str]:
    await facts.users()
    raise LookupError


RULES = [reads_and_adds, moves, raises, saying("one", Add(EndedToken(b"one", NOON))), saying("none")]


def settle_all(storage: SqliteStorage) -> list[Any]:
    async def together() -> list[Any]:
        # A move is proposed, as the token endpoint does it; what a faulty group voids comes true alone or not at all.
        verbs = [storage.propose if rule is moves else storage.settle for rule in RULES]
        return await asyncio.gather(
            *(verb(rule) for verb, rule in zip(verbs, RULES, strict=True)), return_exceptions=True
        )

    return asyncio.run(together())


def judge(path: Path, results: list[Any]) -> None:
    """Compare what was said with what a new start finds."""
    again = SqliteStorage.open(path, writer="tick")
    try:
        found = [
            ask(again, lambda facts: facts.user(an_id(21))) is not None,
            ask(again, lambda facts: facts.grant(an_id(5))).grant.generation == 1,
            None,
            ask(again, lambda facts: facts.ended_token(b"one")) is not None,
        ]
        whole = [
            ask(again, lambda facts: facts.account_by_external_id("square", "m")) is not None,
            ask(again, lambda facts: facts.user(an_id(22))) is not None,
        ]
        assert whole == [found[0]] * 2
        for result, there in zip(results[:2] + results[3:4], found[:2] + found[3:], strict=True):
            if isinstance(result, OutcomeUnknown):
                continue
            assert isinstance(result, (Decision, StorageError))
            assert there == isinstance(result, Decision)
    finally:
        asyncio.run(again.close())


def runs(
    template: Path, directory: Path, writer: Any, **plan: Any
) -> Iterator[tuple[SqliteStorage, Failing, list[Any]]]:
    """Settle everything again and again, failing at the first statement, the second, … until there is none left."""
    for number in range(1, 200):
        path = directory / f"{number}.db"
        shutil.copy(template, path)
        told: list[BaseException] = []
        storage = SqliteStorage.open(
            path, writer=writer, connection_class=Failing, on_unknown_outcome=told.append, clock=lambda: NOON
        )
        connection: Any = storage._writing
        for name, value in plan.items():
            setattr(connection, name, value)
        connection.after = number
        try:
            results = settle_all(storage)
            assert bool(told) == (storage.failed is not None)
            yield storage, connection, results
        finally:
            connection.after = None
            asyncio.run(storage.close())
        if connection.failed_at is None:
            assert number > (10 if connection.only is None else 1)
            return
        judge(path, results)
    pytest.fail("it never came to an end")


@pytest.mark.parametrize("writer", ["tick", "thread"])
@pytest.mark.parametrize("fault", ["full", "io"])
def test_a_fault_that_takes_the_transaction_once_harms_nobody(
    template: Path, tmp_path: Path, writer: str, fault: Fault
) -> None:
    for storage, connection, results in runs(template, tmp_path, writer, fault=fault):
        if connection.failed_at in ("commit", "begin immediate"):
            continue
        assert [type(each) for each in results] == [Decision, Decision, LookupError, Decision, Decision]
        assert storage.failed is None


@pytest.mark.parametrize("writer", ["tick", "thread"])
@pytest.mark.parametrize("keeps", [False, True], ids=["rolled back", "not rolled back"])
@pytest.mark.parametrize("fault", ["full", "io", "memory"])
def test_a_fault_that_stays_is_told_and_changes_nothing(
    template: Path, tmp_path: Path, writer: str, fault: Fault, keeps: bool
) -> None:
    for _ in runs(template, tmp_path, writer, fault=fault, for_good=True, keeps_transaction=keeps):
        pass  # judged by ``runs``


@pytest.mark.parametrize("writer", ["tick", "thread"])
@pytest.mark.parametrize("nevertheless", [False, True], ids=["it did not happen", "it happened"])
def test_a_commit_of_unknown_outcome_stops_the_storage(
    template: Path, tmp_path: Path, writer: str, nevertheless: bool
) -> None:
    stopped = 0
    for storage, connection, results in runs(
        template, tmp_path, writer, fault="io", only="commit", commits_nevertheless=nevertheless
    ):
        if connection.failed_at is None:
            continue
        stopped += 1
        assert any(isinstance(each, OutcomeUnknown) for each in results)
        assert storage.failed is not None
        with pytest.raises(StorageError, match="stopped"):
            do(storage, Add(user(99)))
        with pytest.raises(StorageError, match="stopped"):
            asyncio.run(storage.consult(saying(None)))
    assert stopped


@pytest.mark.parametrize("writer", ["tick", "thread"])
def test_a_full_database_refuses_and_goes_on_when_there_is_room(database: Path, writer: Any) -> None:
    storage = SqliteStorage.open(database, writer=writer, clock=lambda: NOON)
    writing = storage._writing
    pages = writing.execute("pragma page_count").fetchone()[0]
    writing.execute(f"pragma max_page_count = {pages + 12}").fetchall()

    async def flood() -> list[Any]:
        big = [saying(n, Add(audit_entry(n, detail={"text": "x" * 3000})), Add(user(n))) for n in range(30)]
        return await asyncio.gather(*map(storage.settle, big), return_exceptions=True)

    results = asyncio.run(flood())
    done = {each.answer for each in results if isinstance(each, Decision)}
    refused = [each for each in results if not isinstance(each, Decision)]
    assert 0 < len(done) < 30
    assert {type(each) for each in refused} == {StorageError}
    assert "full" in str(refused[0])
    assert {each.id for each in ask(storage, lambda facts: facts.users())} == {an_id(n) for n in done}
    assert {each.id for each in ask(storage, lambda facts: facts.audit())} == {an_id(n) for n in done}
    writing.execute("pragma max_page_count = 100000").fetchall()
    do(storage, Add(user(99)))
    asyncio.run(storage.close())


def test_a_rule_that_catches_the_fault_changes_nothing_behind_its_back(template: Path, tmp_path: Path) -> None:
    path = tmp_path / "caught.db"
    shutil.copy(template, path)
    storage = SqliteStorage.open(path, writer="tick", connection_class=Failing, clock=lambda: NOON)
    connection: Any = storage._writing

    async def catches(facts: Facts, now: datetime) -> Decision[str]:
        try:
            await facts.users()
        except sqlite3.Error:
            return Decision("caught", (Add(user(21)),))
        return Decision("fine", (Add(user(22)),))

    async def together() -> list[Any]:
        return await asyncio.gather(*map(storage.settle, [moves, catches]))

    connection.after = 6  # begin, three reads, move, and then what is caught
    assert [each.answer for each in asyncio.run(together())] == ["move", "fine"]
    assert connection.failed_at is not None
    assert "from users" in connection.failed_at
    assert ask(storage, lambda facts: facts.user(an_id(21))) is None
    asyncio.run(storage.close())


def test_busy_commits_are_tried_again(template: Path, tmp_path: Path) -> None:
    path = tmp_path / "busy.db"
    shutil.copy(template, path)

    class Busy(Failing):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:  # type: ignore[explicit-override]
            if sql == "commit" and self.after is not None and self.after > 0:
                self.after -= 1
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise error
            return sqlite3.Connection.execute(self, sql, *values)

    storage = SqliteStorage.open(path, writer="tick", connection_class=Busy)
    connection: Any = storage._writing
    for times, outcome in ((2, Decision), (3, Decision), (99, StorageError)):
        connection.after = times
        results = asyncio.run(_settle(storage, times))
        assert type(results) is outcome
    connection.after = None
    assert ask(storage, lambda facts: facts.user(an_id(99))) is None
    assert ask(storage, lambda facts: facts.user(an_id(3))) is not None
    asyncio.run(storage.close())


async def _settle(storage: SqliteStorage, number: int) -> Any:
    return (await asyncio.gather(storage.settle(saying(number, Add(user(number)))), return_exceptions=True))[0]


def test_a_value_that_the_schema_refuses_is_an_error_and_not_a_missed_guard(template: Path, tmp_path: Path) -> None:
    path = tmp_path / "wrong.db"
    shutil.copy(template, path)
    storage = SqliteStorage.open(path, writer="tick")
    wrong: Any = user(21, name=None)
    with pytest.raises(StorageError) as told:
        do(storage, Add(user(22)), Add(wrong))
    assert not isinstance(told.value, Contended)
    assert ask(storage, lambda facts: facts.user(an_id(22))) is None
    asyncio.run(storage.close())


LIMITED = """
import asyncio, resource, sys
from grantway.protocol.decision import Add
from grantway.server.storage.port import OutcomeUnknown, StorageError
from grantway.server.storage.sqlite import SqliteStorage
from tests.storage.asking import audit_entry, saying

async def main():
    told = []
    storage = SqliteStorage.open(sys.argv[1], writer=sys.argv[2], on_unknown_outcome=told.append)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    for number in range(1000):
        try:
            await storage.settle(saying(number, Add(audit_entry(number, detail={"text": "x" * 2000}))))
        except StorageError as error:
            print(type(error).__name__, len(told), storage.failed is not None)
            return
        print(number)

asyncio.run(main())
"""


@pytest.mark.parametrize("writer", ["tick", "thread"])
def test_a_disk_that_takes_no_more_bytes_stops_the_storage_and_keeps_what_was_told(database: Path, writer: str) -> None:
    child = subprocess.run(
        [sys.executable, "-c", LIMITED, str(database), writer], capture_output=True, text=True, check=True, timeout=60
    )
    *acknowledged, end = child.stdout.splitlines()
    assert end == "OutcomeUnknown 1 True"
    assert len(acknowledged) > 10
    storage = SqliteStorage.open(database, writer="tick")
    there = {each.id for each in ask(storage, lambda facts: facts.audit(Page(1000)))}
    asyncio.run(storage.close())
    assert there >= {an_id(int(number)) for number in acknowledged}
    assert len(there) <= len(acknowledged) + 1


def test_a_callback_that_raises_does_not_turn_unknown_into_nothing_happened(template: Path, tmp_path: Path) -> None:
    path = tmp_path / "callback.db"
    shutil.copy(template, path)

    def raises_too(unknown: BaseException) -> None:
        raise LookupError

    storage = SqliteStorage.open(path, writer="tick", connection_class=Failing, on_unknown_outcome=raises_too)
    connection: Any = storage._writing
    connection.after = 3  # begin, insert, commit
    with pytest.raises(OutcomeUnknown):
        do(storage, Add(user(21)))
    assert connection.failed_at == "commit"
    assert storage.failed is not None
    asyncio.run(storage.close())
