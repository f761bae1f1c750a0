"""An installation of real processes where connections end in every way, and what has to be true of each afterwards."""

from __future__ import annotations

import http.client
import json
import sqlite3
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

import orjson

from grantway.protocol.administration.operator_keys import create_operator_key
from grantway.protocol.administration.people import create_user
from grantway.protocol.ids import parse, show
from grantway.server.passwords import hash_password
from tests.helpers import rigged
from tests.helpers.asgi import Reply
from tests.helpers.customer import Customer, forms
from tests.helpers.database import settle_in
from tests.helpers.integration import REDIRECT_URI, Integration
from tests.helpers.mail_server import MailServerAtTest, mail_server
from tests.helpers.receiver import Received, Receiver, answers, harbour, receiver
from tests.helpers.server import PASSWORD, Server, fetch, serving

Way = Literal["customer", "integrator", "sunshine", "operator", "command", "reuse"]
WAYS: tuple[Way, ...] = ("customer", "integrator", "sunshine", "operator", "command", "reuse")
EVENTS = ("order.paid", "conversation:message")
RIGGED = (sys.executable, "-m", "tests.helpers.rigged")
ROOT = Path(__file__).parents[2]
BROKEN = (OSError, http.client.HTTPException)
"""What a caller sees of a process that dies."""
_JSON = ("Content-Type", "application/json")


@dataclass(frozen=True)
class Connected:
    """A connection with a webhook and a subscription, and what its ends take."""

    id: str
    account: str
    way: Way
    client: Integration
    access_token: str
    refresh_token: str = ""
    older_token: str = ""


@dataclass
class Installation:
    """The server, who is there, and who hears. Each way has a client of its own."""

    server: Server
    orders: Path
    target: Receiver
    mail: MailServerAtTest
    key: str = ""
    customer: Customer = field(default_factory=lambda: Customer(fetch, "", "ada@example.com", PASSWORD))
    clients: dict[Way, Integration] = field(default_factory=dict)
    accounts: int = 0

    # --- who is there

    def furnish(self) -> None:
        """Two owners, of whom one comes to the pages, a scope with events, and a client for each way to end."""
        data = self.server.data
        settle_in(data, create_user, "ada@example.com", "Ada", hash_password(PASSWORD))
        settle_in(data, create_user, "bob@example.com", "Bob")
        self.key = settle_in(data, create_operator_key, "Platform", ("*",)).text
        self.customer.base_url = self.server.base_url
        self.tell("PUT", "/v1/scopes/orders", {"sentences": {"en": "Read orders"}, "events": ["order.*"]})
        for way in WAYS:
            wanted: dict[str, Any] = {"scopes": ["orders"], "profile": "standard"}
            if way == "sunshine":
                wanted = {"profile": "sunshine"}
            named = {"name": f"By {way}", "redirect_uris": [REDIRECT_URI], "remove_url": self.target.url("/removed")}
            made = self.tell("POST", "/v1/clients", named | wanted)
            client_id = made["client"]["client_id"]
            self.clients[way] = Integration(self.server.base_url, client_id, made["client_secret"])

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> Reply:
        headers = [("Authorization", f"Bearer {token or self.key}")]
        if body is not None:
            headers.append(_JSON)
        return fetch(method, self.server.base_url + path, headers, b"" if body is None else orjson.dumps(body))

    def tell(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """The answer to a call that is taken."""
        reply = self.ask(method, path, body, token)
        assert reply.status in (200, 201, 202), reply.text
        return reply.json()

    def new_account(self) -> dict[str, Any]:
        """An account of both owners."""
        self.accounts += 1
        path = f"/v1/accounts/shop-{self.accounts}"
        made: dict[str, Any] = self.tell("PUT", path, {"name": f"Shop {self.accounts}"})
        for user in self.tell("GET", "/v1/users")["data"]:
            self.tell("PUT", f"{path}/members/{user['id']}", {"role": "owner"})
        return made

    def connect(self, way: Way, account: dict[str, Any], url: str | None = None) -> Connected:
        """A customer connects, the integration asks for events, and the platform sells it something."""
        client, url = self.clients[way], url or self.target.url("/hook")
        self.customer.account = account["id"]
        if way == "sunshine":
            connected = self._by_sunshine(client, account, url)
        else:
            platform: Any = self  # has a customer, which is all that is asked of it
            tokens = client.exchange(client.code(platform))[1]
            self.tell("POST", "/v1/webhooks", {"url": url, "events": ["order.*"]}, tokens["access_token"])
            first = newest = tokens["refresh_token"]
            if way == "reuse":
                for _ in range(3):
                    newest = client.refresh(newest)[1]["refresh_token"]
            connected = Connected(
                tokens["connection_id"], account["id"], way, client, tokens["access_token"], newest, first
            )
        sold = {"kind": "subscription", "reference": "sub_1", "url": self.target.url("/cancelled")}
        self.tell("POST", f"/v1/connections/{connected.id}/resources", sold)
        return connected

    def _by_sunshine(self, client: Integration, account: dict[str, Any], url: str) -> Connected:
        query = urlencode({"client_id": client.client_id, "response_type": "code"})
        given = {
            "code": self.customer.connect(f"/oauth/authorize?{query}")["code"],
            "grant_type": "authorization_code",
            "client_id": client.client_id,
            "client_secret": client.client_secret,
        }
        token = fetch("POST", f"{client.base_url}/oauth/token", [_JSON], orjson.dumps(given)).json()["access_token"]
        hooks = f"/v2/apps/{account['external_ids']['sunshine']}/integrations/me/webhooks"
        self.tell("POST", hooks, {"target": url, "triggers": ["*"]}, token)
        query = urlencode({"account": account["id"], "client": client.client_id})
        (listed,) = self.tell("GET", f"/v1/connections?{query}")["data"]
        return Connected(listed["id"], account["id"], "sunshine", client, token)

    # --- the ends

    def end(self, one: Connected) -> bool:
        """Ask for the end, once; whether that was taken. ``False``: it has ended already. Raises ``BROKEN``."""
        if one.way == "integrator":
            return one.client.post("/revoke", {"token": one.refresh_token})[0] == 200
        if one.way == "reuse":
            assert one.client.refresh(one.older_token)[0] == 400
            return True
        if one.way == "sunshine":
            return self._taken(self.ask("DELETE", "/oauth/authorization", token=one.access_token), gone=401)
        if one.way == "operator":
            return self._taken(self.ask("DELETE", f"/v1/connections/{one.id}"), gone=404)
        if one.way == "command":
            return self._by_command(one)
        page = self.customer.go("GET", f"/connections/{one.id}")
        if page.status == 404:
            return False
        (form,) = [each for each in forms(page.text) if each.action.endswith("/remove")]
        return self._taken(self.customer.go("POST", form.action, form.fields.items()), gone=404)

    def _taken(self, reply: Reply, gone: int) -> bool:
        assert reply.status in (200, 303, gone), reply.text
        return reply.status != gone

    def _by_command(self, one: Connected) -> bool:
        done = subprocess.run(
            [*RIGGED, "connections", "remove", one.id, "--json"],
            capture_output=True, env=self.server.environment_of(), check=False,
        )  # fmt: skip
        if done.returncode < 0:
            raise ConnectionResetError
        assert done.returncode == 0 or json.loads(done.stdout)["reason"] == "connection_removed", done
        return done.returncode == 0

    def end_for_sure(self, one: Connected) -> None:
        """Ask until there is an answer."""
        self.patiently(lambda: self.end(one))

    def patiently(self, ask: Callable[[], Any], seconds: float = 20) -> Any:
        """Repeat what gets no answer."""
        until = time.monotonic() + seconds
        while True:
            try:
                return ask()
            except BROKEN:
                assert time.monotonic() < until, "nobody answers"
                time.sleep(0.05)

    def publish(self, account: str, name: str) -> None:
        """Say what happened there, until it is taken. ``name`` makes a repetition one."""
        for event_type in EVENTS:
            said = {"account": account, "type": event_type, "payload": {"name": name}, "id": f"{event_type} {name}"}
            self.patiently(partial(self.tell, "POST", "/v1/events", said))

    # --- what is true

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """What the database says, by a connection of its own."""
        database = sqlite3.connect(self.server.data / "grantway.db", timeout=30)
        try:
            return database.execute(statement, values).fetchall()
        finally:
            database.close()

    def is_over(self, one: Connected) -> bool:
        """Whether the connection is removed. Asserts that all of it is, or nothing."""
        key = parse("cn", one.id)
        ((removed,),) = self.rows("select removed_at is not null from connections where id = ?", key)
        found = {
            "live webhooks": "select count(*) from webhooks where connection_id = ? and ended_at is null",
            "live resources": "select count(*) from resources where connection_id = ? and cancelled_at is null",
            "removed": "select count(*) from audit_entries where connection_id = ? and action = 'connection_removed'",
            "remove_url": "select count(*) from notices where connection_id = ? and kind = 'remove_url'",
            "resource": "select count(*) from notices where connection_id = ? and kind = 'resource'",
            "mail": "select count(*) from notices where connection_id = ? and kind = 'mail'",
            "connection.removed": "select count(*) from notices where connection_id = ? and kind = 'platform' and "
            "instr(body, cast('\"connection.removed\"' as blob)) > 0",
        }
        seen = {name: self.rows(statement, key)[0][0] for name, statement in found.items()}
        ends = int(removed)
        assert seen == {
            "live webhooks": 1 - ends, "live resources": 1 - ends, "removed": ends, "remove_url": ends,
            "resource": ends, "mail": 2 * ends, "connection.removed": ends,
        }, (one.way, seen)  # fmt: skip
        return bool(removed)

    def is_alive(self, one: Connected) -> bool:
        """Whether its access token is good."""
        if one.way == "sunshine":
            return self.patiently(lambda: self.ask("GET", "/v2/tokenInfo", token=one.access_token)).status == 200
        told: dict[str, Any] = self.patiently(lambda: one.client.introspect(one.access_token))
        return bool(told["active"])

    def settled(self, seconds: float = 30) -> None:
        """Wait until the outbox has nothing left to send."""
        until = time.monotonic() + seconds
        waiting = "select kind, last_error, attempts from notices where delivered_at is null and dead_at is null"
        while left := self.rows(waiting):
            assert time.monotonic() < until, Counter(left)
            time.sleep(0.1)

    def heard(self) -> dict[str, list[Received]]:
        """What arrived, by its id. Asserts that whatever came twice was the same."""
        by_id: dict[str, list[Received]] = defaultdict(list)
        for each in list(self.target.received):
            by_id[each.headers["webhook-id"]].append(each)
        for same in by_id.values():
            assert len({(each.path, each.body) for each in same}) == 1, "another body under the same id"
        for letter in list(self.mail.letters):
            said = f"{letter['To']}\n{letter['Subject']}\n{letter.get_content()}".encode()
            by_id[str(letter["Message-ID"])[1:].partition("@")[0]].append(Received("mail", {}, said))
        return dict(by_id)

    def check_what_was_heard(self) -> dict[str, list[Received]]:
        """Assert that what is in the outbox was heard, and nothing else. What was heard, by id."""
        heard = self.heard()
        for same in heard.values():
            assert len({each.body for each in same}) == 1, "another letter under the same id"
        known = "select id, delivered_at is not null, coalesce(last_error, '') from notices"
        told = {show("nt", row[0]): row for row in self.rows(known)}
        assert set(heard) <= set(told), "heard of something that was never committed"
        for public_id, (_, delivered, error) in told.items():
            if delivered:
                assert public_id in heard, "called delivered, and nobody heard of it"
            else:  # a webhook that ended before its event went out is told nothing more
                assert error == "webhook_gone", error
        return heard


def json_of(received: Received) -> Any:
    return json.loads(received.body)


@contextmanager
def installation(directory: Path, workers: int = 2, **environment: str) -> Iterator[Installation]:
    """A furnished one, while the block runs."""
    orders = directory / "orders"
    orders.mkdir()
    with harbour() as town:
        target, mail = town.open(receiver(answers(200))), town.open(mail_server())
        given = {
            "PYTHONPATH": str(ROOT),
            rigged.ORDERS: str(orders),
            "GRANTWAY_PLATFORM_EVENTS_URL": target.url("/platform"),
            "GRANTWAY_SMTP": f"smtp://127.0.0.1:{mail.port}",
        }
        with serving(directory / "data", workers=workers, command=RIGGED, **given, **environment) as server:
            there = Installation(server, orders, target, mail)
            there.furnish()
            yield there
