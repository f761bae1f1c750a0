"""A large installation in one SQLite file: 100,000 connections and all that comes with them, written in bulk.

The rows are those that the rules would have written, by the storage's own statements; only the way there is shorter.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from grantway.protocol.administration.operator_keys import create_operator_key
from grantway.protocol.digests import digest
from grantway.protocol.model import (
    Account,
    AuditEntry,
    Client,
    Connection,
    DeliveryAttempt,
    Developer,
    Event,
    Grant,
    Membership,
    Notice,
    Operator,
    RefusedAuthorization,
    Resource,
    Scope,
    Session,
    Tally,
    User,
    Webhook,
)
from grantway.protocol.vault import Vault
from grantway.server.opening import open_service, prepare
from grantway.server.settings import Settings
from grantway.server.storage.keeping import TALLIES_BY_HOUR
from grantway.server.storage.sql.records import CODECS
from grantway.server.storage.sql.statements.rows import ADD
from grantway.server.storage.sqlite.files import connect

CLIENTS, ACCOUNTS, USERS = 1_000, 20_000, 30_000
CONNECTIONS = 100_000
OF_THE_CROWDED_ACCOUNT = 2_000
OF_THE_POPULAR_CLIENT = 50_000
WEBHOOKS, EVENTS, NOTICES = 5_000, 20_000, 200_000
DEAD, WAITING = 2_000, 5_000
OF_THE_BUSY_CONNECTION = 5_000
"""Notices of one connection."""
DAYS_COUNTED = 390
"""Before the last week."""
MEMBERS_OWN = 200
"""Connections that somebody approved who is a plain member of the crowded account."""
AGENCY = 500
"""Accounts that one person looks after."""
_SCOPES = ("orders", "contacts", "messages")


@dataclass(frozen=True)
class People:
    """Session cookies of those who look, and an operator's key."""

    owner: str
    member: str
    agency: str
    developer: str
    operator: str
    key: str


@dataclass(frozen=True)
class Installation:
    """What the addresses of pages and calls are made of."""

    people: People
    operator: User
    crowded: Account
    popular: Client
    ordinary: Client
    connections: list[Connection]
    busy: Connection
    removed: Connection
    notices: list[Notice]
    delivery: Notice
    webhook: Webhook
    resource: Resource


def install(settings: Settings) -> Installation:
    """Make all of it, in some twenty seconds. Nothing else may run on the data directory yet."""
    prepare(settings)
    vault, key = asyncio.run(_opened(settings))
    with connect(settings.database_path) as database:
        database.execute("pragma synchronous = off")
        database.execute("begin")
        made = _Filling(database, vault).fill(key)
        database.execute("commit")
        database.execute("pragma wal_checkpoint(truncate)")
    database.close()
    return made


async def _opened(settings: Settings) -> tuple[Vault, str]:
    service = await open_service(settings)
    try:
        created: Any = (await service.settle(create_operator_key, "Bench", ("*",))).answer
        return service.vault, created.text
    finally:
        await service.storage.close()


class _Filling:
    """Rows in the order of their ids, which are in the order of time."""

    def __init__(self, database: sqlite3.Connection, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._now = datetime.now(UTC)
        self._millisecond = int((self._now - timedelta(hours=20)).timestamp() * 1000)

    def fill(self, key: str) -> Installation:
        users = self._added(self._user(number) for number in range(USERS))
        accounts = self._added(self._account(number) for number in range(ACCOUNTS))
        clients = self._added(self._client(number) for number in range(CLIENTS))
        self._added(Scope(name, {"en": f"See {name}"}, events=(f"{name}.*",)) for name in _SCOPES)
        self._added(Scope(f"scope{number}", {"en": f"Scope {number}"}) for number in range(30))
        self._added(self._memberships(users, accounts))
        connections = self._added(self._connections(users, accounts, clients))
        live = [each for each in connections if each.removed_at is None]
        self._added(self._grant(each) for each in live)
        webhooks = self._added(self._webhook(each) for each in live[:: len(live) // WEBHOOKS][:WEBHOOKS])
        hook = next(each for each in reversed(webhooks) if each.client_id == clients[0].id)
        busy = next(each for each in live if each.id == hook.connection_id)
        resources = self._added(
            Resource(self._id(), busy.id, "subscription", f"sub_{number}", self._now) for number in range(500)
        )
        events = self._added(self._event(number, accounts) for number in range(EVENTS))
        notices = self._added(self._notices(connections, webhooks, events, hook))
        self._added(DeliveryAttempt(each.id, 1, each.created_at, 40, 204) for each in notices if each.attempts)
        self._added(self._audit(connections, users))
        self._added(self._tallies())
        self._added(Developer(each.id, users[1].id, self._now) for each in clients[:100])
        self._added(
            RefusedAuthorization(
                clients[0].id, slot, "redirect_uri_unregistered", f"https://x.example/{slot}", 3, self._now, self._now
            )
            for slot in range(20)
        )
        self._added([Operator(users[2].id, "operator", self._now)])
        return Installation(
            People(
                owner=self._session(users[0]),
                member=self._session(users[3]),
                agency=self._session(users[4]),
                developer=self._session(users[1]),
                operator=self._session(users[2]),
                key=key,
            ),
            operator=users[2],
            crowded=accounts[0],
            popular=clients[0],
            ordinary=clients[5],
            connections=connections,
            busy=busy,
            removed=next(each for each in connections if each.removed_at is not None),
            notices=notices,
            delivery=next(each for each in notices if each.webhook_id is not None and each.client_id == clients[0].id),
            webhook=hook,
            resource=resources[0],
        )

    def _added(self, records: Iterable[Any]) -> list[Any]:
        made = list(records)
        kind = type(made[0])
        self._database.executemany(ADD[kind], map(CODECS[kind].write, made))
        return made

    def _id(self) -> bytes:
        self._millisecond += 1
        return self._millisecond.to_bytes(6, "big") + secrets.token_bytes(10)

    def _session(self, user: User) -> str:
        cookie = secrets.token_urlsafe(32)
        self._added([Session(digest(cookie), user.id, self._now, self._now + timedelta(hours=12), self._id(), "Bench")])
        return cookie

    # --- who there is

    def _user(self, number: int) -> User:
        return User(self._id(), f"person{number}@example.com", f"Person {number}", self._now)

    def _account(self, number: int) -> Account:
        return Account(self._id(), f"Shop {number}", self._now)

    def _client(self, number: int) -> Client:
        row_id = self._id()
        return Client(
            row_id, f"client-{number}", f"Integration {number}", self._now, self._vault.seal(b"s" * 32, row_id),
            self._vault.current, redirect_uris=("https://integration.example/callback",),
            remove_url="https://integration.example/removed", scopes=_SCOPES, approved_at=self._now,
        )  # fmt: skip

    def _memberships(self, users: list[User], accounts: list[Account]) -> Iterator[Membership]:
        """An owner each, every second account a member beside; and somebody who looks after many."""
        for number, account in enumerate(accounts):
            yield Membership(account.id, users[number].id, "owner", self._now)
            if number < USERS - ACCOUNTS:
                yield Membership(account.id, users[ACCOUNTS + number].id, "member", self._now)
        yield Membership(accounts[0].id, users[3].id, "member", self._now)
        for account in accounts[100 : 100 + AGENCY]:
            yield Membership(account.id, users[4].id, "admin", self._now)

    # --- connections and what hangs from them

    def _connections(self, users: list[User], accounts: list[Account], clients: list[Client]) -> Iterator[Connection]:
        """First those that are over (a client has one live connection to an account at most), then the live ones."""
        popular_live = ACCOUNTS - 1
        for number in range(OF_THE_CROWDED_ACCOUNT - CLIENTS):
            yield self._over(self._connection(clients[number % CLIENTS], accounts[0], users[0]))
        for number in range(OF_THE_POPULAR_CLIENT - popular_live - 2):
            place = 1 + number % (ACCOUNTS - 1)
            yield self._over(self._connection(clients[0], accounts[place], users[place]))
        for number in range(CLIENTS):
            approved_by = users[3] if number < MEMBERS_OWN else users[0]
            yield self._connection(clients[number], accounts[0], approved_by)
        for number in range(popular_live):
            yield self._perhaps_suspended(number, self._connection(clients[0], accounts[1 + number], users[1 + number]))
        others = CONNECTIONS - OF_THE_CROWDED_ACCOUNT - OF_THE_POPULAR_CLIENT + 2
        for number in range(others):
            lap, place = divmod(number, ACCOUNTS - 1)
            place += 1
            client = clients[1 + (place * 7 + lap) % (CLIENTS - 1)]
            yield self._perhaps_suspended(number, self._connection(client, accounts[place], users[place]))

    def _connection(self, client: Client, account: Account, user: User) -> Connection:
        return Connection(
            self._id(), client.id, account.id, secrets.token_hex(12), _SCOPES, self._now, user.id,
            last_used_day=self._now.date(), activated_at=self._now,
        )  # fmt: skip

    def _over(self, connection: Connection) -> Connection:
        return replace(connection, removed_at=self._now, removed_reason="customer", removed_by=connection.approved_by)

    def _perhaps_suspended(self, number: int, connection: Connection) -> Connection:
        return replace(connection, suspended_at=self._now) if number % 50 == 7 else connection

    def _grant(self, connection: Connection) -> Grant:
        row_id = self._id()
        return Grant(
            row_id, connection.id, connection.client_id, connection.account_id, connection.approved_by, "code", _SCOPES,
            (), self._vault.seal(b"g" * 32, row_id), self._vault.current, self._now, generation=1, moved_at=self._now,
            last_used_day=self._now.date(),
        )  # fmt: skip

    def _webhook(self, connection: Connection) -> Webhook:
        row_id = self._id()
        return Webhook(
            row_id, connection.id, connection.client_id, "https://integration.example/hooks", ("*",),
            self._vault.seal(b"w" * 32, row_id), self._vault.current, self._now,
        )  # fmt: skip

    # --- what was told, and what was done

    def _event(self, number: int, accounts: list[Account]) -> Event:
        row_id = self._id()
        payload = self._vault.seal(b'{"order":7}', row_id)
        account = accounts[number % ACCOUNTS]
        return Event(row_id, account.id, "orders.paid", payload, self._vault.current, self._now, to=10)

    def _notices(
        self, connections: list[Connection], webhooks: list[Webhook], events: list[Event], busy: Webhook
    ) -> Iterator[Notice]:
        """Half for webhooks, half that tell of connections; those that wait are due tomorrow."""
        for number in range(NOTICES):
            webhook = busy if number < OF_THE_BUSY_CONNECTION else webhooks[number % WEBHOOKS]
            told = connections[number % CONNECTIONS]
            row_id, to_webhook = self._id(), number % 2 == 0 or number < OF_THE_BUSY_CONNECTION
            notice = Notice(
                row_id, row_id, webhook.connection_id if to_webhook else told.id,
                webhook.client_id if to_webhook else told.client_id, "webhook" if to_webhook else "remove_url",
                "https://integration.example/told", b"" if to_webhook else b'{"integrationId":"0"}', self._now,
                self._now + timedelta(days=1),
                webhook_id=webhook.id if to_webhook else None,
                event_id=events[number % EVENTS].id if to_webhook else None,
            )  # fmt: skip
            if number % (NOTICES // WAITING) == 3:
                yield notice
            elif number % (NOTICES // DEAD) == 5:
                yield replace(notice, attempts=1, last_status=500, dead_at=self._now)
            else:
                yield replace(notice, attempts=1, last_status=204, delivered_at=self._now)

    def _audit(self, connections: list[Connection], users: list[User]) -> Iterator[AuditEntry]:
        for number in range(3 * CONNECTIONS):
            connection = connections[number % CONNECTIONS]
            rare = number % 15_000 == 0
            yield AuditEntry(
                self._id(), self._now, "system" if number % 2 else f"user:{number % USERS}",
                ("connection_created", "connection_resumed", "connection_suspended")[number // CONNECTIONS],
                "reuse_detected" if rare else "customer" if number % 3 else None,
                connection.client_id, connection.account_id, connection.id, None, connection.approved_by,
            )  # fmt: skip

    def _tallies(self) -> Iterator[Tally]:
        """By the hour and, of old days, by the day, as the sweeper leaves them."""
        today = self._now.replace(hour=0, minute=0, second=0, microsecond=0)
        hourly = today - TALLIES_BY_HOUR
        hours = [hourly + timedelta(hours=number) for number in range((self._now - hourly) // timedelta(hours=1) + 1)]
        days = [hourly - timedelta(days=number) for number in range(DAYS_COUNTED, 0, -1)]
        for hour in (*days, *hours):
            for kind in ("tokens", "refusals", "connections", "deliveries", "sign_ins"):
                for label in range(8 if kind == "refusals" else 3):
                    yield Tally(hour, kind, f"label_{label}", 5 + hour.hour)
