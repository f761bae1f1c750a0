"""A whole installation for the journeys of a connection's life: the real server, who runs it, and whom it writes and calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
from standardwebhooks import Webhook

from tests.helpers.asgi import Reply
from tests.helpers.mail_server import mail_server
from tests.helpers.receiver import harbour
from tests.helpers.server import PASSWORD, Arrived, Landing, Server, fetch, landing, serving
from tests.helpers.waiting import until

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")

ORDERS = "See your orders and what was paid for them"
CUSTOMERS = "See your customers’ names and addresses"
CATALOGUE = "Add, change and remove items of your catalogue"
SCOPES: dict[str, dict[str, Any]] = {
    "orders.read": {
        "sentences": {"en": ORDERS, "de": "Ihre Bestellungen sehen und was dafür bezahlt wurde"},
        "events": ["order.*"],
    },
    "customers.read": {
        "sentences": {"en": CUSTOMERS, "de": "Namen und Adressen Ihrer Kundschaft sehen"},
        "sensitivity": "high",
        "opens": {"en": ["Names, addresses and telephone numbers"], "de": ["Namen, Adressen und Telefonnummern"]},
        "withholds": {"en": ["What they paid with"], "de": ["Womit bezahlt wurde"]},
    },
    "catalogue.write": {"sentences": {"en": CATALOGUE, "de": "Ihren Katalog ergänzen, ändern und kürzen"}},
}


@dataclass
class Mailbox:
    """All letters that the server sent, whoever they are for."""

    letters: list[EmailMessage]
    port: int

    def to(self, email: str, about: str = "") -> list[str]:
        """The texts of those for this person that say this."""
        texts = [str(letter.get_content()) for letter in self.letters if email in str(letter["to"])]
        return [text for text in texts if about in text]

    def link_for(self, email: str) -> str:
        """The link of the newest letter that has one."""
        text = until(lambda: self.to(email, "/links/"), f"a letter to {email}")[-1]
        found = re.search(r"http\S+/links/\S+", text)
        assert found is not None
        return found[0]


@dataclass
class Installation:
    """The server, the platform that it belongs to, an integration's web site, and a key for the operator's API."""

    server: Server
    mail: Mailbox
    platform: Landing
    integrator: Landing
    key_id: str
    key: str = field(repr=False)
    platform_secret: str = field(repr=False)

    @property
    def origin(self) -> str:
        return self.server.base_url

    def call(self, method: str, path: str, **members: Any) -> dict[str, Any]:
        """One call of the operator's API that succeeds."""
        body = orjson.dumps(members) if members else b""
        reply = fetch(method, self.origin + path, [("Authorization", f"Bearer {self.key}"), JSON], body)
        assert reply.status < 300, f"{method} {path}: {reply.status} {reply.text}"
        answer: dict[str, Any] = reply.json() if reply.body else {}
        return answer

    def person(self, email: str, name: str) -> str:
        """Somebody who can sign in (the API invites; here the password is set by the command)."""
        made = self.server.cli(
            "users", "create", "--email", email, "--name", name, "--password-stdin", stdin=PASSWORD + "\n"
        )
        return str(made["id"])

    def account(self, name: str, **members: str) -> dict[str, Any]:
        """An account, and who belongs to it: ids of people by role."""
        made = self.call("POST", "/v1/accounts", name=name)
        for role, user in members.items():
            self.call("PUT", f"/v1/accounts/{made['id']}/members/{user}", role=role)
        return made

    def client(self, name: str, **members: Any) -> Integration:
        """An integration that an operator registered."""
        given = {
            "redirect_uris": [f"{self.integrator.origin}/callback"],
            "remove_url": f"{self.integrator.origin}/removed",
        }
        made = self.call("POST", "/v1/clients", name=name, **(given | members))
        return Integration(self, made["client"]["client_id"], made["client_secret"], made["notice_secret"])

    def connection(self, client_id: str) -> dict[str, Any]:
        """The newest connection of this client."""
        newest: dict[str, Any] = self.call("GET", f"/v1/connections?client={client_id}")["data"][0]
        return newest

    def told(self, connection: str, event: str) -> list[dict[str, Any]]:
        """What the platform was told of it, each once, with a signature that verifies."""
        heard = [
            one for one in list(self.platform.arrived) if one.path == "/events" and connection.encode() in one.body
        ]
        said = [Webhook(self.platform_secret).verify(one.body, one.headers) for one in heard]
        return [one for one in said if one["type"] == event]

    def terminal_entries(self, connection: str) -> list[tuple[str, str]]:
        """Who ended it and why, as the audit log has it."""
        entries = self.call("GET", f"/v1/audit?connection={connection}&action=connection_removed")["data"]
        return [(one["actor"], one["reason"]) for one in entries]


@dataclass
class Integration:
    """The integration's own server: it asks as its author would, by plain HTTP."""

    at: Installation
    client_id: str
    client_secret: str = field(repr=False)
    notice_secret: str = field(repr=False)

    def connect_url(self, **changes: str) -> str:
        """Where its Connect button leads."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": f"{self.at.integrator.origin}/callback",
            "state": "st ate",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return f"{self.at.origin}/authorize?{urlencode(asked | changes)}"

    def exchange(self, code: str) -> dict[str, Any]:
        reply = self.post("/token", grant_type="authorization_code", code=code, code_verifier=VERIFIER,
                          redirect_uri=f"{self.at.integrator.origin}/callback")  # fmt: skip
        assert reply.status == 200, reply.text
        tokens: dict[str, Any] = reply.json()
        return tokens

    def refresh(self, token: str) -> Reply:
        return self.post("/token", grant_type="refresh_token", refresh_token=token)

    def is_active(self, token: str) -> bool:
        return bool(self.post("/introspect", token=token).json()["active"])

    def post(self, path: str, **fields: str) -> Reply:
        proof = {"client_id": self.client_id, "client_secret": self.client_secret}
        return fetch("POST", self.at.origin + path, [FORM], urlencode(fields | proof).encode())

    def webhooks(self, method: str, token: str, **members: Any) -> Reply:
        """A call of ``/v1/webhooks`` with this token."""
        bearer = ("Authorization", f"Bearer {token}")
        return fetch(method, f"{self.at.origin}/v1/webhooks", [bearer, JSON], orjson.dumps(members) if members else b"")

    def heard(self, path: str, about: str) -> list[Arrived]:
        """What arrived there that says this."""
        return [one for one in list(self.at.integrator.arrived) if one.path == path and about.encode() in one.body]


@contextmanager
def installation(data: Path) -> Iterator[Installation]:
    """A server with mail, platform and integrator around it, while the block runs."""
    with harbour() as town, landing() as platform, landing() as integrator:
        post = town.open(mail_server())
        mail = Mailbox(post.letters, post.port)
        environment: dict[str, Any] = {
            "GRANTWAY_SMTP": f"smtp://127.0.0.1:{mail.port}",
            "GRANTWAY_PLATFORM_NAME": "Northwind Commerce",
            "GRANTWAY_PLATFORM_EVENTS_URL": f"{platform.origin}/events",
        }
        with serving(data, **environment) as server:
            key = server.cli("operator-keys", "create", "--name", "The platform’s own server", "--scope", "*")
            secret = server.cli("platform", "events-secret")["events_secret"]
            running = Installation(server, mail, platform, integrator, key["id"], key["key"], secret)
            for name, entry in SCOPES.items():
                running.call("PUT", f"/v1/scopes/{name}", **entry)
            yield running
        written = server.log()
    assert "Traceback" not in written
    assert re.findall(r"gw[a-z]_[A-Za-z0-9]{8}|/links/[A-Za-z0-9]|\S+@\S+", written) == [], "the log says too much"


def path_of(link: str) -> str:
    """The address without the origin: commands beside a server do not know which port it drew."""
    return urlsplit(link).path
