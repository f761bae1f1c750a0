"""A client of either kind, called from a test in the same words: the asynchronous one in an event loop of its own."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

KINDS = ("blocking", "awaiting")


class Awaited:
    """Something asynchronous, whose coroutines are run to their end by whoever calls them."""

    def __init__(self, inner: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._inner = inner
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._inner, name)
        if not callable(member):
            return member

        def call(*args: Any, **kwargs: Any) -> Any:
            came = member(*args, **kwargs)
            if inspect.isawaitable(came):
                return self._loop.run_until_complete(_finished(came))
            return Awaited(came, self._loop) if type(came).__name__.startswith("Async") else came

        return call


async def _finished(came: Any) -> Any:
    return await came


@contextmanager
def either(kind: str, blocking: Any, awaiting: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
    """A client of this kind, made with these arguments, closed afterwards."""
    if kind == "blocking":
        with blocking(*args, **kwargs) as client:
            yield client
        return
    loop = asyncio.new_event_loop()
    client = awaiting(*args, **kwargs)
    try:
        yield Awaited(client, loop)
    finally:
        loop.run_until_complete(client.close())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
