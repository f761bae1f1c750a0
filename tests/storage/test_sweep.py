"""Sweeping takes what can have no effect any more, and nothing else."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from operator import methodcaller
from typing import Any

from grantway.protocol.model import EndedToken
from tests.storage.asking import (
    DAY,
    HOUR,
    NOON,
    THE_HOUR,
    account,
    add,
    an_id,
    ask,
    attempt,
    bucket,
    client,
    connection,
    event,
    foreign_token,
    grant,
    idempotent_answer,
    link,
    notice,
    numbers_of,
    operator_key,
    pending,
    resource,
    session,
    sign_in_request,
    tally,
    user,
    webhook,
)

INSTANT = timedelta(microseconds=1)
MIDNIGHT = THE_HOUR.replace(hour=0)


def test_only_what_is_over_goes(storage: Any) -> None:
    add(storage, user(), account(), client(), connection())
    over = [
        EndedToken(b"over", NOON - INSTANT),
        foreign_token(181, grant_id=an_id(56), expires_at=NOON - 30 * DAY - INSTANT),
        session(81, expires_at=NOON - INSTANT),
        pending(61, expires_at=NOON - INSTANT),
        bucket(101, expires_at=NOON - INSTANT),
        grant(51, code_expires_at=NOON - HOUR - INSTANT),
        grant(52, revoked_at=NOON - 30 * DAY - INSTANT, generation=9),
        notice(71, delivered_at=NOON - 30 * DAY - INSTANT),
        notice(72, dead_at=NOON - 30 * DAY - INSTANT),
        link(111, expires_at=NOON - INSTANT),
        sign_in_request(121, expires_at=NOON - INSTANT),
        idempotent_answer(171, expires_at=NOON - INSTANT),
        webhook(131, ended_at=NOON - 40 * DAY - INSTANT),
        resource(141, cancelled_at=NOON - 30 * DAY - INSTANT),
        event(151, created_at=NOON - 40 * DAY - INSTANT),
        tally("over", hour=NOON - 400 * DAY - INSTANT),
    ]
    still = [
        EndedToken(b"still", NOON),
        foreign_token(182, grant_id=an_id(56), expires_at=NOON - 30 * DAY),
        foreign_token(183, grant_id=an_id(56)),
        session(82, expires_at=NOON),
        pending(62, expires_at=NOON),
        bucket(102, expires_at=NOON),
        grant(53, code_expires_at=NOON - HOUR),
        grant(54, code_expires_at=NOON - 9 * DAY, generation=1),
        grant(55, code_expires_at=NOON - 9 * DAY, origin="implicit"),
        grant(56, origin="migration"),
        grant(57, revoked_at=NOON - 30 * DAY),
        notice(73, delivered_at=NOON - 30 * DAY),
        notice(74, created_at=NOON - 90 * DAY),
        link(112, expires_at=NOON),
        sign_in_request(122, expires_at=NOON),
        idempotent_answer(172, expires_at=NOON),
        webhook(132, ended_at=NOON - 40 * DAY),
        webhook(133, created_at=NOON - 90 * DAY, disabled_at=NOON - 90 * DAY),
        resource(142, cancelled_at=NOON - 30 * DAY),
        resource(143, created_at=NOON - 90 * DAY),
        event(152, created_at=NOON - 40 * DAY),
        tally("still", hour=MIDNIGHT - 399 * DAY),
        operator_key(161, revoked_at=NOON - 900 * DAY),
    ]
    add(storage, *over, *still)
    assert asyncio.run(storage.sweep()) == len(over)
    assert asyncio.run(storage.sweep()) == 0
    assert ask(storage, lambda facts: facts.ended_token(b"over")) is None
    assert ask(storage, lambda facts: facts.ended_token(b"still")) is not None
    left = [n for n in (181, 182, 183) if ask(storage, methodcaller("foreign_token", an_id(n) * 2)) is not None]
    assert left == [182, 183]
    assert ask(storage, lambda facts: facts.session(an_id(81))) is None
    assert ask(storage, lambda facts: facts.session(an_id(82))) is not None
    assert ask(storage, lambda facts: facts.pending(an_id(61))) is None
    assert ask(storage, lambda facts: facts.pending(an_id(62))) is not None
    assert ask(storage, lambda facts: facts.failures(an_id(101))) is None
    assert ask(storage, lambda facts: facts.failures(an_id(102))) is not None
    assert found_of(storage, "grant", *range(51, 58)) == [53, 54, 55, 56, 57]
    assert numbers_of(ask(storage, lambda facts: facts.notices(connection_id=an_id(4)))) == [74, 73]
    assert [each.digest for each in ask(storage, lambda facts: facts.links_of(an_id(1)))] == [an_id(112)]
    assert numbers_of(ask(storage, lambda facts: facts.resources(an_id(4), live=False))) == [142, 143]
    assert found_of(storage, "event", 151, 152) == [152]
    assert [each.label for each in ask(storage, lambda facts: facts.tallies(NOON - 999 * DAY))] == ["still"]
    assert numbers_of(ask(storage, lambda facts: facts.operator_keys())) == [161]
    assert found_of(storage, "webhook", 131, 132, 133) == [132, 133]
    assert found_of(storage, "sign_in_request", 121, 122) == [122]
    assert found_of(storage, "idempotent_answer", 171, 172) == [172]


def found_of(storage: Any, fact: str, *numbers: int) -> list[int]:
    return [n for n in numbers if ask(storage, methodcaller(fact, an_id(n))) is not None]


def test_an_older_systems_tokens_go_with_their_grant_and_not_before(storage: Any) -> None:
    add(storage, user(), account(), client(), connection(), grant(51, revoked_at=NOON - 30 * DAY - INSTANT))
    add(storage, grant(52, revoked_at=NOON - 30 * DAY), grant(53, origin="migration"))
    tokens = [foreign_token(180 + n, grant_id=an_id(50 + n), expires_at=NOON + DAY) for n in (1, 2, 3)]
    add(storage, *tokens, foreign_token(191, grant_id=an_id(51)))
    assert asyncio.run(storage.sweep()) == 1
    assert found_of(storage, "grant", 51, 52, 53) == [52, 53]
    left = [n for n in (181, 182, 183, 191) if ask(storage, methodcaller("foreign_token", an_id(n) * 2)) is not None]
    assert left == [182, 183]


def test_attempts_go_with_their_notice(storage: Any) -> None:
    add(storage, notice(71, delivered_at=NOON - 31 * DAY), notice(72, delivered_at=NOON), notice(73))
    add(storage, *[attempt(tries, number) for tries in (1, 2) for number in (71, 72, 73)])
    assert asyncio.run(storage.sweep()) == 1
    assert ask(storage, lambda facts: facts.attempts(an_id(71))) == ()
    assert len(ask(storage, lambda facts: facts.attempts(an_id(72)))) == 2
    assert len(ask(storage, lambda facts: facts.attempts(an_id(73)))) == 2


def test_attempts_stay_when_their_notice_waits_for_the_next_sweep(storage: Any) -> None:
    add(storage, *[notice(n, delivered_at=NOON - 31 * DAY) for n in (71, 72)])
    add(storage, *[attempt(1, number) for number in (71, 72)])
    assert asyncio.run(storage.sweep(1)) == 1
    left = {each.id for each in ask(storage, lambda facts: facts.notices())}
    with_attempts = {n for n in (71, 72) if ask(storage, methodcaller("attempts", an_id(n)))}
    assert {an_id(n) for n in with_attempts} == left
    assert asyncio.run(storage.sweep(1)) == 1
    assert [ask(storage, methodcaller("attempts", an_id(n))) for n in (71, 72)] == [(), ()]


def test_a_sweep_takes_no_more_than_the_limit_of_each_kind(storage: Any) -> None:
    add(storage, *[EndedToken(bytes([n]), NOON - HOUR) for n in range(7)])
    add(storage, *[session(n, expires_at=NOON - HOUR) for n in range(2)])
    assert [asyncio.run(storage.sweep(3)) for _ in range(4)] == [5, 3, 1, 0]


def told(storage: Any) -> list[tuple[str, int, int]]:
    """Label, hours before the last midnight, and count."""
    tallies = ask(storage, lambda facts: facts.tallies(NOON - 999 * DAY))
    return sorted((each.label, (MIDNIGHT - each.hour) // HOUR, each.count) for each in tallies)


def test_counts_by_the_hour_become_counts_by_the_day_after_eight_days(storage: Any) -> None:
    add(
        storage,
        *[tally("old", hour=MIDNIGHT - 9 * DAY + n * HOUR, count=2**n) for n in (0, 1, 23)],
        tally("older", hour=MIDNIGHT - 10 * DAY + 7 * HOUR, count=3),
        tally("old", hour=MIDNIGHT - 10 * DAY + 7 * HOUR, count=5),
        tally("old", kind="refusals", hour=MIDNIGHT - 9 * DAY + HOUR, count=7),
        # Of this day some hours are not eight days old.
        tally("still", hour=MIDNIGHT - 8 * DAY + HOUR, count=11),
        tally("still", hour=MIDNIGHT - 8 * DAY + 2 * HOUR, count=13),
    )
    assert asyncio.run(storage.sweep()) == 5
    by_the_day = [("old", 216, 7), ("old", 216, 1 + 2 + 2**23), ("old", 240, 5), ("older", 240, 3)]
    assert told(storage) == [*by_the_day, ("still", 190, 13), ("still", 191, 11)]
    assert asyncio.run(storage.sweep()) == 0


def test_a_small_sweep_adds_up_a_part_and_no_count_is_lost_or_counted_twice(storage: Any) -> None:
    add(storage, *[tally(label, hour=MIDNIGHT - 9 * DAY + n * HOUR, count=1) for n in range(24) for label in "ab"])
    swept = []
    while gone := asyncio.run(storage.sweep(7)):
        swept.append(gone)
        assert sum(count for _, _, count in told(storage)) == 48
    assert (sum(swept), max(swept)) == (46, 7)
    assert told(storage) == [("a", 216, 24), ("b", 216, 24)]
