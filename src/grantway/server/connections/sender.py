"""The sender: takes due notices from the outbox, delivers them, writes down what came of it.

Any number of senders, in any number of processes, share the outbox through leases. One that dies between sending and
reporting leaves a lease that ends, and the notice goes out again under the same id.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from grantway.protocol import leasing
from grantway.protocol.ids import show
from grantway.protocol.leasing import Delivery, lease_due, places_of
from grantway.protocol.model import Notice
from grantway.protocol.notices import Came, public_id, report, target_of
from grantway.server.connections.breaker import Breakers
from grantway.server.connections.courier import Courier
from grantway.server.connections.outgoing import Outgoing
from grantway.server.connections.pace import Pace
from grantway.server.log import log
from grantway.server.service import Service
from grantway.server.storage.port import OutcomeUnknown, StorageError

AT_A_TIME = 64
"""Attempts under way in one process."""
EVERY = 3.0
"""Seconds between two looks into the outbox when nobody wakes the sender."""
SOON = 0.02
"""Seconds until room for another attempt is used: a look costs the same for one as for many."""
GRACE = 5.0
"""Seconds that attempts under way get to finish when the server stops."""
REPORT_TRIES = 3
_SILENT = frozenset({"timeout", "unreachable", "unresolvable"})
"""Failures that keep a sender waiting."""


class Sender:
    """Delivers notices in one process, by a courier."""

    def __init__(
        self,
        service: Service,
        courier: Courier,
        *,
        at_a_time: int = AT_A_TIME,
        every: float = EVERY,
        grace: float = GRACE,
    ) -> None:
        self._service = service
        self._courier = courier
        self._at_a_time = at_a_time
        self._every = every
        self._grace = grace
        self._breakers = Breakers()
        self._pace = Pace()
        self._bell = asyncio.Event()
        self._attempts: set[asyncio.Task[None]] = set()
        self._under_way: Counter[str] = Counter()
        self._taken = 0
        self._soon = False
        self._fault: OutcomeUnknown | None = None

    @classmethod
    def of(cls, service: Service) -> Sender:
        """The sender of a server, with the addresses that its settings allow."""
        return cls(service, Courier(service, Outgoing(service.settings.outgoing_rules)))

    def wake(self) -> None:
        """Look into the outbox now. Costs nothing; to be called in the loop that ``run`` runs in."""
        self._bell.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until ``stop``. Raises ``OutcomeUnknown`` when storage does: the process must stop then."""
        grace = 0.0
        try:
            await self._courier.open()
            while not stop.is_set() and self._fault is None:
                self._bell.clear()
                self._soon = False
                await self._take()
                self._taken = len(self._attempts)
                await self._pause(stop)
            grace = self._grace
        finally:
            await self._wind_up(grace)
        if self._fault is not None:
            raise self._fault

    async def close(self) -> None:
        """Let go of threads and connections. After ``run``."""
        await self._courier.close()

    async def _take(self) -> None:
        free = self._at_a_time - len(self._attempts)
        if free <= 0:
            return  # an attempt that ends rings the bell
        try:
            # Every change has its own guard: a notice that is not free any more.
            shut, pace = self._breakers.shut(), self._pace.per_second()
            decision = await self._service.propose(lease_due, free, self._counted(), shut, pace)
        except OutcomeUnknown:
            raise
        except StorageError as error:
            log.warning("notices_not_leased", error=type(error).__name__)
            return
        for delivery in decision.answer:
            target = target_of(delivery.notice)
            places = tuple(places_of(delivery.notice, target))
            self._under_way.update(places)
            self._pace.took(places)
            task = asyncio.create_task(self._attempt(delivery, target, places))
            self._attempts.add(task)
            task.add_done_callback(self._attempts.discard)
        if len(decision.changes) > len(decision.answer):
            self._bell.set()  # what was put off or dropped makes room for others

    def _counted(self) -> dict[str, int]:
        """The places that are taken. A target that is on trial has room for a single attempt."""
        counted = dict(self._under_way)
        for target in self._breakers.on_trial():
            counted[target] = leasing.AT_A_TIME if counted.get(target) else leasing.AT_A_TIME - 1
        return counted

    async def _pause(self, stop: asyncio.Event) -> None:
        waits = [asyncio.create_task(self._bell.wait()), asyncio.create_task(stop.wait())]
        try:
            await asyncio.wait(waits, timeout=self._every, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _wind_up(self, grace: float) -> None:
        """Give attempts under way their grace, then drop them: their leases end, and another sender takes over."""
        if self._attempts:
            await asyncio.wait(self._attempts, timeout=grace)
        rest = list(self._attempts)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _attempt(self, delivery: Delivery, target: str, places: tuple[str, ...]) -> None:
        notice = delivery.notice
        started = time.monotonic()
        try:
            came = await self._courier.carry(delivery)
            took = round((time.monotonic() - started) * 1000)
            if came.status is not None:
                self._breakers.answered(target)
            elif came.error in _SILENT and notice.kind != "mail":
                self._breakers.kept_silent(target)
            outcome = await self._report(notice, came, took)
            self._service.metrics.delivery(notice.kind, outcome)
            log.info(
                "notice_attempt",
                notice=public_id(notice),
                kind=notice.kind,
                client=None if delivery.client is None else delivery.client.client_id,
                connection=None if notice.connection_id is None else show("cn", notice.connection_id),
                target=target,
                attempt=notice.attempts + 1,
                status=came.status,
                error=came.error,
                outcome=outcome,
                ms=took,
            )
        except OutcomeUnknown as fault:
            self._fault = fault
        finally:
            for each in places:
                self._under_way[each] -= 1
                if not self._under_way[each]:
                    del self._under_way[each]
                self._pace.ended(each, idle=each not in self._under_way)
            self._made_room()

    def _made_room(self) -> None:
        """Look again when half of those are over that were under way after the last look, or soon: one look for several."""
        left = len(self._attempts) - 1
        if 2 * left <= self._taken:
            self._bell.set()
        elif not self._soon:
            self._soon = True
            asyncio.get_running_loop().call_later(SOON, self._bell.set)

    async def _report(self, notice: Notice, came: Came, milliseconds: int) -> str:
        """What it came to, once that is durable. A report that cannot be written leaves the notice to be sent again."""
        for tries in range(1, REPORT_TRIES + 1):
            try:
                return (await self._service.settle(report, notice, came, milliseconds)).answer
            except OutcomeUnknown:
                raise
            except StorageError as refused:
                log.warning("notice_not_reported", notice=public_id(notice), error=type(refused).__name__)
                if tries < REPORT_TRIES:
                    await asyncio.sleep(0.2 * 4 ** (tries - 1))
        return "unreported"


async def run_sender(service: Service, stop: asyncio.Event, sender: Sender | None = None) -> None:
    """The background task of a server process. Give it a ``sender`` (``Sender.of``) to be able to ``wake`` it."""
    sender = sender or Sender.of(service)
    try:
        await sender.run(stop)
    finally:
        await sender.close()
