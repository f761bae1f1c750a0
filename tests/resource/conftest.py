"""A platform with our real server, and an API beside it that the middleware protects, as ASGI and as WSGI."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from grantway.client.lines import utc_now
from grantway.resource import AccessToken, Introspection, Protect, ProtectWSGI, Verifier, require, token_of
from tests.helpers.asgi import Caller, Reply
from tests.helpers.integration import Integration
from tests.helpers.people import TurningClock
from tests.helpers.server import Platform, populate, serving
from tests.helpers.wsgi import WsgiCaller

OTHER_API = "https://other.example"


def told(token: AccessToken, path: str) -> bytes:
    """What the API answers; its path /orders/new asks for more."""
    if path == "/orders/new":
        require(token, "write")
    return json.dumps({"account": token.account_name, "connection": token.connection_id, "scope": token.scope}).encode()


async def asgi_api(scope: Any, receive: Any, send: Any) -> None:
    body = told(token_of(scope), scope["path"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def wsgi_api(environ: Any, start_response: Any) -> list[bytes]:
    body = told(token_of(environ), environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body]


@dataclass
class Api:
    """The platform's API behind the middleware."""

    caller: Any

    def get(self, token: str | None = None, path: str = "/orders", **headers: str) -> Reply:
        sent = list(headers.items()) if token is None else [("Authorization", f"Bearer {token}"), *headers.items()]
        reply: Reply = self.caller.request("GET", path, sent)
        return reply


Protected = Callable[..., Api]
Hook = Callable[[httpx2.Request], Any]


@pytest.fixture(params=["asgi", "wsgi"])
def protected(request: pytest.FixtureRequest) -> Iterator[Protected]:
    """Makes the API, protected by this verifier with these settings. ``hook`` sees what the verifier asks."""
    ends: list[Callable[[], Any]] = []

    def protect_asgi(verifier: Verifier, hook: Hook | None = None, **settings: Any) -> Api:
        async def hear(asked: httpx2.Request) -> None:
            if hook is not None:
                hook(asked)

        http = httpx2.AsyncClient(event_hooks={"request": [hear]}) if hook else None
        app = Protect(asgi_api, verifier, http=http, **settings)
        caller = Caller(app)

        async def end() -> None:
            await app.aclose()
            if http is not None:
                await http.aclose()

        ends.extend([lambda: caller._loop.run_until_complete(end()), caller.close])
        return Api(caller)

    def protect_wsgi(verifier: Verifier, hook: Hook | None = None, **settings: Any) -> Api:
        http = httpx2.Client(event_hooks={"request": [hook]}) if hook else None
        app = ProtectWSGI(wsgi_api, verifier, http=http, **settings)
        ends.extend([app.close] if http is None else [app.close, http.close])
        return Api(WsgiCaller(app))

    yield protect_asgi if request.param == "asgi" else protect_wsgi
    for end in ends:
        end()


@dataclass
class Scene:
    """A platform, its integrations, and the API's own registration at the authorization server."""

    platform: Platform
    shop: Integration
    api_id: str
    api_secret: str

    @property
    def issuer(self) -> str:
        return self.platform.base_url

    def asks(self, **settings: Any) -> Introspection:
        return Introspection(f"{self.issuer}/introspect", self.api_id, self.api_secret, **settings)

    def token(self, by: Integration | None = None) -> str:
        """An access token, after the customer's Allow."""
        by = by or self.shop
        token: str = by.exchange(by.code(self.platform))[1]["access_token"]
        return token


@contextmanager
def scene_at(data: Path, **environment: Any) -> Iterator[Scene]:
    """A new server on this data directory, and who is there."""
    with serving(data, **environment) as server:
        platform = populate(server)
        shop = Integration.register(platform, "Shop", "--create-scopes")
        own = platform.client(
            "The API", "--kind", "resource-server", "--resource", server.base_url, "--resource", OTHER_API
        )
        yield Scene(platform, shop, own["client_id"], own["client_secret"])


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene_at(tmp_path_factory.mktemp("resource") / "data") as one:
        yield one


@pytest.fixture
def clock() -> TurningClock:
    """The API's own clock."""
    return TurningClock(utc_now())
