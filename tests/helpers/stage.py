"""The protocol's rules on storage in memory, without HTTP: who is there, and short words for what they do.

Everything goes through ``settle``, as in the server. The dice are seeded and the clock stands still until it is turned.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import timedelta
from itertools import chain
from typing import Any, TypeVar

from grantway.protocol.access import ProvenAccess, prove_access, why_inactive
from grantway.protocol.authorize import (
    AskAccount,
    AskConsent,
    Chosen,
    Opened,
    SendBack,
    Visitor,
    allow,
    choose_account,
    next_step,
    open_authorization,
)
from grantway.protocol.decision import Change, Decision, Put, Refusal, Replace
from grantway.protocol.digests import digest
from grantway.protocol.ids import parse, show
from grantway.protocol.introspection import introspect
from grantway.protocol.issuing import Issued
from grantway.protocol.model import Account, AuditEntry, Client, Connection, Grant, Session, User
from grantway.protocol.revocation import revoke
from grantway.protocol.token import token
from grantway.protocol.vault import Vault
from grantway.server.mint import Mint
from grantway.server.service import RuleFunction, Service
from grantway.server.settings import Settings
from grantway.server.storage.keeping import KEYS
from grantway.wire.messages import (
    AuthorizationAnswer,
    AuthorizationRequest,
    ClientCredentials,
    IntrospectionAnswer,
    IntrospectionRequest,
    RevocationAnswer,
    RevocationRequest,
    TokenRequest,
)
from tests.helpers import engine
from tests.helpers.people import House, TurningClock

T = TypeVar("T")

ISSUER = "https://auth.example"
REDIRECT_URI = "https://client.example/callback"
# RFC 7636 appendix B
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
SCOPES = ("read", "write", "admin")
SQUARE_SCOPES = ("ORDERS_READ", "ORDERS_WRITE", "PAYMENTS_READ")
PHONECOM_SCOPES = ("account-owner", "extension-user", "methods:ALL")


@dataclass(frozen=True)
class Integration:
    """A client and what it proves itself with."""

    client: Client
    secret: str | None

    @property
    def credentials(self) -> ClientCredentials:
        return ClientCredentials(
            self.client.client_id, self.secret, "none" if self.secret is None else "client_secret_basic"
        )

    @property
    def dialect(self) -> str:
        return self.client.policy.dialect


@dataclass(frozen=True)
class Tokens:
    """What a client holds after a token request."""

    access: str
    refresh: str
    issued: Issued

    @property
    def scope(self) -> tuple[str, ...]:
        return self.issued.access.scope


class Stage:
    """Ada, who owns Acme; an operator; and whatever the test adds."""

    def __init__(self, seed: int = 7, **settings: Any) -> None:
        dice = random.Random(seed)
        self.clock = TurningClock()
        self.vault = Vault.of({"mk_test": dice.randbytes(64)}, "mk_test")
        self.storage = engine.storage(self.clock)
        service = Service(Settings(public_url=ISSUER, **settings), self.storage, self.vault, dice.randbytes)
        self.house = House(service, self.clock)
        self.mint = Mint(ISSUER, self.vault)
        self.ada = self.house.user("ada@example.com", "Ada")
        self.acme = self.house.account("Acme")
        self.house.member(self.acme, self.ada, "owner")
        self.operator = self.integration("Operations", kind="operator", redirect_uris=(), scopes=())
        self._browsers = 0

    # --- who is there

    def integration(
        self, name: str = "Helpdesk", *, policy: dict[str, Any] | None = None, **wanted: Any
    ) -> Integration:
        """A client; confidential and standard unless said otherwise."""
        if wanted.get("profile", "standard") == "standard":
            wanted.setdefault("scopes", SCOPES)
        wanted.setdefault("redirect_uris", (REDIRECT_URI,))
        made = self.house.client(name, overrides=tuple(sorted((policy or {}).items())), **wanted)
        return Integration(made.client, made.client_secret)

    def sunshine(self, **wanted: Any) -> Integration:
        return self.integration("Shoplifter", profile="sunshine", **wanted)

    def phonecom(self, name: str = "Dialer", **wanted: Any) -> Integration:
        wanted.setdefault("scopes", PHONECOM_SCOPES)
        wanted.setdefault("default_scopes", ("account-owner",))
        return self.integration(name, profile="phonecom", **wanted)

    def square(self, name: str = "Till", **wanted: Any) -> Integration:
        wanted.setdefault("scopes", SQUARE_SCOPES)
        wanted.setdefault("default_scopes", wanted["scopes"])
        return self.integration(name, profile="square", **wanted)

    def user(self, name: str, role: Any = "owner", *accounts: Account) -> User:
        """A person who belongs to these accounts (Acme, if none is said)."""
        user = self.house.user(f"{name.lower()}@example.com", name)
        for account in accounts or (self.acme,):
            self.house.member(account, user, role)
        return user

    def wait(self, **duration: float) -> None:
        self.clock.turn(**duration)

    # --- what is decided

    def decide(self, rule: RuleFunction[..., T], *args: Any, **kwargs: Any) -> Decision[T]:
        return self.house.decide(rule, *args, **kwargs)

    def make_true(self, *changes: Change) -> None:
        async def rule(facts: Any, at: Any) -> Decision[None]:
            return Decision(None, changes)

        self.decide(rule)

    def amend(self, record: Any, **changed: Any) -> Any:
        """The stored record (of the same kind and id) with other values."""
        stored = self.stored(type(record), record.id)
        if type(record) is Grant:  # grants change by their own changes only; tests also need what never happens
            new = replace(stored, **changed)
            engine.alter(self.storage, new)
            return new
        new = replace(stored, **changed, version=stored.version + 1)
        self.make_true(Replace(new))
        return new

    def lose(self, record: Any) -> None:
        """Its row is gone, as no change takes it."""
        engine.alter(self.storage, record, gone=True)

    def stored(self, kind: type[T], key: Any) -> T:
        (found,) = (one for one in self.all(kind) if KEYS[kind](one) == key)
        return found

    def all(self, kind: type[T]) -> list[T]:
        return engine.records(self.storage, kind)

    def everything(self) -> Iterator[Any]:
        """Whatever is stored."""
        return chain.from_iterable(self.all(kind) for kind in KEYS)

    def audited(self) -> list[AuditEntry]:
        return self.all(AuditEntry)

    # --- the customer

    def browser(self, user: User | None = None) -> Visitor:
        """A new browser; signed in, if somebody is named."""
        self._browsers += 1
        visitor = Visitor(f"browser-{self._browsers}")
        return visitor if user is None else self.sign_in(visitor, user)

    def sign_in(self, visitor: Visitor, user: User) -> Visitor:
        self._browsers += 1
        session = f"session-{self._browsers}"
        now = self.clock()
        self.make_true(Put(Session(digest(session), user.id, now, now + timedelta(days=30), digest(session)[:16])))
        return replace(visitor, session=session)

    def request(self, to: Integration, **changes: Any) -> AuthorizationRequest:
        asked: dict[str, Any] = {"client_id": to.client.client_id, "response_type": "code"}
        if to.dialect == "standard":
            asked |= {"redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        elif to.client.policy.redirect_uri == "required":
            asked |= {"redirect_uri": REDIRECT_URI}
        return AuthorizationRequest(**(asked | changes))

    def open(self, to: Integration, visitor: Visitor, **changes: Any) -> str:
        """The id under which the request waits."""
        answer = self.try_open(to, visitor, **changes).answer
        assert isinstance(answer, Opened), answer
        return answer.pending_id

    def try_open(self, to: Integration, visitor: Visitor, **changes: Any) -> Decision[Any]:
        return self.decide(open_authorization, self.request(to, **changes), to.dialect, visitor)

    def step(self, pending_id: str, visitor: Visitor) -> Decision[Any]:
        return self.decide(next_step, pending_id, visitor, ISSUER)

    def ask(self, pending_id: str, visitor: Visitor, account: Account | None = None) -> AskConsent:
        """The consent page, after the account (Acme, if none is said) was picked where that is asked."""
        step = self.step(pending_id, visitor).answer
        if isinstance(step, AskAccount):
            assert isinstance(self.choose(pending_id, visitor, account or self.acme).answer, Chosen)
            step = self.step(pending_id, visitor).answer
        assert isinstance(step, AskConsent), step
        return step

    def choose(self, pending_id: str, visitor: Visitor, account: Account) -> Decision[Any]:
        return self.decide(choose_account, pending_id, visitor, show("ac", account.id))

    def allow(self, pending_id: str, visitor: Visitor, shown: str) -> Decision[Any]:
        return self.decide(allow, pending_id, visitor, shown, ISSUER)

    def authorize(
        self, to: Integration, user: User | None = None, account: Account | None = None, **changes: Any
    ) -> AuthorizationAnswer:
        """From the first click to Allow, whoever is asked (Ada, if nobody is said); consent is always asked."""
        visitor = self.browser(user or self.ada)
        changes.setdefault("prompt", ("consent",))
        pending_id = self.open(to, visitor, **changes)
        sent = self.allow(pending_id, visitor, self.ask(pending_id, visitor, account).shown).answer
        assert isinstance(sent, SendBack), sent
        return sent.answer

    def code(self, to: Integration, user: User | None = None, account: Account | None = None, **changes: Any) -> str:
        code = self.authorize(to, user, account, **changes).code
        assert code is not None
        return code

    # --- the client

    def exchange_request(self, by: Integration, code: str | None, **changes: Any) -> TokenRequest:
        asked: dict[str, Any] = {"grant_type": "authorization_code", "credentials": by.credentials, "code": code}
        if by.dialect == "standard":
            asked |= {"redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER}
        elif by.client.policy.redirect_uri == "required":
            asked |= {"redirect_uri": REDIRECT_URI}
        return TokenRequest(**(asked | changes))

    def exchange(self, by: Integration, code: str | None, **changes: Any) -> Decision[Any]:
        return self.decide(token, self.exchange_request(by, code, **changes), by.dialect)

    def refresh(self, by: Integration, refresh_token: str | None, **changes: Any) -> Decision[Any]:
        asked = TokenRequest("refresh_token", by.credentials, refresh_token=refresh_token)
        return self.decide(token, replace(asked, **changes), by.dialect)

    def client_credentials(self, by: Integration, **changes: Any) -> Decision[Any]:
        return self.decide(token, replace(TokenRequest("client_credentials", by.credentials), **changes), by.dialect)

    def minted(self, decision: Decision[Any]) -> Tokens:
        issued = decision.answer
        assert isinstance(issued, Issued), issued
        return Tokens(self.mint.access_token(issued), issued.refresh_token or "", issued)

    def connect(
        self, to: Integration, user: User | None = None, account: Account | None = None, **changes: Any
    ) -> Tokens:
        """The whole way: consent and exchange."""
        return self.minted(self.exchange(to, self.code(to, user, account, **changes)))

    def refreshed(self, by: Integration, refresh_token: str, **changes: Any) -> Tokens:
        return self.minted(self.refresh(by, refresh_token, **changes))

    def revoke(self, by: Integration, text: str) -> Decision[RevocationAnswer | Refusal]:
        return self.decide(revoke, RevocationRequest(text, by.credentials), by.dialect, ISSUER)

    # --- what tokens are good for

    def introspect(self, text: str, by: Integration | None = None) -> Decision[IntrospectionAnswer | Refusal]:
        """Asked by the operator, if nobody is said."""
        caller = by or self.operator
        return self.decide(introspect, IntrospectionRequest(text, caller.credentials), "standard", ISSUER)

    def scope_of(self, text: str, by: Integration | None = None) -> tuple[str, ...] | None:
        """What the token is good for, or ``None`` when it is not active."""
        answer = self.introspect(text, by).answer
        assert isinstance(answer, IntrospectionAnswer)
        return answer.scope if answer.active else None

    def is_active(self, text: str, by: Integration | None = None) -> bool:
        return self.scope_of(text, by) is not None

    def prove(self, text: str) -> ProvenAccess | None:
        """The proven token if it is active, as a resource inside this server asks."""

        async def rule(facts: Any, at: Any) -> Decision[ProvenAccess | None]:
            proven = await prove_access(text, facts, at, ISSUER)
            works = proven is not None and await why_inactive(proven, facts, at) is None
            return Decision(proven if works else None)

        return self.decide(rule).answer

    def grant_of(self, tokens: Tokens) -> Grant:
        return self.stored(Grant, tokens.issued.access.row_id)

    def connection_of(self, tokens: Tokens) -> Connection:
        return self.stored(Connection, self.grant_of(tokens).connection_id)


def refused(decision: Decision[Any], error: str, reason: str) -> Decision[Any]:
    """Assert that the decision is this refusal and nothing else becomes true."""
    ending(decision, error, reason)
    assert decision.changes == ()
    return decision


def ending(decision: Decision[Any], error: str, reason: str) -> Decision[Any]:
    """Assert that the decision is this refusal; what becomes true with it is the test's business."""
    assert isinstance(decision.answer, Refusal), decision.reason
    assert (decision.answer.error.code, decision.answer.reason, decision.reason) == (error, reason, reason)
    return decision


def values_of(record: Any) -> Iterator[Any]:
    """Every plain value in a record, however deep."""
    if is_dataclass(record):
        for each in fields(record):
            yield from values_of(getattr(record, each.name))
    elif isinstance(record, dict):
        for pair in record.items():
            yield from values_of(pair)
    elif isinstance(record, tuple | list | frozenset):
        for item in record:
            yield from values_of(item)
    else:
        yield record


def row_id(prefix: str, text: str) -> bytes:
    found = parse(prefix, text)
    assert found is not None
    return found
