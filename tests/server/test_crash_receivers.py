"""Receivers that mean us harm, all at once, at the real server: each costs what it may cost, and a good one hears at once."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from grantway.protocol.ids import show
from tests.helpers.receiver import (
    Harbour,
    Receiver,
    Respond,
    answers,
    certificate,
    hang,
    harbour,
    packed,
    receiver,
    says,
)
from tests.helpers.removals import Installation, Way, installation
from tests.helpers.rigged import DEADLINE, NAMES
from tests.helpers.waiting import until

pytestmark = pytest.mark.own_storage

Comes = tuple[int | None, str | None]

EVENTS = 12
AT_ONCE = 15.0
"""Seconds within which a good receiver hears, whoever else is told the same: less than a deadline for each of them."""
TOO_LATE = (None, "timeout")
HEAVY = 1 << 30
MEBIBYTE = bytes(1 << 20)

HOSTILE: dict[str, tuple[Respond, Comes]] = {
    # who: what it does, and what is written down of each attempt (status, error)
    "hangs": (hang, TOO_LATE),
    "drips its head": (says("HTTP/1.1 200 X\r\nX: ", b"a", times=None, pause=0.2), TOO_LATE),
    "says wait for ever": (says("", b"HTTP/1.1 103 X\r\n\r\n", times=None, pause=0.05), TOO_LATE),
    "drips its body": (says("HTTP/1.1 200 X\r\n\r\n", b"a", times=None, pause=0.2), (200, None)),
    "is broken": (answers(500), (500, None)),
    "is busy": (answers(503, headers="Retry-After: 3600\r\n"), (503, None)),
    "is gone": (answers(410), (410, None)),
    "is not found": (answers(404), (404, None)),
    "sends us to the metadata": (answers(302, headers="Location: http://169.254.169.254/latest/\r\n"), (302, None)),
    "says a gigabyte": (
        says(f"HTTP/1.1 200 X\r\nContent-Length: {HEAVY}\r\n\r\n", MEBIBYTE, times=HEAVY // len(MEBIBYTE)),
        (200, None),
    ),
    "says more than it announced": (says("HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n", MEBIBYTE), (200, None)),
    "packs a bomb": (packed(64), (200, None)),
    "has a head of a megabyte": (says("HTTP/1.1 200 X\r\nX: ", b"a" * (1 << 20)), (None, "broken_answer")),
    "has a head without end": (says("HTTP/1.1 200 X\r\n", b"X: 1\r\n" * 9999, times=None), (None, "broken_answer")),
    "breaks off in its head": (says("HTTP/1.1 200 X\r\nContent-"), (None, "broken_answer")),
    "breaks off in its body": (says("HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n", b"half"), (200, None)),
    "speaks no HTTP": (says("220 mail.example ESMTP\r\n"), (None, "broken_answer")),
}


@pytest.fixture(params=[1, 2], ids=["one worker", "two workers"])
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    names = "two-faced.localhost=127.0.0.1,10.0.0.7 inside.localhost=169.254.169.254"
    with installation(tmp_path, workers=request.param, **{NAMES: names}) as made:
        yield made


def addresses(town: Harbour, directory: Path, decoy: Receiver) -> dict[str, tuple[str, Comes]]:
    """Where each of them is, and what is to be written down of it. Some lead to the decoy."""
    found = {name: (town.open(receiver(respond)).url(), comes) for name, (respond, comes) in HOSTILE.items()}
    server, _ = certificate(directory, "127.0.0.1")
    unproven = town.open(receiver(answers(200), server)).url().replace("http:", "https:")
    elsewhere = town.open(receiver(answers(307, headers=f"Location: {decoy.url()}\r\n"))).url()
    return found | {
        "sends us elsewhere": (elsewhere, (307, None)),
        "proves no name": (unproven, (None, "tls")),
        "has two faces": (f"http://two-faced.localhost:{decoy.port}/", (None, "address_refused")),
        "is inside": (f"http://inside.localhost:{decoy.port}/", (None, "address_refused")),
    }


def memory(there: Installation) -> int:
    """Bytes that the largest of the server's processes ever took."""
    assert there.server.process is not None
    peaks = [
        int(re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[0]) * 1024
        for pid in (there.server.process.pid, *there.server.worker_pids())
    ]
    return max(peaks)


def tell_all(there: Installation, urls: list[str]) -> dict[str, float]:
    """Events of one account, to webhooks at all these addresses and at the good receiver's: when each was published."""
    account = there.new_account()
    good = there.target.url("/good")
    ways: tuple[Way, ...] = ("operator", "customer", "integrator", "command")
    tokens = [there.connect(way, account, good if way == "operator" else None).access_token for way in ways]
    for number, url in enumerate(urls):
        there.tell("POST", "/v1/webhooks", {"url": url, "events": ["order.*"]}, tokens[number % len(tokens)])
    there.settled()
    told = {}
    for number in range(EVENTS):
        said = {"account": account["id"], "type": "order.paid", "payload": {"number": number}}
        told[there.tell("POST", "/v1/events", said)["id"]] = time.monotonic()
        time.sleep(0.1)
    return told


ATTEMPTS = """
select n.url, a.status, a.error, length(a.answer), a.milliseconds
from delivery_attempts a join notices n on n.id = a.notice_id where n.kind = 'webhook'"""


def test_a_good_receiver_hears_at_once_beside_all_that_are_not(there: Installation, tmp_path: Path) -> None:
    with harbour() as town:
        decoy = town.open(receiver(answers(200)))
        hostile = addresses(town, tmp_path, decoy)
        urls = {url for url, _ in hostile.values()}
        before = memory(there)
        told = tell_all(there, list(urls))
        until(
            lambda: len([each for each in there.target.received if each.path == "/good"]) >= EVENTS,
            "the good receiver hears",
        )
        until(
            lambda: set(hostile.values()) <= {(row[0], row[1:3]) for row in there.rows(ATTEMPTS)},
            "all others were tried",
        )

        good = [each for each in there.target.received if each.path == "/good"]
        late = [each.at - told[event] for each in good for event in told if event.encode() in each.body]
        assert len(late) == EVENTS
        assert max(late) < AT_ONCE
        seen = there.rows(ATTEMPTS)
        came = {name: {(row[1], row[2]) for row in seen if row[0] == url} for name, (url, _) in hostile.items()}
        # On a slow machine anybody may come too late, once.
        assert {name: seen - {TOO_LATE} for name, seen in came.items()} == {
            name: {comes} - {TOO_LATE} for name, (_, comes) in hostile.items()
        }
        assert decoy.connections == 0, "followed, or let in by a name with two faces"
        assert max(row[3] for row in seen) <= 2048
        assert max(row[4] for row in seen) < (DEADLINE.total_seconds() + AT_ONCE) * 1000
        assert memory(there) - before < 48 * len(MEBIBYTE), "what they say is kept"


@pytest.mark.parametrize("there", [1], indirect=True, ids=["one worker"])
def test_what_is_dead_is_sent_again_when_its_receiver_is_back(there: Installation) -> None:
    statuses = {"/lost": 404, "/moved": 404}

    async def by_path(writer: asyncio.StreamWriter, number: int) -> None:
        await answers(statuses[target.received[number].path])(writer, 0)

    with harbour() as town:
        target = town.open(receiver(by_path))
        tell_all(there, [target.url("/lost"), target.url("/moved")])
        there.settled()
        dead = there.rows("select id from notices where dead_at is not null")
        assert len(dead) == 2 * EVENTS
        assert Counter(each.headers["webhook-id"] for each in target.received) == {
            show("nt", row[0]): 1 for row in dead
        }

        statuses.update({"/lost": 200, "/moved": 200})
        one = show("nt", dead[0][0])
        there.tell("POST", f"/v1/deliveries/{one}/replay")
        there.settled()
        assert there.tell("GET", f"/v1/deliveries/{one}")["delivery"]["state"] == "delivered"
        there.server.cli("deliveries", "replay", "--dead")
        there.settled()
        assert there.rows("select count(*) from notices where dead_at is not null") == [(0,)]
        assert Counter(each.headers["webhook-id"] for each in target.received) == {
            show("nt", row[0]): 2 for row in dead
        }
        assert len({(each.headers["webhook-id"], each.body) for each in target.received}) == len(dead)
