"""What storages do after a database was set back to a backup."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from grantway.protocol.decision import EndGrant, MoveAhead, Put, SetBack
from grantway.server.storage.port import Contended
from tests.storage.asking import (
    DAY,
    HOUR,
    NOON,
    account,
    add,
    an_id,
    ask,
    client,
    connection,
    do,
    grant,
    link,
    pending,
    restoration,
    saying,
    session,
    sign_in_request,
    user,
)


def the_grant(storage: Any) -> Any:
    return ask(storage, lambda facts: facts.grant(an_id(5))).grant


@pytest.fixture
def held(storage: Any) -> Any:
    """A storage with a grant whose code waits."""
    add(storage, user(), account(), client(), connection(), grant())
    return storage


def test_a_row_follows_its_token_over_many_generations(held: Any) -> None:
    before = the_grant(held)
    do(held, MoveAhead(an_id(5), before.generation, 700, NOON + HOUR, b"key", NOON + DAY))
    moved = the_grant(held)
    assert (moved.generation, moved.moved_at, moved.previous_moved_at) == (700, NOON + HOUR, before.moved_at)
    assert (moved.move_key, moved.refresh_idle_expires_at) == (b"key", NOON + DAY)


def test_its_time_never_goes_back(held: Any) -> None:
    do(held, MoveAhead(an_id(5), the_grant(held).generation, 700, NOON + HOUR))
    do(held, MoveAhead(an_id(5), 700, 701, NOON))
    assert (the_grant(held).moved_at, the_grant(held).previous_moved_at) == (NOON + HOUR, NOON + HOUR)


@pytest.mark.parametrize("why", ["moved", "ended", "unknown"])
def test_it_follows_only_from_where_it_was_seen(held: Any, why: str) -> None:
    generation = the_grant(held).generation
    if why == "moved":
        do(held, MoveAhead(an_id(5), generation, 700, NOON))
    if why == "ended":
        do(held, EndGrant(an_id(5), NOON, "operator"))
    with pytest.raises(Contended):
        do(held, MoveAhead(an_id(99 if why == "unknown" else 5), generation, 701, NOON))


def test_of_ten_who_take_a_row_along_at_once_one_does(held: Any) -> None:
    generation = the_grant(held).generation

    async def all_at_once() -> list[Any]:
        moves = [MoveAhead(an_id(5), generation, 700 + number, NOON) for number in range(10)]
        rules = [held.settle(saying("moved", move)) for move in moves]
        return await asyncio.gather(*rules, return_exceptions=True)

    came = asyncio.run(all_at_once())
    assert sorted(type(each).__name__ for each in came) == ["Contended"] * 9 + ["Decision"]
    (won,) = (number for number, each in enumerate(came) if not isinstance(each, Contended))
    assert the_grant(held).generation == 700 + won


def test_what_is_good_for_once_is_good_for_nothing(held: Any, clock: Any) -> None:
    """Not even for the sweeper, where a token may yet prove that the code was exchanged."""
    add(held, session(), link(), pending(), sign_in_request())
    do(held, SetBack(NOON))
    assert ask(held, lambda facts: facts.session(session().digest)) is None
    assert ask(held, lambda facts: facts.link(link().digest)) is None
    assert ask(held, lambda facts: facts.pending(pending().digest)) is None
    assert ask(held, lambda facts: facts.sign_in_request(sign_in_request().digest)) is None
    clock.now = NOON + 3 * DAY
    asyncio.run(held.sweep())
    assert the_grant(held).code_expires_at is None


def test_the_last_restoration_counts_until_its_end(storage: Any, clock: Any) -> None:
    assert ask(storage, lambda facts: facts.restoration()) is None
    first, second = restoration(1, restored_at=NOON - HOUR), restoration(2, until=NOON + HOUR)
    do(storage, Put(first), Put(second))
    assert ask(storage, lambda facts: facts.restoration()) == second
    clock.now = NOON + HOUR
    assert ask(storage, lambda facts: facts.restoration()) == first
    clock.now = NOON + DAY
    assert ask(storage, lambda facts: facts.restoration()) is None
