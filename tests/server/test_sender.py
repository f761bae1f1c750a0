"""Delivery of notices, against a real receiver: once, signed, again when it failed, never twice under two ids."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError
from typing_extensions import override

from grantway.protocol.decision import Add, Decision
from grantway.protocol.leasing import AT_A_TIME, lease_due
from grantway.protocol.model import Account, Client, Connection, Notice
from grantway.protocol.moment import Moment
from grantway.protocol.notices import LEASE, public_id, remove_url_notice
from grantway.server.connections.addresses import AddressRules
from grantway.server.connections.courier import Courier
from grantway.server.connections.outgoing import Outgoing
from grantway.server.connections.sender import Sender, run_sender
from grantway.server.connections.signing import notice_key, notice_secret, sign
from grantway.server.service import Service
from grantway.server.storage.memory import MemoryStorage
from grantway.server.storage.port import Contended, OutcomeUnknown, Overloaded
from tests.helpers.logs import logged
from tests.helpers.receiver import VAULT, Clock, Receiver, Respond, answers, hang, receiver, service

PATIENT = timedelta(seconds=60)


def client_at(url: str, name: bytes = b"c") -> Client:
    row = name * 16
    now = datetime(2026, 5, 4, tzinfo=UTC)
    return Client(row, name.decode() + "-bot", "Bot", now, VAULT.seal(name * 32, row), "k1", remove_url=url)


class House:
    """Memory storage behind a service, and senders on it. ``clock`` is both storage's and the signatures'."""

    def __init__(self, storage: type[MemoryStorage] = MemoryStorage) -> None:
        self.clock = Clock()
        self.storage = storage(self.clock)
        self.service: Service = service(self.storage)
        self._clients: set[bytes] = set()
        self._connections = 0

    def sender(self, deadline: timedelta = PATIENT, **options: Any) -> Sender:
        outgoing = Outgoing(AddressRules.of(self.service.issuer), deadline=deadline)
        courier = Courier(self.service, outgoing, clock=self.clock)
        return Sender(self.service, courier, **{"every": 0.05, "grace": 1.0, **options})

    async def remove(self, client: Client) -> Notice:
        """A connection of this client is removed: its notice is in the outbox."""
        self._connections += 1
        connection = Connection(
            self._connections.to_bytes(16, "big"), client.id, b"a" * 16, "5e" * 12, (), self.clock()
        )
        account = Account(b"a" * 16, "Shop", self.clock(), external_ids={"sunshine": "59" * 12})

        async def rule(facts: Any, at: Moment) -> Decision[Notice]:
            notice = remove_url_notice(client, connection, account, at, "customer")
            assert notice is not None
            known = [] if client.id in self._clients else [Add(client)]
            return Decision(notice, (*known, Add(notice)))

        decision = await self.service.settle(rule)
        self._clients.add(client.id)
        return decision.answer

    async def stored(self, notice: Notice) -> Notice:
        async def rule(facts: Any, at: Moment) -> Decision[Notice]:
            return Decision(await facts.notice(notice.id))

        return (await self.service.consult(rule)).answer


async def until(condition: Callable[[], Awaitable[bool]] | Callable[[], bool], seconds: float = 60) -> None:
    """Wait until it holds; fail when it never does."""
    async with asyncio.timeout(seconds):
        while True:
            holds = condition()
            if await holds if not isinstance(holds, bool) else holds:
                return
            await asyncio.sleep(0.01)


class Running:
    """A sender at work."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.stop = asyncio.Event()

    async def __aenter__(self) -> Sender:
        self.task = asyncio.create_task(run_sender(None, self.stop, self.sender))  # type: ignore[arg-type]
        return self.sender

    async def __aexit__(self, *_: object) -> None:
        self.stop.set()
        await self.task


def deliver(respond: Respond, attempts: int = 1, deadline: timedelta = PATIENT) -> tuple[Notice, Client, Receiver]:
    """One notice, and as many attempts: what it is afterwards, and what the receiver got."""

    async def go() -> tuple[Notice, Client, Receiver]:
        house = House()
        async with receiver(respond) as target:
            client = client_at(target.url())
            notice = await house.remove(client)
            async with Running(house.sender(deadline)):
                for number in range(1, attempts + 1):

                    async def reported(number: int = number) -> bool:
                        return (await house.stored(notice)).attempts == number

                    await until(reported)
                    stored = await house.stored(notice)
                    if stored.delivered_at or stored.dead_at:
                        house.clock.turn(days=1)  # whatever would come again comes now
                    elif number < attempts:
                        house.clock.now = stored.next_attempt_at
                await asyncio.sleep(0.2)  # long enough for one attempt too many
            return await house.stored(notice), client, target

    return asyncio.run(go())


def verify(received: Any, client: Client) -> Any:
    return Webhook(notice_secret(client, VAULT)).verify(received.body, received.headers)


# one notice


def test_a_notice_is_delivered_once_and_its_signature_is_verified_by_the_library() -> None:
    notice, client, target = deliver(answers(200))
    (received,) = target.received
    told = {"integrationId": "5e" * 12, "appId": "59" * 12, "clientId": "c-bot"}
    assert verify(received, client) == told == json.loads(received.body)
    assert received.headers["content-type"] == "application/json"
    assert received.headers["webhook-id"] == public_id(notice)
    assert (notice.delivered_at is not None, notice.attempts, notice.last_status) == (True, 1, 200)


def test_a_signature_with_another_clients_key_is_not_ours() -> None:
    _, _, target = deliver(answers(200))
    with pytest.raises(WebhookVerificationError):
        verify(target.received[0], client_at("", b"d"))


def test_the_key_is_the_clients_own_and_stays_the_same() -> None:
    one, two = client_at("", b"c"), client_at("", b"d")
    assert notice_secret(one, VAULT) == notice_secret(one, VAULT) != notice_secret(two, VAULT)
    assert notice_secret(one, VAULT).startswith("whsec_")
    assert "c" * 32 not in notice_secret(one, VAULT)


def test_a_signature_counts_seconds_in_utc_wherever_we_are() -> None:
    now = datetime.now(UTC)
    elsewhere = now.astimezone(datetime.strptime("+0530", "%z").tzinfo)
    client = client_at("")
    key = (notice_key(client, VAULT),)
    assert sign(key, "nt_1", elsewhere, b"{}") == sign(key, "nt_1", now, b"{}")


def test_a_500_is_retried_with_the_same_id_and_a_new_timestamp() -> None:
    notice, client, target = deliver(answers(500, 503, 204), attempts=3)
    ids = {each.headers["webhook-id"] for each in target.received}
    times = [int(each.headers["webhook-timestamp"]) for each in target.received]
    assert len(target.received) == 3
    assert ids == {public_id(notice)}
    assert times == sorted(set(times))
    assert len({each.headers["webhook-signature"] for each in target.received}) == 3
    for each in target.received:
        verify(each, client)
    assert notice.delivered_at is not None


@pytest.mark.parametrize("status", [404, 410])
def test_a_target_that_is_gone_is_not_asked_again(status: int) -> None:
    notice, _, target = deliver(answers(status))
    assert (len(target.received), notice.dead_at is not None, notice.last_status) == (1, True, status)


def test_a_redirect_is_a_failure_and_not_followed() -> None:
    async def go() -> tuple[int, Notice]:
        house = House()
        async with (
            receiver(answers(200)) as inner,
            receiver(answers(307, headers=f"Location: {inner.url()}\r\n")) as outer,
        ):
            notice = await house.remove(client_at(outer.url()))
            async with Running(house.sender()):
                await until(lambda: len(outer.received) == 1)
                await asyncio.sleep(0.1)
            return len(inner.received), await house.stored(notice)

    redirected, notice = asyncio.run(go())
    assert (redirected, notice.last_status, notice.delivered_at, notice.dead_at) == (0, 307, None, None)


def test_a_hanging_receiver_times_out_and_is_tried_later() -> None:
    notice, _, target = deliver(hang, deadline=timedelta(seconds=2))
    assert (notice.last_status, notice.last_error, notice.attempts) == (None, "timeout", 1)
    assert (len(target.received), notice.dead_at) == (1, None)


def test_a_gigabyte_for_an_answer_is_cut_and_counts_as_delivered() -> None:
    async def flood(writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        for _ in range(1024):
            writer.write(bytes(1024 * 1024))
            await writer.drain()

    notice, _, target = deliver(flood)
    assert (notice.delivered_at is not None, target.broken) == (True, 1)


def test_a_private_target_is_never_connected_to() -> None:
    async def go() -> tuple[int, Notice]:
        house = House()
        house.service = replace(
            house.service, settings=house.service.settings.model_copy(update={"public_url": "https://auth.example"})
        )
        async with receiver(answers(200)) as target:
            notice = await house.remove(client_at(f"https://127.0.0.1:{target.port}/removed"))
            async with Running(house.sender()):

                async def reported() -> bool:
                    return (await house.stored(notice)).attempts == 1

                await until(reported)
            return target.connections, await house.stored(notice)

    connections, notice = asyncio.run(go())
    assert (connections, notice.last_error) == (0, "target_refused")


# several


def test_two_senders_share_without_doubling() -> None:
    async def go() -> tuple[list[str], list[str]]:
        house = House()
        async with receiver(answers(200)) as target:
            notices = [await house.remove(client_at(target.url(), bytes([97 + n % 5]))) for n in range(60)]
            async with Running(house.sender()), Running(house.sender()):

                async def all_delivered() -> bool:
                    return all([(await house.stored(each)).delivered_at for each in notices])

                await until(all_delivered)
            return [each.headers["webhook-id"] for each in target.received], [public_id(each) for each in notices]

    received, sent = asyncio.run(go())
    assert sorted(received) == sorted(sent)


def test_a_hanging_target_does_not_keep_the_others_waiting() -> None:
    async def go() -> tuple[int, int]:
        house = House()
        async with receiver(hang) as dead, receiver(answers(200)) as alive:
            for _ in range(40):
                await house.remove(client_at(dead.url(), b"x"))
            await house.remove(client_at(alive.url(), b"y"))
            async with Running(house.sender(timedelta(seconds=600), grace=0)):
                await until(lambda: len(alive.received) == 1)
                return len(alive.received), dead.connections

    delivered, hanging = asyncio.run(go())
    assert delivered == 1
    assert hanging <= AT_A_TIME


class Looking(MemoryStorage):
    """Memory storage that counts the looks into its outbox."""

    looks = 0

    @override
    async def propose(self, rule: Any) -> Any:
        self.looks += 1
        return await super().propose(rule)


def test_several_attempts_that_end_are_followed_by_one_look() -> None:
    """A look costs as much for one notice as for many, and while it is taken nothing else is done."""

    async def go() -> int:
        house, one_by_one = House(Looking), asyncio.Lock()

        async def in_turn(writer: asyncio.StreamWriter, number: int) -> None:
            async with one_by_one:
                await asyncio.sleep(0.002)
                await answers(200)(writer, number)

        async with AsyncExitStack() as stack:
            targets = [await stack.enter_async_context(receiver(in_turn)) for _ in range(8)]
            clients = [client_at(target.url(), bytes([97 + n])) for n, target in enumerate(targets)]
            for _ in range(16):
                for client in clients:
                    await house.remove(client)
            async with Running(house.sender(every=60)):
                await until(lambda: sum(len(target.received) for target in targets) == 128)
            assert isinstance(house.storage, Looking)
            return house.storage.looks

    assert asyncio.run(go()) < 64


def test_a_target_that_keeps_silent_is_left_alone_for_a_while() -> None:
    async def go() -> tuple[int, list[Notice], datetime]:
        house = House()
        async with receiver(hang) as dead:
            notices = [await house.remove(client_at(dead.url())) for _ in range(40)]
            async with Running(house.sender(timedelta(seconds=0.1))):

                async def all_wait() -> bool:
                    return all([(await house.stored(each)).next_attempt_at > house.clock() for each in notices])

                await until(all_wait)
            return dead.connections, [await house.stored(each) for each in notices], house.clock()

    connections, notices, now = asyncio.run(go())
    assert connections < 12
    assert {each.last_error for each in notices} == {"timeout", None}
    put_off = [each for each in notices if each.attempts == 0]
    assert all(timedelta(seconds=50) < each.next_attempt_at - now < timedelta(seconds=80) for each in put_off)


@pytest.mark.parametrize("deadline", [600, 0.1])
def test_a_dead_target_with_a_thousand_waiting_does_not_keep_a_live_one_waiting(deadline: float) -> None:
    """While its attempts hang, and once it is left alone."""

    async def go() -> int:
        house = House()
        async with receiver(hang) as dead, receiver(answers(200)) as alive:
            for _ in range(1000):
                await house.remove(client_at(dead.url(), b"x"))
            async with Running(house.sender(timedelta(seconds=deadline), grace=0)) as sender:
                await until(lambda: dead.connections >= AT_A_TIME)
                house.clock.turn(seconds=1)
                await house.remove(client_at(alive.url(), b"y"))
                sender.wake()
                await until(lambda: len(alive.received) == 1)
                return dead.connections

    assert asyncio.run(go()) < 12, "the live one came after many of the others"


def test_a_target_that_asks_for_time_gets_it() -> None:
    notice, _, target = deliver(answers(429, headers="Retry-After: 3600\r\n"))
    assert (len(target.received), notice.last_status) == (1, 429)
    assert notice.next_attempt_at - notice.created_at > timedelta(minutes=59)


def test_waking_delivers_at_once() -> None:
    async def go() -> int:
        house = House()
        async with receiver(answers(200)) as target, Running(house.sender(every=3600)) as sender:
            await asyncio.sleep(0.05)
            await house.remove(client_at(target.url()))
            sender.wake()  # what `Service.bell` calls
            await until(lambda: len(target.received) == 1)
            return len(target.received)

    assert asyncio.run(go()) == 1


# crashes, and storage that fails


def test_a_crash_between_sending_and_reporting_redelivers_under_the_same_id() -> None:
    """The first sender is killed while the receiver has the request; a new one takes over when the lease has ended."""

    async def go() -> tuple[list[str], Notice]:
        house = House()

        async def slow_then_quick(writer: asyncio.StreamWriter, number: int) -> None:
            await (hang if number == 0 else answers(200))(writer, number)

        async with receiver(slow_then_quick) as target:
            notice = await house.remove(client_at(target.url()))
            killed = asyncio.create_task(house.sender().run(asyncio.Event()))
            await until(lambda: len(target.received) == 1)
            killed.cancel()
            await asyncio.gather(killed, return_exceptions=True)
            async with Running(house.sender()):
                await asyncio.sleep(0.2)
                assert len(target.received) == 1  # the dead sender's lease still holds
                house.clock.turn(seconds=LEASE.total_seconds())
                await until(lambda: len(target.received) == 2)
                await asyncio.sleep(0.1)
            return [each.headers["webhook-id"] for each in target.received], await house.stored(notice)

    ids, notice = asyncio.run(go())
    assert ids == [public_id(notice)] * 2
    assert notice.delivered_at is not None


def test_a_sender_that_comes_back_after_its_lease_writes_nothing() -> None:
    async def go() -> tuple[Notice, Notice]:
        house = House()
        late = asyncio.Event()

        async def wait_then_fail(writer: asyncio.StreamWriter, number: int) -> None:
            await late.wait()
            await answers(500)(writer, 0)

        async with receiver(wait_then_fail) as target:
            notice = await house.remove(client_at(target.url()))
            with logged() as logs:
                async with Running(house.sender(every=3600)):
                    await until(lambda: len(target.received) == 1)
                    house.clock.turn(seconds=LEASE.total_seconds())
                    taken = (await house.service.settle(lease_due, 1)).answer[0].notice
                    late.set()
                    await until(lambda: any(each["event"] == "notice_attempt" for each in logs))
            assert logs[-1]["outcome"] == "lease_lost"
            return taken, await house.stored(notice)

    taken, stored = asyncio.run(go())
    assert stored == taken


class Stumbling(MemoryStorage):
    """Memory storage whose reports fail as ``faults`` says, one after the other."""

    faults: list[Exception]

    @override
    async def settle(self, rule: Any) -> Any:
        # Only a report is settled: what is leased is proposed.
        if getattr(self, "faults", None) and not self.leasing:
            raise self.faults.pop(0)
        return await super().settle(rule)

    leasing = False

    @override
    async def propose(self, rule: Any) -> Any:
        self.leasing = True
        try:
            return await super().propose(rule)
        finally:
            self.leasing = False


def test_a_report_that_is_refused_for_now_is_written_later() -> None:
    async def go() -> tuple[int, Notice]:
        house = House(Stumbling)
        async with receiver(answers(200)) as target:
            notice = await house.remove(client_at(target.url()))
            house.storage.faults = [Overloaded("full"), Contended("again")]  # type: ignore[attr-defined]
            async with Running(house.sender()):

                async def delivered() -> bool:
                    return (await house.stored(notice)).delivered_at is not None

                await until(delivered)
            return len(target.received), await house.stored(notice)

    received, notice = asyncio.run(go())
    assert (received, notice.attempts) == (1, 1)


def test_an_unknown_outcome_ends_the_sender_so_that_the_process_stops() -> None:
    async def go() -> None:
        house = House(Stumbling)
        async with receiver(answers(200)) as target:
            await house.remove(client_at(target.url()))
            house.storage.faults = [OutcomeUnknown("fsync")]  # type: ignore[attr-defined]
            async with asyncio.timeout(5):
                await run_sender(house.service, asyncio.Event(), house.sender())

    with pytest.raises(OutcomeUnknown):
        asyncio.run(go())


def test_a_notice_that_cannot_be_signed_ends_nothing_else() -> None:
    async def go() -> tuple[Notice, int]:
        house = House()
        async with receiver(answers(200)) as target:
            bad = await house.remove(replace(client_at(target.url(), b"z"), key_id="lost"))
            await house.remove(client_at(target.url()))
            async with Running(house.sender()):

                async def tried() -> bool:
                    return (await house.stored(bad)).attempts == 1 and len(target.received) == 1

                await until(tried)
            return await house.stored(bad), len(target.received)

    bad, received = asyncio.run(go())
    assert (bad.last_error, received) == ("fault", 1)


def test_stopping_lets_an_attempt_finish_and_drops_one_that_hangs() -> None:
    async def go() -> tuple[Notice, Notice, float]:
        house = House()

        async def slow(writer: asyncio.StreamWriter, number: int) -> None:
            await asyncio.sleep(0.2)
            await answers(200)(writer, number)

        async with receiver(slow) as alive, receiver(hang) as dead:
            finishing, hanging = (
                await house.remove(client_at(alive.url(), b"y")),
                await house.remove(client_at(dead.url(), b"x")),
            )
            running = Running(house.sender(grace=3))
            async with running:
                await until(lambda: len(alive.received) == len(dead.received) == 1)
                started = asyncio.get_running_loop().time()
            took = asyncio.get_running_loop().time() - started
            return await house.stored(finishing), await house.stored(hanging), took

    finishing, hanging, took = asyncio.run(go())
    assert finishing.delivered_at is not None
    assert (hanging.attempts, hanging.lease is not None) == (0, True)
    assert took < 30


def test_an_attempt_is_one_line_without_body_address_or_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)  # what the libraries below us say counts, too

    async def go() -> tuple[list[Any], Client, Receiver]:
        house = House()
        async with receiver(answers(200)) as target:
            client = client_at(target.url("/hook/s3cret?key=s3cret"))
            await house.remove(client)
            with logged() as logs:
                async with Running(house.sender()):
                    await until(lambda: any(each["event"] == "notice_attempt" for each in logs))
            return list(logs), client, target

    logs, client, target = asyncio.run(go())
    (line,) = logs
    assert line["outcome"] == "delivered"
    assert (line["client"], line["attempt"], line["status"], line["error"]) == ("c-bot", 1, 200, None)
    assert line["target"] == f"127.0.0.1:{target.port}"
    said = repr(logs) + caplog.text
    for secret in ("s3cret", "5e5e", notice_secret(client, VAULT)[6:], target.received[0].headers["webhook-signature"]):
        assert secret not in said


def test_what_came_of_each_attempt_is_counted() -> None:
    async def go() -> House:
        house = House()
        async with receiver(answers(200)) as target:
            notice = await house.remove(client_at(target.url()))
            async with Running(house.sender()):

                async def delivered() -> bool:
                    return (await house.stored(notice)).delivered_at is not None

                await until(delivered)
                await until(lambda: bool(house.service.metrics.counts))
        return house

    counts = asyncio.run(go()).service.metrics.counts
    assert counts["deliveries", "remove_url", "delivered"] == 1
