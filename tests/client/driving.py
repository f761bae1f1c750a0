"""Drives operations by hand: no network, no clock, no dice. What it is sent it remembers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from grantway.client.conversation import Do, Draw, Now, Operation, Pause, Reply, Send
from grantway.client.errors import ClientError
from grantway.wire.encoding import read_form
from grantway.wire.http import HttpAnswer

T = TypeVar("T")

Outcome = HttpAnswer | ClientError | Callable[[Send], HttpAnswer]


def says(members: Any, status: int = 200, **headers: str) -> HttpAnswer:
    """An answer of JSON."""
    sent = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return HttpAnswer(status, sent, json.dumps(members).encode())


@dataclass
class Hand:
    """Answers requests in turn, with a clock that stands still and dice that count."""

    outcomes: Sequence[Outcome] = ()
    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)
    sent: list[Send] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    drawn: int = 0

    def run(self, operation: Operation[T], *outcomes: Outcome) -> T:
        """To its end; the outcomes are for its requests, one after the other."""
        waiting = list(outcomes or self.outcomes)
        came: Any = None
        try:
            while True:
                try:
                    step = operation.send(came)
                except StopIteration as done:
                    assert not waiting, "an answer was not asked for"
                    value: T = done.value
                    return value
                came = self._came_of(step, waiting)
        finally:
            operation.close()

    def turn(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    @property
    def forms(self) -> list[dict[str, Any]]:
        """The bodies of what was sent."""
        return [dict(read_form(send.request.body).plain) for send in self.sent]

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def _came_of(self, step: Any, waiting: list[Outcome]) -> Any:
        match step:
            case Send():
                assert waiting, f"nobody expected {step.request.method} {step.url}"
                self.sent.append(step)
                asked_at, outcome = self.now, waiting.pop(0)
                answer = outcome(step) if callable(outcome) else outcome
                return Reply(answer, asked_at) if isinstance(answer, HttpAnswer) else answer
            case Pause(seconds):
                self.pause(seconds)
                return None
            case Do(work):
                return work()
            case Now():
                return self.now
            case Draw(size):
                self.drawn += 1
                return bytes([self.drawn]) * size
