"""What a rule may ask for: the port that every storage implements for reading.

Methods are ``async`` so that a storage may wait; one that never waits is driven by a single ``send(None)``. Facts are
taken when the rule runs. Every method returns ``None`` or an empty tuple when there is nothing; none raises for that.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import date, datetime
from typing import Any, Literal, Protocol, TypeVar

from grantway.protocol.decision import Decision
from grantway.protocol.model import (
    Account,
    AuditEntry,
    AuditSeal,
    Client,
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
    Lease,
    Membership,
    Notice,
    NoticeKind,
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
class GrantAtRest:
    """A grant that nobody ended, with what says whether anything of it can still be used.

    ``has_foreign``: a token of an older system stands for it that may be used as it is, or exchanged for the first time.
    """

    grant: Grant
    connection: Connection
    client: Client
    has_foreign: bool


@record
class NumberedEntry:
    """An entry of the audit with its number in the order in which they were added. Numbers may be missing."""

    number: int
    entry: AuditEntry


@record
class ConnectionInView:
    """A connection with what a page or a listing shows beside it."""

    connection: Connection
    client: Client
    account: Account
    approved_by: User | None


@record
class Page:
    """One page of a listing that is newest first: at most ``limit`` records older than the one whose id is ``after``."""

    limit: int = 50
    after: bytes | None = None


FIRST_PAGE = Page()

ConnectionState = Literal["live", "suspended", "removed", "all"]
NoticeState = Literal["waiting", "delivered", "dead", "all"]


@record
class DueNotice:
    """As much of a notice that is due as tells whose turn it is: of most that are looked at, more is not needed."""

    id: bytes
    client_id: bytes | None
    webhook_id: bytes | None
    kind: NoticeKind
    url: str


@record
class WebhookInView:
    """A webhook with the connection that it lives by."""

    webhook: Webhook
    view: ConnectionInView


class Facts(Protocol):
    """The facts, grouped by record. Listings are ordered as said and bounded by ``limit`` or by a page."""

    # people
    async def user(self, user_id: bytes) -> User | None: ...
    async def user_by_email(self, email: str) -> User | None:
        """By case-folded address, compared binary."""

    async def user_by_external_id(self, external_id: str) -> User | None:
        """By the platform's own id, compared binary."""

    async def users(self, page: Page = FIRST_PAGE, *, email: str | None = None) -> tuple[User, ...]:
        """Newest first; ``email``: only those whose address begins so (case-folded)."""

    async def account(self, account_id: bytes) -> Account | None: ...
    async def account_by_external_id(self, dialect: str, external_id: str) -> Account | None: ...
    async def accounts(self, page: Page = FIRST_PAGE, *, name: str | None = None) -> tuple[Account, ...]:
        """Newest first; ``name``: only those whose name begins so (compared binary)."""

    async def membership(self, account_id: bytes, user_id: bytes) -> Membership | None: ...
    async def memberships(self, user_id: bytes) -> tuple[tuple[Membership, Account], ...]:
        """The user's accounts that are not removed, by name then id."""

    async def members(self, account_id: bytes) -> tuple[tuple[Membership, User], ...]:
        """The account's people, oldest membership first."""

    async def operator(self, user_id: bytes) -> Operator | None: ...
    async def operators(self) -> tuple[tuple[Operator, User], ...]:
        """Oldest first."""

    async def session(self, digest: bytes) -> tuple[Session, User] | None: ...
    async def sessions_of(self, user_id: bytes) -> tuple[Session, ...]:
        """The person's sessions that are not over, newest sign-in first."""

    async def link(self, digest: bytes) -> tuple[OneTimeLink, User] | None: ...
    async def links_of(self, user_id: bytes) -> tuple[OneTimeLink, ...]:
        """All one-time links of a person, oldest first, expired ones included."""

    async def sign_in_request(self, digest: bytes) -> SignInRequest | None: ...
    async def failures(self, digest: bytes) -> FailureBucket | None: ...

    # clients
    async def client(self, client_id: str) -> Client | None:
        """By the public ``client_id``, compared binary. Tombstones are returned, too."""

    async def client_by_row(self, row_id: bytes) -> Client | None: ...
    async def clients(self, page: Page = FIRST_PAGE, *, name: str | None = None) -> tuple[Client, ...]:
        """Newest first, tombstones left out; ``name``: only those whose name begins so (compared binary)."""

    async def clients_of_account(self, account_id: bytes, page: Page = FIRST_PAGE) -> tuple[Client, ...]:
        """Clients that belong to the account, newest first, tombstones left out."""

    async def submitted_clients(self) -> tuple[Client, ...]:
        """Drafts whose developers asked for approval and that are not ended, longest waiting first, at most 1000."""

    async def icon(self, client_row_id: bytes) -> Icon | None: ...
    async def scopes(self) -> tuple[Scope, ...]:
        """The whole catalogue, by name."""

    async def developer(self, client_row_id: bytes, user_id: bytes) -> Developer | None: ...
    async def developers(self, client_row_id: bytes) -> tuple[tuple[Developer, User], ...]:
        """Longest first."""

    async def clients_of_developer(self, user_id: bytes) -> tuple[Client, ...]:
        """Clients that this person looks after, tombstones left out, newest first."""

    async def refused_authorizations(self, client_row_id: bytes) -> tuple[RefusedAuthorization, ...]:
        """Why authorizations of a client were refused, latest first."""

    # connections and grants
    async def connection(self, connection_id: bytes) -> ConnectionInView | None: ...
    async def connection_by_integration_id(self, integration_id: str) -> ConnectionInView | None: ...
    async def live_connection(self, client_row_id: bytes, account_id: bytes) -> Connection | None:
        """The one connection of these two that is not removed."""

    async def connections(
        self,
        page: Page = FIRST_PAGE,
        *,
        account_id: bytes | None = None,
        client_row_id: bytes | None = None,
        state: ConnectionState = "live",
    ) -> tuple[ConnectionInView, ...]:
        """Newest first. ``live`` are all that are not removed, suspended ones included."""

    async def connections_approved_by(self, user_id: bytes, account_id: bytes) -> tuple[Connection, ...]:
        """Live connections of the account under which this user has live grants, oldest first."""

    async def idle_connections(self, before: date, limit: int = 100) -> tuple[ConnectionInView, ...]:
        """Live, active connections that were neither made nor used since that day, longest idle first."""

    async def abandoned_connections(self, before: datetime, limit: int = 100) -> tuple[ConnectionInView, ...]:
        """Live connections made before that time that never had a token and have no code that can be exchanged."""

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

    async def count_live_grants(self, connection_id: bytes) -> int:
        """How many grants of the connection are not revoked."""

    async def permanent_grants(self, client_row_id: bytes, account_id: bytes | None = None) -> tuple[Grant, ...]:
        """Grants of the client's tokens without end that are not revoked, under live connections, oldest first, at most 1000.

        ``account_id``: only those for this account.
        """

    async def ended_token(self, serial: bytes) -> EndedToken | None: ...
    async def foreign_token(self, digest: bytes) -> ForeignToken | None:
        """Expired ones are returned, too, as long as they are kept."""

    async def pending(self, digest: bytes) -> PendingAuthorization | None: ...

    # what lives by a connection
    async def webhook(self, webhook_id: bytes) -> WebhookInView | None:
        """Ended ones are returned, too."""

    async def webhooks(self, connection_id: bytes) -> tuple[Webhook, ...]:
        """The connection's webhooks that are not ended (disabled ones included), oldest first."""

    async def webhooks_of_account(self, account_id: bytes) -> tuple[tuple[Webhook, Connection], ...]:
        """Webhooks that are neither ended nor disabled, of the account's live connections, oldest first."""

    async def resource(self, resource_id: bytes) -> Resource | None: ...
    async def resource_by_reference(self, connection_id: bytes, kind: str, reference: str) -> Resource | None:
        """The live one."""

    async def resources(self, connection_id: bytes, *, live: bool = True, limit: int = 1000) -> tuple[Resource, ...]:
        """Oldest first."""

    # the outbox
    async def event(self, event_id: bytes) -> Event | None: ...
    async def due_notices(self, at: datetime, limit: int = 100) -> tuple[DueNotice, ...]:
        """The first notice of each line, by the order of adding, that is undelivered and not dead, if it is due and without a live lease.

        By ``next_attempt_at``, longest due first. A notice waits for those before it in its line.
        """

    async def notice(self, notice_id: bytes) -> Notice | None: ...
    async def notices(
        self,
        page: Page = FIRST_PAGE,
        *,
        connection_id: bytes | None = None,
        client_row_id: bytes | None = None,
        state: NoticeState = "all",
    ) -> tuple[Notice, ...]:
        """Newest first. Of a connection, of a client, or all."""

    async def attempts(self, notice_id: bytes) -> tuple[DeliveryAttempt, ...]:
        """Oldest first."""

    # the house
    async def signing_keys(self) -> tuple[SigningKey, ...]:
        """All keys that are not retired at the time of asking, by ``signs_from``."""

    async def operator_key(self, key_id: bytes) -> OperatorKey | None: ...
    async def operator_keys(self) -> tuple[OperatorKey, ...]:
        """Newest first, revoked and expired ones included, at most 1000."""

    async def restoration(self) -> Restoration | None:
        """The last time that the database was set back to a backup, while that counts; see ``Restoration.until``."""

    async def idempotent_answer(self, digest: bytes) -> IdempotentAnswer | None: ...
    async def tallies(self, since: datetime, kind: str | None = None, *, hours: int = 1) -> tuple[Tally, ...]:
        """By hour, then kind, then label; ``hours``: added up for so many (counted from 1970), told by the first.

        Those of days that are older than a week stand at their midnight (UTC).
        """

    async def audit(
        self,
        page: Page = FIRST_PAGE,
        *,
        connection_id: bytes | None = None,
        client_row_id: bytes | None = None,
        account_id: bytes | None = None,
        user_id: bytes | None = None,
        reason: str | None = None,
        action: str | None = None,
    ) -> tuple[AuditEntry, ...]:
        """Newest first; all that is named has to fit. ``user_id`` finds what a person did and what was done to them."""

    # keeping house
    async def lease(self, name: str) -> Lease | None: ...
    async def grants_to_look_at(self, before: datetime, limit: int = 100) -> tuple[GrantAtRest, ...]:
        """Grants that are not revoked, to be looked at again before that (first a month after they were made), earliest first."""

    async def audit_in_order(self, after: int = 0, limit: int = 100) -> tuple[NumberedEntry, ...]:
        """Entries whose number is higher, lowest first."""

    async def last_seal(self) -> AuditSeal | None: ...
    async def seal(self, number: int) -> AuditSeal | None: ...
    async def seals(self, after: int = 0, limit: int = 100, *, kept: bool = False) -> tuple[AuditSeal, ...]:
        """Seals whose number is higher, lowest first; ``kept``: only those whose entries are not retired."""


Rule = Callable[[Facts, datetime], Coroutine[Any, Any, Decision[A]]]
"""What ``settle`` runs: gathers facts and decides. Takes the facts and the time at which it runs."""
