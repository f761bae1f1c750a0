"""A real HTTP server on loopback that notices are delivered to, and what a test needs around it."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import os
import ssl
import threading
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from grantway.protocol.vault import Vault
from grantway.server.service import Service
from grantway.server.settings import Settings
from grantway.server.storage.memory import MemoryStorage
from tests.helpers.listening import listening

T = TypeVar("T")

Respond = Callable[[asyncio.StreamWriter, int], Awaitable[None]]
"""Writes the answer to the n-th request (from 0)."""


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic, compare=False)


@dataclass
class Receiver:
    """What came in so far, and where."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    broken: int = 0
    server_names: list[str | None] = field(default_factory=list)

    def url(self, path: str = "/removed") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


def answers(*statuses: int, headers: str = "") -> Respond:
    """Answer with these, one after the other; the last one for ever."""

    async def respond(writer: asyncio.StreamWriter, number: int) -> None:
        status = statuses[min(number, len(statuses) - 1)]
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n{headers}\r\n".encode())
        await writer.drain()

    return respond


async def hang(writer: asyncio.StreamWriter, number: int) -> None:
    """Take the request and never say a word."""
    await asyncio.sleep(3600)


def says(head: str, body: bytes = b"", *, times: int | None = 1, pause: float = 0) -> Respond:
    """Say the head, then the body so many times (for ever without ``times``), and close."""

    async def respond(writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(head.encode())
        said = 0
        while times is None or said < times:
            writer.write(body)
            await writer.drain()
            await asyncio.sleep(pause)
            said += 1

    return respond


def packed(mebibytes: int) -> Respond:
    """Say so many MiB of nothing, packed small (gzip)."""
    packer = zlib.compressobj(9, wbits=31)
    body = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(mebibytes)), packer.flush()])
    return says(f"HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n", body)


class Harbour:
    """An event loop in a thread, for receivers beside a test that blocks. It ends with all that runs in it."""

    def __init__(self) -> None:
        self._opened = AsyncExitStack()
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._live(),), daemon=True)
        self._thread.start()
        self._is_up.wait()

    def open(self, context: AbstractAsyncContextManager[T]) -> T:
        """Enter it; it is left when the harbour closes."""
        return asyncio.run_coroutine_threadsafe(self._opened.enter_async_context(context), self._loop).result(60)

    def close(self) -> None:
        """Leave everything."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    async def _live(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._is_up.set()
        async with self._opened:
            await self._over.wait()


@contextmanager
def harbour() -> Iterator[Harbour]:
    """A place for receivers while the block runs."""
    there = Harbour()
    try:
        yield there
    finally:
        there.close()


@asynccontextmanager
async def receiver(respond: Respond, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver on a free port of 127.0.0.1."""
    state = Receiver()
    if tls is not None:

        def remember(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
            state.server_names.append(name)

        tls.sni_callback = remember

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = head.split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:-2])}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            state.received.append(Received(lines[0].split(" ")[1], headers, body))
            await respond(writer, len(state.received) - 1)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            state.broken += 1
        except asyncio.CancelledError:
            pass
        finally:
            writer.close()

    async with listening(serve, tls) as state.port:
        yield state


def certificate(directory: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's and the client's TLS contexts for a fresh self-signed certificate with these names."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    now = dt.datetime.now(dt.UTC)
    alternatives: list[x509.GeneralName] = []
    for name in names:
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            alternatives.append(x509.DNSName(name))
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = directory / "receiver.pem"
    pem = signed.public_bytes(serialization.Encoding.PEM)
    path.write_bytes(
        pem
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=pem.decode())


@dataclass
class Clock:
    """A clock that a test turns."""

    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    def __call__(self) -> dt.datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += dt.timedelta(**by)


VAULT = Vault.of({"k1": bytes(range(64))}, "k1")


def service(storage: MemoryStorage) -> Service:
    """A server in development: its own public address is loopback."""
    return Service(settings=Settings(), storage=storage, vault=VAULT, draw=os.urandom)
