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
    account,
    add,
    an_id,
    ask,
    bucket,
    client,
    connection,
    grant,
    notice,
    pending,
    session,
    user,
)

INSTANT = timedelta(microseconds=1)


def test_only_what_is_over_goes(storage: Any) -> None:
    add(storage, user(), account(), client(), connection())
    over = [
        EndedToken(b"over", NOON - INSTANT),
        session(81, expires_at=NOON - INSTANT),
        pending(61, expires_at=NOON - INSTANT),
        bucket(101, expires_at=NOON - INSTANT),
        grant(51, code_expires_at=NOON - HOUR - INSTANT),
        grant(52, revoked_at=NOON - 30 * DAY - INSTANT, generation=9),
        notice(71, delivered_at=NOON - 30 * DAY - INSTANT),
        notice(72, dead_at=NOON - 30 * DAY - INSTANT),
    ]
    still = [
        EndedToken(b"still", NOON),
        session(82, expires_at=NOON),
        pending(62, expires_at=NOON),
        bucket(102, expires_at=NOON),
        grant(53, code_expires_at=NOON - HOUR),
        grant(54, code_expires_at=NOON - 9 * DAY, generation=1),
        grant(55, code_expires_at=NOON - 9 * DAY, origin="implicit"),
        grant(56),
        grant(57, revoked_at=NOON - 30 * DAY),
        notice(73, delivered_at=NOON - 30 * DAY),
        notice(74, created_at=NOON - 90 * DAY),
    ]
    add(storage, *over, *still)
    assert asyncio.run(storage.sweep()) == len(over)
    assert asyncio.run(storage.sweep()) == 0
    assert ask(storage, lambda facts: facts.ended_token(b"over")) is None
    assert ask(storage, lambda facts: facts.ended_token(b"still")) is not None
    assert ask(storage, lambda facts: facts.session(an_id(81))) is None
    assert ask(storage, lambda facts: facts.session(an_id(82))) is not None
    assert ask(storage, lambda facts: facts.pending(an_id(61))) is None
    assert ask(storage, lambda facts: facts.pending(an_id(62))) is not None
    assert ask(storage, lambda facts: facts.failures(an_id(101))) is None
    assert ask(storage, lambda facts: facts.failures(an_id(102))) is not None
    found = [n for n in range(51, 58) if ask(storage, methodcaller("grant", an_id(n))) is not None]
    assert found == [53, 54, 55, 56, 57]
    assert [each.id for each in ask(storage, lambda facts: facts.notices(an_id(4)))] == [an_id(74), an_id(73)]


def test_a_sweep_takes_no_more_than_the_limit_of_each_kind(storage: Any) -> None:
    add(storage, *[EndedToken(bytes([n]), NOON - HOUR) for n in range(7)])
    add(storage, *[session(n, expires_at=NOON - HOUR) for n in range(2)])
    assert [asyncio.run(storage.sweep(3)) for _ in range(4)] == [5, 3, 1, 0]
