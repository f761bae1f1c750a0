"""A stretch of wire before PostgreSQL that is cut between two messages of its protocol, or goes silent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

Side = Literal["client", "server"]


class Wire:
    """Passes messages on (PostgreSQL, 55.7: a letter, a length, the rest) until it is told otherwise."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.passed: dict[Side, list[bytes]] = {"client": [], "server": []}
        """The letters of the messages that have gone by since the last ``watch``."""
        self.was_cut = False
        self._behind = port
        self._left: dict[Side, int | None] = {"client": None, "server": None}
        self._open = asyncio.Event()
        self._open.set()
        self._newcomers = self._open
        self._writers: set[asyncio.StreamWriter] = set()

    def watch(self, **left: int) -> None:
        """Cut everything once so many messages of the ``client`` or the ``server`` have gone by. Once: who comes back then is
        let through."""
        self.passed, self.was_cut = {"client": [], "server": []}, False
        self._left = {"client": left.get("client"), "server": left.get("server")}

    def hush(self) -> None:
        """From now on the server says nothing, on connections that there are and on new ones."""
        self._open.clear()

    def speak_to_newcomers(self) -> None:
        """It speaks on connections that are made from now on."""
        self._newcomers = asyncio.Event()
        self._newcomers.set()

    def speak(self) -> None:
        """What it wanted to say, it says now."""
        self._open.set()
        self._newcomers = self._open

    def cut(self) -> None:
        """Every connection, at once."""
        self.was_cut = True
        self._left = {"client": None, "server": None}
        for writer in self._writers:
            writer.close()

    async def is_gone(self) -> None:
        """Returns when every connection has ended at both ends."""
        while self._writers:
            await asyncio.sleep(0.005)

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either end goes."""
        may_speak = self._newcomers
        behind, before = await asyncio.open_connection("127.0.0.1", self._behind)
        self._writers |= {writer, before}
        try:
            first = await reader.readexactly(4)
            before.write(first + await reader.readexactly(int.from_bytes(first, "big") - 4))
            there = [
                asyncio.create_task(self._pass("client", reader, before, may_speak)),
                asyncio.create_task(self._pass("server", behind, writer, may_speak)),
            ]
            await asyncio.wait(there, return_when=asyncio.FIRST_COMPLETED)
            for task in there:
                task.cancel()
            await asyncio.gather(*there, return_exceptions=True)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for each in (writer, before):
                each.close()
                with suppress(OSError):
                    await each.wait_closed()
            self._writers -= {writer, before}

    async def _pass(
        self, side: Side, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, may_speak: asyncio.Event
    ) -> None:
        while True:
            head = await reader.readexactly(5)
            rest = await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
            if side == "server":
                await may_speak.wait()
            if self._left[side] == 0:
                self.cut()
                return
            if self._left[side] is not None:
                self._left[side] -= 1  # type: ignore[operator]
            self.passed[side].append(head[:1])
            writer.write(head + rest)
            await writer.drain()


@asynccontextmanager
async def wire_to(url: str) -> AsyncIterator[tuple[Wire, str]]:
    """A wire to this database, and its address at the near end."""
    found = re.search(r":(\d+)/", url)
    assert found is not None
    wire = Wire(int(found[1]))
    tasks: set[asyncio.Task[None]] = set()

    def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(wire.join(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(joined, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire, url.replace(found[0], f":{wire.port}/") + "?sslmode=disable&gssencmode=disable"
    finally:
        server.close()
        wire.speak()
        wire.cut()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
