"""How the tests speak to a storage, and the records that they speak about."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from grantway.protocol.decision import Add, Change, Decision
from grantway.protocol.facts import Facts, Rule
from grantway.protocol.model import (
    Account,
    AuditEntry,
    Client,
    ClientSecret,
    Connection,
    ConnectionKey,
    DeliveryAttempt,
    Developer,
    EndedToken,
    Event,
    FailureBucket,
    ForeignToken,
    Grant,
    Icon,
    IdempotentAnswer,
    Membership,
    Notice,
    OneTimeLink,
    Operator,
    OperatorKey,
    PendingAuthorization,
    RefusedAuthorization,
    Resource,
    Restoration,
    Scope,
    Session,
    SigningKey,
    SignInRequest,
    Tally,
    User,
    Webhook,
)

NOON = datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)
THE_HOUR = NOON.replace(minute=0, second=0, microsecond=0)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def saying(answer: Any, *changes: Change) -> Rule[Any]:
    """A rule that asks nothing."""

    async def rule(facts: Facts, now: datetime) -> Decision[Any]:
        return Decision(answer, changes)

    return rule


def do(storage: Any, *changes: Change) -> None:
    """Make changes true."""
    asyncio.run(storage.settle(saying("done", *changes)))


def add(storage: Any, *records: Any) -> None:
    """Make records exist."""
    do(storage, *[Add(record) for record in records])


def ask(storage: Any, question: Callable[[Facts], Awaitable[Any]]) -> Any:
    """What the facts say: to a reader twice (the second time it may remember), and to a rule that is settled."""

    async def rule(facts: Facts, now: datetime) -> Decision[Any]:
        return Decision(await question(facts))

    async def all_ways() -> Any:
        first, again = (await storage.consult(rule)).answer, (await storage.consult(rule)).answer
        settled, settled_again = (await storage.settle(rule)).answer, (await storage.settle(rule)).answer
        assert first == again == settled == settled_again
        return first

    return asyncio.run(all_ways())


def an_id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def numbers_of(records: Any) -> list[int]:
    """What ``an_id`` made the ids of these from."""
    return [int.from_bytes(each.id, "big") for each in records]


def user(number: int = 1, **fields: Any) -> User:
    basics: dict[str, Any] = {
        "id": an_id(number),
        "email": f"user{number}@example.com",
        "name": "U",
        "created_at": NOON,
    }
    return User(**basics | fields)


def account(number: int = 2, **fields: Any) -> Account:
    basics: dict[str, Any] = {"id": an_id(number), "name": f"Account {number}", "created_at": NOON}
    return Account(**basics | fields)


def client(number: int = 3, **fields: Any) -> Client:
    basics: dict[str, Any] = {
        "id": an_id(number), "client_id": f"client{number}", "name": "C", "created_at": NOON, "secret": b"s", "key_id": "k",
        "secrets": (ClientSecret(b"d" * 32, NOON, NOON + DAY), ClientSecret(b"", NOON, foreign_hash="$2a$…")),
        "overrides": (("code_lifetime", 5), ("live_grants", 2)), "redirect_uris": ("https://a.example/cb",),
    }  # fmt: skip
    return Client(**basics | fields)


def connection(number: int = 4, **fields: Any) -> Connection:
    basics: dict[str, Any] = {
        "id": an_id(number), "client_id": an_id(3), "account_id": an_id(2), "integration_id": f"{number:024x}",
        "scope": ("a", "b"), "created_at": NOON, "approved_by": an_id(1),
    }  # fmt: skip
    return Connection(**basics | fields)


def grant(number: int = 5, **fields: Any) -> Grant:
    basics: dict[str, Any] = {
        "id": an_id(number), "connection_id": an_id(4), "client_id": an_id(3), "account_id": an_id(2),
        "user_id": an_id(1), "origin": "code", "scope": ("a", "b"), "resource": (), "secret": b"sealed", "key_id": "k",
        "created_at": NOON,
    }  # fmt: skip
    return Grant(**basics | fields)


def pending(number: int = 6, **fields: Any) -> PendingAuthorization:
    basics: dict[str, Any] = {
        "digest": an_id(number), "browser_digest": b"b" * 32, "client_id": an_id(3), "created_at": NOON,
        "expires_at": NOON + HOUR, "redirect_uri": "https://a.example/cb", "redirect_uri_was_sent": True, "scope": ("a",),
        "state": "x y+z%\u0001é", "prompt": ("login",), "refusal": ("invalid_scope", "scope_unknown"),
    }  # fmt: skip
    return PendingAuthorization(**basics | fields)


def notice(number: int = 7, **fields: Any) -> Notice:
    basics: dict[str, Any] = {
        "id": an_id(number), "line": an_id(4), "connection_id": an_id(4), "client_id": an_id(3), "kind": "remove_url",
        "url": "https://a.example/removed", "body": b"{}", "created_at": NOON, "next_attempt_at": NOON,
    }  # fmt: skip
    return Notice(**basics | fields)


def session(number: int = 8, **fields: Any) -> Session:
    basics: dict[str, Any] = {
        "digest": an_id(number), "user_id": an_id(1), "auth_time": NOON, "expires_at": NOON + DAY, "id": an_id(number),
    }  # fmt: skip
    return Session(**basics | fields)


def operator(number: int = 1, **fields: Any) -> Operator:
    basics: dict[str, Any] = {"user_id": an_id(number), "role": "operator", "created_at": NOON}
    return Operator(**basics | fields)


def link(number: int = 11, **fields: Any) -> OneTimeLink:
    basics: dict[str, Any] = {
        "digest": an_id(number), "purpose": "email", "user_id": an_id(1), "created_at": NOON, "expires_at": NOON + DAY,
        "email": "new@example.com",
    }  # fmt: skip
    return OneTimeLink(**basics | fields)


def sign_in_request(number: int = 12, **fields: Any) -> SignInRequest:
    basics: dict[str, Any] = {
        "digest": an_id(number), "browser_digest": b"b" * 32, "destination_sealed": b"d", "key_id": "k",
        "created_at": NOON, "expires_at": NOON + HOUR,
    }  # fmt: skip
    return SignInRequest(**basics | fields)


def signing_key(kid: str = "key-1", **fields: Any) -> SigningKey:
    basics: dict[str, Any] = {
        "kid": kid, "algorithm": "ES256", "private_sealed": b"p", "key_id": "k", "public_jwk": {"kty": "EC", "x": "é"},
        "created_at": NOON, "signs_from": NOON,
    }  # fmt: skip
    return SigningKey(**basics | fields)


def audit_entry(number: int = 9, **fields: Any) -> AuditEntry:
    basics: dict[str, Any] = {"id": an_id(number), "at": NOON, "actor": "operator", "action": "client.created"}
    return AuditEntry(**basics | fields)


def membership(**fields: Any) -> Membership:
    basics: dict[str, Any] = {"account_id": an_id(2), "user_id": an_id(1), "role": "owner", "created_at": NOON}
    return Membership(**basics | fields)


def scope(name: str = "contacts:read", **fields: Any) -> Scope:
    basics: dict[str, Any] = {
        "name": name,
        "sentences": {"en": "Read"},
        "opens": {"en": ("names", "numbers")},
        "withholds": {"en": ()},
    }
    return Scope(**basics | fields)


def bucket(number: int = 10, **fields: Any) -> FailureBucket:
    basics: dict[str, Any] = {"digest": an_id(number), "window_start": NOON, "failures": 1, "expires_at": NOON + HOUR}
    return FailureBucket(**basics | fields)


def connection_key(key_id: str = "act_1", **fields: Any) -> ConnectionKey:
    basics: dict[str, Any] = {"key_id": key_id, "connection_id": an_id(4), "digest": b"d" * 32, "created_at": NOON}
    return ConnectionKey(**basics | fields)


def developer(**fields: Any) -> Developer:
    basics: dict[str, Any] = {"client_id": an_id(3), "user_id": an_id(1), "created_at": NOON}
    return Developer(**basics | fields)


def refused_authorization(slot: int = 0, **fields: Any) -> RefusedAuthorization:
    basics: dict[str, Any] = {
        "client_id": an_id(3), "slot": slot, "reason": "redirect_uri_unknown", "detail": "https://a.example/é",
        "count": 1, "first_at": NOON, "last_at": NOON,
    }  # fmt: skip
    return RefusedAuthorization(**basics | fields)


def webhook(number: int = 13, **fields: Any) -> Webhook:
    basics: dict[str, Any] = {
        "id": an_id(number), "connection_id": an_id(4), "client_id": an_id(3), "url": "https://a.example/hook",
        "events": ("order.*", "é"), "secret": b"sealed", "key_id": "k", "created_at": NOON,
        "options": {"includeFullUser": True},
    }  # fmt: skip
    return Webhook(**basics | fields)


def resource(number: int = 14, **fields: Any) -> Resource:
    basics: dict[str, Any] = {
        "id": an_id(number), "connection_id": an_id(4), "kind": "subscription", "reference": f"sub-{number}",
        "created_at": NOON, "metadata": {"plan": ["é", None]},
    }  # fmt: skip
    return Resource(**basics | fields)


def event(number: int = 15, **fields: Any) -> Event:
    basics: dict[str, Any] = {
        "id": an_id(number), "account_id": an_id(2), "type": "order.paid", "payload_sealed": b"p", "key_id": "k",
        "created_at": NOON,
    }  # fmt: skip
    return Event(**basics | fields)


def attempt(number: int = 1, notice_number: int = 7, **fields: Any) -> DeliveryAttempt:
    basics: dict[str, Any] = {"notice_id": an_id(notice_number), "number": number, "at": NOON, "milliseconds": 250}
    return DeliveryAttempt(**basics | fields)


def operator_key(number: int = 16, **fields: Any) -> OperatorKey:
    basics: dict[str, Any] = {
        "id": an_id(number), "name": "CI", "digest": b"d" * 32, "scopes": ("events:write",), "created_at": NOON,
    }  # fmt: skip
    return OperatorKey(**basics | fields)


def idempotent_answer(number: int = 17, **fields: Any) -> IdempotentAnswer:
    basics: dict[str, Any] = {
        "digest": an_id(number), "request_digest": b"r" * 32, "status": 201, "body_sealed": b"b", "key_id": "k",
        "created_at": NOON, "expires_at": NOON + DAY,
    }  # fmt: skip
    return IdempotentAnswer(**basics | fields)


def tally(label: str = "refresh_token", **fields: Any) -> Tally:
    basics: dict[str, Any] = {"hour": THE_HOUR, "kind": "tokens", "label": label, "count": 1}
    return Tally(**basics | fields)


def foreign_token(number: int = 18, **fields: Any) -> ForeignToken:
    basics: dict[str, Any] = {"digest": an_id(number) * 2, "grant_id": an_id(5), "kind": "access", "created_at": NOON}
    return ForeignToken(**basics | fields)


def restoration(number: int = 19, **fields: Any) -> Restoration:
    basics: dict[str, Any] = {"id": an_id(number), "restored_at": NOON, "backup_at": NOON - HOUR, "until": NOON + DAY}
    return Restoration(**basics | fields)


ICON = Icon(an_id(3), b"\x89PNG", "digest")
ENDED = EndedToken(b"t" * 16, NOON + DAY)


def the_world() -> tuple[Any, ...]:
    """A user of an account that is connected to a client under one grant."""
    return user(), account(), membership(), client(), connection(), grant()
