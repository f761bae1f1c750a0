"""What happens to connections and what lives by them, to sessions, and to counts; each with its guard."""

from __future__ import annotations

import asyncio
from operator import methodcaller
from typing import Any

import pytest

from grantway.protocol.decision import (
    Add,
    AddTallies,
    Decision,
    EndSessions,
    EndUserGrants,
    MoveGeneration,
    RemoveConnection,
    Replace,
    TouchOperatorKey,
    TouchUse,
)
from grantway.protocol.model import Suspension
from grantway.server.storage.port import Contended
from tests.storage.asking import (
    DAY,
    HOUR,
    NOON,
    THE_HOUR,
    add,
    an_id,
    ask,
    connection,
    do,
    grant,
    numbers_of,
    operator_key,
    resource,
    saying,
    session,
    tally,
    the_world,
    user,
    webhook,
)


def refuses(storage: Any, *changes: Any) -> bool:
    with pytest.raises(Contended):
        do(storage, *changes)
    return True


def the_connection(storage: Any) -> Any:
    return ask(storage, lambda facts: facts.connection(an_id(4))).connection


def resources(storage: Any) -> Any:
    return ask(storage, lambda facts: facts.resources(an_id(4), live=False))


def test_a_suspension_is_seen_by_the_next_use_and_so_is_its_end(storage: Any) -> None:
    add(storage, *the_world())
    assert ask(storage, lambda facts: facts.grant(an_id(5))).connection.suspended_at is None
    paused = connection(suspended_at=NOON, suspensions=(Suspension(NOON, "customer", "us_1"),), version=2)
    do(storage, Replace(paused))
    assert ask(storage, lambda facts: facts.grant(an_id(5))).connection == paused
    do(storage, Replace(connection(version=3)))
    assert ask(storage, lambda facts: facts.grant(an_id(5))).connection == connection(version=3)


def test_only_codes_that_were_not_exchanged_end_when_only_those_are_meant(storage: Any) -> None:
    add(storage, *the_world(), grant(51), grant(52, origin="migration"), grant(53, user_id=an_id(8)))
    do(storage, MoveGeneration(an_id(51), 0, NOON))
    do(storage, EndUserGrants(an_id(4), an_id(1), NOON, "member_left", only_codes=True))
    assert set(numbers_of(ask(storage, lambda facts: facts.live_grants(an_id(4), an_id(1))))) == {51, 52}
    assert ask(storage, lambda facts: facts.grant(an_id(5))).grant.revoked_reason == "member_left"
    assert len(ask(storage, lambda facts: facts.live_grants(an_id(4), an_id(8)))) == 1


def test_a_connection_is_removed_once_and_is_another_version(storage: Any) -> None:
    add(storage, *the_world())
    do(storage, RemoveConnection(an_id(4), NOON, "user_removed", an_id(1)))
    removed = ask(storage, lambda facts: facts.connection(an_id(4))).connection
    assert removed == connection(removed_at=NOON, removed_reason="user_removed", removed_by=an_id(1), version=2)
    assert ask(storage, lambda facts: facts.live_connection(an_id(3), an_id(2))) is None
    assert refuses(storage, RemoveConnection(an_id(4), NOON, "again"))
    assert refuses(storage, RemoveConnection(an_id(99), NOON, "of nothing"))
    assert refuses(storage, Replace(connection(scope=("a",), version=2)))


def test_what_lives_by_a_connection_ends_with_it(storage: Any) -> None:
    add(storage, *the_world(), connection(44, client_id=b"other"))
    before = resource(61, reference="a", cancelled_at=NOON - DAY, cancelled_reason="customer", version=2)
    add(storage, before, resource(62), resource(63, connection_id=an_id(44)))
    add(storage, webhook(71, ended_at=NOON - DAY, version=2), webhook(72), webhook(73, disabled_at=NOON - HOUR))
    add(storage, webhook(74, connection_id=an_id(44)))
    do(storage, RemoveConnection(an_id(4), NOON, "customer"))
    assert resources(storage) == (before, resource(62, cancelled_at=NOON, cancelled_reason="customer", version=2))
    ended = [ask(storage, methodcaller("webhook", an_id(n))).webhook for n in (71, 72, 73)]
    assert [(each.ended_at, each.version) for each in ended] == [(NOON - DAY, 2), (NOON, 2), (NOON, 2)]
    assert ended[2].disabled_at == NOON - HOUR
    assert ask(storage, lambda facts: facts.webhooks(an_id(4))) == ()
    assert ask(storage, lambda facts: facts.resource_by_reference(an_id(4), "subscription", "sub-62")) is None
    assert len(ask(storage, lambda facts: facts.resources(an_id(44)))) == 1
    assert len(ask(storage, lambda facts: facts.webhooks(an_id(44)))) == 1
    assert refuses(storage, Replace(webhook(72, version=2)))


def test_a_removal_that_is_rolled_back_ends_nothing(storage: Any) -> None:
    add(storage, *the_world(), webhook(), resource())
    assert refuses(storage, RemoveConnection(an_id(4), NOON, "customer"), Add(user()))
    assert the_connection(storage) == connection()
    assert ask(storage, lambda facts: facts.webhooks(an_id(4))) == (webhook(),)
    assert ask(storage, lambda facts: facts.resources(an_id(4))) == (resource(),)


@pytest.mark.parametrize("at", range(11), ids=lambda at: f"removal after {at}")
def test_whoever_adds_while_a_connection_is_removed_leaves_nothing_alive(storage: Any, at: int) -> None:
    """The connection's version is the guard: who adds a child replaces it, and so decides again or comes too late."""
    add(storage, *the_world())

    def adds(number: int) -> Any:
        async def rule(facts: Any, now: Any) -> Decision[str]:
            held = (await facts.connection(an_id(4))).connection
            if held.removed_at is not None:
                return Decision("too late")
            seen = connection(version=held.version + 1)
            return Decision("added", (Add(webhook(number)), Add(resource(number)), Replace(seen)))

        return rule

    async def removes(facts: Any, now: Any) -> Decision[str]:
        return Decision("removed", (RemoveConnection(an_id(4), now, "customer"),))

    async def race() -> list[str]:
        rules = [adds(100 + number) for number in range(10)]
        rules.insert(at, removes)
        return [each.answer for each in await asyncio.gather(*map(storage.settle, rules))]

    answers = asyncio.run(race())
    added = answers.count("added")
    assert sorted(answers) == ["added"] * added + ["removed"] + ["too late"] * (10 - added)
    assert ask(storage, lambda facts: facts.webhooks(an_id(4))) == ()
    assert ask(storage, lambda facts: facts.resources(an_id(4))) == ()
    assert [each.cancelled_reason for each in resources(storage)] == ["customer"] * added


def test_a_child_that_was_decided_on_before_the_removal_is_not_added_after_it(storage: Any) -> None:
    add(storage, *the_world())
    do(storage, RemoveConnection(an_id(4), NOON, "customer"))
    assert refuses(storage, Add(webhook()), Replace(connection(version=2)))
    assert ask(storage, lambda facts: facts.webhook(an_id(13))) is None


def test_a_use_is_remembered_by_its_day_which_never_goes_back(storage: Any) -> None:
    add(storage, *the_world())
    do(storage, TouchUse(an_id(5), an_id(4), NOON.date()))
    do(storage, TouchUse(an_id(5), an_id(4), NOON.date() - DAY), TouchUse(an_id(98), an_id(99), NOON.date()))
    held = ask(storage, lambda facts: facts.grant(an_id(5)))
    assert held.grant.last_used_day == held.connection.last_used_day == NOON.date()
    assert held.connection.version == 1
    do(storage, TouchUse(an_id(5), an_id(4), NOON.date() + DAY))
    assert ask(storage, lambda facts: facts.grant(an_id(5))).connection.last_used_day == NOON.date() + DAY


def test_an_operator_keys_use_is_remembered_by_its_day_which_never_goes_back(storage: Any) -> None:
    add(storage, operator_key(), operator_key(61))
    today = NOON.date()
    do(storage, TouchOperatorKey(an_id(16), today), TouchOperatorKey(an_id(99), today))
    do(storage, TouchOperatorKey(an_id(16), today - DAY))
    assert ask(storage, lambda facts: facts.operator_key(an_id(16))) == operator_key(last_used_day=today)
    do(storage, TouchOperatorKey(an_id(16), today + DAY))
    assert ask(storage, lambda facts: facts.operator_key(an_id(16))) == operator_key(last_used_day=today + DAY)
    assert ask(storage, lambda facts: facts.operator_key(an_id(61))) == operator_key(61)


def test_a_person_is_signed_out_everywhere_or_everywhere_else(storage: Any) -> None:
    add(storage, user(), user(2), *[session(n) for n in (81, 82, 83)], session(84, user_id=an_id(2)))
    do(storage, EndSessions(an_id(1), keep=an_id(82)))
    assert numbers_of(ask(storage, lambda facts: facts.sessions_of(an_id(1)))) == [82]
    assert ask(storage, lambda facts: facts.session(an_id(81))) is None
    do(storage, EndSessions(an_id(1)), EndSessions(an_id(99)))
    assert ask(storage, lambda facts: facts.sessions_of(an_id(1))) == ()
    assert numbers_of(ask(storage, lambda facts: facts.sessions_of(an_id(2)))) == [84]


def test_counts_add_up_by_hour_kind_and_label(storage: Any) -> None:
    do(storage, AddTallies(THE_HOUR, {("tokens", "code"): 2, ("refusals", "code"): 1}))
    do(storage, AddTallies(THE_HOUR, {("tokens", "code"): 3}), AddTallies(THE_HOUR + HOUR, {("tokens", "code"): 1}))
    assert ask(storage, lambda facts: facts.tallies(THE_HOUR)) == (
        tally("code", kind="refusals", count=1),
        tally("code", count=5),
        tally("code", hour=THE_HOUR + HOUR),
    )
    do(storage, AddTallies(THE_HOUR, {}))


def test_counts_of_ten_at_once_are_all_there(storage: Any) -> None:
    async def race() -> None:
        change = AddTallies(THE_HOUR, {("tokens", "code"): 1})
        await asyncio.gather(*[storage.settle(saying(None, change)) for _ in range(10)])

    asyncio.run(race())
    assert ask(storage, lambda facts: facts.tallies(THE_HOUR)) == (tally("code", count=10),)
