"""An installation that grows to the size that is asked for, and what is known of its grants."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from bench.growth.rows import SCOPES, Batch, Connections
from bench.growth.sizes import Sizes
from bench.seed import REDIRECT_URI
from grantway.protocol.administration.clients import CreatedClient, NewClient, create_client
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts
from grantway.server.opening import open_service, prepare
from grantway.server.service import Service
from grantway.server.settings import Settings

BATCH = 10_000


class Backend(Protocol):
    """What is measured: a database that can be filled, sized and vacuumed from outside."""

    name: str
    settings: Settings
    roots: tuple[int, ...]
    """Processes of the database, besides the server's own."""

    def fill(self, batches: Iterable[Batch], told: Callable[[], None]) -> None: ...
    def sizes(self) -> Sizes: ...
    def vacuum(self) -> None: ...
    def settle_down(self) -> None: ...
    def files(self) -> list[Path]: ...
    def log_bytes(self) -> int: ...


async def made_client(service: Service) -> CreatedClient:
    new = NewClient("Bench", redirect_uris=(REDIRECT_URI,), scopes=SCOPES)
    answer: Any = (await service.settle(create_client, new, create_scopes=True)).answer
    if not isinstance(answer, CreatedClient):
        raise TypeError(answer)
    return answer


class Installation:
    """One client and its numbered connections."""

    def __init__(self, backend: Backend, client: CreatedClient, connections: Connections) -> None:
        self.backend = backend
        self.client = client
        self.connections = connections
        self.generations = array("l")
        """Of each grant, as it is known here."""

    @classmethod
    def on(cls, backend: Backend) -> Installation:
        prepare(backend.settings)

        async def make() -> Installation:
            async with opened(backend.settings) as service:
                client = await made_client(service)
                return cls(backend, client, Connections(service.vault, client.client, datetime.now(UTC)))

        return asyncio.run(make())

    @property
    def credentials(self) -> tuple[str, str]:
        return self.client.client.client_id, self.client.client_secret or ""

    def grow(self, size: int) -> float:
        """Fill it up to so many connections; the seconds that took."""
        first, began = len(self.generations), time.monotonic()
        starts = range(first, size, BATCH)
        shown = iter(starts)

        def told() -> None:
            done = next(shown, first) - first
            if done and done % 1_000_000 == 0:
                print(f"  {done:,} more, {time.monotonic() - began:.0f} s", flush=True)

        self.backend.fill((self.connections.rows(range(start, min(start + BATCH, size))) for start in starts), told)
        self.generations.extend([1] * (size - first))
        return time.monotonic() - began

    async def look_up(self, service: Service, numbers: Iterable[int]) -> None:
        """Learn where grants stand that somebody else has refreshed."""

        async def one(number: int) -> None:
            async def rule(facts: Facts, now: datetime) -> Decision[int]:
                held = await facts.grant(self.connections.grant_id(number))
                if held is None:
                    raise LookupError(number)
                return Decision(held.grant.generation)

            self.generations[number] = (await service.storage.consult(rule)).answer

        wanted = list(numbers)
        for start in range(0, len(wanted), 500):
            await asyncio.gather(*map(one, wanted[start : start + 500]))


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Service]:
    service = await open_service(settings)
    try:
        yield service
    finally:
        await service.storage.close()
