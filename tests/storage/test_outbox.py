"""The outbox: what is due, in which order, and what is told of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from grantway.protocol.decision import (
    Add,
    Decision,
    DropNotice,
    LeaseNotice,
    PutOffNotice,
    ReplayNotice,
    ReportDelivery,
)
from grantway.protocol.facts import FIRST_PAGE, Page
from grantway.server.storage.port import Contended
from tests.storage.asking import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    add,
    an_id,
    ask,
    attempt,
    do,
    notice,
    numbers_of,
    saying,
    user,
)

SOON = NOON + MINUTE


def refuses(storage: Any, *changes: Any) -> bool:
    with pytest.raises(Contended):
        do(storage, *changes)
    return True


def due(storage: Any, at: datetime = NOON, limit: int = 100) -> list[int]:
    return numbers_of(ask(storage, lambda facts: facts.due_notices(at, limit)))


def the_notice(storage: Any, number: int = 7) -> Any:
    return ask(storage, lambda facts: facts.notice(an_id(number)))


def attempted(storage: Any, number: int = 7, tries: int = 1, at: datetime = NOON, **result: Any) -> None:
    """A sender took the notice, tried, and told what came of it."""
    do(storage, LeaseNotice(an_id(number), b"sender", at, at + MINUTE))
    do(storage, ReportDelivery(b"sender", attempt(tries, number, at=at, status=200), **result))


# lines


def test_what_is_due_is_the_first_of_each_line_that_nobody_holds(storage: Any) -> None:
    add(
        storage,
        notice(1, line=b"a", delivered_at=NOON),
        notice(3, line=b"a", next_attempt_at=NOON - HOUR),
        notice(2, line=b"a", next_attempt_at=NOON - HOUR),
        notice(4, line=b"b", next_attempt_at=NOON + HOUR),
        notice(5, line=b"b"),
        notice(6, line=b"c", lease=b"l", leased_until=NOON + HOUR),
        notice(7, line=b"d", lease=b"l", leased_until=NOON),
        notice(8, line=b"e", dead_at=NOON),
    )
    assert due(storage) == [3, 7]  # 3 was added before 2
    assert due(storage, limit=1) == [3]
    assert due(storage, NOON + HOUR) == [3, 6, 7, 4]
    assert due(storage, NOON - 2 * HOUR) == []


@pytest.mark.parametrize("end", [{"delivered_at": NOON}, {"dead_at": NOON}], ids=["delivered", "dead"])
def test_a_line_goes_on_when_its_first_is_over_and_not_before(storage: Any, end: Any) -> None:
    add(storage, notice(71), notice(72), notice(73, line=an_id(73)))
    assert due(storage) == [71, 73]
    do(storage, LeaseNotice(an_id(71), b"one", NOON, SOON))
    assert due(storage) == [73]
    do(storage, ReportDelivery(b"one", attempt(1, 71, status=503), next_attempt_at=NOON + HOUR))
    assert due(storage) == [73]
    assert due(storage, NOON + HOUR) == [73, 71]
    attempted(storage, 71, 2, NOON + HOUR, **end)
    assert due(storage, NOON + HOUR) == [72, 73]


def test_a_line_goes_on_when_its_first_is_dropped(storage: Any) -> None:
    add(storage, notice(71), notice(72), notice(73))
    do(storage, DropNotice(an_id(71), NOON, "webhook_ended"))
    assert due(storage) == [72]
    do(storage, DropNotice(an_id(73), NOON, "webhook_ended"))
    assert due(storage) == [72]
    attempted(storage, 72, delivered_at=NOON)
    assert due(storage) == []


def test_a_line_keeps_the_order_of_adding_whatever_the_ids_are(storage: Any) -> None:
    add(storage, notice(73), notice(72))
    add(storage, notice(71))
    for number in (73, 72, 71):
        assert due(storage) == [number]
        do(storage, DropNotice(an_id(number), NOON, "webhook_ended"))


def test_a_notice_may_stand_alone_and_wait_for_nobody(storage: Any) -> None:
    add(storage, notice(71), *[notice(n, line=an_id(n), connection_id=None, client_id=None) for n in (72, 73)])
    assert due(storage) == [71, 72, 73]


@pytest.mark.parametrize("end", [{"delivered_at": NOON}, {"dead_at": NOON}], ids=["delivered", "dead"])
def test_a_replayed_notice_takes_its_place_by_age(storage: Any, end: Any) -> None:
    add(storage, notice(71), notice(72), notice(73))
    for number in (71, 72):
        attempted(storage, number, **end)
    assert due(storage) == [73]
    do(storage, ReplayNotice(an_id(72), SOON))
    assert due(storage, SOON) == [72]
    assert due(storage) == []
    do(storage, ReplayNotice(an_id(71), NOON))
    assert due(storage, SOON) == [71]
    attempted(storage, 71, 2, delivered_at=NOON)
    attempted(storage, 72, 2, SOON, delivered_at=SOON)
    assert due(storage, SOON) == [73]


def test_a_replayed_notice_that_nobody_stands_before_is_due_alone(storage: Any) -> None:
    add(storage, notice(71, delivered_at=NOON), notice(72, delivered_at=NOON), notice(73, line=an_id(73)))
    do(storage, ReplayNotice(an_id(72), NOON))
    assert due(storage) == [72, 73]


# leases and reports


def test_a_notice_is_leased_to_one_sender_at_a_time(storage: Any) -> None:
    add(storage, notice())
    do(storage, LeaseNotice(an_id(7), b"one", NOON, SOON))
    assert refuses(storage, LeaseNotice(an_id(7), b"two", NOON, SOON))
    assert refuses(storage, LeaseNotice(an_id(99), b"two", NOON, SOON))
    do(storage, LeaseNotice(an_id(7), b"two", SOON, NOON + HOUR))
    assert refuses(storage, ReportDelivery(b"one", attempt(status=200), delivered_at=NOON))
    do(storage, ReportDelivery(b"two", attempt(status=503, error="busy"), next_attempt_at=NOON + HOUR))
    assert the_notice(storage) == notice(attempts=1, last_status=503, last_error="busy", next_attempt_at=NOON + HOUR)
    assert refuses(storage, ReportDelivery(b"two", attempt(2, status=200), delivered_at=NOON))
    assert len(ask(storage, lambda facts: facts.attempts(an_id(7)))) == 1


def test_every_attempt_is_written_down_with_its_report(storage: Any) -> None:
    add(storage, notice(), notice(8, line=an_id(8)))
    tries = [
        attempt(1, status=503, answer="Busy, é"),
        attempt(2, at=SOON, error="timeout", milliseconds=20_000),
        attempt(3, at=NOON + HOUR, status=200, answer="ok"),
    ]
    for each in tries:
        do(storage, LeaseNotice(an_id(7), b"one", each.at, each.at + MINUTE))
        over = {"delivered_at": each.at} if each.status == 200 else {"next_attempt_at": each.at + MINUTE}
        do(storage, ReportDelivery(b"one", each, **over))
    attempted(storage, 8, delivered_at=NOON)
    assert ask(storage, lambda facts: facts.attempts(an_id(7))) == tuple(tries)
    told = the_notice(storage)
    assert (told.attempts, told.last_status, told.last_error, told.delivered_at) == (3, 200, None, NOON + HOUR)


@pytest.mark.parametrize("end", [{"delivered_at": NOON}, {"dead_at": NOON}], ids=["delivered", "dead"])
def test_a_notice_that_is_over_is_neither_leased_nor_put_off_nor_dropped(storage: Any, end: Any) -> None:
    add(storage, notice())
    attempted(storage, **end)
    over = notice(attempts=1, last_status=200, **end)
    assert the_notice(storage) == over
    assert refuses(storage, LeaseNotice(an_id(7), b"two", NOON + DAY, NOON + 2 * DAY))
    assert refuses(storage, PutOffNotice(an_id(7), NOON + DAY, NOON + 2 * DAY))
    assert refuses(storage, DropNotice(an_id(7), NOON + DAY, "webhook_ended"))
    assert the_notice(storage) == over


def test_a_notice_that_is_put_off_counts_no_attempt_and_loses_a_lease_that_is_over(storage: Any) -> None:
    add(storage, notice())
    do(storage, LeaseNotice(an_id(7), b"one", NOON, SOON))
    assert refuses(storage, PutOffNotice(an_id(7), NOON, NOON + HOUR))
    assert refuses(storage, PutOffNotice(an_id(99), SOON, NOON + HOUR))
    do(storage, PutOffNotice(an_id(7), SOON, NOON + HOUR))
    assert the_notice(storage) == notice(next_attempt_at=NOON + HOUR)
    assert refuses(storage, ReportDelivery(b"one", attempt(status=200), delivered_at=SOON))
    assert due(storage, SOON) == []
    assert due(storage, NOON + HOUR) == [7]


def test_a_notice_that_is_dropped_is_dead_and_says_why(storage: Any) -> None:
    add(storage, notice(last_status=503, last_error="e"))
    do(storage, LeaseNotice(an_id(7), b"one", NOON, SOON))
    assert refuses(storage, DropNotice(an_id(7), NOON, "webhook_ended"))
    do(storage, DropNotice(an_id(7), SOON, "webhook_ended"))
    assert the_notice(storage) == notice(dead_at=SOON, last_status=503, last_error="webhook_ended")
    assert ask(storage, lambda facts: facts.attempts(an_id(7))) == ()


@pytest.mark.parametrize("end", [{"delivered_at": NOON}, {"dead_at": NOON}], ids=["delivered", "dead"])
def test_a_notice_is_replayed_only_when_it_is_over_and_its_attempts_go_on(storage: Any, end: Any) -> None:
    add(storage, notice())
    assert refuses(storage, ReplayNotice(an_id(7), NOON))
    assert refuses(storage, ReplayNotice(an_id(99), NOON))
    attempted(storage, **end)
    do(storage, ReplayNotice(an_id(7), NOON + HOUR))
    again = notice(attempts=1, last_status=200, replayed_at=NOON + HOUR, next_attempt_at=NOON + HOUR)
    assert the_notice(storage) == again
    assert refuses(storage, ReplayNotice(an_id(7), NOON + HOUR))
    attempted(storage, 7, 2, NOON + HOUR, delivered_at=NOON + HOUR)
    assert the_notice(storage) == replace(again, attempts=2, delivered_at=NOON + HOUR)
    assert [each.number for each in ask(storage, lambda facts: facts.attempts(an_id(7)))] == [1, 2]


def test_what_was_rolled_back_leaves_the_line_as_it_was(storage: Any) -> None:
    add(storage, notice(71), notice(72), notice(70, delivered_at=NOON), user())
    do(storage, LeaseNotice(an_id(71), b"one", NOON, SOON))
    before = ask(storage, lambda facts: facts.notices())
    taken = user(99, email=user().email)
    assert refuses(storage, ReportDelivery(b"one", attempt(1, 71), delivered_at=NOON), Add(taken))
    assert refuses(storage, ReplayNotice(an_id(70), NOON), Add(taken))
    assert refuses(storage, DropNotice(an_id(72), NOON, "webhook_ended"), Add(taken))
    assert refuses(storage, Add(notice(69)), Add(taken))
    assert ask(storage, lambda facts: facts.notices()) == before
    assert ask(storage, lambda facts: facts.attempts(an_id(71))) == ()
    assert due(storage) == []
    assert due(storage, SOON) == [71]


# races


def at_once(storage: Any, *rules: Any, verb: str = "settle") -> list[Any]:
    async def race() -> list[Any]:
        return await asyncio.gather(*map(getattr(storage, verb), rules), return_exceptions=True)

    return [each.answer if isinstance(each, Decision) else type(each) for each in asyncio.run(race())]


@pytest.mark.parametrize("verb", ["settle", "propose", "consult"])
def test_senders_that_look_at_once_take_what_the_others_did_not(storage: Any, verb: str) -> None:
    add(storage, *[notice(n, line=an_id(n % 4)) for n in range(70, 78)])

    async def takes(facts: Any, now: datetime) -> Decision[Any]:
        found = await facts.due_notices(now, 1)
        leases = tuple(LeaseNotice(each.id, b"sender", now, now + MINUTE) for each in found)
        return Decision(numbers_of(found), leases)

    taken = at_once(storage, *[takes] * 10, verb=verb)
    assert sorted(taken) == [[]] * 6 + [[70], [71], [72], [73]]
    assert due(storage) == []


def test_a_report_comes_before_a_replay_or_the_replay_is_refused(storage: Any) -> None:
    add(
        storage,
        notice(71, lease=b"one", leased_until=SOON),
        notice(72, line=an_id(72), lease=b"two", leased_until=SOON),
    )
    fails = [
        saying("dead", ReportDelivery(lease, attempt(1, n), dead_at=NOON)) for n, lease in ((71, b"one"), (72, b"two"))
    ]
    replays = [saying("again", ReplayNotice(an_id(n), NOON)) for n in (71, 72)]
    assert Counter(at_once(storage, fails[0], replays[0], replays[0])) == {"dead": 1, "again": 1, Contended: 1}
    assert at_once(storage, replays[1]) == [Contended]
    assert Counter(at_once(storage, fails[1], fails[1])) == {"dead": 1, Contended: 1}
    assert due(storage) == [71]


def test_a_late_report_of_the_attempt_before_a_replay_is_refused(storage: Any) -> None:
    add(storage, notice())
    attempted(storage, dead_at=NOON)
    do(storage, ReplayNotice(an_id(7), NOON))
    assert refuses(storage, ReportDelivery(b"sender", attempt(2, status=200), delivered_at=NOON))
    assert due(storage) == [7]


def test_a_line_that_is_added_to_while_its_first_is_reported_goes_on(storage: Any) -> None:
    add(storage, notice(71, lease=b"one", leased_until=SOON))
    delivered = saying("delivered", ReportDelivery(b"one", attempt(1, 71, status=200), delivered_at=NOON))
    more = [saying(n, Add(notice(n))) for n in (72, 73, 74, 75)]
    assert at_once(storage, *more[:2], delivered, *more[2:]) == [72, 73, "delivered", 74, 75]
    came = []
    while (first := due(storage)) and len(first) == 1:
        came += first
        attempted(storage, first[0], delivered_at=NOON)
    assert sorted(came) == [72, 73, 74, 75], "one after another, whoever was added first"


# what is told


def test_notices_are_told_newest_first_by_connection_client_and_state(storage: Any) -> None:
    add(
        storage,
        notice(71),
        notice(72, delivered_at=NOON),
        notice(73, dead_at=NOON),
        notice(74, connection_id=an_id(44), client_id=an_id(33)),
        notice(75, connection_id=None, client_id=None, kind="mail", line=an_id(75)),
    )

    def told(page: Page = FIRST_PAGE, **criteria: Any) -> list[int]:
        return numbers_of(ask(storage, lambda facts: facts.notices(page, **criteria)))

    assert told() == [75, 74, 73, 72, 71]
    assert told(connection_id=an_id(4)) == [73, 72, 71]
    assert told(client_row_id=an_id(33)) == [74]
    assert told(connection_id=an_id(4), client_row_id=an_id(33)) == []
    assert told(state="waiting") == [75, 74, 71]
    assert told(state="delivered") == [72]
    assert told(state="dead") == [73]
    assert told(state="dead", connection_id=an_id(4)) == [73]
    assert told(state="waiting", client_row_id=an_id(3)) == [71]
    assert told(Page(2)) == [75, 74]
    assert told(Page(2, an_id(74))) == [73, 72]
    assert told(Page(1, an_id(74)), state="waiting") == [71]
    assert told(Page(1, an_id(73)), connection_id=an_id(4)) == [72]
