"""Ten at once with one ``Idempotency-Key``, through two processes' storages on one database: one is made."""

from __future__ import annotations

import asyncio
import secrets
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest

from grantway.protocol.administration.operator_keys import create_operator_key
from grantway.server.app import Application
from grantway.server.service import Service
from grantway.server.settings import Settings
from grantway.server.storage.sqlite import SqliteStorage, migrate
from tests.api.conftest import PUBLIC_URL, no_pages
from tests.helpers.asgi import Reply, call
from tests.helpers.people import TurningClock, vault

WANTED = {"name": "Helpdesk", "redirect_uris": ["https://client.example/callback"], "scopes": []}


Two = tuple[Service, Service]


@pytest.fixture
def two(tmp_path: Path) -> Two:
    """Two services as two workers have them: storages of their own, one file, one master key."""
    path = tmp_path / "data" / "grantway.db"
    migrate(path)
    clock, shared = TurningClock(), vault()

    def service() -> Service:
        storage = SqliteStorage.open(path, clock=clock, writer="thread")
        return Service(Settings(public_url=PUBLIC_URL), storage, shared, secrets.token_bytes, log_stream=BytesIO())

    return service(), service()


async def _ten_at_once(two: Two) -> tuple[list[Reply], Any]:
    """Ten requests with one key, and the clients that there are afterwards."""
    made: Any = (await two[0].settle(create_operator_key, "A test", ["*"])).answer
    bearer = (b"authorization", f"Bearer {made.text}".encode())
    headers = [bearer, (b"content-type", b"application/json"), (b"idempotency-key", b"one")]
    apps = [Application(service, no_pages) for service in two]
    try:
        replies = await asyncio.gather(
            *(call(apps[n % 2], "POST", "/v1/clients", b"", headers, (orjson.dumps(WANTED),)) for n in range(10))
        )
        listed = (await call(apps[0], "GET", "/v1/clients", b"", [bearer])).json()["data"]
        audited = (await call(apps[0], "GET", "/v1/audit", b"action=client_created", [bearer])).json()["data"]
    finally:
        for service in two:
            await service.storage.close()
    assert len(audited) == len(listed)
    return replies, listed


def test_ten_at_once_make_one_and_all_get_its_secret(two: Two) -> None:
    replies, listed = asyncio.run(_ten_at_once(two))
    assert [reply.status for reply in replies] == [201] * 10
    assert len({reply.body for reply in replies}) == 1
    assert len(listed) == 1
