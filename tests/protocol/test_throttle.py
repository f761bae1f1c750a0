"""Guessing passwords gets slow for one person's name and ends for one address; nobody is locked out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grantway.protocol.decision import Decision
from grantway.protocol.throttle import (
    FAILURES_PER_ADDRESS,
    LONGEST_DELAY,
    WINDOW,
    Pace,
    buckets_of,
    count_failure,
    delay_after,
    forgive,
    pace,
)
from tests.helpers.people import House


def paced(house: House, email: str, address: str) -> Pace:
    async def rule(facts: Any, at: Any) -> Decision[Pace]:
        return Decision(await pace(facts, at.now, buckets_of(email, address)))

    return house.decide(rule).answer


def fails(house: House, email: str, address: str, times: int = 1) -> None:
    async def rule(facts: Any, at: Any) -> Decision[None]:
        return Decision(None, await count_failure(facts, at.now, buckets_of(email, address)))

    for _ in range(times):
        house.decide(rule)


@pytest.fixture
def house() -> House:
    return House.in_memory()


def test_typing_errors_cost_nothing_then_it_slows_and_never_beyond_two_seconds() -> None:
    delays = [delay_after(failures) for failures in range(12)]
    assert delays[:3] == [0, 0, 0]
    assert delays[3:8] == [0.25, 0.5, 1.0, 2.0, 2.0]
    assert max(delay_after(failures) for failures in (100, 10**6)) == LONGEST_DELAY


def test_a_person_is_slowed_in_the_network_of_the_guesses_and_nowhere_else(house: House) -> None:
    fails(house, "ada@example.com", "192.0.2.7", times=10)
    assert paced(house, "ada@example.com", "192.0.2.200") == Pace(LONGEST_DELAY, None)
    assert paced(house, "ada@example.com", "198.51.100.1") == Pace(0.0, None)
    assert paced(house, "bob@example.com", "192.0.2.7") == Pace(0.0, None)


def test_an_address_that_failed_too_often_has_to_wait_for_the_end_of_its_window(house: House) -> None:
    for number in range(FAILURES_PER_ADDRESS):
        fails(house, f"user{number}@example.com", "192.0.2.7")
    house.clock.turn(minutes=5)
    assert paced(house, "ada@example.com", "192.0.2.7").retry_after == 600
    assert paced(house, "ada@example.com", "192.0.2.8").retry_after is None
    house.clock.turn(minutes=10)
    assert paced(house, "ada@example.com", "192.0.2.7") == Pace(0.0, None)


def test_a_window_ends_when_it_ends_however_often_it_is_failed_in(house: House) -> None:
    fails(house, "ada@example.com", "192.0.2.7", times=5)
    house.clock.turn(seconds=WINDOW.total_seconds() - 1)
    fails(house, "ada@example.com", "192.0.2.7")
    house.clock.turn(seconds=1)
    assert paced(house, "ada@example.com", "192.0.2.7").delay == 0


def test_success_forgives_the_person_and_not_the_address(house: House) -> None:
    fails(house, "ada@example.com", "192.0.2.7", times=FAILURES_PER_ADDRESS)

    async def succeed(facts: Any, at: Any) -> Decision[None]:
        return Decision(None, await forgive(facts, buckets_of("ada@example.com", "192.0.2.7")))

    house.decide(succeed)
    house.decide(succeed)  # nothing left to forgive
    after = paced(house, "ada@example.com", "192.0.2.7")
    assert after.delay == 0
    assert after.retry_after is not None


@pytest.mark.parametrize(
    ("one", "other", "same_person", "same_address"),
    [
        ("192.0.2.1", "192.0.2.255", True, False),
        ("192.0.2.1", "192.0.3.1", False, False),
        ("192.0.2.1", "::ffff:192.0.2.1", True, True),
        ("2001:db8:0:100::1", "2001:db8:0:100:ffff::2", True, True),
        ("2001:db8:0:100::1", "2001:db8:0:1ff::1", True, False),
        ("2001:db8:0:100::1", "2001:db8:0:200::1", False, False),
        ("", "/run/grantway.sock", True, True),
    ],
)
def test_what_counts_as_the_same_network_and_the_same_address(
    one: str, other: str, same_person: bool, same_address: bool
) -> None:
    first, second = buckets_of("ada@example.com", one), buckets_of("ada@example.com", other)
    assert (first.person == second.person) is same_person
    assert (first.address == second.address) is same_address


def test_buckets_hold_neither_name_nor_address() -> None:
    buckets = buckets_of("ada@example.com", "192.0.2.7")
    assert b"ada" not in buckets.person + buckets.address
    assert "person=" not in repr(buckets)
    assert replace(buckets) == buckets
