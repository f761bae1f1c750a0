"""Both clients over our real server, found by discovery: every grant, from the first click to the end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from grantway.client import AsyncClient, AuthorizationRefused, CallbackWrong, Client, Refused, Tokens, WrongServer
from tests.client.conftest import REDIRECT_URI
from tests.helpers.server import Platform

Make = Callable[..., Any]


@pytest.fixture(params=["confidential", "public"])
def registered(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = request.getfixturevalue(request.param)
    return {"client_id": found["client_id"], "client_secret": found.get("client_secret"), "redirect_uri": REDIRECT_URI}


def connect(platform: Platform, client: Any, **asked: Any) -> Tokens:
    begun = client.begin(**asked)
    tokens: Tokens = client.complete(platform.customer.decide(begun.url), state=begun.state)
    return tokens


def test_a_whole_connection(make: Make, platform: Platform, registered: dict[str, Any]) -> None:
    client = make(platform.base_url, **registered)
    before = datetime.now(UTC)
    tokens = connect(platform, client, scope="read write")
    assert tokens.scope == ("read", "write")
    assert tokens.account is not None
    assert (tokens.account.id, tokens.account.name) == (platform.account["id"], "Acme")
    assert tokens.connection_id is not None
    assert tokens.expires_at is not None
    assert before + timedelta(seconds=500) < tokens.expires_at < before + timedelta(seconds=700)
    assert tokens.access_token not in repr(tokens)
    assert str(tokens.refresh_token) not in repr(tokens)

    fresh = client.refresh(tokens)
    assert fresh.refresh_token != tokens.refresh_token
    assert (fresh.account, fresh.connection_id, fresh.scope) == (tokens.account, tokens.connection_id, tokens.scope)
    assert client.refresh(fresh, scope="read").scope == ("read",)

    client.revoke(fresh)
    with pytest.raises(Refused) as raised:
        client.refresh(fresh)
    assert (raised.value.code, raised.value.status) == ("invalid_grant", 400)
    assert raised.value.errors[0].code == "invalid_grant"


def test_what_a_token_is_good_for(make: Make, platform: Platform, confidential: dict[str, Any]) -> None:
    client = make(
        platform.base_url,
        client_id=confidential["client_id"],
        client_secret=confidential["client_secret"],
        redirect_uri=REDIRECT_URI,
    )
    tokens = connect(platform, client, scope="read")
    found = client.info(tokens)
    assert (found.active, found.scope, found.account) == (True, ("read",), tokens.account)
    assert (found.client_id, found.connection_id) == (confidential["client_id"], tokens.connection_id)
    assert abs(found.expires_at - tokens.expires_at) < timedelta(seconds=3)
    client.revoke(tokens)
    assert client.info(tokens).active is False
    assert client.info(Tokens("gwa_never")).active is False


def test_a_client_acts_for_itself(make: Make, platform: Platform, confidential: dict[str, Any]) -> None:
    client = make(platform.base_url, client_id=confidential["client_id"], client_secret=confidential["client_secret"])
    tokens = client.client_credentials(scope="read")
    assert (tokens.scope, tokens.refresh_token, tokens.account) == (("read",), None, None)
    assert client.info(tokens).active
    wrong = make(platform.base_url, client_id=confidential["client_id"], client_secret="wrong")
    with pytest.raises(Refused) as raised:
        wrong.client_credentials()
    assert (raised.value.code, raised.value.status) == ("invalid_client", 401)


def test_a_refused_authorization_and_a_second_callback(
    make: Make, platform: Platform, registered: dict[str, Any]
) -> None:
    client = make(platform.base_url, **registered)
    begun = client.begin(prompt="consent")
    url = platform.customer.decide(begun.url, "deny")
    with pytest.raises(AuthorizationRefused) as raised:
        client.complete(url)
    assert raised.value.code == "access_denied"
    with pytest.raises(CallbackWrong) as again:
        client.complete(url)
    assert again.value.kind == "state_used"


def test_a_lost_answer_is_asked_for_again(make: Make, platform: Platform, registered: dict[str, Any]) -> None:
    """The same refresh twice is one move: the server's retry rule and the client's derived key."""
    client = make(platform.base_url, **registered)
    tokens = connect(platform, client, scope="read")
    first, second = client.refresh(tokens), client.refresh(tokens)
    assert first.refresh_token == second.refresh_token


def test_another_address_of_the_same_server_is_not_its_issuer(make: Make, platform: Platform) -> None:
    for address in (platform.base_url + "/", platform.base_url.replace("127.0.0.1", "localhost")):
        with pytest.raises(WrongServer) as raised:
            make(address, client_id="app").begin()
        assert raised.value.reason == "issuer_differs"


def test_many_threads_use_one_client(platform: Platform, confidential: dict[str, Any]) -> None:
    found: list[Tokens] = []
    with Client(
        platform.base_url, client_id=confidential["client_id"], client_secret=confidential["client_secret"]
    ) as client:
        threads = [
            threading.Thread(target=lambda: found.append(client.client_credentials(scope="read"))) for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({tokens.access_token for tokens in found}) == 12


def test_a_clock_may_be_handed_in(make: Make, platform: Platform, confidential: dict[str, Any]) -> None:
    then = datetime(2030, 1, 1, tzinfo=UTC)
    client = make(
        platform.base_url,
        client_id=confidential["client_id"],
        client_secret=confidential["client_secret"],
        now=lambda: then,
    )
    assert client.client_credentials(scope="read").expires_at == then + timedelta(seconds=600)


# An httpx2 client of somebody's own: its credentials, headers, base address and redirects are for its owner's requests.
OWN: dict[str, Any] = {
    "auth": ("somebody", "else"),
    "base_url": "http://other.example/",
    "follow_redirects": True,
    "params": {"x": "y"},
}


def test_an_http_client_that_is_handed_in_adds_nothing_and_stays_open(
    platform: Platform, confidential: dict[str, Any]
) -> None:
    who = {"client_id": confidential["client_id"], "client_secret": confidential["client_secret"]}
    with httpx2.Client(**OWN) as http:
        with Client(platform.base_url, **who, http=http) as client:
            assert client.client_credentials(scope="read").scope == ("read",)
        assert not http.is_closed


def test_an_asynchronous_http_client_that_is_handed_in_adds_nothing_and_stays_open(
    platform: Platform, confidential: dict[str, Any]
) -> None:
    who = {"client_id": confidential["client_id"], "client_secret": confidential["client_secret"]}

    async def story() -> None:
        async with httpx2.AsyncClient(**OWN) as http:
            async with AsyncClient(platform.base_url, **who, http=http) as client:
                assert (await client.client_credentials(scope="read")).scope == ("read",)
            assert not http.is_closed

    asyncio.run(story())
