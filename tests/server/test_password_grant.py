"""The password grant with real hashes: as slowly as at the sign-in page, and busy instead of a growing queue."""

from __future__ import annotations

import asyncio
from io import BytesIO
from ipaddress import ip_network
from time import perf_counter
from typing import Any

import pytest

from grantway.protocol.decision import Refusal
from grantway.protocol.issuing import Issued
from grantway.protocol.throttle import FAILURES_PER_ADDRESS, FIRST_DELAY, FREE_FAILURES
from grantway.server.address import address_of
from grantway.server.password_grant import answer_password
from grantway.server.passwords import hash_password
from grantway.server.slow_work import AT_A_TIME, LONGEST_QUEUE
from grantway.wire.http import HttpRequest
from grantway.wire.messages import TokenRequest
from tests.helpers.asgi import Reply
from tests.helpers.phonecom import switchboard
from tests.helpers.stage import Integration, Stage
from tests.helpers.world import EMAIL
from tests.helpers.world import PASSWORD as WORLD_PASSWORD

PASSWORD = "correct horse battery"
HASH = hash_password(PASSWORD)


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.amend(stage.ada, password_hash=HASH, password_version=1)
    return stage


@pytest.fixture
def by(stage: Stage) -> Integration:
    return stage.phonecom(policy={"grant_types": "authorization_code refresh_token password"})


async def ask(stage: Stage, by: Integration, password: str = PASSWORD, name: str = "ada@example.com") -> Any:
    request = TokenRequest("password", by.credentials, username=name, password=password)
    return (await answer_password(stage.house.service, request, "phonecom", "192.0.2.7")).answer


def test_the_right_password_gives_tokens_and_no_other_does(stage: Stage, by: Integration) -> None:
    assert isinstance(asyncio.run(ask(stage, by)), Issued)
    for password, name in (("wrong", "ada@example.com"), (PASSWORD, "nobody@example.com"), ("", "ada@example.com")):
        refusal = asyncio.run(ask(stage, by, password, name))
        assert (refusal.error.code, refusal.error.description) == (
            "invalid_grant",
            "The user name or the password is wrong.",
        )


def test_guessing_one_persons_password_gets_slow(stage: Stage, by: Integration) -> None:
    for _ in range(FREE_FAILURES):
        asyncio.run(ask(stage, by, "wrong"))
    began = perf_counter()
    asyncio.run(ask(stage, by, "wrong"))
    assert perf_counter() - began >= FIRST_DELAY


def test_beyond_the_queue_of_passwords_the_answer_is_busy_and_nothing_counts(stage: Stage, by: Integration) -> None:
    async def crowd() -> list[Any]:
        return await asyncio.gather(*(ask(stage, by) for _ in range(AT_A_TIME + LONGEST_QUEUE + 3)))

    answers = asyncio.run(crowd())
    busy = [one for one in answers if isinstance(one, Refusal)]
    assert [(one.error.status, one.reason, one.retry_after) for one in busy] == [(503, "passwords_busy", 1)] * 3


def test_the_address_is_the_peers_unless_a_trusted_proxy_says_whose_it_is() -> None:
    trusted = (ip_network("10.0.0.0/8"),)
    headers = ((b"x-forwarded-for", b"203.0.113.9, 198.51.100.4"),)
    direct = HttpRequest("POST", "/", headers=headers, peer="192.0.2.7")
    assert address_of(direct, trusted) == "192.0.2.7"
    assert address_of(HttpRequest("POST", "/", headers=headers, peer="10.1.2.3"), trusted) == "198.51.100.4"


# Over HTTP, at Phone.com's address


def test_the_address_is_limited_with_the_sign_in_page_and_nobody_elses_word_changes_it() -> None:
    with switchboard() as there:

        def guess(n: int) -> Reply:
            asked: dict[str, str] = {"username": f"{n}@example.com", "password": "x", **proof}
            return there.post({"grant_type": "password", **asked}, x_forwarded_for=f"198.51.100.{n}")

        proof = there.proof(there.trusted)
        assert {guess(n).status for n in range(FAILURES_PER_ADDRESS)} == {401}
        limited = guess(99)
        assert (limited.status, limited.header("retry-after")) == (429, "900")
        assert limited.json()["@error"]["@rateLimit"] == {"Retry-After": 900}
        with pytest.raises(AssertionError, match="429"):
            there.customer.connect(there.url())  # nor do the pages take a password from there
        there.house.clock.turn(minutes=15)
        assert guess(100).status == 401


def test_whoever_is_not_the_client_has_no_password_looked_at() -> None:
    with switchboard() as there:
        asked: dict[str, Any] = {"grant_type": "password", "username": EMAIL, "password": "x", "client_id": "nobody"}
        for _ in range(FAILURES_PER_ADDRESS + 1):
            assert there.post({**asked, "client_secret": "x"}).status == 401
        asked |= {"password": WORLD_PASSWORD, **there.proof(there.trusted)}
        assert there.post(asked).status == 201


def test_neither_name_nor_password_is_ever_logged() -> None:
    log = BytesIO()
    with switchboard(log) as there:
        proof = there.proof(there.trusted)
        for password in ("a-wrong-password", WORLD_PASSWORD):
            there.post({"grant_type": "password", **proof}, {"username": EMAIL, "password": password})
    written = log.getvalue().decode()
    assert '"reason":"sign_in_wrong_password"' in written
    assert '"reason":"password_granted"' in written
    for secret in (EMAIL, "a-wrong-password", WORLD_PASSWORD, proof["client_secret"]):
        assert secret not in written
