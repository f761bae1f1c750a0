"""The whole application in this process and in memory, with a customer and integrations of each kind."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, BinaryIO
from urllib.parse import urlencode

import orjson

from grantway.protocol.administration.clients import CreatedClient
from grantway.protocol.administration.connections import create_key
from grantway.protocol.model import Account
from grantway.server.app import build_app
from grantway.server.passwords import hash_password
from tests.helpers.asgi import Caller, Reply
from tests.helpers.customer import FORM, Customer
from tests.helpers.people import House

PUBLIC_URL = "http://127.0.0.1:8080"
REDIRECT_URI = "http://127.0.0.1:9999/cb"
EMAIL = "ada@example.com"
PASSWORD = "correct horse battery staple"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
REMOVE_URL = "https://integrator.example/removed"


@dataclass
class World:
    """Who is there, and short words for what they do."""

    house: House
    caller: Caller
    account: Account
    sunshine: CreatedClient
    standard: CreatedClient
    public: CreatedClient
    browser: Customer
    """The customer's usual browser, where they are signed in after the first connection."""

    def customer(self) -> Customer:
        """The customer at a new browser."""
        return Customer(self.caller.request, PUBLIC_URL, EMAIL, PASSWORD)

    def get(self, target: str, **headers: str) -> Reply:
        return self.caller.request("GET", target, _spelled(headers))

    def delete(self, target: str, **headers: str) -> Reply:
        return self.caller.request("DELETE", target, _spelled(headers))

    def post_form(self, target: str, fields: dict[str, str], **headers: str) -> Reply:
        sent = [("Content-Type", FORM), *_spelled(headers)]
        return self.caller.request("POST", target, sent, urlencode(fields).encode())

    def post_json(self, target: str, members: dict[str, Any], **headers: str) -> Reply:
        sent = [("Content-Type", "application/json"), *_spelled(headers)]
        return self.caller.request("POST", target, sent, orjson.dumps(members))

    # --- Sunshine Conversations

    def sunshine_code(self, **parameters: str) -> str:
        """A code, after the customer's Allow."""
        return self.browser.connect(self.sunshine_url(**parameters))["code"]

    def sunshine_url(self, **parameters: str) -> str:
        asked = {"client_id": self.sunshine.client.client_id, "response_type": "code"} | parameters
        return f"/oauth/authorize?{urlencode(asked)}"

    def sunshine_exchange(self, code: str, **changes: str) -> dict[str, str]:
        """The four fields of the exchange."""
        return {
            "code": code,
            "grant_type": "authorization_code",
            "client_id": self.sunshine.client.client_id,
            "client_secret": self.sunshine.client_secret or "",
        } | changes

    def sunshine_token(self) -> str:
        reply = self.post_json("/oauth/token", self.sunshine_exchange(self.sunshine_code()))
        token: str = reply.json()["access_token"]
        return token

    def connection_key(self) -> tuple[str, str]:
        """A Basic key of the Sunshine integration's one connection."""

        async def find(facts: Any, at: Any) -> Any:
            view = (await facts.connections(account_id=self.account.id, client_row_id=self.sunshine.client.id))[0]
            return await create_key(facts, at, view.connection.id)

        made: Any = self.house.decide(find).answer
        return made.key.key_id, made.key_secret

    # --- the standard

    def standard_url(self, client: CreatedClient | None = None, **parameters: str) -> str:
        asked = {
            "response_type": "code",
            "client_id": (client or self.standard).client.client_id,
            "redirect_uri": REDIRECT_URI,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | parameters
        return f"/authorize?{urlencode(asked)}"

    def standard_code(self, client: CreatedClient | None = None, **parameters: str) -> str:
        return self.browser.connect(self.standard_url(client, **parameters))["code"]

    def exchange(self, code: str, client: CreatedClient | None = None, **changes: str) -> Reply:
        client = client or self.standard
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
            "client_id": client.client.client_id,
        }
        if client.client_secret is not None:
            fields["client_secret"] = client.client_secret
        return self.post_form("/token", fields | changes)

    def standard_tokens(self, client: CreatedClient | None = None) -> dict[str, Any]:
        tokens: dict[str, Any] = self.exchange(self.standard_code(client), client).json()
        return tokens

    def refresh(self, token: str, **changes: str) -> Reply:
        fields = {"grant_type": "refresh_token", "refresh_token": token, **self.proof()}
        return self.post_form("/token", fields | changes)

    def introspect(self, token: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.post_form("/introspect", {"token": token, **self.proof()}).json()
        return answer

    def proof(self) -> dict[str, str]:
        return {"client_id": self.standard.client.client_id, "client_secret": self.standard.client_secret or ""}


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@contextmanager
def world(log: BinaryIO | None = None) -> Iterator[World]:
    """A platform with one customer, who owns one account, and three integrations. Decisions are logged to ``log``."""
    house = House.in_memory(public_url=PUBLIC_URL, log_level="debug")
    caller = Caller(build_app(replace(house.service, log_stream=log or BytesIO())))
    user = house.user(EMAIL, "Ada", hash_password(PASSWORD))
    account = house.account("Acme", subdomain="acme", settings={"echoPostback": True}, metadata={"tier": "gold"})
    house.member(account, user)
    sunshine = house.client(
        "Shoplifter", profile="sunshine", client_id="shoplifter", redirect_uris=(REDIRECT_URI, f"{REDIRECT_URI}2"),
        remove_url=REMOVE_URL,
    )  # fmt: skip
    standard = house.client("Helpdesk", redirect_uris=(REDIRECT_URI,), scopes=("read", "write"))
    public = house.client("Phone", redirect_uris=(REDIRECT_URI,), scopes=("read", "write"), public=True)
    try:
        browser = Customer(caller.request, PUBLIC_URL, EMAIL, PASSWORD)
        yield World(house, caller, account, sunshine, standard, public, browser)
    finally:
        caller.close()


def _spelled(headers: dict[str, str]) -> list[tuple[str, str]]:
    return [(name.replace("_", "-"), value) for name, value in headers.items()]
