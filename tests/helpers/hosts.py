"""Two hosts on one PostgreSQL: servers with a data directory and a port each, the same key, and tokens to begin with."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from bench.seed import seed
from grantway.server.settings import Settings
from tests.helpers.owned import free_port
from tests.helpers.server import Server

KEY = base64.b64encode(bytes(range(64))).decode()


@dataclass
class Hosts:
    """The servers, a client's id and secret, and what it holds already."""

    servers: list[Server]
    credentials: tuple[str, str]
    codes: list[str]
    refresh_tokens: list[str]
    access_tokens: list[str]

    @property
    def addresses(self) -> list[str]:
        return [server.base_url for server in self.servers]

    def log(self) -> str:
        """Of all of them."""
        return "".join(server.log() for server in self.servers)


@contextmanager
def hosts_on(
    folder: Path,
    url: str,
    *,
    pooler: Literal["none", "transaction"] = "none",
    number: int = 2,
    codes: int = 400,
    grants: int = 60,
    workers: int = 1,
) -> Iterator[Hosts]:
    """The servers while the block runs. ``url``: with every host that the database may be at."""
    public = "http://127.0.0.1:8080"
    settings = Settings(
        data=folder / "seed",
        database=SecretStr(url),
        database_pooler=pooler,
        master_key=SecretStr(KEY),
        public_url=public,
    )
    (folder / "tokens").mkdir()
    seeded = seed(settings, folder / "tokens", codes=codes, grants=grants)
    environment = {
        "GRANTWAY_DATABASE": url, "GRANTWAY_MASTER_KEY": KEY, "GRANTWAY_PUBLIC_URL": public,
        "GRANTWAY_LINGER_SECONDS": "0", "GRANTWAY_LOG_LEVEL": "info", "GRANTWAY_DATABASE_POOLER": pooler,
    }  # fmt: skip
    with ExitStack() as stack:
        servers = [
            Server(folder / f"host{each}", workers, free_port(), environment=environment) for each in range(number)
        ]
        for server in servers:
            port = server.port
            server.start()
            server.port, server.base_url = port, f"http://127.0.0.1:{port}"  # not the public one, which it tells
            stack.callback(_end, server)
        tokens = [path.read_text().split() for path in (seeded.codes, seeded.refresh_tokens, seeded.access_tokens)]
        yield Hosts(servers, seeded.opaque, *tokens)


def _end(server: Server) -> None:
    if server.process is not None:
        server.stop()
