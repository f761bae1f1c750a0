"""``make bench-scale``: deliveries per second, from the outbox to receivers on this machine, by one worker and by two.

    python -m bench.deliveries [--waiting 20000] [--targets 1 8 1000] [--workers 1 2] [--seconds 10] [--dead 0]

So many deliveries wait, in turn for so many targets, each an integration's of its own. Every one is leased, spelled, signed,
sent over a connection of its own, and reported, durably on SQLite. The receivers answer at once and share the machine.
``--dead``: so many more wait for a target that takes them and never answers.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grantway.protocol.administration.accounts import NewAccount, create_account
from grantway.protocol.administration.clients import NewClient, create_client
from grantway.protocol.decision import Add, Decision
from grantway.protocol.events import event_for, webhook_notice
from grantway.protocol.facts import Facts
from grantway.protocol.model import Account, Client, Connection, Webhook
from grantway.protocol.moment import Moment
from grantway.server.connections.sender import Sender
from grantway.server.log import configure_logs
from grantway.server.opening import open_service, prepare
from grantway.server.service import Service
from grantway.server.settings import Settings

BATCH = 200
ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Figures:
    """Of the time from the first arrival on; CPU of all workers, in microseconds a delivery."""

    per_second: float
    cpu: float


def main() -> None:
    options = argparse.ArgumentParser(prog="bench.deliveries", description=__doc__)
    options.add_argument("--waiting", type=int, default=20_000)
    options.add_argument("--targets", type=int, nargs="+", default=[1, 8, 1000])
    options.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options.add_argument("--seconds", type=float, default=10, help="measured at most")
    options.add_argument("--dead", type=int, default=0)
    options.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.work is not None:
        asyncio.run(_work(chosen.work))
        return
    print(f"{chosen.waiting:,} deliveries wait\n{'targets':>8}{'workers':>9}{'per second':>12}{'CPU µs':>9}")
    for targets in chosen.targets:
        for workers in chosen.workers:
            came = asyncio.run(_measure(workers, targets, chosen))
            print(f"{targets:8}{workers:9}{came.per_second:12,.0f}{came.cpu:9,.0f}", flush=True)


async def _measure(workers: int, targets: int, chosen: argparse.Namespace) -> Figures:
    arrived: list[float] = []
    first, everything = asyncio.Event(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return  # its worker was told to stop
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(size)
        writer.write(ANSWER)
        await writer.drain()
        writer.close()
        arrived.append(time.monotonic())
        first.set()
        if len(arrived) >= chosen.waiting:
            everything.set()

    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    live = [await asyncio.start_server(answer, "127.0.0.1", 0) for _ in range(targets)]
    dead = await asyncio.start_server(keep_silent, "127.0.0.1", 0)
    with tempfile.TemporaryDirectory(prefix="grantway-bench-") as folder:
        settings = Settings(data=Path(folder))
        prepare(settings)
        await _fill(settings, [_url(dead)], chosen.dead)
        await _fill(settings, [_url(each) for each in live], chosen.waiting)
        command = [sys.executable, "-m", "bench.deliveries", "--work", folder]
        processes = [subprocess.Popen(command) for _ in range(workers)]
        try:
            await first.wait()
            await asyncio.sleep(1)  # all of them are at it
            began, before, cpu = time.monotonic(), len(arrived), _cpu(processes)
            await asyncio.wait([asyncio.create_task(everything.wait())], timeout=chosen.seconds)
            number, used = len(arrived) - before, _cpu(processes) - cpu
            took = time.monotonic() - began
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(20)
    for each in (*live, dead):
        each.close()
    await asyncio.sleep(0.1)  # those that are half way see the end of their connections
    if not number:
        raise SystemExit("All of them were delivered before measuring began: have more --waiting.")
    return Figures(number / took, used / number * 1e6)


def _cpu(processes: list[subprocess.Popen[bytes]]) -> float:
    """Seconds that they have taken so far."""
    total = 0
    for process in processes:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def _url(server: asyncio.Server) -> str:
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks"


async def _fill(settings: Settings, urls: list[str], number: int) -> None:
    """So many notices that wait, in turn for webhooks at these addresses."""
    service = await open_service(settings)
    try:
        webhooks, account = await _webhooks(service, urls) if number else ([], None)
        for start in range(0, number, BATCH):

            async def rule(facts: Facts, at: Moment, start: int = start) -> Decision[None]:
                event = event_for(at, account.id, "order.paid", {"order": 7, "total": "12.50"}, BATCH)  # type: ignore[union-attr]
                each = [webhooks[count % len(webhooks)] for count in range(start, min(start + BATCH, number))]
                return Decision(None, (Add(event), *(Add(webhook_notice(at, webhook, event)) for webhook in each)))

            await service.settle(rule)
    finally:
        await service.storage.close()


async def _webhooks(service: Service, urls: list[str]) -> tuple[list[Webhook], Account]:
    account: Any = (await service.settle(create_account, NewAccount("Bench"))).answer
    clients: list[Client] = []
    for _ in urls:
        new = NewClient("Bench", redirect_uris=("https://integration.example/callback",), scopes=("orders",))
        clients.append((await service.settle(create_client, new, create_scopes=True)).answer.client)  # type: ignore[union-attr]

    async def rule(facts: Facts, at: Moment) -> Decision[list[Webhook]]:
        made: list[Connection | Webhook] = []
        for url, client in zip(urls, clients, strict=True):
            connection = Connection(at.new_id(), client.id, account.id, at.draw(12).hex(), ("orders",), at.now)
            row_id = at.new_id()
            secret = at.new_secret(row_id)
            hook = Webhook(row_id, connection.id, client.id, url, ("*",), secret, at.vault.current, at.now)
            made += [connection, hook]
        hooks = [each for each in made if isinstance(each, Webhook)]
        return Decision(hooks, tuple(Add(each) for each in made))

    return (await service.settle(rule)).answer, account


async def _work(data: Path) -> None:
    """One sender, as in a server process, until it is terminated."""
    settings = Settings(data=data, log_level="warning")
    configure_logs(settings.log_level)
    service = await open_service(settings)
    await Sender.of(service).run(asyncio.Event())


if __name__ == "__main__":
    main()
