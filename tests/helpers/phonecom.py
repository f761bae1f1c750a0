"""A platform in this process whose integrations speak Phone.com: an owner, an account, and a client of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, BinaryIO
from urllib.parse import urlencode

import orjson

from grantway.protocol.administration.clients import CreatedClient
from grantway.protocol.model import Account
from grantway.server.app import build_app
from grantway.server.passwords import hash_password
from tests.helpers.asgi import Caller, Reply
from tests.helpers.customer import FORM, Customer
from tests.helpers.people import House
from tests.helpers.world import CHALLENGE, EMAIL, PASSWORD, PUBLIC_URL, REDIRECT_URI, VERIFIER

AUTHORIZE = "/v4/oauth/authorization"
TOKEN = "/v4/oauth/access-token"
VOIP_ID = "41706656"
PAGE = "https://app.example"
SCOPES = ("account-owner", "extension-user", "methods:ALL")
BOTH = "account-owner methods:ALL"


@dataclass
class Switchboard:
    """Who is there, and short words for what they do."""

    house: House
    caller: Caller
    account: Account
    confidential: CreatedClient
    browser_client: CreatedClient
    """Public: a script on a page at ``PAGE``."""
    implicit: CreatedClient
    """Public, with the implicit flow turned on."""
    trusted: CreatedClient
    """Confidential, with the password grant turned on; it belongs to the account."""
    customer: Customer

    def get(self, target: str, **headers: str) -> Reply:
        return self.caller.request("GET", target, _spelled(headers))

    def delete(self, target: str, **headers: str) -> Reply:
        return self.caller.request("DELETE", target, _spelled(headers))

    def post(self, members: dict[str, Any], query: dict[str, str] | None = None, **headers: str) -> Reply:
        """To the token endpoint, as JSON."""
        sent = [("Content-Type", "application/json"), *_spelled(headers)]
        return self.caller.request("POST", _at(query), sent, orjson.dumps(members) if members else b"")

    def post_form(self, fields: dict[str, str], query: dict[str, str] | None = None, **headers: str) -> Reply:
        sent = [("Content-Type", FORM), *_spelled(headers)]
        return self.caller.request("POST", _at(query), sent, urlencode(fields).encode())

    def url(self, client: CreatedClient | None = None, **parameters: str) -> str:
        """Where the customer is sent."""
        client = client or self.confidential
        asked = {
            "client_id": client.client.client_id,
            "response_type": "code",
            "scope": BOTH,
            "redirect_uri": client.client.redirect_uris[0],
        }
        if client.client_secret is None:
            asked |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        return f"{AUTHORIZE}?{urlencode(asked | parameters)}"

    def code(self, client: CreatedClient | None = None, **parameters: str) -> str:
        """A code, after the customer's Allow."""
        return self.customer.connect(self.url(client, **parameters))["code"]

    def exchange(self, code: str, client: CreatedClient | None = None, **changes: str) -> dict[str, str]:
        """What turns the code into tokens."""
        client = client or self.confidential
        asked = {
            "grant_type": "authorization_code",
            "client_id": client.client.client_id,
            "code": code,
            "redirect_uri": client.client.redirect_uris[0],
        }
        if client.client_secret is None:
            return asked | {"code_verifier": VERIFIER} | changes
        return asked | {"client_secret": client.client_secret} | changes

    def tokens(self, client: CreatedClient | None = None, **parameters: str) -> dict[str, Any]:
        """Tokens of a code."""
        answer: dict[str, Any] = self.post(self.exchange(self.code(client, **parameters), client)).json()
        return answer

    def proof(self, client: CreatedClient | None = None) -> dict[str, str]:
        client = client or self.confidential
        return {"client_id": client.client.client_id, "client_secret": client.client_secret or ""}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@contextmanager
def switchboard(log: BinaryIO | None = None) -> Iterator[Switchboard]:
    """The platform. Decisions are logged to ``log``."""
    house = House.in_memory(public_url=PUBLIC_URL, log_level="debug")
    caller = Caller(build_app(replace(house.service, log_stream=log or BytesIO())))
    account = house.account("Acme", external_ids={"phonecom": VOIP_ID})
    house.member(account, house.user(EMAIL, "Ada", hash_password(PASSWORD)))
    kind: dict[str, Any] = {"profile": "phonecom", "scopes": SCOPES}
    implicit = (("grant_types", "authorization_code refresh_token implicit"),)
    password = (("grant_types", "authorization_code refresh_token client_credentials password"),)
    try:
        yield Switchboard(
            house,
            caller,
            account,
            house.client("Dialer", redirect_uris=(REDIRECT_URI, f"{REDIRECT_URI}?x=1"), **kind),
            house.client("Softphone", redirect_uris=(f"{PAGE}/cb",), public=True, **kind),
            house.client("Widget", redirect_uris=(f"{PAGE}/cb",), public=True, overrides=implicit, **kind),
            house.client("Importer", overrides=password, account_id=account.id, **kind),
            Customer(caller.request, PUBLIC_URL, EMAIL, PASSWORD),
        )
    finally:
        caller.close()


def _at(query: dict[str, str] | None) -> str:
    return f"{TOKEN}?{urlencode(query)}" if query else TOKEN


def _spelled(headers: dict[str, str]) -> list[tuple[str, str]]:
    return [(name.replace("_", "-"), value) for name, value in headers.items()]
