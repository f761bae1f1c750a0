"""A service on storage in memory with a clock that turns, and the people and clients that tests need on it.

Everything is made by the rules of administration, as an operator would make it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from grantway.protocol.administration.accounts import NewAccount, create_account
from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.clients import CreatedClient, NewClient, create_client
from grantway.protocol.administration.people import Member, add_member, create_user
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Page
from grantway.protocol.model import Account, Role, User
from grantway.protocol.vault import Vault
from grantway.server.service import RuleFunction, Service
from grantway.server.settings import Settings
from grantway.server.storage.port import Storage, drive
from tests.helpers import engine

T = TypeVar("T")


@dataclass
class TurningClock:
    """A clock that stands still until it is turned."""

    now: datetime = field(default_factory=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **duration: float) -> None:
        self.now += timedelta(**duration)


def vault() -> Vault:
    return Vault.of({"mk_test": secrets.token_bytes(64)}, "mk_test")


def service_on(storage: Storage, **settings: Any) -> Service:
    return Service(Settings(**settings), storage, vault(), secrets.token_bytes)


@dataclass
class House:
    """The service, its clock, and short words for making people and clients. Raises AssertionError when refused."""

    service: Service
    clock: TurningClock

    @classmethod
    def in_memory(cls, **settings: Any) -> House:
        clock = TurningClock()
        return cls(service_on(engine.storage(clock), **settings), clock)

    def decide(self, rule: RuleFunction[..., T], *args: Any, **kwargs: Any) -> Decision[T]:
        """The rule's decision, settled. For storage that never waits."""
        decision: Decision[T] = drive(self.service.settle(rule, *args, **kwargs))
        return decision

    def user(self, email: str = "ada@example.com", name: str = "Ada", password_hash: str | None = None) -> User:
        return _made(self.decide(create_user, email, name, password_hash))

    def account(self, name: str = "Acme", **fields: Any) -> Account:
        return _made(self.decide(create_account, NewAccount(name, **fields)))

    def member(self, account: Account, user: User, role: Role = "owner") -> Member:
        return _made(self.decide(add_member, account.id, user.email, role))

    def client(self, name: str = "Helpdesk", create_scopes: bool = True, **fields: Any) -> CreatedClient:
        fields.setdefault("redirect_uris", ("https://client.example/callback",))
        return _made(self.decide(create_client, NewClient(name, **fields), create_scopes=create_scopes))

    def audited(self) -> list[str]:
        """The actions of the audit, newest first."""

        async def read(facts: Any, at: Any) -> Decision[Any]:
            return Decision(await facts.audit(Page(1000)))

        return [entry.action for entry in self.decide(read).answer]


def _made(decision: Decision[Any]) -> Any:
    assert not isinstance(decision.answer, Rejected), decision.answer.sentence
    return decision.answer
