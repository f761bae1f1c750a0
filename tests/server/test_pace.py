"""How quickly attempts get done: what a sender tells the rule that leases."""

from __future__ import annotations

from grantway.server.connections.pace import TAKEN_FOR_GRANTED, Pace
from tests.server.test_breaker import Ticks


def test_everybody_is_believed_to_be_quick_until_time_tells() -> None:
    ticks = Ticks()
    pace = Pace(ticks)
    pace.took(["slow"])
    assert pace.per_second() == {"slow": TAKEN_FOR_GRANTED}
    ticks.now = 99
    assert pace.per_second() == {"slow": 1}


def test_who_gets_many_done_is_quick_however_long_it_goes_on() -> None:
    ticks = Ticks()
    pace = Pace(ticks)
    pace.took(["quick"])
    for _ in range(20_000):
        pace.took(["quick"])
        pace.ended("quick", idle=False)
    ticks.now = 99
    assert pace.per_second() == {"quick": 201}


def test_whoever_has_nothing_under_way_begins_anew() -> None:
    ticks = Ticks()
    pace = Pace(ticks)
    pace.took(["slow"])
    ticks.now = 99
    pace.ended("slow", idle=True)
    assert pace.per_second() == {}
    pace.took(["slow"])
    assert pace.per_second() == {"slow": TAKEN_FOR_GRANTED}
