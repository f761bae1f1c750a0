"""The sender: takes due notices from the outbox, delivers them, writes down what came of it.

Any number of senders, in any number of processes, share the outbox through leases. One that dies between sending and
reporting leaves a lease that ends, and the notice goes out again under the same id.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import structlog

from grantway.protocol import ids
from grantway.protocol.model import Notice
from grantway.protocol.notices import Delivery, lease_due, public_id, report, target_of
from grantway.server.connections.breaker import Breakers
from grantway.server.connections.outgoing import Failed, Outgoing
from grantway.server.connections.signing import sign
from grantway.server.service import Service
from grantway.server.storage.port import OutcomeUnknown, StorageError

AT_A_TIME = 16
"""Attempts under way in one process."""
EVERY = 3.0
"""Seconds between two looks into the outbox when nobody wakes the sender."""
GRACE = 5.0
"""Seconds that attempts under way get to finish when the server stops."""
ANSWER_KEPT = 2048
"""Bytes of an answer that are written down, for who looks at an attempt later."""
REPORT_TRIES = 3
_SILENT = frozenset({"timeout", "unreachable", "unresolvable"})
"""Failures that keep a sender waiting."""

_log = structlog.get_logger("grantway.notices")


def _wall_clock() -> datetime:
    return datetime.now(UTC)


class Sender:
    """Delivers notices in one process. ``clock`` stamps signatures: receivers compare it with their own clocks, so it is
    the wall's even where storage keeps another time."""

    def __init__(
        self,
        service: Service,
        outgoing: Outgoing,
        *,
        at_a_time: int = AT_A_TIME,
        every: float = EVERY,
        grace: float = GRACE,
        clock: Callable[[], datetime] = _wall_clock,
    ) -> None:
        self._service = service
        self._outgoing = outgoing
        self._at_a_time = at_a_time
        self._every = every
        self._grace = grace
        self._clock = clock
        self._breakers = Breakers()
        self._bell = asyncio.Event()
        self._attempts: set[asyncio.Task[None]] = set()
        self._under_way: Counter[str] = Counter()
        self._fault: OutcomeUnknown | None = None

    @classmethod
    def of(cls, service: Service) -> Sender:
        """The sender of a server, with the addresses that its settings allow."""
        return cls(service, Outgoing(service.settings.outgoing_rules))

    def wake(self) -> None:
        """Look into the outbox now. Costs nothing; to be called in the loop that ``run`` runs in."""
        self._bell.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until ``stop``. Raises ``OutcomeUnknown`` when storage does: the process must stop then."""
        grace = 0.0
        try:
            while not stop.is_set() and self._fault is None:
                self._bell.clear()
                await self._take()
                await self._pause(stop)
            grace = self._grace
        finally:
            await self._wind_up(grace)
        if self._fault is not None:
            raise self._fault

    async def close(self) -> None:
        """Let go of threads and connections. After ``run``."""
        await self._outgoing.close()

    async def _take(self) -> None:
        free = self._at_a_time - len(self._attempts)
        if free <= 0:
            return  # an attempt that ends rings the bell
        try:
            decision = await self._service.consult(lease_due, free, dict(self._under_way))
        except OutcomeUnknown:
            raise
        except StorageError as error:
            _log.warning("notices_not_leased", error=type(error).__name__)
            return
        for delivery in decision.answer:
            target = target_of(delivery.notice.url)
            self._under_way[target] += 1
            task = asyncio.create_task(self._attempt(delivery, target))
            self._attempts.add(task)
            task.add_done_callback(self._attempts.discard)

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

    async def _attempt(self, delivery: Delivery, target: str) -> None:
        started = time.monotonic()
        try:
            status, error, answer = await self._send(delivery, target)
            took = round((time.monotonic() - started) * 1000)
            outcome = await self._report(delivery.notice, status, error, took, answer)
            _log.info(
                "notice_attempt",
                notice=public_id(delivery.notice),
                kind=delivery.notice.kind,
                client=delivery.client.client_id,
                connection=ids.show("cn", delivery.notice.connection_id),
                target=target,
                attempt=delivery.notice.attempts + 1,
                status=status,
                error=error,
                outcome=outcome,
                ms=took,
            )
        except OutcomeUnknown as fault:
            self._fault = fault
        finally:
            self._under_way[target] -= 1
            if not self._under_way[target]:
                del self._under_way[target]
            self._bell.set()

    async def _send(self, delivery: Delivery, target: str) -> tuple[int | None, str | None, str]:
        """The status of the answer, or why there was none, and how the answer begins."""
        if not self._breakers.let_through(target):
            return None, "circuit_open", ""
        notice = delivery.notice
        try:
            signed = sign(delivery.client, self._service.vault, public_id(notice), self._clock(), notice.body)
            answer = await self._outgoing.post(notice.url, {"Content-Type": "application/json", **signed}, notice.body)
        except Failed as failed:
            if failed.reason in _SILENT:
                self._breakers.kept_silent(target)
            return None, failed.reason, ""
        except Exception as fault:  # noqa: BLE001 one notice that cannot be sent must not end the sending of all others
            _log.error("notice_fault", notice=public_id(notice), fault=type(fault).__name__)
            return None, "fault", ""
        self._breakers.answered(target)
        return answer.status, None, answer.body[:ANSWER_KEPT].decode(errors="replace")

    async def _report(self, notice: Notice, *attempt: Any) -> str:
        """What it came to, once that is durable. A report that cannot be written leaves the notice to be sent again."""
        for tries in range(1, REPORT_TRIES + 1):
            try:
                return (await self._service.settle(report, notice, *attempt)).answer
            except OutcomeUnknown:
                raise
            except StorageError as refused:
                _log.warning("notice_not_reported", notice=public_id(notice), error=type(refused).__name__)
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
