"""Ten at once, on every storage: what lets somebody in counts once, and one person stays one person."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from grantway.protocol.administration.operators import CreatedOperator, create_operator
from grantway.protocol.decision import Decision
from grantway.protocol.hand_off import CameBack, Completed, Goal, come_back, complete, send_to_platform, sign_in_at_once
from grantway.protocol.identity import Identity, IdentityAccount
from grantway.protocol.one_time_links import set_password_by_link
from grantway.protocol.sign_in import Browser, SignedIn
from grantway.protocol.steps import Visitor
from grantway.server.service import Service
from tests.helpers.people import service_on
from tests.storage.asking import NOON

BROWSER = Visitor("browser-1")
GRACE = Identity("u-1", "Grace", NOON, (IdentityAccount("shop-1", "Shop", "owner"),))


@pytest.fixture
def service(storage: Any) -> Service:
    return service_on(storage, public_url="https://auth.example")


async def ten(service: Service, *asked: Any) -> list[Decision[Any]]:
    return await asyncio.gather(*(service.settle(*asked) for _ in range(10)))


async def left(service: Service) -> str:
    sent = (await service.settle(send_to_platform, "browser-1", "https://shop.example/", Goal("/connections"))).answer
    return request_of(sent.url)


def request_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["request"][0]


async def counted(service: Service) -> tuple[int, int]:
    """Users, accounts."""

    async def rule(facts: Any, at: Any) -> Decision[tuple[int, int]]:
        return Decision((len(await facts.users()), len(await facts.accounts())))

    return (await service.consult(rule)).answer


def test_the_platform_says_it_ten_times_at_once_and_is_heard_once(service: Service) -> None:
    async def race() -> None:
        decisions = await ten(service, complete, await left(service), GRACE)
        assert sum(isinstance(each.answer, Completed) for each in decisions) == 1
        assert await counted(service) == (1, 1)

    asyncio.run(race())


def test_the_browser_comes_back_ten_times_at_once_and_is_signed_in_once(service: Service) -> None:
    async def race() -> None:
        completed = (await service.settle(complete, await left(service), GRACE)).answer
        assert isinstance(completed, Completed)
        decisions = await ten(service, come_back, request_of(completed.return_to), BROWSER, Browser())
        assert sum(isinstance(each.answer, CameBack) for each in decisions) == 1
        assert {each.reason for each in decisions} == {"signed_in", "sign_in_request_unknown"}

    asyncio.run(race())


def test_a_person_who_comes_in_for_the_first_time_ten_times_at_once_is_one_person(service: Service) -> None:
    async def race() -> None:
        decisions = await ten(service, sign_in_at_once, GRACE, BROWSER, Browser("Firefox (Linux)", "de"), Goal("/"))
        assert all(isinstance(each.answer, CameBack) for each in decisions)
        assert await counted(service) == (1, 1)

    asyncio.run(race())


def test_a_link_is_used_ten_times_at_once_and_counts_once(service: Service) -> None:
    async def race() -> None:
        created = (await service.settle(create_operator, "ops@example.com", "Olga", "operator")).answer
        assert isinstance(created, CreatedOperator)
        decisions = await ten(service, set_password_by_link, created.link, "a hash")
        assert sum(isinstance(each.answer, SignedIn) for each in decisions) == 1

    asyncio.run(race())
