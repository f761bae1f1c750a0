"""A platform at work, with operators: what the tests of their pages share."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from grantway.protocol.authorize import Visitor
from grantway.protocol.decision import Add, Decision
from grantway.protocol.digests import digest
from grantway.protocol.ids import show
from grantway.protocol.model import (
    Account,
    AuditEntry,
    Client,
    Connection,
    DeliveryAttempt,
    Developer,
    Notice,
    Operator,
    OperatorKey,
    RefusedAuthorization,
    Resource,
    Session,
    Tally,
    User,
    Webhook,
)
from grantway.server.pages.cookies import form_token
from tests.pages.browser import Browser, Seen
from tests.pages.conftest import HASH, Platform

HOSTILE = '<b title="x">&\'"</b>{{7*7}}'
LINK = {"smtp": "smtp://mail.example", "mail_from": "grantway@auth.example"}


@dataclass
class Operation:
    """One of everything that operators see, and people of every kind with their browsers."""

    site: Platform

    def __post_init__(self) -> None:
        self.now = self.site.house.clock()
        self.account = self.site.house.account(HOSTILE)
        self.client = self._client("Helpdesk " + HOSTILE, approved_at=self.now)
        self.draft = self._client("Draft", submitted_at=self.now)
        self.connection = self.connect(self.client, self.account)
        self.webhook = Webhook(
            self._id(),
            self.connection.id,
            self.client.id,
            "https://hooks.example/in",
            ("order.*",),
            b"s",
            "k",
            self.now,
        )
        self.resource = Resource(self._id(), self.connection.id, "subscription", "sub_1", self.now)
        self.notice = self.send("remove_url", body=b'{"told":"' + b"<script>" + b'"}', dead_at=self.now, attempts=1)
        self.attempt = DeliveryAttempt(self.notice.id, 1, self.now, 12, 500, None, "<script>alert(1)</script>")
        self.refusal = RefusedAuthorization(
            self.client.id, 0, "redirect_uri_unregistered", HOSTILE, 3, self.now, self.now
        )
        self.key = OperatorKey(self._id(), HOSTILE, b"d" * 32, ("users:read",), self.now)
        entry = AuditEntry(
            self._id(), self.now, "operator", "client_created", None, self.client.id, detail={"x": HOSTILE}
        )
        self.add(self.webhook, self.resource, self.attempt, self.refusal, self.key, entry)

    # --- what there is

    def add(self, *records: Any) -> None:
        self.site.do(*(Add(record) for record in records))

    def connect(self, client: Client, account: Account, **fields: Any) -> Connection:
        made = Connection(
            self._id(), client.id, account.id, secrets.token_hex(12), ("tickets.read",), self.now, activated_at=self.now,
            **fields,
        )  # fmt: skip
        self.add(made)
        return made

    def send(self, kind: Any, **fields: Any) -> Notice:
        row_id = self._id()
        told: dict[str, Any] = {"url": "https://client.example/removed", "body": b"{}", "created_at": self.now} | fields
        made = Notice(
            row_id,
            row_id,
            self.connection.id,
            self.client.id,
            kind,
            next_attempt_at=self.now + timedelta(days=1),
            **told,
        )
        self.add(made)
        return made

    def count(self, kind: str, label: str, count: int, hours_ago: int = 0) -> None:
        hour = self.now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours_ago)
        self.add(Tally(hour, kind, label, count))

    def stored(self, question: Any) -> Any:
        async def rule(facts: Any, at: Any) -> Decision[Any]:
            return Decision(await question(facts))

        return self.site.house.decide(rule).answer

    def audited(self) -> AuditEntry:
        """The entry that was written last."""
        entry: AuditEntry = self.stored(lambda facts: facts.audit())[0]
        return entry

    # --- who there is

    def user(self, name: str, role: Any = None, *, operator: Any = None, develops: bool = False) -> User:
        """Somebody; with a role, they belong to the account that everything is about."""
        user = self.site.house.user(f"{name.lower()}@example.com", name, HASH)
        if role is not None:
            self.site.house.member(self.account, user, role)
        if operator is not None:
            self.add(Operator(user.id, operator, self.now))
        if develops:
            self.add(Developer(self.client.id, user.id, self.now))
        return user

    def at_browser(self, browser: Browser, user: User | None, *, minutes_ago: int = 0) -> Seat:
        """This person's browser, where they have signed in so long ago."""
        session = secrets.token_urlsafe(32)
        now = self.site.house.clock()
        if user is not None:
            signed_in = now - timedelta(minutes=minutes_ago)
            self.add(Session(digest(session), user.id, signed_in, now + timedelta(hours=9), self._id(), "Firefox"))
            browser.client.headers["cookie"] = f"__Host-grantway-session={session}"
        return Seat(browser, form_token(Visitor("-", session), "session") or "")

    # --- their addresses

    @property
    def paths(self) -> dict[str, str]:
        """What the places in addresses stand for. Links, requests and sessions are nobody's."""
        return {
            "user": show("us", self.site.ada.id),
            "account": show("ac", self.account.id),
            "client": self.client.client_id,
            "connection": show("cn", self.connection.id),
            "notice": show("nt", self.notice.id),
            "client_id": self.client.client_id,
            "connection_id": show("cn", self.connection.id),
            "notice_id": show("nt", self.notice.id),
            "session_id": "se_x",
            "pending_id": "x" * 43,
            "secret": "x" * 43,
            "name": "favicon.png",
        }

    def path(self, route: str) -> str:
        for name, value in self.paths.items():
            route = route.replace("{" + name + "}", value)
        return route

    def _client(self, name: str, **fields: Any) -> Client:
        slug = name.partition(" ")[0].lower()
        row_id, vault = self._id(), self.site.house.service.vault
        made = Client(
            row_id, f"{slug}-1", name, self.now, vault.seal(b"s" * 32, row_id), vault.current, redirect_uris=("https://client.example/cb",),
            scopes=("tickets.read",), **fields,
        )  # fmt: skip
        self.add(made)
        return made

    def _id(self) -> bytes:
        self.site.house.clock.turn(seconds=1)  # so that what comes later is later
        return int(self.site.house.clock().timestamp() * 1000).to_bytes(6, "big") + secrets.token_bytes(10)


@dataclass
class Seat:
    """Somebody's browser, and the form token that it was given."""

    browser: Browser
    csrf: str

    def get(self, path: str) -> Seen:
        return self.browser.get(path)

    def press(self, path: str, **fields: str) -> Seen:
        """A form of ours is sent."""
        return self.browser.post(path, {"csrf": self.csrf} | fields)
