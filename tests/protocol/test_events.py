"""Events: who hears of what, once, and in order where order matters."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.administration.answers import Rejected
from grantway.protocol.decision import Decision
from grantway.protocol.events import (
    MAX_PAYLOAD,
    REPEATS_KNOWN_FOR,
    Published,
    covers,
    is_event_pattern,
    is_event_type,
    open_payload,
    overlap,
)
from grantway.protocol.leasing import ASK_AGAIN_AFTER
from grantway.protocol.lifecycle import resume as resume_connection
from grantway.protocol.lifecycle import suspend as suspend_connection
from grantway.protocol.model import Event, Notice, Suspension
from grantway.protocol.notices import GIVE_UP_AFTER, Came, report
from tests.helpers.hooks import Hooks


@pytest.fixture
def stage() -> Hooks:
    return Hooks()


def to(decision: Decision[Any]) -> int:
    assert isinstance(decision.answer, Published), decision.answer
    return decision.answer.event.to


def rejected(decision: Decision[Any], reason: str) -> None:
    assert isinstance(decision.answer, Rejected)
    assert (decision.reason, decision.changes) == (reason, ())


def suspend(stage: Hooks) -> None:
    now = stage.clock()
    held = stage.connection_of(stage.tokens)
    stage.amend(held, suspended_at=now, suspensions=(Suspension(now, "operator", "operator"),))


def resume(stage: Hooks) -> None:
    stage.amend(stage.connection_of(stage.tokens), suspended_at=None, suspensions=())


# types and patterns


@pytest.mark.parametrize("text", ["order.paid", "order", "conversation:message", "a-b_c.D1", "x" * 128])
def test_a_type_is_words_with_dots_or_colons_between(text: str) -> None:
    assert is_event_type(text)
    assert is_event_pattern(text)


@pytest.mark.parametrize(
    "text", ["", ".", "order.", "order..paid", "order paid", "örder", "order.*.x", "**", "x" * 129]
)
def test_what_is_no_type_is_no_pattern_either(text: str) -> None:
    assert not is_event_type(text)
    assert not is_event_pattern(text)


@pytest.mark.parametrize(
    ("pattern", "event_type", "names"),
    [
        ("*", "order.paid", True),
        ("order.*", "order.paid", True),
        ("order.*", "order.item.added", True),
        ("order.*", "order", False),
        ("order.*", "orders.paid", False),
        ("order.paid", "order.paid", True),
        ("order.paid", "order.paid.twice", False),
        ("conversation:*", "conversation:message", True),
    ],
)
def test_a_pattern_names_all_that_begin_so(pattern: str, event_type: str, names: bool) -> None:
    assert covers((pattern,), event_type) is names


@pytest.mark.parametrize(
    ("one", "other", "there_is"),
    [
        ("*", "order.paid", True),
        ("order.paid", "*", True),
        ("order.*", "order.item.*", True),
        ("order.item.*", "order.*", True),
        ("order.*", "invoice.*", False),
        ("order.paid", "order.sent", False),
    ],
)
def test_two_patterns_overlap_when_a_type_can_be_both(one: str, other: str, there_is: bool) -> None:
    assert overlap(one, (other,)) is there_is


# who hears of it


def test_each_webhook_that_asked_for_it_hears_of_it_under_an_id_of_its_own(stage: Hooks) -> None:
    stage.create("order.*")
    stage.create("order.paid")
    stage.create("order.sent")
    assert to(stage.publish("order.paid")) == 2
    notices = stage.all(Notice)
    assert len({notice.id for notice in notices}) == 2
    assert {notice.body for notice in notices} == {b""}, "it is spelled when it is sent"


def test_what_the_connections_scope_does_not_cover_is_not_heard(stage: Hooks) -> None:
    stage.create("*")
    assert to(stage.publish("order.paid")) == 1
    assert to(stage.publish("customer.created")) == 0
    held = stage.connection_of(stage.tokens)
    stage.amend(held, scope=("write",))
    assert to(stage.publish("order.paid")) == 0
    assert to(stage.publish("invoice.sent")) == 1


def test_what_happens_in_another_account_is_not_heard(stage: Hooks) -> None:
    stage.create("*")
    assert to(stage.publish("order.paid", stage.house.account("Globex"))) == 0


def test_who_is_suspended_misses_it(stage: Hooks) -> None:
    stage.create("*")
    suspend(stage)
    assert to(stage.publish("order.paid")) == 0
    resume(stage)
    assert to(stage.publish("order.paid")) == 1
    assert to(stage.publish("order.paid", replace(stage.acme, suspended_at=stage.clock()))) == 0


def test_what_waits_when_a_connection_is_suspended_goes_on_waiting(stage: Hooks) -> None:
    stage.create("*")
    stage.publish("order.paid")
    suspend(stage)
    assert stage.deliveries() == ()
    (notice,) = stage.all(Notice)
    assert (notice.next_attempt_at, notice.attempts) == (stage.clock() + ASK_AGAIN_AFTER, 0)
    stage.clock.turn(minutes=15)
    resume(stage)
    assert len(stage.deliveries()) == 1


def test_what_waits_for_three_days_of_suspension_is_given_up(stage: Hooks) -> None:
    stage.create("*")
    stage.publish("order.paid")
    suspend(stage)
    stage.clock.now += GIVE_UP_AFTER
    assert stage.deliveries() == ()
    (notice,) = stage.all(Notice)
    assert (notice.dead_at, notice.last_error) == (stage.clock(), "connection_suspended")


def test_what_waits_for_a_disabled_client_goes_on_waiting(stage: Hooks) -> None:
    stage.create("*")
    stage.publish("order.paid")
    stage.amend(stage.bot.client, disabled_at=stage.clock())
    assert stage.deliveries() == ()
    assert stage.all(Notice)[0].dead_at is None


# what is written down


def test_the_payload_is_sealed_and_comes_back(stage: Hooks) -> None:
    payload = {"order": {"id": 7, "note": "für Ada"}}
    event = stage.publish("order.paid", payload=payload).answer.event
    stored = stage.stored(Event, event.id)
    assert b"Ada" not in stored.payload_sealed
    assert open_payload(stored, stage.vault) == payload


@pytest.mark.parametrize("event_type", ["connection.removed", "webhook.test", "order paid", ""])
def test_the_platform_cannot_say_what_only_we_say(stage: Hooks, event_type: str) -> None:
    rejected(stage.publish(event_type), "event_malformed")


@pytest.mark.parametrize("more", [{"event_id": ""}, {"event_id": "x" * 256}, {"ordering_key": ""}])
def test_names_have_a_length(stage: Hooks, more: dict[str, str]) -> None:
    rejected(stage.publish("order.paid", **more), "event_malformed")


def test_a_payload_has_a_size(stage: Hooks) -> None:
    assert to(stage.publish("order.paid", payload={"x": "y" * (MAX_PAYLOAD - 8)})) == 0
    rejected(stage.publish("order.paid", payload={"x": "y" * (MAX_PAYLOAD - 7)}), "event_too_large")


# once


def test_the_same_event_id_is_the_same_event(stage: Hooks) -> None:
    stage.create("*")
    first = stage.publish("order.paid", event_id="order-7").answer
    again = stage.publish("order.paid", event_id="order-7")
    assert (again.answer.event, again.answer.repeated, again.changes) == (first.event, True, ())
    assert len(stage.all(Notice)) == 1


def test_event_ids_are_each_accounts_own(stage: Hooks) -> None:
    first = stage.publish("order.paid", event_id="order-7").answer
    other = stage.publish("order.paid", stage.house.account("Globex"), event_id="order-7").answer
    assert first.event.id != other.event.id


def test_an_event_id_is_remembered_for_a_month(stage: Hooks) -> None:
    first = stage.publish("order.paid", event_id="order-7").answer
    stage.clock.now += REPEATS_KNOWN_FOR - timedelta(seconds=1)
    assert stage.publish("order.paid", event_id="order-7").answer.event == first.event
    stage.clock.turn(seconds=1)
    assert stage.publish("order.paid", event_id="order-7").reason == "event_published"


# in order


def test_events_with_one_ordering_key_wait_for_one_another(stage: Hooks) -> None:
    stage.create("*")
    for n in range(3):
        stage.publish("order.paid", payload={"n": n}, ordering_key="order-7")
        stage.clock.turn(seconds=1)
    heard = []
    while held := stage.deliveries():
        assert len(held) == 1
        assert held[0].event is not None
        heard.append(open_payload(held[0].event, stage.vault)["n"])
        stage.decide(report, held[0].notice, Came(200))
    assert heard == [0, 1, 2]


def test_events_without_an_ordering_key_wait_for_nobody(stage: Hooks) -> None:
    stage.create("*")
    for _ in range(3):
        stage.publish("order.paid")
    assert len(stage.deliveries()) == 3


# what happens to a connection


def test_a_suspension_is_told_to_the_connections_own_webhooks_although_it_is_suspended(stage: Hooks) -> None:
    stage.create("connection.*")
    stage.create("order.*")
    stage.decide(suspend_connection, stage.connection_of(stage.tokens).id, "operator")
    (delivery,) = stage.deliveries()
    assert delivery.event is not None
    assert delivery.event.type == "connection.suspended"
    assert open_payload(delivery.event, stage.vault) == {"reason": "operator"}


def test_what_happens_to_a_connection_is_heard_in_order(stage: Hooks) -> None:
    stage.create("connection.*")
    held = stage.connection_of(stage.tokens).id
    heard = []
    for rule in (suspend_connection, resume_connection):
        stage.decide(rule, held, "operator")
        stage.clock.turn(seconds=1)
    while deliveries := stage.deliveries():
        (delivery,) = deliveries
        heard.append(delivery.event.type if delivery.event else None)
        stage.decide(report, delivery.notice, Came(200))
    assert heard == ["connection.suspended", "connection.resumed"]


def test_where_nobody_asked_for_it_nothing_is_written(stage: Hooks) -> None:
    stage.create("order.*")
    stage.decide(suspend_connection, stage.connection_of(stage.tokens).id, "operator")
    assert stage.all(Event) == []
