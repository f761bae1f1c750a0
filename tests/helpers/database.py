"""Working on a SQLite database from a test, beside the command line or a running server."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from grantway.protocol.administration.clients import CreatedClient, NewClient, create_client
from grantway.protocol.decision import Add, Decision, LeaseNotice, ReportDelivery
from grantway.protocol.facts import Facts
from grantway.protocol.ids import parse, show
from grantway.protocol.model import Connection, DeliveryAttempt
from grantway.protocol.moment import Moment
from grantway.protocol.notices import LEASE
from grantway.protocol.resources import NewResource, Registered, register_resource
from grantway.server.opening import open_service, prepare
from grantway.server.settings import Settings


def settle_in(data: Path, rule: Any, *args: Any) -> Any:
    """The rule's answer on the database of this data directory, made true."""
    settings = Settings(data=data, database=os.environ.get("GRANTWAY_DATABASE"), writer="tick")

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


async def subscribe(facts: Facts, at: Moment, connection: str, reference: str) -> Decision[Any]:
    """A subscription that lives by a connection: its ``rs_…``."""
    connection_id = parse("cn", connection)
    assert connection_id is not None
    made = await register_resource(facts, at, connection_id, NewResource("subscription", reference))
    assert isinstance(made.answer, Registered)
    return Decision(show("rs", made.answer.resource.id), made.changes)


async def kill(facts: Facts, at: Moment, delivery: str) -> Decision[None]:
    """A delivery (``nt_…``) whose target says that it is gone."""
    notice_id = parse("nt", delivery)
    assert notice_id is not None
    notice = await facts.notice(notice_id)
    assert notice is not None
    lease = at.draw(16)
    attempt = DeliveryAttempt(notice_id, notice.attempts + 1, at.now, 12, 410, None, "Gone.")
    changes = LeaseNotice(notice_id, lease, at.now, at.now + LEASE), ReportDelivery(lease, attempt, dead_at=at.now)
    return Decision(None, changes)


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
