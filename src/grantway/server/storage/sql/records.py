"""The codec of each kind of record. Fields that are not named stand in the row as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grantway.protocol.facts import DueNotice
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
from grantway.server.storage.sql.codec import (
    DAY,
    DOCUMENT,
    FLAG,
    LISTS,
    NAMES,
    PAIRS,
    SECRETS,
    SUSPENSIONS,
    TIME,
    Codec,
)

# people

USER = Codec(User, created_at=TIME, disabled_at=TIME, erased_at=TIME)
ACCOUNT = Codec(
    Account,
    created_at=TIME,
    suspended_at=TIME,
    removed_at=TIME,
    external_ids=DOCUMENT,
    settings=DOCUMENT,
    metadata=DOCUMENT,
)
MEMBERSHIP = Codec(Membership, created_at=TIME, external_ids=DOCUMENT)
OPERATOR = Codec(Operator, created_at=TIME)
SESSION = Codec(Session, auth_time=TIME, expires_at=TIME)
ONE_TIME_LINK = Codec(OneTimeLink, created_at=TIME, expires_at=TIME)
SIGN_IN_REQUEST = Codec(SignInRequest, created_at=TIME, expires_at=TIME, auth_time=TIME)
FAILURE_BUCKET = Codec(FailureBucket, window_start=TIME, expires_at=TIME)

# clients

CLIENT = Codec(
    Client,
    created_at=TIME,
    tokens_not_before=TIME,
    disabled_at=TIME,
    ended_at=TIME,
    confidential=FLAG,
    overrides=PAIRS,
    secrets=SECRETS,
    redirect_uris=NAMES,
    scopes=NAMES,
    default_scopes=NAMES,
    resources=NAMES,
    required_scopes=NAMES,
    submitted_at=TIME,
    approved_at=TIME,
)
ICON = Codec(Icon)
DEVELOPER = Codec(Developer, created_at=TIME)
REFUSED_AUTHORIZATION = Codec(RefusedAuthorization, first_at=TIME, last_at=TIME)
SCOPE = Codec(Scope, sentences=DOCUMENT, opens=LISTS, withholds=LISTS, events=NAMES)

# connections and what lives by them

CONNECTION = Codec(
    Connection,
    scope=NAMES,
    created_at=TIME,
    last_used_day=DAY,
    suspended_at=TIME,
    removed_at=TIME,
    activated_at=TIME,
    suspensions=SUSPENSIONS,
)
CONNECTION_KEY = Codec(ConnectionKey, created_at=TIME)
WEBHOOK = Codec(
    Webhook,
    events=NAMES,
    created_at=TIME,
    options=DOCUMENT,
    previous_until=TIME,
    disabled_at=TIME,
    ended_at=TIME,
)
RESOURCE = Codec(Resource, created_at=TIME, metadata=DOCUMENT, cancelled_at=TIME)

# grants

GRANT = Codec(
    Grant,
    scope=NAMES,
    resource=NAMES,
    created_at=TIME,
    moved_at=TIME,
    previous_moved_at=TIME,
    code_expires_at=TIME,
    redirect_uri_was_sent=FLAG,
    oidc=DOCUMENT,
    refresh_expires_at=TIME,
    refresh_idle_expires_at=TIME,
    access_not_before=TIME,
    revoked_at=TIME,
    last_used_day=DAY,
    look_again_at=TIME,
)
ENDED_TOKEN = Codec(EndedToken, keep_until=TIME, ends_at=TIME)
FOREIGN_TOKEN = Codec(ForeignToken, created_at=TIME, expires_at=TIME)
PENDING = Codec(
    PendingAuthorization,
    created_at=TIME,
    expires_at=TIME,
    redirect_uri_was_sent=FLAG,
    scope=NAMES,
    resource=NAMES,
    prompt=NAMES,
    refusal=NAMES,
    ui_locales=NAMES,
)

# the outbox

EVENT = Codec(Event, created_at=TIME)
NOTICE = Codec(
    Notice,
    created_at=TIME,
    next_attempt_at=TIME,
    delivered_at=TIME,
    dead_at=TIME,
    leased_until=TIME,
    replayed_at=TIME,
)
DUE_NOTICE = Codec(DueNotice)
DELIVERY_ATTEMPT = Codec(DeliveryAttempt, at=TIME)

# the house

SIGNING_KEY = Codec(SigningKey, public_jwk=DOCUMENT, created_at=TIME, signs_from=TIME, retires_at=TIME)
OPERATOR_KEY = Codec(OperatorKey, scopes=NAMES, created_at=TIME, expires_at=TIME, revoked_at=TIME, last_used_day=DAY)
AUDIT_ENTRY = Codec(AuditEntry, at=TIME, detail=DOCUMENT)
AUDIT_SEAL = Codec(AuditSeal, day=DAY, sealed_at=TIME, removed_at=TIME)
LEASE = Codec(Lease, until=TIME)
RESTORATION = Codec(Restoration, restored_at=TIME, backup_at=TIME, until=TIME)
IDEMPOTENT_ANSWER = Codec(IdempotentAnswer, created_at=TIME, expires_at=TIME)
TALLY = Codec(Tally, hour=TIME)

CODECS: Mapping[type[Any], Codec[Any]] = {
    User: USER,
    Account: ACCOUNT,
    Membership: MEMBERSHIP,
    Operator: OPERATOR,
    Session: SESSION,
    OneTimeLink: ONE_TIME_LINK,
    SignInRequest: SIGN_IN_REQUEST,
    FailureBucket: FAILURE_BUCKET,
    Client: CLIENT,
    Icon: ICON,
    Developer: DEVELOPER,
    RefusedAuthorization: REFUSED_AUTHORIZATION,
    Scope: SCOPE,
    Connection: CONNECTION,
    ConnectionKey: CONNECTION_KEY,
    Webhook: WEBHOOK,
    Resource: RESOURCE,
    Grant: GRANT,
    EndedToken: ENDED_TOKEN,
    ForeignToken: FOREIGN_TOKEN,
    PendingAuthorization: PENDING,
    Event: EVENT,
    Notice: NOTICE,
    DeliveryAttempt: DELIVERY_ATTEMPT,
    SigningKey: SIGNING_KEY,
    OperatorKey: OPERATOR_KEY,
    AuditEntry: AUDIT_ENTRY,
    AuditSeal: AUDIT_SEAL,
    Lease: LEASE,
    Restoration: RESTORATION,
    IdempotentAnswer: IDEMPOTENT_ANSWER,
    Tally: TALLY,
}
