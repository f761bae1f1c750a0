"""What a store has to do. Three methods; a table of your own database does it well."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol


class Hold(Protocol):
    """A name that is held."""

    def release(self) -> None:
        """Let it go. Does not block."""


class TokenStore(Protocol):
    """What is kept under names. Records are JSON objects that hold secrets: a store seals them, or lies where nobody reads.

    The names that it is given begin with the server and the client, so that all of an application's clients may share one.

    Methods may be coroutine functions; then only ``AsyncClient`` can use the store.
    """

    def try_hold(self, name: str) -> Awaitable[Hold | None] | Hold | None:
        """Take the name for oneself, or ``None`` when somebody has it: any other thread, task or process. Does not wait.

        A holder that dies lets go.
        """

    def load(self, name: str) -> Awaitable[dict[str, Any] | None] | dict[str, Any] | None:
        """What was saved last, whole."""

    def save(self, name: str, kept: dict[str, Any] | None) -> Awaitable[None] | None:
        """Keep this instead; ``None`` keeps nothing. Returns when it is durable."""
