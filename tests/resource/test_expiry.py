"""Time at both ends: the whole server in this process, with a clock that turns, and the middleware asking it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from grantway.resource import Introspection, Protect
from tests.helpers.asgi import Caller
from tests.helpers.world import PUBLIC_URL, World, world
from tests.resource.conftest import Api, asgi_api


@pytest.fixture
def there() -> Iterator[World]:
    with world() as one:
        yield one


@pytest.fixture
def api(there: World) -> Iterator[Api]:
    own = there.house.client("The API", kind="resource_server", resources=(PUBLIC_URL,), redirect_uris=())
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=there.caller.app))
    asks = Introspection(f"{PUBLIC_URL}/introspect", own.client.client_id, own.client_secret or "")
    caller = Caller(Protect(asgi_api, asks, audience=PUBLIC_URL, http=http, clock=there.house.clock))
    yield Api(caller)
    caller.close()


def test_an_access_token_is_let_in_until_it_expires(there: World, api: Api) -> None:
    token = there.standard_tokens()["access_token"]
    there.house.clock.turn(seconds=599)
    assert api.get(token).status == 200
    there.house.clock.turn(seconds=1)
    reply = api.get(token)
    assert (reply.status, reply.json()["error"]) == (401, "invalid_token")


def test_a_refresh_token_is_none_to_call_an_api_with(there: World, api: Api) -> None:
    assert api.get(there.standard_tokens()["refresh_token"]).status == 401


def test_not_even_where_the_api_asks_as_an_operator(there: World) -> None:
    own = there.house.client("Operations", kind="operator", redirect_uris=())
    refresh_token = there.standard_tokens()["refresh_token"]
    told = there.post_form(
        "/introspect",
        {"token": refresh_token, "client_id": own.client.client_id, "client_secret": own.client_secret or ""},
    )
    assert told.json()["active"] is True
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=there.caller.app))
    asks = Introspection(f"{PUBLIC_URL}/introspect", own.client.client_id, own.client_secret or "")
    caller = Caller(Protect(asgi_api, asks, audience=None, http=http))
    try:
        assert Api(caller).get(refresh_token).status == 401
    finally:
        caller.close()
