"""``kill -9`` of whoever is at a removal or at its notices, at every step: all of it is there, or nothing."""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest

from tests.helpers.removals import BROKEN, EVENTS, WAYS, Connected, Installation, Way, installation, json_of
from tests.helpers.rigged import DELIVERY_STEPS, REMOVAL_STEPS
from tests.helpers.waiting import until

pytestmark = pytest.mark.own_storage


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("crashes")) as made:
        yield made


WHO: dict[str, tuple[Way, ...]] = {
    "deciding a removal": ("customer", "reuse"),
    "amid a removal": ("sunshine", "command"),
    "before the commit of a removal": ("operator", "integrator"),
    "after the commit of a removal": ("command", "integrator"),
}


@pytest.mark.parametrize(("step", "way"), [(step, way) for step in REMOVAL_STEPS for way in WHO[step]])
def test_whoever_dies_at_a_removal_leaves_all_of_it_or_nothing(there: Installation, step: str, way: Way) -> None:
    one = there.connect(way, there.new_account())
    assert not there.is_over(one)
    (there.orders / step).touch()
    with pytest.raises(BROKEN):
        there.end(one)
    assert not list(there.orders.iterdir()), "nobody died at this step"
    over = step.startswith("after")
    assert there.is_over(one) == over
    assert there.is_alive(one) != over
    there.end_for_sure(one)
    assert there.is_over(one)
    assert not there.is_alive(one)
    there.settled()
    about = [each for each in there.check_what_was_heard().values() if one.id in each[0].body.decode()]
    kinds = Counter((each[0].path, json_of(each[0])["type"]) for each in about)
    assert kinds["/platform", "connection.removed"] == kinds["/cancelled", "resource.cancelled"] == 1


@pytest.mark.parametrize("step", DELIVERY_STEPS)
def test_whoever_dies_at_a_delivery_leaves_it_to_the_others_under_the_same_id(there: Installation, step: str) -> None:
    account = there.new_account()
    ends, goes_on = there.connect("operator", account), there.connect("sunshine", account)
    there.settled()
    before = set(there.heard())
    (there.orders / step).touch()
    there.end_for_sure(ends)
    there.publish(account["id"], step)
    there.settled()
    assert not list(there.orders.iterdir()), "nobody died at this step"
    assert there.is_over(ends)
    assert there.is_alive(goes_on)
    heard = there.check_what_was_heard()
    new = {public_id: each for public_id, each in heard.items() if public_id not in before}
    assert Counter(each[0].path for each in new.values()) == {
        "/platform": 1, "/removed": 1, "/cancelled": 1, "mail": 2, "/hook": len(EVENTS),
    }  # fmt: skip
    # Whoever dies has others in hand as well, so that more may come twice than what the step is about.
    was_sent = step in ("with the request answered", "before the commit of a report")
    assert any(len(each) > 1 for each in new.values()) or not was_sent


@dataclass
class Ends:
    """Connections that end one way, one after the other, whoever dies meanwhile; those whose end was answered."""

    there: Installation
    waiting: list[Connected]
    answered: list[Connected] = field(default_factory=list)

    def run(self) -> None:
        for one in self.waiting:
            self.there.end_for_sure(one)
            self.answered.append(one)


@dataclass
class Publisher:
    """The platform, which says all the while what happens in its accounts; what it was thanked for."""

    there: Installation
    accounts: Sequence[str]
    stop: threading.Event = field(default_factory=threading.Event)
    taken: Counter[str] = field(default_factory=Counter)

    def has(self, count: int) -> bool:
        return self.taken.total() >= count

    def run(self) -> None:
        for number in itertools.count():
            if self.stop.is_set():
                return
            account = self.accounts[number % len(self.accounts)]
            self.there.publish(account, f"{number}")
            self.taken[account] += 1


def test_under_load_no_removal_is_half_done_and_no_notice_is_lost_whoever_is_killed(there: Installation) -> None:
    leaving, staying = there.new_account(), there.new_account()
    more = there.new_account()
    leave = [[there.connect(way, account) for account in (leaving, more)] for way in WAYS]
    stay = [there.connect(way, staying) for way in WAYS]
    publisher = Publisher(there, [account["id"] for account in (leaving, staying, more)])
    ends = [Ends(there, each) for each in leave]
    threads = [threading.Thread(target=run, daemon=True) for run in (publisher.run, *(each.run for each in ends))]
    publishing, *ending = threads
    publishing.start()
    done = 0
    for pair in zip(ending[::2], ending[1::2], strict=True):
        for thread in pair:
            thread.start()
        until(partial(publisher.has, done + 4), "four more events")
        done = publisher.taken.total()
        time.sleep(random.uniform(0, 0.2))
        os.kill(random.choice(there.server.worker_pids()), signal.SIGKILL)
    there.server.kill()  # and then the power goes
    there.server.start()
    for thread in ending:
        thread.join(30)
    publisher.stop.set()
    publishing.join(30)
    assert not any(thread.is_alive() for thread in threads)
    there.settled()

    assert [each.answered for each in ends] == leave, "an end was not answered"
    for one in itertools.chain(*leave):
        assert there.is_over(one), "an end that was answered is lost"
        assert not there.is_alive(one)
    for one in stay:
        assert not there.is_over(one)
        assert there.is_alive(one)
    heard = there.check_what_was_heard()
    removed = Counter(
        json_of(each[0])["data"]["connection_id"]
        for each in heard.values()
        if each[0].path == "/platform" and json_of(each[0])["type"] == "connection.removed"
    )
    assert all(removed[one.id] == 1 for one in itertools.chain(*leave))
    assert not any(removed[one.id] for one in stay)
    at_work = [json_of(each[0]) for each in heard.values() if each[0].path == "/hook"]
    heard_in_standard = Counter(each["connection_id"] for each in at_work if "connection_id" in each)
    standard = [one for one in stay if one.way != "sunshine"]
    assert {heard_in_standard[one.id] for one in standard} == {publisher.taken[staying["id"]]}, "an event was lost"
