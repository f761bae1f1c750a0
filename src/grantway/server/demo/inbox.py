"""What is called at the demo: Acme's webhooks and remove URL, and the platform's own address for what happens.

Each call is verified as its receiver would: by Standard Webhooks, with the key that this receiver was given.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from standardwebhooks import Webhook, WebhookVerificationError
from starlette.requests import Request

KEPT = 20
LARGEST = 64 * 1024
WAIT = 2.0
"""Seconds that a page waits for what its button is about to cause."""

Place = Literal["webhook", "remove_url", "platform"]


@dataclass(frozen=True)
class Call:
    """One call, as it came."""

    at: datetime
    place: Place
    title: str
    id: str
    is_verified: bool
    body: str = field(repr=False)


@dataclass
class Inbox:
    """The latest calls, newest first."""

    calls: list[Call] = field(default_factory=list)
    count: int = 0

    def of(self, *places: Place) -> list[Call]:
        return [call for call in self.calls if call.place in places]

    def put(self, call: Call) -> None:
        self.calls = [call, *self.calls[: KEPT - 1]]
        self.count += 1

    async def wait_for(self, count: int) -> None:
        """Until so many calls came, or it takes too long: the browser then shows what is there."""
        for _ in range(int(WAIT / 0.05)):
            if self.count >= count:
                return
            await asyncio.sleep(0.05)


async def read_body(request: Request) -> bytes | None:
    """The body, or ``None`` when it is too large."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            return None
    return body


def read_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object in it, or ``None``."""
    try:
        told = json.loads(body)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def is_signed(secret: str | None, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether the call was made by who has the key, a moment ago."""
    if not secret:
        return False
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):
        return False
    return True
