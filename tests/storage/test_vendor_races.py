"""Ten at once, on every storage: what vendors let happen once happens once, and an end wins over a renewal."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.administration.accounts import NewAccount, create_account
from grantway.protocol.administration.clients import NewClient, create_client
from grantway.protocol.administration.foreign_tokens import OlderGrant, OlderToken, import_tokens
from grantway.protocol.authorization_revocation import revoke_authorization
from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.digests import digest
from grantway.protocol.ids import show
from grantway.protocol.issuing import Issued
from grantway.protocol.renewal import WORKS_ON, renew
from grantway.protocol.token import token
from grantway.protocol.token_status import token_status
from grantway.server.mint import Mint
from grantway.server.service import Service
from grantway.wire.messages import (
    AuthorizationRevocationAnswer,
    AuthorizationRevocationRequest,
    ClientCredentials,
    RenewalRequest,
    TokenRequest,
    TokenStatusRequest,
)
from tests.helpers.people import service_on
from tests.storage.asking import NOON
from tests.storage.conftest import Clock

ISSUER = "https://auth.example"
OLDER = {kind: f"older-{kind}" for kind in ("access", "refresh", "migration")}


@dataclass
class Till:
    """A Square application whose older system's tokens were brought along."""

    service: Service
    credentials: ClientCredentials

    def renewal(self) -> RenewalRequest:
        return RenewalRequest(self.credentials, OLDER["access"])

    def exchange(self, kind: str) -> TokenRequest:
        return TokenRequest(
            f"{kind}_token", self.credentials, refresh_token=OLDER["refresh"], migration_token=OLDER["migration"]
        )

    def revocation(self, *, only: bool = False) -> AuthorizationRevocationRequest:
        return AuthorizationRevocationRequest(self.credentials, OLDER["access"], only_access_token=only)

    async def is_active(self, text: str) -> bool:
        asked = TokenStatusRequest(text)
        return not isinstance((await self.service.consult(token_status, asked, "square", ISSUER)).answer, Refusal)

    async def all_active(self, given: list[Any]) -> bool:
        mint = Mint(ISSUER, self.service.vault)
        return all([await self.is_active(mint.access_token(each)) for each in given])


@pytest.fixture
def service(storage: Any) -> Service:
    return service_on(storage, public_url=ISSUER)


async def till(service: Service) -> Till:
    client: Any = (
        await service.settle(
            create_client,
            NewClient("Till", profile="square", redirect_uris=("https://till.example/cb",), scopes=("ORDERS_READ",)),
            create_scopes=True,
        )
    ).answer
    account: Any = (await service.settle(create_account, NewAccount("Acme"))).answer
    for kind in ("refresh", "migration"):
        expires_at = NOON + timedelta(days=20)
        tokens: list[OlderToken] = [OlderToken(kind, digest(OLDER[kind]))]
        if kind == "refresh":
            tokens.append(OlderToken("access", digest(OLDER["access"]), expires_at))
        older = OlderGrant(client.client.client_id, show("ac", account.id), tuple(tokens), scope=("ORDERS_READ",))
        assert (await service.settle(import_tokens, older)).reason == "tokens_imported"
    return Till(service, ClientCredentials(client.client.client_id, client.client_secret, "client_secret_post"))


def given(decisions: list[Decision[Any]]) -> list[Issued]:
    return [each.answer for each in decisions if isinstance(each.answer, Issued)]


def test_ten_renewals_are_answered_and_end_one_token(service: Service, clock: Clock) -> None:
    async def race() -> None:
        shop = await till(service)
        asked = [service.propose(renew, shop.renewal(), "square", ISSUER) for _ in range(10)]
        decisions = await asyncio.gather(*asked)
        assert len(given(decisions)) == 10
        assert sum(bool(each.changes) for each in decisions) >= 1
        assert await shop.all_active(given(decisions))
        clock.now += WORKS_ON
        assert not await shop.is_active(OLDER["access"])
        again = await service.propose(renew, shop.renewal(), "square", ISSUER)
        assert again.reason == "access_token_ended"

    asyncio.run(race())


def test_a_revocation_of_the_token_wins_over_renewals_whichever_comes_first(service: Service) -> None:
    async def race() -> None:
        shop = await till(service)
        renewals = [service.propose(renew, shop.renewal(), "square", ISSUER) for _ in range(5)]
        revoked = service.settle(revoke_authorization, shop.revocation(only=True), "square", ISSUER)
        *decisions, end = await asyncio.gather(*renewals, revoked)
        assert end.answer == AuthorizationRevocationAnswer()
        assert {each.reason for each in decisions} <= {"renewed", "access_token_ended"}
        assert not await shop.is_active(OLDER["access"])
        again = await service.propose(renew, shop.renewal(), "square", ISSUER)
        assert again.reason == "access_token_ended"

    asyncio.run(race())


def test_a_removal_among_renewals_and_exchanges_leaves_nothing_alive(service: Service) -> None:
    async def race() -> None:
        shop = await till(service)
        tries = [service.propose(renew, shop.renewal(), "square", ISSUER) for _ in range(3)]
        tries += [service.propose(token, shop.exchange(kind), "square") for kind in ("refresh", "migration")]
        removals = [service.settle(revoke_authorization, shop.revocation(), "square", ISSUER) for _ in range(3)]
        decisions = await asyncio.gather(*tries, *removals)
        assert all(each.answer == AuthorizationRevocationAnswer() for each in decisions[-3:])
        assert sum(each.reason == "connection_removed" for each in decisions[-3:]) == 1
        mint = Mint(ISSUER, service.vault)
        for issued in given(decisions):
            assert not await shop.is_active(mint.access_token(issued))
        assert not await shop.is_active(OLDER["access"])

    asyncio.run(race())


@pytest.mark.parametrize(("kind", "answered"), [("migration", 1), ("refresh", 10)])
def test_of_ten_exchanges_one_moves_the_grant(service: Service, kind: str, answered: int) -> None:
    async def race() -> None:
        shop = await till(service)
        decisions = await asyncio.gather(*(service.propose(token, shop.exchange(kind), "square") for _ in range(10)))
        assert len(given(decisions)) == answered
        assert len({issued.refresh_token for issued in given(decisions)}) == 1
        assert await shop.all_active(given(decisions))
        refused = {each.reason for each in decisions if isinstance(each.answer, Refusal)}
        assert refused <= {"migration_token_exchanged"}

    asyncio.run(race())
