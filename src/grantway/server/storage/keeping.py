"""What every storage keeps alike: what a record is found by, what may be done to it, and how long it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from operator import attrgetter
from typing import Any

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

KEYS: Mapping[type[Any], Callable[[Any], Any]] = {
    User: attrgetter("id"),
    Account: attrgetter("id"),
    Membership: attrgetter("account_id", "user_id"),
    Operator: attrgetter("user_id"),
    Session: attrgetter("digest"),
    OneTimeLink: attrgetter("digest"),
    SignInRequest: attrgetter("digest"),
    FailureBucket: attrgetter("digest"),
    Client: attrgetter("id"),
    Icon: attrgetter("client_id"),
    Developer: attrgetter("client_id", "user_id"),
    RefusedAuthorization: attrgetter("client_id", "slot"),
    Scope: attrgetter("name"),
    Connection: attrgetter("id"),
    ConnectionKey: attrgetter("key_id"),
    Webhook: attrgetter("id"),
    Resource: attrgetter("id"),
    Grant: attrgetter("id"),
    EndedToken: attrgetter("serial"),
    ForeignToken: attrgetter("digest"),
    PendingAuthorization: attrgetter("digest"),
    Event: attrgetter("id"),
    Notice: attrgetter("id"),
    DeliveryAttempt: attrgetter("notice_id", "number"),
    SigningKey: attrgetter("kid"),
    OperatorKey: attrgetter("id"),
    AuditEntry: attrgetter("id"),
    AuditSeal: attrgetter("number"),
    Lease: attrgetter("name"),
    Restoration: attrgetter("id"),
    IdempotentAnswer: attrgetter("digest"),
    Tally: attrgetter("hour", "kind", "label"),
}
"""What each kind of record is found by. No two records of a kind have the same."""

REPLACEABLE = frozenset({
    User, Account, Client, Connection, Webhook, Resource, PendingAuthorization, SignInRequest, SigningKey, OperatorKey,
})  # fmt: skip
"""Records that carry ``version``."""

PUTTABLE = frozenset({
    Membership, Operator, Developer, Icon, EndedToken, Session, Scope, FailureBucket, RefusedAuthorization,
    Restoration, Lease,
})  # fmt: skip
"""Records whose last writer may win. Grants, notices and audit entries change by their own changes or not at all."""

FORGETTABLE = frozenset({
    Membership, Operator, Developer, Icon, EndedToken, PendingAuthorization, Session, OneTimeLink, SignInRequest,
    ConnectionKey, SigningKey, Scope, FailureBucket, IdempotentAnswer, Lease,
})  # fmt: skip
"""Records that may go. The others are ended by a time, so that an id (and an id with a version) never means two things."""

CODES_KEPT = timedelta(hours=1)
"""How long after its expiry an unexchanged code is kept."""

ENDED_GRANTS_KEPT = timedelta(days=30)
"""How long after its end a grant is kept. Its tokens ended with it; locally verified JWTs have long expired."""

REMOVED_CONNECTIONS_KEPT = timedelta(days=400)
"""How long after its removal a connection is kept, so that what is asked about it can be answered."""

FIRST_LOOK = timedelta(days=30)
"""How long after it was made somebody looks whether anything of a grant can still be used, for the first time."""

FOREIGN_TOKENS_KEPT = timedelta(days=30)
"""How long after its expiry a token of an older system is kept: longer than any profile lets one be renewed."""

NOTICES_KEPT = timedelta(days=30)
"""How long after its delivery (or death) a notice is kept, with its attempts and what was answered."""

EVENTS_KEPT = timedelta(days=40)
"""How long after its publication an event is kept: longer than any notice that may be sent again with it."""

ENDED_WEBHOOKS_KEPT = timedelta(days=40)
"""How long after its end a webhook is kept, so that its deliveries can still be looked at."""

CANCELLED_RESOURCES_KEPT = timedelta(days=30)
"""How long after its cancellation a resource is kept."""

TALLIES_KEPT = timedelta(days=400)
"""How long counts are kept."""

TALLIES_BY_HOUR = timedelta(days=8)
"""How long they are told by the hour: a week's picture needs it. After that a day's are added up, at its midnight (UTC)."""


def allow(kinds: frozenset[type[Any]], record: object, verb: str) -> None:
    """Raise ``TypeError`` unless this kind of record may be changed like that: a fault of the rule."""
    if type(record) not in kinds:
        raise TypeError(f"A {type(record).__name__} cannot be {verb}.")
