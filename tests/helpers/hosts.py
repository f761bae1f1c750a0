"""Hosts on one database: servers with a data directory and a port each, the same key, and tokens to begin with."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import SecretStr
from typing_extensions import override

from bench.seed import seed
from grantway.server.settings import Settings
from tests.helpers.owned import free_port
from tests.helpers.server import Server

KEY = base64.b64encode(bytes(range(64))).decode()
PUBLIC = "http://127.0.0.1:8080"
"""What all of them are to the world. Who asks one of them knows its port."""
REFRESHING = 10


@dataclass
class Host(Server):
    """One of several behind one public address."""

    @override
    def start(self) -> None:
        port = self.port
        super().start()
        self.port, self.base_url = port, f"http://127.0.0.1:{port}"


@dataclass
class Holdings:
    """What a client holds: it takes from here what it uses up, and puts back what it got."""

    credentials: tuple[str, str]
    refreshing: list[str]
    revocable: list[str]
    codes: list[str]
    access_token: str


@dataclass
class Hosts:
    """The servers, and a client's holdings."""

    servers: list[Host]
    holdings: Holdings

    @property
    def addresses(self) -> list[str]:
        return [server.base_url for server in self.servers]

    def log(self) -> str:
        """Of all of them."""
        return "".join(server.log() for server in self.servers)


@contextmanager
def hosts_on(
    folder: Path,
    url: str | None,
    *,
    pooler: Literal["none", "transaction"] = "none",
    number: int = 2,
    workers: int = 1,
    seconds: float = 60,
) -> Iterator[Hosts]:
    """The servers while the block runs. ``url``: with every host that the database may be at; without one there is one host,
    on SQLite. The client holds enough for so many ``seconds`` of exchanging and revoking.
    """
    settings = Settings(
        data=folder / "host0",
        database=None if url is None else SecretStr(url),
        database_pooler=pooler,
        master_key=SecretStr(KEY),
        public_url=PUBLIC,
    )
    (folder / "tokens").mkdir()
    seeded = seed(settings, folder / "tokens", codes=400 + round(30 * seconds), grants=60 + round(10 * seconds))
    codes_, refreshing, access = (
        path.read_text().split() for path in (seeded.codes, seeded.refresh_tokens, seeded.access_tokens)
    )
    holdings = Holdings(seeded.opaque, refreshing[:REFRESHING], refreshing[REFRESHING:], codes_, access[0])
    environment = {
        "GRANTWAY_MASTER_KEY": KEY, "GRANTWAY_PUBLIC_URL": PUBLIC, "GRANTWAY_LINGER_SECONDS": "0",
        "GRANTWAY_LOG_LEVEL": "info", "GRANTWAY_DATABASE_POOLER": pooler,
    } | ({} if url is None else {"GRANTWAY_DATABASE": url})  # fmt: skip
    with ExitStack() as stack:
        servers = [
            Host(folder / f"host{each}", workers, free_port(), environment=environment)
            for each in range(1 if url is None else number)
        ]
        for server in servers:
            server.start()
            stack.callback(_end, server)
        yield Hosts(servers, holdings)


def _end(server: Server) -> None:
    if server.process is not None:
        server.stop()
