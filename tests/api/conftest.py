"""The API in this process and in memory: an operator with every key, a customer, what is connected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import orjson
import pytest

from grantway.protocol.administration.operator_keys import create_operator_key
from grantway.server.app import Application
from grantway.server.log import DecisionLog
from tests.helpers.asgi import Caller, Reply
from tests.helpers.database import connect
from tests.helpers.people import House

PUBLIC_URL = "http://127.0.0.1:8080"
REDIRECT_URI = "https://client.example/callback"


@dataclass
class Api:
    """The API and short words for calling it."""

    house: House
    caller: Caller
    log: BytesIO
    key: str = field(default="", repr=False)

    def new_key(self, *scopes: str, **wanted: Any) -> str:
        made: Any = self.house.decide(create_operator_key, "A test", scopes, **wanted).answer
        text: str = made.text
        return text

    def call(self, method: str, target: str, body: Any = None, *, key: str | None = None, **headers: str) -> Reply:
        sent = [(name.replace("_", "-"), value) for name, value in headers.items()]
        if key != "":
            sent.append(("Authorization", f"Bearer {key or self.key}"))
        if body is not None:
            sent.append(("Content-Type", "application/json"))
        return self.caller.request(method, target, sent, b"" if body is None else orjson.dumps(body))

    def tell(self, method: str, target: str, body: Any = None, status: int = 200, **more: Any) -> Any:
        """The JSON of an answer that is as it should be."""
        reply = self.call(method, target, body, **more)
        assert reply.status == status, reply.text
        return reply.json() if reply.body else None

    def refuse(self, method: str, target: str, body: Any = None, status: int = 400, **more: Any) -> Any:
        """The problem details of a no."""
        reply = self.call(method, target, body, **more)
        assert (reply.status, reply.header("content-type")) == (status, "application/problem+json"), reply.text
        problem = reply.json()
        assert problem["status"] == status
        assert problem["instance"] == reply.header("x-request-id")
        return problem

    def last_reason(self) -> str:
        """What the log says of the last request."""
        line: dict[str, str] = orjson.loads(self.log.getvalue().splitlines()[-1])
        return line["reason"]

    def furnish(self) -> Furnished:
        """Somebody and something of each kind, made by the API where it can make it."""
        user = self.tell("POST", "/v1/users", {"email": "ada@example.com", "name": "Ada"}, 201)["id"]
        account = self.tell("PUT", "/v1/accounts/acme", {"name": "Acme"})["id"]
        self.tell("PUT", f"/v1/accounts/acme/members/{user}", {"role": "owner"})
        self.tell("PUT", "/v1/scopes/orders", {"sentences": {"en": "Read orders"}, "events": ["order.*"]})
        made = {"name": "Helpdesk", "client_id": "helpdesk", "redirect_uris": [REDIRECT_URI], "scopes": ["orders"]}
        self.tell("POST", "/v1/clients", {**made, "remove_url": "https://client.example/gone"}, 201)
        connection: str = self.house.decide(connect, "helpdesk", account).answer
        resource = {"kind": "subscription", "reference": "sub_1"}
        resource_id = self.tell("POST", f"/v1/connections/{connection}/resources", resource, 201)["id"]
        self.tell(
            "POST", "/v1/clients", {**made, "client_id": "gone", "remove_url": "https://client.example/gone"}, 201
        )
        gone: str = self.house.decide(connect, "gone", account).answer
        self.tell("DELETE", f"/v1/connections/{gone}")
        delivery = self.tell("GET", "/v1/deliveries")["data"][0]["id"]
        key = self.tell("POST", "/v1/operator-keys", {"name": "Another", "scopes": ["users:read"]}, 201)
        till = {"name": "Till", "client_id": "till", "profile": "square", "redirect_uris": [REDIRECT_URI]}
        self.tell("POST", "/v1/clients", till, 201)
        token = self.tell("POST", "/v1/clients/till/tokens", {"account": "acme"}, 201)["token"]["id"]
        ids = {
            "token": token,
            "user": user,
            "account": "acme",
            "client": "helpdesk",
            "connection": connection,
            "resource": resource_id,
            "delivery": delivery,
            "key": key["operator_key"]["id"],
            "scope": "orders",
        }
        return Furnished(self, ids)


@dataclass
class Furnished:
    """The API with something of each kind, and the ids of these by their names in addresses."""

    api: Api
    ids: dict[str, str]

    def of(self, names: Iterable[str]) -> dict[str, str]:
        """The ids of what has these names."""
        return {name: self.ids[name] for name in names if name in self.ids}


async def no_pages(scope: Any, receive: Any, send: Any) -> None:
    """Making the pages takes a second that tests of the API need not wait."""
    raise AssertionError(f"{scope['path']} is no address of the API's.")


@contextmanager
def api_in_memory() -> Iterator[Api]:
    """A house with an operator key that may do everything."""
    house = House.in_memory(public_url=PUBLIC_URL, log_level="debug")
    app = Application(house.service, no_pages)
    log = BytesIO()
    app._decisions = DecisionLog("debug", log)
    caller = Caller(app)
    api = Api(house, caller, log)
    api.key = api.new_key("*")
    try:
        yield api
    finally:
        caller.close()


@pytest.fixture
def api() -> Iterator[Api]:
    with api_in_memory() as there:
        yield there
