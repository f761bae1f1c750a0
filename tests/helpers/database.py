"""Working on a SQLite database from a test, beside the command line or a running server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from grantway.protocol.administration.clients import CreatedClient, NewClient, create_client
from grantway.protocol.decision import Add, Decision
from grantway.protocol.facts import Facts
from grantway.protocol.ids import parse, show
from grantway.protocol.model import Connection
from grantway.protocol.moment import Moment
from grantway.server.opening import open_service, prepare
from grantway.server.settings import Settings


def settle_in(data: Path, rule: Any, *args: Any) -> Any:
    """The rule's answer on the database of this data directory, made true."""
    settings = Settings(data=data, writer="tick")

    async def work() -> Any:
        service = await open_service(settings)
        try:
            return (await service.settle(rule, *args)).answer
        finally:
            await service.storage.close()

    prepare(settings)
    return asyncio.run(work())


async def connect(facts: Facts, at: Moment, client_id: str, account: str) -> Decision[str]:
    """A connection out of nothing: its ``cn_…``. ``account`` is an ``ac_…``."""
    client = await facts.client(client_id)
    account_id = parse("ac", account)
    assert client is not None
    assert account_id is not None
    connection = Connection(at.new_id(), client.id, account_id, at.draw(12).hex(), client.scopes, at.now)
    return Decision(show("cn", connection.id), (Add(connection),))


async def draft(facts: Facts, at: Moment, client_id: str, email: str) -> Decision[Any]:
    """An integration that this person has registered."""
    made = await create_client(
        facts,
        at,
        NewClient("Draft", client_id=client_id, redirect_uris=("https://client.example/cb",)),
        developer=await facts.user_by_email(email),
    )
    assert isinstance(made.answer, CreatedClient)
    return made
