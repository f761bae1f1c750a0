"""Who knows what a token is good for."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from grantway.resource.refusals import Refused
from grantway.resource.token import AccessToken
from grantway.wire.http import HttpAnswer, HttpRequest


class Verifier(Protocol):
    """Says what a token is good for, or what has to be asked first. Does no I/O and has no clock.

    Both methods are called from many threads at once, except where ``one_asks_for_all``.
    """

    @property
    def url(self) -> str:
        """Where it asks; the path of its requests is not looked at."""
        ...

    @property
    def one_asks_for_all(self) -> bool:
        """Whether one answer serves everybody who waits: then one asks, and the others look again."""
        ...

    @property
    def knows_audience(self) -> bool:
        """Whether an API may leave out its audience, because who is asked knows it."""
        ...

    def look(self, token: str, now: datetime) -> AccessToken | Refused | HttpRequest:
        """What is known already, or the request that has to be made."""
        ...

    def hear(self, token: str, answer: HttpAnswer | None, asked_at: datetime, now: datetime) -> AccessToken | Refused:
        """What the answer says; ``None`` when there was none."""
        ...
