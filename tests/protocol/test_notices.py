"""Notices: what they say, who may take one, what an attempt comes to."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from grantway.protocol.decision import Add, Decision, LeaseNotice, ReplayNotice, ReportDelivery
from grantway.protocol.leasing import AT_A_TIME, lease_due
from grantway.protocol.model import Account, AuditEntry, Client, Connection, DeliveryAttempt, Notice
from grantway.protocol.moment import Moment
from grantway.protocol.notices import (
    FIRST_DELAY,
    GIVE_UP_AFTER,
    LEASE,
    LONGEST_DELAY,
    LOOKED_THROUGH,
    REPLAYED_AT_ONCE,
    Came,
    delay_after,
    public_id,
    remove_url_notice,
    replay,
    replay_dead,
    report,
    target_of,
)
from grantway.protocol.vault import Vault
from grantway.server.storage.memory import MemoryStorage

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
VAULT = Vault.of({"k1": bytes(64)}, "k1")
CLIENT = Client(b"c" * 16, "bot", "Bot", NOON, b"sealed", "k1", remove_url="https://bot.example/removed")
ACCOUNT = Account(b"a" * 16, "Shop", NOON, external_ids={"sunshine": "5963c0d619a30a2e00de36b8"})
CONNECTION = Connection(b"n" * 16, CLIENT.id, ACCOUNT.id, "5e4af71a81966cfff3ef6550", (), NOON)


def moment(now: datetime = NOON) -> Moment:
    return Moment(now, VAULT, os.urandom)


def notice_at(now: datetime = NOON, **fields: Any) -> Notice:
    notice = remove_url_notice(CLIENT, CONNECTION, ACCOUNT, moment(now), "customer")
    assert notice is not None
    return replace(notice, **fields)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Outbox:
    """Memory storage with a client, and the rules on it."""

    def __init__(self, *notices: Notice) -> None:
        self.clock = Clock()
        self.storage = MemoryStorage(self.clock)

        async def setup(facts: Any, now: datetime) -> Decision[None]:
            return Decision(None, (Add(CLIENT), *(Add(notice) for notice in notices)))

        asyncio.run(self.storage.settle(setup))

    def run(self, rule: Any, *args: Any) -> Decision[Any]:
        return asyncio.run(self.storage.settle(lambda facts, now: rule(facts, moment(now), *args)))

    def stored(self, notice: Notice) -> Notice:
        async def read(facts: Any, now: datetime) -> Decision[Notice]:
            return Decision(await facts.notice(notice.id))

        return asyncio.run(self.storage.consult(read)).answer

    def attempts(self, notice: Notice) -> tuple[DeliveryAttempt, ...]:
        async def read(facts: Any, now: datetime) -> Decision[Any]:
            return Decision(await facts.attempts(notice.id))

        found: tuple[DeliveryAttempt, ...] = asyncio.run(self.storage.consult(read)).answer
        return found

    def lease(self, limit: int = 10, **under_way: int) -> list[Notice]:
        return [each.notice for each in self.run(lease_due, limit, under_way).answer]


# what is said


def test_the_remove_url_notice_names_connection_app_and_client() -> None:
    notice = notice_at()
    assert json.loads(notice.body) == {
        "integrationId": "5e4af71a81966cfff3ef6550",
        "appId": "5963c0d619a30a2e00de36b8",
        "clientId": "bot",
    }
    assert (notice.url, notice.next_attempt_at, notice.connection_id) == (CLIENT.remove_url, NOON, CONNECTION.id)


def test_an_account_without_an_app_id_leaves_it_out() -> None:
    notice = remove_url_notice(CLIENT, CONNECTION, replace(ACCOUNT, external_ids={}), moment(), "customer")
    assert notice is not None
    assert "appId" not in json.loads(notice.body)


@pytest.mark.parametrize("remove_url", [None, ""])
def test_without_a_remove_url_nobody_is_told(remove_url: str | None) -> None:
    assert remove_url_notice(replace(CLIENT, remove_url=remove_url), CONNECTION, ACCOUNT, moment(), "customer") is None


def test_the_target_in_a_log_has_neither_path_nor_query_nor_user() -> None:
    assert target_of(notice_at(url="https://u:p@Bot.example:8443/hook?key=s3cret")) == "bot.example:8443"


# who may take one


def test_a_due_notice_is_leased_once() -> None:
    outbox = Outbox(notice_at())
    (held,) = outbox.lease()
    assert held.leased_until == NOON + LEASE
    assert outbox.lease() == []


def test_a_lease_ends_and_the_next_one_is_another() -> None:
    outbox = Outbox(notice_at())
    (first,) = outbox.lease()
    outbox.clock.now += LEASE
    (second,) = outbox.lease()
    assert (first.id, public_id(first)) == (second.id, public_id(second))
    assert first.lease != second.lease


def test_an_idle_look_changes_nothing() -> None:
    decision = Outbox().run(lease_due, 10)
    assert (decision.answer, decision.changes, decision.reason) == ((), (), "nothing_due")


def test_one_target_gets_only_so_many_at_a_time_and_others_their_turn() -> None:
    slow = [notice_at(line=bytes([n]) * 16) for n in range(AT_A_TIME + 3)]
    other = notice_at(NOON, line=b"o" * 16, url="https://other.example/removed")
    outbox = Outbox(*slow, other)
    leased = outbox.lease(limit=100)
    assert len(leased) == AT_A_TIME + 1
    assert other.id in {each.id for each in leased}


def test_attempts_under_way_count_for_the_target() -> None:
    outbox = Outbox(notice_at())
    assert outbox.lease(**{"bot.example": AT_A_TIME}) == []
    assert len(outbox.lease(**{"bot.example": AT_A_TIME - 1})) == 1


def test_what_is_due_for_a_target_that_keeps_silent_is_put_off_without_an_attempt() -> None:
    notice = notice_at()
    outbox = Outbox(notice, notice_at(line=b"o" * 16, url="https://other.example/removed"))
    decision = outbox.run(lease_due, 10, {}, {"bot.example": timedelta(minutes=1)})
    assert [each.notice.url for each in decision.answer] == ["https://other.example/removed"]
    put_off = outbox.stored(notice)
    assert timedelta(minutes=1) <= put_off.next_attempt_at - NOON <= timedelta(seconds=75)
    assert (put_off.attempts, put_off.lease) == (0, None)


def test_what_is_put_off_is_given_up_all_the_same() -> None:
    notice = notice_at()
    outbox = Outbox(notice)
    outbox.clock.now = NOON + GIVE_UP_AFTER - timedelta(seconds=1)
    outbox.run(lease_due, 10, {}, {"bot.example": timedelta(minutes=1)})
    assert outbox.stored(notice).next_attempt_at == NOON + GIVE_UP_AFTER
    outbox.clock.now = NOON + GIVE_UP_AFTER
    outbox.run(lease_due, 10, {}, {"bot.example": timedelta(minutes=1)})
    assert outbox.stored(notice).dead_at == outbox.clock.now


def test_a_thousand_due_for_one_target_do_not_hide_the_one_for_another() -> None:
    slow = [notice_at(line=n.to_bytes(16, "big")) for n in range(1000)]
    other = notice_at(NOON + timedelta(seconds=1), line=b"o" * 16, url="https://other.example/removed")
    outbox = Outbox(*slow, other)
    outbox.clock.now = NOON + timedelta(seconds=2)
    leased = outbox.lease(10, **{"bot.example": AT_A_TIME})
    assert [each.id for each in leased] == [other.id]


@pytest.mark.parametrize("limit", [0, -1, 2])
def test_no_more_are_taken_than_asked_for(limit: int) -> None:
    outbox = Outbox(*(notice_at(line=bytes([n]) * 16) for n in range(3)))
    assert len(outbox.lease(limit)) == max(limit, 0)


def test_one_connection_has_one_attempt_at_a_time_and_in_order() -> None:
    first, second = notice_at(), notice_at(NOON + timedelta(seconds=1))
    outbox = Outbox(first, second)
    outbox.clock.now = NOON + timedelta(seconds=2)
    (held,) = outbox.lease()
    assert held.id == first.id
    assert outbox.lease() == []
    outbox.run(report, held, Came(200))
    assert [each.id for each in outbox.lease()] == [second.id]


# what an attempt comes to


@pytest.mark.parametrize(
    ("status", "error", "outcome", "reason"),
    [
        (200, None, "delivered", "notice_delivered"),
        (204, None, "delivered", "notice_delivered"),
        (301, None, "retry", "notice_retried_later"),
        (302, None, "retry", "notice_retried_later"),
        (400, None, "retry", "notice_retried_later"),
        (404, None, "dead", "notice_target_gone"),
        (410, None, "dead", "notice_target_gone"),
        (429, None, "retry", "notice_retried_later"),
        (500, None, "retry", "notice_retried_later"),
        (None, "timeout", "retry", "notice_retried_later"),
        (None, "address_refused", "retry", "notice_retried_later"),
    ],
)
def test_an_answer_decides_what_becomes_of_the_notice(
    status: int | None, error: str | None, outcome: str, reason: str
) -> None:
    outbox = Outbox(notice_at())
    (held,) = outbox.lease()
    decision = outbox.run(report, held, Came(status, error))
    assert (decision.answer, decision.reason) == (outcome, reason)
    stored = outbox.stored(held)
    assert (stored.last_status, stored.last_error, stored.attempts, stored.lease) == (status, error, 1, None)
    assert (stored.delivered_at == NOON) is (outcome == "delivered")
    assert (stored.dead_at == NOON) is (outcome == "dead")
    assert (stored.next_attempt_at > NOON) is (outcome == "retry")


def test_an_attempt_is_written_down_with_when_it_began_and_what_came_back() -> None:
    outbox = Outbox(notice_at())
    (held,) = outbox.lease()
    outbox.clock.now = NOON + timedelta(seconds=3)
    outbox.run(report, held, Came(503, answer="Busy"), 2500)
    outbox.clock.now = outbox.stored(held).next_attempt_at
    (held,) = outbox.lease()
    outbox.run(report, held, Came(None, "timeout"), 20_000)
    assert outbox.attempts(held) == (
        DeliveryAttempt(held.id, 1, NOON + timedelta(milliseconds=500), 2500, 503, None, "Busy"),
        DeliveryAttempt(held.id, 2, outbox.clock.now - timedelta(seconds=20), 20_000, None, "timeout", ""),
    )


def test_three_days_count_from_when_it_was_replayed() -> None:
    dead = notice_at(dead_at=NOON + GIVE_UP_AFTER)
    outbox = Outbox(dead)
    outbox.clock.now = NOON + 2 * GIVE_UP_AFTER

    async def replays(facts: Any, at: Moment) -> Decision[None]:
        return Decision(None, (ReplayNotice(dead.id, at.now),))

    outbox.run(replays)
    (held,) = outbox.lease()
    assert outbox.run(report, held, Came(500)).answer == "retry"
    outbox.clock.now += GIVE_UP_AFTER
    (held,) = outbox.lease()
    assert outbox.run(report, held, Came(500)).reason == "notice_given_up"


@pytest.mark.parametrize(("asked", "waits"), [(3600, 3600), (5, 10), (10**9, LONGEST_DELAY.total_seconds())])
def test_who_asks_to_be_left_alone_is_left_alone_within_reason(asked: int, waits: float) -> None:
    outbox = Outbox(notice_at())
    (held,) = outbox.lease()
    outbox.run(report, held, Came(429, retry_after=asked))
    waited = (outbox.stored(held).next_attempt_at - NOON).total_seconds()
    assert waits * 0.75 <= waited <= waits * 1.25


def test_a_mail_server_that_says_no_for_good_is_believed_and_one_that_is_busy_is_not() -> None:
    outbox = Outbox(notice_at(kind="mail", url=""))
    (held,) = outbox.lease()
    assert outbox.run(report, held, Came(451)).answer == "retry"
    outbox.clock.now = outbox.stored(held).next_attempt_at
    (held,) = outbox.lease()
    assert outbox.run(report, held, Came(550)).answer == "dead"


def test_after_three_days_it_is_given_up_and_not_before() -> None:
    outbox = Outbox(notice_at())
    outbox.clock.now = NOON + GIVE_UP_AFTER - timedelta(seconds=1)
    (held,) = outbox.lease()
    assert outbox.run(report, held, Came(500)).answer == "retry"
    assert outbox.stored(held).next_attempt_at == NOON + GIVE_UP_AFTER
    outbox.clock.now = NOON + GIVE_UP_AFTER
    (held,) = outbox.lease()
    assert outbox.run(report, held, Came(500)).reason == "notice_given_up"


def test_three_days_of_silence_are_some_twenty_attempts() -> None:
    the_only_one = notice_at()
    outbox = Outbox(the_only_one)
    attempts = 0
    while held := outbox.lease():
        attempts += 1
        outbox.run(report, held[0], Came(None, "timeout"))
        outbox.clock.now = outbox.stored(held[0]).next_attempt_at
    assert outbox.stored(the_only_one).dead_at == NOON + GIVE_UP_AFTER
    assert 15 <= attempts <= 30


@pytest.mark.parametrize("attempts", [0, 1, 5, 11, 12, 40, 10_000])
def test_delays_double_within_a_quarter_up_to_the_longest(attempts: int) -> None:
    middle = min(FIRST_DELAY * 2 ** min(attempts, 30), LONGEST_DELAY)
    lowest = delay_after(attempts, Moment(NOON, VAULT, bytes))
    highest = delay_after(attempts, Moment(NOON, VAULT, lambda n: b"\xff" * n))
    assert lowest == middle * 0.75
    assert middle * 1.2499 < highest <= middle * 1.25


def test_a_sender_whose_lease_ended_writes_nothing() -> None:
    outbox = Outbox(notice_at())
    (held,) = outbox.lease()
    outbox.clock.now += LEASE
    decision = outbox.run(report, held, Came(200))
    assert (decision.answer, decision.changes) == ("lease_lost", ())


def test_a_sender_whose_notice_was_taken_over_writes_nothing() -> None:
    outbox = Outbox(notice_at())
    (late,) = outbox.lease()
    outbox.clock.now += LEASE
    (taker,) = outbox.lease()
    assert outbox.run(report, late, Came(200)).changes == ()
    assert outbox.stored(late).lease == taker.lease
    assert outbox.run(report, taker, Came(500)).answer == "retry"
    assert outbox.run(report, taker, Came(200)).answer == "lease_lost"  # said twice is said once


def test_changes_name_the_lease_they_rest_on() -> None:
    outbox = Outbox(notice_at())
    decision = outbox.run(lease_due, 1)
    (lease,) = decision.changes
    assert isinstance(lease, LeaseNotice)
    (result,) = outbox.run(report, decision.answer[0].notice, Came(200)).changes
    assert isinstance(result, ReportDelivery)
    assert result.lease == lease.lease


# sending again


def test_a_dead_notice_is_sent_again_under_its_id_for_three_more_days() -> None:
    outbox = Outbox(notice_at())
    (held,) = outbox.lease()
    outbox.run(report, held, Came(404))
    outbox.clock.now = NOON + timedelta(days=20)
    decision = outbox.run(replay, held.id, "operator")
    assert decision.reason == "notice_replayed"
    (again,) = outbox.lease()
    assert (public_id(again), again.replayed_at) == (public_id(held), outbox.clock.now)
    assert outbox.run(report, again, Came(500)).answer == "retry"
    outbox.clock.now += GIVE_UP_AFTER
    (again,) = outbox.lease()
    assert outbox.run(report, again, Came(500)).reason == "notice_given_up"


def test_after_a_replay_delays_begin_anew_however_often_it_had_failed() -> None:
    outbox = Outbox(notice_at())
    while held := outbox.lease():
        outbox.run(report, held[0], Came(500))
        outbox.clock.now = outbox.stored(held[0]).next_attempt_at
        last = held[0]
    outbox.clock.now += timedelta(days=1)
    outbox.run(replay, last.id, "operator")
    for delay in (FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY):
        (held_again,) = outbox.lease()
        outbox.run(report, held_again, Came(500))
        waits = outbox.stored(last).next_attempt_at - outbox.clock.now
        assert 0.75 * delay <= waits <= 1.25 * delay
        outbox.clock.now = outbox.stored(last).next_attempt_at
    assert len(outbox.attempts(last)) > 15


def test_a_notice_that_waits_is_on_its_way_already() -> None:
    notice = notice_at()
    decision = Outbox(notice).run(replay, notice.id, "operator")
    assert (decision.reason, decision.changes) == ("notice_waits_already", ())


def test_a_notice_that_never_was_is_not_sent_again() -> None:
    assert Outbox().run(replay, bytes(16), "operator").reason == "notice_unknown"


def test_who_sent_it_again_is_written_down() -> None:
    notice = notice_at(dead_at=NOON)
    written = [
        change.record for change in Outbox(notice).run(replay, notice.id, "us_ada").changes if isinstance(change, Add)
    ]
    (entry,) = written
    assert isinstance(entry, AuditEntry)
    assert (entry.actor, entry.action, entry.detail) == ("us_ada", "notice_replayed", {"notice": public_id(notice)})


def test_the_dead_of_a_client_are_sent_again_in_batches() -> None:
    dead = [notice_at(NOON + timedelta(seconds=n), line=n.to_bytes(16, "big"), dead_at=NOON) for n in range(130)]
    delivered = notice_at(line=b"d" * 16, delivered_at=NOON)
    of_another = notice_at(line=b"e" * 16, client_id=b"z" * 16, dead_at=NOON)
    outbox = Outbox(*dead, delivered, of_another)

    def batch(after: bytes | None) -> Any:
        return asyncio.run(
            outbox.storage.settle(
                lambda facts, now: replay_dead(facts, moment(now), "operator", client_row_id=CLIENT.id, after=after)
            )
        ).answer

    first = batch(None)
    rest = batch(first.after)
    assert (first.count, rest.count, rest.after) == (100, 30, None)
    assert first.left_out == rest.left_out == 0
    assert all(outbox.stored(each).dead_at is None for each in dead)
    assert outbox.stored(of_another).dead_at is not None
    assert outbox.stored(delivered).replayed_at is None


def test_what_has_nobody_to_reach_does_not_keep_older_ones_from_being_sent_again() -> None:
    old = notice_at(line=b"o" * 16, dead_at=NOON)
    nobodys = [
        notice_at(NOON + timedelta(seconds=n + 1), line=n.to_bytes(16, "big"), dead_at=NOON, webhook_id=b"w" * 16)
        for n in range(230)
    ]
    outbox = Outbox(old, *nobodys)
    rule: Any = partial(replay_dead, actor="operator", client_row_id=CLIENT.id)
    found = asyncio.run(outbox.storage.settle(lambda facts, now: rule(facts, moment(now)))).answer
    assert (found.count, found.left_out, found.after) == (1, 230, None)
    assert outbox.stored(old).dead_at is None


def test_one_call_looks_through_so_many_and_says_where_to_go_on() -> None:
    many = LOOKED_THROUGH * REPLAYED_AT_ONCE
    outbox = Outbox(
        *(
            notice_at(NOON + timedelta(seconds=n), line=n.to_bytes(16, "big"), dead_at=NOON, webhook_id=b"w" * 16)
            for n in range(many + 1)
        )
    )
    rule: Any = partial(replay_dead, actor="operator", client_row_id=CLIENT.id)
    first = asyncio.run(outbox.storage.settle(lambda facts, now: rule(facts, moment(now)))).answer
    assert (first.count, first.left_out) == (0, many)
    rest = asyncio.run(outbox.storage.settle(lambda facts, now: rule(facts, moment(now), after=first.after))).answer
    assert (rest.count, rest.left_out, rest.after) == (0, 1, None)
