"""``make bench-scale``: what it costs to remove a connection that has issued one token, and one that has issued a million.

    python -m bench.removal [--tokens 1000000] [--grants 1000] [--ended 100000] [--rounds 41]

The tokens are issued by the change that every refresh makes, in bulk: so many grants, refreshed in turn. Of the access
tokens some were revoked one by one. Each round takes the database as it was, removes a third connection first, so that
everything is warm, and then these two, whoever's turn it is first. Each has an owner, a webhook, a resource and a
``removeUrl``, and the platform hears of it: the commit is on disk when the time is taken.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sqlite3
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from typing_extensions import override

from grantway.protocol.administration.accounts import NewAccount, create_account
from grantway.protocol.administration.clients import NewClient, create_client
from grantway.protocol.administration.people import add_member, create_user
from grantway.protocol.connections import remove
from grantway.protocol.decision import Add, Change, Decision, MoveGeneration, Put
from grantway.protocol.facts import Facts
from grantway.protocol.model import Connection, EndedToken, Grant, Resource, Webhook
from grantway.protocol.moment import Moment
from grantway.protocol.tokens import SERIAL_LENGTH
from grantway.server.opening import open_service, prepare
from grantway.server.service import Service
from grantway.server.settings import Settings
from grantway.server.storage.sqlite import SqliteStorage

NAMES = ("one", "million", "warm")
BATCH = 10_000
_SCOPES = ("orders", "contacts")


@dataclass(frozen=True)
class Cost:
    """Of one removal: milliseconds until it is durable, statements of the writer, bytes of the write-ahead log."""

    milliseconds: float
    statements: int
    written: int


class Counting(sqlite3.Connection):
    """The writer's connection, which counts."""

    statements = 0

    @override
    def execute(self, *args: Any) -> sqlite3.Cursor:
        Counting.statements += 1
        return super().execute(*args)


def main() -> None:
    options = argparse.ArgumentParser(prog="bench.removal", description=__doc__)
    options.add_argument("--tokens", type=int, default=1_000_000)
    options.add_argument("--grants", type=int, default=1_000)
    options.add_argument("--ended", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=41)
    asyncio.run(_measure(options.parse_args()))


async def _measure(chosen: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="grantway-bench-") as folder:
        data = Path(folder)
        settings = Settings(data=data, platform_events_url="https://platform.example/events")
        prepare(settings)
        began = time.monotonic()
        service = await open_service(settings)
        connections = {name: await _connection(service, name) for name in NAMES}
        await _issue(service, connections["one"], 1, 1)
        await _issue(service, connections["million"], chosen.grants, chosen.tokens)
        await _end_tokens(service, chosen.ended)
        await service.storage.close()
        _settle_down(settings.database_path)
        size = settings.database_path.stat().st_size / 1e6
        print(
            f"{chosen.tokens:,} tokens of {chosen.grants:,} grants, {chosen.ended:,} revoked one by one: "
            f"{time.monotonic() - began:.0f} s, {size:.0f} MB"
        )
        costs: dict[str, list[Cost]] = {name: [] for name in NAMES}
        for turn in range(chosen.rounds):
            first = NAMES[turn % 2]
            for name, cost in (await _round(settings, service, connections, first)).items():
                costs[name].append(cost)
    print(f"{'':28}{'median ms':>11}{'p95 ms':>9}{'statements':>12}{'WAL bytes':>11}")
    medians = []
    for name, said in (("one", "issued 1 token"), ("million", f"issued {chosen.tokens:,} tokens")):
        took = sorted(each.milliseconds for each in costs[name])
        medians.append(statistics.median(took))
        print(
            f"{said:28}{medians[-1]:11.2f}{took[int(len(took) * 0.95)]:9.2f}"
            f"{statistics.median(each.statements for each in costs[name]):12.0f}"
            f"{statistics.median(each.written for each in costs[name]):11,.0f}"
        )
    print(f"ratio {medians[1] / medians[0]:.2f}, medians of {chosen.rounds} rounds")


async def _round(
    settings: Settings, service: Service, connections: dict[str, Connection], first: str
) -> dict[str, Cost]:
    """The three removals, on a copy of the database."""
    with tempfile.TemporaryDirectory(prefix="grantway-bench-", dir=settings.data) as folder:
        path = Path(folder) / "round.db"
        shutil.copyfile(settings.database_path, path)
        os.sync()  # what was copied is not to be flushed with what is measured
        storage = SqliteStorage.open(path, connection_class=Counting)
        its = replace(service, storage=storage)
        order = ("warm", first, "one" if first == "million" else "million")
        costs = {name: await _remove(its, connections[name], Path(f"{path}-wal")) for name in order}
        await storage.close()
        return costs


async def _remove(service: Service, connection: Connection, log: Path) -> Cost:
    before = log.stat().st_size if log.exists() else 0
    Counting.statements = 0
    began = time.perf_counter()
    decision = await service.settle(remove, connection.id, "operator", "operator")
    took = (time.perf_counter() - began) * 1000
    if decision.reason != "connection_removed":
        raise SystemExit(decision.reason)
    return Cost(took, Counting.statements, log.stat().st_size - before)


def _settle_down(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("pragma wal_checkpoint(truncate)")
    database.close()


async def _connection(service: Service, name: str) -> Connection:
    """A connection with an owner, a webhook and a resource, of a client with a ``removeUrl``."""
    new = NewClient(
        name,
        redirect_uris=("https://integration.example/callback",),
        scopes=_SCOPES,
        remove_url="https://integration.example/removed",
    )
    client: Any = (await service.settle(create_client, new, create_scopes=True)).answer
    account: Any = (await service.settle(create_account, NewAccount(name))).answer
    owner: Any = (await service.settle(create_user, f"{name}@example.com", name, None)).answer
    await service.settle(add_member, account.id, owner.email, "owner")

    async def rule(facts: Facts, at: Moment) -> Decision[Connection]:
        made = Connection(
            at.new_id(), client.client.id, account.id, at.draw(12).hex(), _SCOPES, at.now, owner.id,
            last_used_day=at.now.date(), activated_at=at.now,
        )  # fmt: skip
        hook_id = at.new_id()
        hook = Webhook(
            hook_id, made.id, made.client_id, "https://integration.example/hooks", ("*",), at.new_secret(hook_id),
            at.vault.current, at.now,
        )  # fmt: skip
        resource = Resource(at.new_id(), made.id, "subscription", "sub_1", at.now)
        return Decision(made, (Add(made), Add(hook), Add(resource)))

    return (await service.settle(rule)).answer


async def _issue(service: Service, connection: Connection, grants: int, tokens: int) -> None:
    """So many tokens in all, by so many grants in turn: each is the move of a generation, as a refresh makes it."""

    async def grant(facts: Facts, at: Moment) -> Decision[list[Grant]]:
        made = []
        for _ in range(grants):
            row_id = at.new_id()
            its = Grant(
                row_id, connection.id, connection.client_id, connection.account_id, connection.approved_by, "code",
                _SCOPES, (), at.new_secret(row_id), at.vault.current, at.now, last_used_day=at.now.date(),
            )  # fmt: skip
            made.append(its)
        return Decision(made, tuple(Add(each) for each in made))

    made = (await service.settle(grant)).answer
    for start in range(0, tokens, BATCH):

        async def refresh(facts: Facts, at: Moment, start: int = start) -> Decision[None]:
            moves: list[Change] = []
            for number in range(start, min(start + BATCH, tokens)):
                generation, which = divmod(number, grants)
                moves.append(
                    MoveGeneration(
                        made[which].id, generation, at.now, refresh_idle_expires_at=at.now + timedelta(days=90)
                    )
                )
            return Decision(None, tuple(moves))

        await service.settle(refresh)


async def _end_tokens(service: Service, number: int) -> None:
    for start in range(0, number, BATCH):

        async def revoke(facts: Facts, at: Moment, start: int = start) -> Decision[None]:
            ended = [
                Put(EndedToken(at.draw(SERIAL_LENGTH), at.now + timedelta(hours=1)))
                for _ in range(min(BATCH, number - start))
            ]
            return Decision(None, tuple(ended))

        await service.settle(revoke)


if __name__ == "__main__":
    main()
