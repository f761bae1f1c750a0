"""Whether this process lives, and whether it should be sent requests: what a load balancer and a supervisor ask."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any, Literal

from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts
from grantway.protocol.moment import Moment
from grantway.server.service import Service
from grantway.server.storage.port import OutcomeUnknown, StorageError
from grantway.wire.record import record

State = Literal["starting", "ready", "draining"]
DEADLINE = 2.0
"""Seconds until a storage that says nothing does not answer; who asks waits little longer."""

Handler = Callable[[int, FrameType | None], Any]


class Health:
    """What this process says of itself. ``starting`` until its background work runs, ``draining`` once it is to stop."""

    def __init__(self) -> None:
        self.state: State = "starting"

    @property
    def is_draining(self) -> bool:
        return self.state == "draining"


@record
class Checked:
    """Whether to send requests here, and what was looked at: ``ok`` or what is wrong, by name."""

    is_ready: bool
    status: str
    checks: dict[str, str]


async def check(service: Service, health: Health) -> Checked:
    """Look at what every request needs. No secrets: strangers may ask. Raises ``OutcomeUnknown``."""
    checks: dict[str, str] = {"process": health.state}
    try:
        async with asyncio.timeout(DEADLINE):
            has_key = (await service.consult(_has_signing_key)).answer
    except OutcomeUnknown:
        raise
    except (StorageError, TimeoutError):
        checks["storage"] = "not_answering"
    else:
        checks["storage"] = "ok"
        checks["signing_key"] = "ok" if has_key else "missing"
    is_ready = checks == {"process": "ready", "storage": "ok", "signing_key": "ok"}
    return Checked(is_ready, "ready" if is_ready else "draining" if health.is_draining else "not_ready", checks)


async def _has_signing_key(facts: Facts, at: Moment) -> Decision[bool]:
    return Decision(any(key.signs_from <= at.now for key in await facts.signing_keys()), reason="health_told")


def linger_at_the_end(health: Health, seconds: float) -> None:
    """From now on the first signal to stop makes ``/health/ready`` say so; the server hears of it ``seconds`` later.

    Meanwhile requests are taken and answered as ever, each with ``Connection: close``, so that load balancers and
    clients turn away without losing one. A second signal is heard at once. For the main thread, in the server's loop.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _Farewell(health, seconds, loop, signal.getsignal(number)))


class _Farewell:
    def __init__(self, health: Health, seconds: float, loop: asyncio.AbstractEventLoop, server: Any) -> None:
        self._health = health
        self._seconds = seconds
        self._loop = loop
        self._server = server

    def __call__(self, number: int, frame: FrameType | None) -> None:
        is_first = not self._health.is_draining
        self._health.state = "draining"
        if is_first and self._seconds > 0:
            self._loop.call_soon_threadsafe(self._loop.call_later, self._seconds, partial(self._server, number, None))
        else:
            self._server(number, frame)
