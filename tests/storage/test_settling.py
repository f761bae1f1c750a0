"""Settling: all or nothing, refusals that carry changes, rules that decide again, races, and the way out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from operator import methodcaller
from typing import Any

import pytest

from grantway.protocol.decision import (
    Add,
    Decision,
    EndGrant,
    Forget,
    LeaseNotice,
    MoveGeneration,
    RemoveConnection,
    Replace,
    ReplayNotice,
    ReportDelivery,
    refuse,
)
from grantway.protocol.facts import Facts
from grantway.protocol.model import EndedToken
from grantway.server.storage.memory import MemoryStorage
from grantway.server.storage.port import ATTEMPTS, Contended, Overloaded, StorageError
from grantway.server.storage.sqlite import SqliteStorage
from grantway.wire.errors import INVALID_GRANT
from tests.storage.asking import (
    HOUR,
    NOON,
    account,
    add,
    an_id,
    ask,
    attempt,
    client,
    connection,
    do,
    grant,
    idempotent_answer,
    link,
    notice,
    pending,
    resource,
    saying,
    the_world,
    user,
)


def test_the_decision_comes_back_with_its_answer_and_reason(storage: Any) -> None:
    async def rule(facts: Facts, now: datetime) -> Decision[str]:
        return Decision("yes", (Add(user()),), "made")

    assert asyncio.run(storage.settle(rule)) == Decision("yes", (Add(user()),), "made")


def test_a_rule_runs_at_the_storages_time(storage: Any, clock: Any) -> None:
    async def rule(facts: Facts, now: datetime) -> Decision[datetime]:
        return Decision(now)

    clock.now = NOON + HOUR
    assert asyncio.run(storage.settle(rule)).answer == NOON + HOUR
    assert asyncio.run(storage.consult(rule)).answer == NOON + HOUR
    assert asyncio.run(storage.now()) == NOON + HOUR


def test_all_changes_come_true_or_none(storage: Any) -> None:
    add(storage, *the_world())
    changes = (
        Add(user(11)),
        Replace(account(2, name="Renamed", external_ids={"square": "m"}, version=2)),
        MoveGeneration(an_id(5), 0, NOON),
        EndGrant(an_id(5), NOON, "over"),
        RemoveConnection(an_id(4), NOON, "over"),
        Add(connection(41)),
        Add(pending()),
        Forget(pending()),
        Forget(pending()),
    )
    with pytest.raises(Contended):
        do(storage, *changes)
    held = ask(storage, lambda facts: facts.grant(an_id(5)))
    assert (held.grant, held.connection, held.account) == (grant(), connection(), account())
    assert ask(storage, lambda facts: facts.user_by_email("user11@example.com")) is None
    assert ask(storage, lambda facts: facts.account_by_external_id("square", "m")) is None
    assert ask(storage, lambda facts: facts.live_connection(an_id(3), an_id(2))).id == an_id(4)
    do(storage, *changes[:-1])
    assert ask(storage, lambda facts: facts.live_connection(an_id(3), an_id(2))).id == an_id(41)
    assert ask(storage, lambda facts: facts.account_by_external_id("square", "m")).name == "Renamed"


def test_a_refusal_that_carries_changes_commits_them(storage: Any) -> None:
    async def rule(facts: Facts, now: datetime) -> Decision[Any]:
        return refuse(INVALID_GRANT, "refresh_token_reused", EndGrant(an_id(5), now, "refresh_token_reused"))

    add(storage, *the_world())
    assert asyncio.run(storage.settle(rule)).answer.reason == "refresh_token_reused"
    assert ask(storage, lambda facts: facts.grant(an_id(5))).grant.revoked_reason == "refresh_token_reused"


def test_a_rule_that_raises_changes_nothing_and_is_alone_with_it(storage: Any) -> None:
    async def raises(facts: Facts, now: datetime) -> Decision[Any]:
        await facts.user(an_id(1))
        raise LookupError("mine")

    async def together() -> list[Any]:
        rules = [saying(1, Add(user(1))), raises, saying(3, Add(user(3)))]
        return await asyncio.gather(*map(storage.settle, rules), return_exceptions=True)

    before, error, after = asyncio.run(together())
    assert (before.answer, after.answer) == (1, 3)
    assert isinstance(error, LookupError)
    assert len(ask(storage, lambda facts: facts.users())) == 2
    with pytest.raises(LookupError):
        asyncio.run(storage.consult(raises))


def test_a_rule_that_waits_for_the_world_is_a_fault_where_others_wait_for_it(sqlite_storage: Any) -> None:
    async def waits(facts: Facts, now: datetime) -> Decision[None]:
        await asyncio.sleep(0)
        return Decision(None, (Add(user()),))

    with pytest.raises(RuntimeError, match="waited"):
        asyncio.run(sqlite_storage.settle(waits))
    assert ask(sqlite_storage, lambda facts: facts.users()) == ()


def test_a_missed_guard_lets_the_rule_decide_again(storage: Any) -> None:
    add(storage, user(1), user(2))
    tried: list[int] = []

    async def rule(facts: Facts, now: datetime) -> Decision[int]:
        tried.append(len(tried) + 1)
        return Decision(tried[-1], (Add(pending()), Add(user(tried[-1]))))

    assert asyncio.run(storage.settle(rule)).answer == 3
    assert tried == [1, 2, 3]
    assert ask(storage, lambda facts: facts.pending(an_id(6))) == pending()


def test_after_so_many_misses_it_is_contended(storage: Any) -> None:
    add(storage, user())
    tried: list[int] = []

    async def rule(facts: Facts, now: datetime) -> Decision[None]:
        tried.append(1)
        return Decision(None, (Add(pending()), Add(user())))

    with pytest.raises(Contended):
        asyncio.run(storage.settle(rule))
    assert len(tried) == ATTEMPTS
    assert ask(storage, lambda facts: facts.pending(an_id(6))) is None


def test_a_consulted_rule_is_settled_when_it_comes_with_changes(storage: Any) -> None:
    async def rule(facts: Facts, now: datetime) -> Decision[bool]:
        there = await facts.user(an_id(1)) is not None
        return Decision(there, () if there else (Add(user()),))

    assert asyncio.run(storage.consult(rule)).answer is False
    assert asyncio.run(storage.consult(rule)).answer is True


RACES: dict[str, Callable[[int], Any]] = {
    "a user with one address": lambda number: Add(user(100 + number, email="one@example.com")),
    "a live connection": lambda number: Add(connection(100 + number, client_id=b"c", account_id=b"a")),
    "one id": lambda number: Add(EndedToken(b"t", NOON)),
    "a version": lambda number: Replace(client(name=f"{number}", version=2)),
    "an exchange": lambda number: MoveGeneration(an_id(5), 0, NOON),
    "a pending authorization": lambda number: Forget(pending()),
    "a removal": lambda number: RemoveConnection(an_id(4), NOON, f"{number}"),
    "a person of the platform's": lambda number: Add(user(100 + number, email=None, external_id="p")),
    "a resource": lambda number: Add(resource(100 + number, reference="r")),
    "a one-time link": lambda number: Forget(link()),
    "an idempotent answer": lambda number: Add(idempotent_answer(status=200 + number)),
    "a lease": lambda number: LeaseNotice(an_id(7), b"%d" % number, NOON, NOON + HOUR),
    "a report": lambda number: ReportDelivery(b"sender", attempt(1, 8, status=200 + number), delivered_at=NOON),
    "a replay": lambda number: ReplayNotice(an_id(9), NOON + HOUR),
}
OF_RACES = (
    *the_world(),
    pending(),
    link(),
    notice(7),
    notice(8, lease=b"sender", leased_until=NOON + HOUR),
    notice(9, delivered_at=NOON),
)


@pytest.mark.parametrize("verb", ["settle", "propose"])
@pytest.mark.parametrize("change", RACES.values(), ids=RACES.keys())
def test_of_ten_that_race_for_one_thing_one_wins(storage: Any, change: Callable[[int], Any], verb: str) -> None:
    add(storage, *OF_RACES)

    async def race() -> list[Any]:
        rules = [saying(number, change(number), Add(EndedToken(b"%d" % number, NOON))) for number in range(10)]
        return await asyncio.gather(*map(getattr(storage, verb), rules), return_exceptions=True)

    results = asyncio.run(race())
    assert sum(isinstance(each, Decision) for each in results) == 1
    assert sum(isinstance(each, Contended) for each in results) == 9
    written = [ask(storage, methodcaller("ended_token", b"%d" % n)) for n in range(10)]
    assert sum(each is not None for each in written) == 1


@pytest.mark.parametrize("verb", ["settle", "propose"])
def test_ten_that_read_and_move_all_move(storage: Any, verb: str) -> None:
    add(storage, *the_world())

    async def rule(facts: Facts, now: datetime) -> Decision[int]:
        held = await facts.grant(an_id(5))
        assert held is not None
        return Decision(held.grant.generation, (MoveGeneration(an_id(5), held.grant.generation, now),))

    async def race() -> list[Any]:
        return await asyncio.gather(*[getattr(storage, verb)(rule) for _ in range(10)])

    assert sorted(decision.answer for decision in asyncio.run(race())) == list(range(10))


def test_a_proposal_without_changes_is_the_answer_and_one_with_changes_comes_true(storage: Any) -> None:
    add(storage, *the_world())
    assert asyncio.run(storage.propose(saying("nothing"))) == Decision("nothing")
    asyncio.run(storage.propose(saying("moved", MoveGeneration(an_id(5), 0, NOON))))
    assert ask(storage, lambda facts: facts.grant(an_id(5))).grant.generation == 1


def test_a_proposal_that_comes_too_late_decides_again_on_what_is_true_then(storage: Any) -> None:
    """It had read generation 0, and so had the one before it."""
    add(storage, *the_world())

    async def rule(facts: Facts, now: datetime) -> Decision[str]:
        held = await facts.grant(an_id(5))
        assert held is not None
        if held.grant.generation:
            return Decision("too late", (EndGrant(an_id(5), now, "presented_twice"),))
        return Decision("exchanged", (MoveGeneration(an_id(5), 0, now),))

    async def both() -> list[Any]:
        return await asyncio.gather(*[storage.propose(rule) for _ in range(2)])

    assert sorted(decision.answer for decision in asyncio.run(both())) == ["exchanged", "too late"]
    grant_now = ask(storage, lambda facts: facts.grant(an_id(5))).grant
    assert (grant_now.generation, grant_now.revoked_reason) == (1, "presented_twice")


def test_a_proposal_that_raises_changes_nothing(storage: Any) -> None:
    async def rule(facts: Facts, now: datetime) -> Decision[str]:
        raise LookupError

    with pytest.raises(LookupError):
        asyncio.run(storage.propose(rule))
    asyncio.run(storage.close())
    with pytest.raises(StorageError):
        asyncio.run(storage.propose(saying("late")))


def test_a_version_that_was_rolled_back_is_never_remembered(storage: Any) -> None:
    add(storage, *the_world(), user(9))

    async def peek(facts: Facts, now: datetime) -> Decision[Any]:
        held = await facts.grant(an_id(5))
        assert held is not None
        return Decision((held.client.name, (await facts.client("client3")).name))  # type: ignore[union-attr]

    async def together() -> list[Any]:
        lost = saying(None, Replace(client(name="Lost", version=2)), Add(user(9)))
        kept = saying(None, Replace(client(name="Kept", version=2)))
        rules = [lost, peek, kept, peek]
        return await asyncio.gather(*map(storage.settle, rules), return_exceptions=True)

    results = asyncio.run(together())
    assert isinstance(results[0], Contended)
    assert {results[1].answer, results[3].answer} <= {("C", "C"), ("Kept", "Kept")}
    assert asyncio.run(storage.consult(peek)).answer == ("Kept", "Kept")


def test_a_caller_that_gives_up_takes_nobody_along(storage: Any) -> None:
    async def some_give_up() -> None:
        tasks = [asyncio.create_task(storage.settle(saying(n, Add(user(n))))) for n in range(1, 9)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        done: list[Any] = await asyncio.gather(*tasks, return_exceptions=True)
        assert [each.answer for each in done[1::2]] == [2, 4, 6, 8]

    asyncio.run(some_give_up())
    there = {each.email for each in ask(storage, lambda facts: facts.users())}
    assert there >= {f"user{n}@example.com" for n in (2, 4, 6, 8)}


def test_closing_finishes_what_is_queued_and_refuses_what_comes_after(storage: Any) -> None:
    async def close_early() -> list[Any]:
        tasks = [asyncio.create_task(storage.settle(saying(n, Add(user(n))))) for n in range(1, 9)]
        await asyncio.sleep(0)
        await storage.close()
        await storage.close()
        with pytest.raises(StorageError):
            await storage.settle(saying(None))
        with pytest.raises(StorageError):
            await storage.consult(saying(None))
        return [decision.answer for decision in await asyncio.gather(*tasks)]

    assert asyncio.run(close_early()) == list(range(1, 9))


def test_what_is_said_about_the_database_is_said_once(storage: Any) -> None:
    assert asyncio.run(storage.read_meta("check")) is None
    assert asyncio.run(storage.write_meta_once("check", b"first")) == b"first"
    assert asyncio.run(storage.write_meta_once("check", b"second")) == b"first"
    assert asyncio.run(storage.read_meta("check")) == b"first"


def test_a_queue_that_is_full_takes_nothing_in(sqlite_storage: SqliteStorage, database: Any) -> None:
    ran: list[int] = []

    async def rule(facts: Facts, now: datetime) -> Decision[None]:
        ran.append(1)
        return Decision(None)

    async def flood() -> list[Any]:
        small = SqliteStorage.open(database, writer=sqlite_storage.writer, queue_limit=3)
        try:
            return await asyncio.gather(*[small.settle(rule) for _ in range(10)], return_exceptions=True)
        finally:
            await small.close()

    results = asyncio.run(flood())
    assert [isinstance(each, Overloaded) for each in results] == [False] * 3 + [True] * 7
    assert len(ran) == 3


def test_memory_settles_without_an_event_loop() -> None:
    storage = MemoryStorage(lambda: NOON)
    with pytest.raises(StopIteration):
        storage.settle(saying("done", Add(user()))).send(None)
