"""What a rule may ask for: the port that every storage implements for reading.

Methods are ``async`` so that a storage may wait; one that never waits is driven by a single ``send(None)``. Facts are
taken when the rule runs. Every method returns ``None`` or an empty tuple when there is nothing; none raises for that.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Protocol, TypeVar

from grantway.protocol.decision import Decision
from grantway.protocol.model import (
    Account,
    AuditEntry,
    Client,
    Connection,
    ConnectionKey,
    EndedToken,
    FailureBucket,
    Grant,
    Icon,
    Membership,
    Notice,
    PendingAuthorization,
    Scope,
    Session,
    SigningKey,
    User,
)
from grantway.wire.record import record

A = TypeVar("A")


@record
class GrantInUse:
    """A grant with all that its tokens depend on, read in one query. ``user`` is ``None`` for grants without one."""

    grant: Grant
    connection: Connection
    account: Account
    user: User | None
    client: Client


@record
class ConnectionInView:
    """A connection with what a page or a listing shows beside it."""

    connection: Connection
    client: Client
    account: Account
    approved_by: User | None


class Facts(Protocol):
    """The facts, grouped by record. Listings are ordered as said and bounded by ``limit``."""

    # people
    async def user(self, user_id: bytes) -> User | None: ...
    async def user_by_email(self, email: str) -> User | None:
        """By case-folded address, compared binary."""

    async def users(self, limit: int = 1000) -> tuple[User, ...]:
        """Oldest first."""

    async def account(self, account_id: bytes) -> Account | None: ...
    async def account_by_external_id(self, dialect: str, external_id: str) -> Account | None: ...
    async def accounts(self, limit: int = 1000) -> tuple[Account, ...]:
        """Oldest first."""

    async def membership(self, account_id: bytes, user_id: bytes) -> Membership | None: ...
    async def memberships(self, user_id: bytes) -> tuple[tuple[Membership, Account], ...]:
        """The user's accounts that are not removed, by name then id."""

    async def members(self, account_id: bytes) -> tuple[tuple[Membership, User], ...]:
        """The account's people, oldest membership first."""

    async def session(self, digest: bytes) -> tuple[Session, User] | None: ...
    async def failures(self, digest: bytes) -> FailureBucket | None: ...

    # clients
    async def client(self, client_id: str) -> Client | None:
        """By the public ``client_id``, compared binary. Tombstones are returned, too."""

    async def client_by_row(self, row_id: bytes) -> Client | None: ...
    async def clients(self, limit: int = 1000) -> tuple[Client, ...]:
        """Oldest first, tombstones left out."""

    async def icon(self, client_row_id: bytes) -> Icon | None: ...
    async def scopes(self) -> tuple[Scope, ...]:
        """The whole catalogue, by name."""

    # connections and grants
    async def connection(self, connection_id: bytes) -> ConnectionInView | None: ...
    async def connection_by_integration_id(self, integration_id: str) -> ConnectionInView | None: ...
    async def live_connection(self, client_row_id: bytes, account_id: bytes) -> Connection | None:
        """The one connection of these two that is not removed."""

    async def connections(
        self,
        *,
        account_id: bytes | None = None,
        client_row_id: bytes | None = None,
        live: bool = True,
        limit: int = 1000,
    ) -> tuple[ConnectionInView, ...]:
        """Newest first. ``live``: only those that are not removed."""

    async def connections_of_user(self, user_id: bytes) -> tuple[ConnectionInView, ...]:
        """Live connections of the accounts that the user belongs to, by account name, then newest first."""

    async def connection_key(self, key_id: str) -> tuple[ConnectionKey, ConnectionInView] | None: ...
    async def grant(self, grant_id: bytes) -> GrantInUse | None: ...
    async def live_grants(self, connection_id: bytes, user_id: bytes | None) -> tuple[Grant, ...]:
        """Grants of just this user (``None``: of nobody) that are not revoked, least recently used first.

        By ``last_used_day`` (a grant that was never used counts as used on the day it was made), then ``created_at``.
        """

    async def has_live_grant_beside(
        self, connection_id: bytes, *, grant_id: bytes | None = None, user_id: bytes | None = None
    ) -> bool:
        """Whether the connection has a grant that is not revoked and is neither this one nor one of this user's.

        A code that was never exchanged and cannot be any more is none.
        """

    async def ended_token(self, serial: bytes) -> EndedToken | None: ...
    async def pending(self, digest: bytes) -> PendingAuthorization | None: ...

    # the house
    async def signing_keys(self) -> tuple[SigningKey, ...]:
        """All keys that are not retired at the time of asking, by ``signs_from``."""

    async def due_notices(self, at: datetime, limit: int = 100) -> tuple[Notice, ...]:
        """The oldest notice of each connection that is undelivered and not dead, if it is due and without a live lease.

        Oldest first. A notice waits for the ones before it, so that a connection's notices arrive in order.
        """

    async def notices(self, connection_id: bytes) -> tuple[Notice, ...]:
        """All notices of one connection, oldest first."""

    async def audit(self, *, connection_id: bytes | None = None, limit: int = 100) -> tuple[AuditEntry, ...]:
        """Newest first."""


Rule = Callable[[Facts, datetime], Coroutine[Any, Any, Decision[A]]]
"""What ``settle`` runs: gathers facts and decides. Takes the facts and the time at which it runs."""
