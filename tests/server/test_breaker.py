"""The circuit of a target: when it opens, for how long, and what closes it."""

from __future__ import annotations

from datetime import timedelta

from grantway.server.connections.breaker import OPEN_FOR, OPEN_FOR_LONGEST, OPENS_AFTER, Breakers


class Ticks:
    """Seconds that a test turns."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def opened() -> tuple[Breakers, Ticks]:
    ticks = Ticks()
    breakers = Breakers(ticks)
    for _ in range(OPENS_AFTER):
        breakers.kept_silent("dead")
    return breakers, ticks


def test_a_few_silences_are_nothing_and_an_answer_between_them_forgets_them() -> None:
    breakers = Breakers(Ticks())
    for _ in range(OPENS_AFTER - 1):
        breakers.kept_silent("slow")
    breakers.answered("slow")
    for _ in range(OPENS_AFTER - 1):
        breakers.kept_silent("slow")
    assert breakers.shut() == {}


def test_a_target_that_keeps_silent_is_left_alone_and_then_tried() -> None:
    breakers, ticks = opened()
    assert (breakers.shut(), breakers.on_trial()) == ({"dead": timedelta(seconds=OPEN_FOR)}, [])
    ticks.now += OPEN_FOR
    assert (breakers.shut(), breakers.on_trial()) == ({}, ["dead"])
    breakers.answered("dead")
    assert (breakers.shut(), breakers.on_trial()) == ({}, [])


def test_each_trial_that_finds_nobody_doubles_the_rest_up_to_the_longest() -> None:
    breakers, ticks = opened()
    rests = []
    for _ in range(6):
        ticks.now += breakers.shut()["dead"].total_seconds()
        breakers.kept_silent("dead")
        rests.append(breakers.shut()["dead"].total_seconds())
    assert rests == [120, 240, 480, OPEN_FOR_LONGEST, OPEN_FOR_LONGEST, OPEN_FOR_LONGEST]


def test_attempts_that_were_under_way_when_it_opened_say_nothing_new() -> None:
    breakers, _ = opened()
    for _ in range(3):
        breakers.kept_silent("dead")
    assert breakers.shut() == {"dead": timedelta(seconds=OPEN_FOR)}
