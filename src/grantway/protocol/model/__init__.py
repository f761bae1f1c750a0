"""The records. All frozen; a change is a new value. States are times, times are aware, ids are 16 bytes.

An id is 48 bits of milliseconds and 80 random bits, so that rows of one time lie together and the order of ids is the
order of age. ``version`` counts the changes of a record: a rule that read it, or a set of its children, guards on it. A
field named ``secret`` or ``…_sealed`` holds bytes sealed by the master key ``key_id``; a field named ``…_digest`` holds a
digest.
"""

from grantway.protocol.model.clients import (
    Client,
    ClientKind,
    ClientSecret,
    Developer,
    Icon,
    RefusedAuthorization,
    Scope,
)
from grantway.protocol.model.connections import Connection, ConnectionKey, Resource, Suspension, Webhook
from grantway.protocol.model.grants import EndedToken, ForeignToken, Grant, Origin, PendingAuthorization
from grantway.protocol.model.house import (
    AuditEntry,
    AuditSeal,
    IdempotentAnswer,
    Lease,
    OperatorKey,
    Restoration,
    SigningKey,
    Tally,
)
from grantway.protocol.model.outbox import DeliveryAttempt, Event, Notice, NoticeKind
from grantway.protocol.model.people import (
    Account,
    FailureBucket,
    Membership,
    OneTimeLink,
    Operator,
    Role,
    Session,
    SignInRequest,
    User,
)

Record = (
    User | Account | Membership | Operator | Session | OneTimeLink | SignInRequest | FailureBucket
    | Client | Icon | Developer | RefusedAuthorization | Scope
    | Connection | ConnectionKey | Webhook | Resource
    | Grant | EndedToken | ForeignToken | PendingAuthorization
    | Event | Notice | DeliveryAttempt
    | SigningKey | OperatorKey | AuditEntry | AuditSeal | Lease | Restoration | IdempotentAnswer | Tally
)  # fmt: skip

__all__ = [
    "Account", "AuditEntry", "AuditSeal", "Client", "ClientKind", "ClientSecret", "Connection", "ConnectionKey", "DeliveryAttempt",
    "Developer", "EndedToken", "Event", "FailureBucket", "ForeignToken", "Grant", "Icon", "IdempotentAnswer", "Lease", "Membership",
    "Notice", "NoticeKind", "OneTimeLink", "Operator", "OperatorKey", "Origin", "PendingAuthorization", "Record",
    "RefusedAuthorization", "Resource", "Restoration", "Role", "Scope", "Session", "SignInRequest", "SigningKey", "Suspension", "Tally",
    "User", "Webhook",
]  # fmt: skip
