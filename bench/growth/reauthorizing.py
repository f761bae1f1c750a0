"""One person who connects the same integration again and again: consent page, Allow, exchange, all by the rules."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.growth.installation import Backend, made_client, opened
from bench.growth.rows import SCOPES
from bench.growth.sizes import Sizes
from bench.seed import CHALLENGE, REDIRECT_URI, VERIFIER
from grantway.protocol.administration.accounts import NewAccount, create_account
from grantway.protocol.administration.clients import CreatedClient
from grantway.protocol.administration.people import add_member, create_user
from grantway.protocol.authorize import AskConsent, Opened, SendBack, Visitor, allow, next_step, open_authorization
from grantway.protocol.decision import Add, Decision
from grantway.protocol.facts import Facts
from grantway.protocol.issuing import Issued
from grantway.protocol.model import User
from grantway.protocol.moment import Moment
from grantway.protocol.sessions import draw_session
from grantway.protocol.sweeping import sweep_grants
from grantway.protocol.token import token
from grantway.server.opening import prepare
from grantway.server.service import Service
from grantway.server.settings import Settings
from grantway.server.storage.port import Storage
from grantway.server.storage.sqlite import SqliteStorage
from grantway.wire.messages import AuthorizationRequest, ClientCredentials, TokenRequest

LATER = timedelta(days=31)
"""What ended is kept for a month; in the same time other leftovers go, too."""


@dataclass(frozen=True)
class Run:
    """Sizes before and after, when a month has passed and it was swept; and how many grants are live then."""

    before: Sizes
    after: Sizes
    swept: Sizes


def reauthorize(backend: Backend, times: int) -> Run:
    prepare(backend.settings)
    before, after = asyncio.run(_authorize(backend, times))
    asyncio.run(_sweep_later(backend.settings))
    backend.settle_down()
    return Run(before, after, backend.sizes())


async def _authorize(backend: Backend, times: int) -> tuple[Sizes, Sizes]:
    async with opened(backend.settings) as service:
        made = await made_client(service)
        user = await _answer(service, create_user, "ada@example.com", "Ada", None)
        account = await _answer(service, create_account, NewAccount("Shop"))
        await _answer(service, add_member, account.id, user.email, "owner")
        visitor = Visitor(browser="b" * 43, session=await _sign_in(service, user))
        await _once(service, made, visitor)
        backend.settle_down()
        before = backend.sizes()
        for _ in range(times):
            await _once(service, made, visitor)
    backend.settle_down()
    return before, backend.sizes()


async def _sign_in(service: Service, user: User) -> str:
    async def rule(facts: Facts, at: Moment) -> Decision[str]:
        drawn = draw_session(at, user, at.now, "Bench")
        return Decision(drawn.session_id, (Add(drawn.session),))

    return (await service.settle(rule)).answer


async def _once(service: Service, made: CreatedClient, visitor: Visitor) -> None:
    client_id = made.client.client_id
    request = AuthorizationRequest(
        client_id, "code", REDIRECT_URI, SCOPES, "state", CHALLENGE, "S256", prompt=("consent",)
    )  # fmt: skip
    opened_now = await _answer(service, open_authorization, request, "standard", visitor)
    assert isinstance(opened_now, Opened)
    asked = await _answer(service, next_step, opened_now.pending_id, visitor, service.issuer)
    assert isinstance(asked, AskConsent)
    sent = await _answer(service, allow, opened_now.pending_id, visitor, asked.shown, service.issuer)
    assert isinstance(sent, SendBack)
    credentials = ClientCredentials(client_id, made.client_secret, "client_secret_basic")
    exchange = TokenRequest(
        "authorization_code", credentials, code=sent.answer.code, redirect_uri=REDIRECT_URI, code_verifier=VERIFIER
    )  # fmt: skip
    issued = (await service.propose(token, exchange, "standard")).answer
    if not isinstance(issued, Issued):
        raise TypeError(issued)


async def _answer(service: Service, rule: Any, *args: Any) -> Any:
    return (await service.settle(rule, *args)).answer


async def _sweep_later(settings: Settings) -> None:
    """What the sweeper does in a month's time."""
    async with opened(settings) as service:
        storage = await storage_at(settings, datetime.now(UTC) + LATER)
        try:
            later = Service(settings, storage, service.vault, service.draw)
            while await storage.sweep(200) or (await later.propose(sweep_grants, 200)).changes:
                pass
        finally:
            await storage.close()


async def storage_at(settings: Settings, now: datetime) -> Storage:
    """The storage as it will be at that time."""
    if settings.database_url is None:
        return SqliteStorage.open(settings.database_path, clock=lambda: now)
    from grantway.server.storage.postgres import PostgresStorage

    return await PostgresStorage.open(settings.database_url, clock=lambda: now)
