"""What every storage keeps alike: what a record is found by, what may be done to it, and how long it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from operator import attrgetter
from typing import Any

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

KEYS: Mapping[type[Any], Callable[[Any], Any]] = {
    User: attrgetter("id"),
    Account: attrgetter("id"),
    Membership: attrgetter("account_id", "user_id"),
    Client: attrgetter("id"),
    Icon: attrgetter("client_id"),
    Connection: attrgetter("id"),
    Grant: attrgetter("id"),
    EndedToken: attrgetter("serial"),
    PendingAuthorization: attrgetter("digest"),
    Session: attrgetter("digest"),
    ConnectionKey: attrgetter("key_id"),
    SigningKey: attrgetter("kid"),
    Scope: attrgetter("name"),
    Notice: attrgetter("id"),
    AuditEntry: attrgetter("id"),
    FailureBucket: attrgetter("digest"),
}
"""What each kind of record is found by. No two records of a kind have the same."""

REPLACEABLE = frozenset({User, Account, Client, Connection, PendingAuthorization, SigningKey})
"""Records that carry ``version``."""

PUTTABLE = frozenset({Membership, Icon, EndedToken, Session, Scope, FailureBucket})
"""Records whose last writer may win. Grants, notices and audit entries change by their own changes or not at all."""

FORGETTABLE = frozenset({
    Membership, Icon, EndedToken, PendingAuthorization, Session, ConnectionKey, SigningKey, Scope, FailureBucket,
})  # fmt: skip
"""Records that may go. The others are ended by a time, so that an id (and an id with a version) never means two things."""

CODES_KEPT = timedelta(hours=1)
"""How long after its expiry an unexchanged code is kept."""

ENDED_GRANTS_KEPT = timedelta(days=30)
"""How long after its end a grant is kept. Its tokens ended with it; locally verified JWTs have long expired."""

NOTICES_KEPT = timedelta(days=30)
"""How long after its delivery (or death) a notice is kept."""


def allow(kinds: frozenset[type[Any]], record: object, verb: str) -> None:
    """Raise ``TypeError`` unless this kind of record may be changed like that: a fault of the rule."""
    if type(record) not in kinds:
        raise TypeError(f"A {type(record).__name__} cannot be {verb}.")
