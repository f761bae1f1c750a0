"""What every kind of record has: one row added, put, replaced, forgotten, and found by its key."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
from grantway.server.storage.sql.records import CODECS, NOTICE

TABLES: Mapping[type[Any], tuple[str, str]] = {
    User: ("users", "id = ?1"),
    Account: ("accounts", "id = ?1"),
    Membership: ("memberships", "account_id = ?1 and user_id = ?2"),
    Operator: ("operators", "user_id = ?1"),
    Session: ("sessions", "digest = ?1"),
    OneTimeLink: ("one_time_links", "digest = ?1"),
    SignInRequest: ("sign_in_requests", "digest = ?1"),
    FailureBucket: ("failure_buckets", "digest = ?1"),
    Client: ("clients", "id = ?1"),
    Icon: ("icons", "client_id = ?1"),
    Developer: ("developers", "client_id = ?1 and user_id = ?2"),
    RefusedAuthorization: ("refused_authorizations", "client_id = ?1 and slot = ?2"),
    Scope: ("scopes", "name = ?1"),
    Connection: ("connections", "id = ?1"),
    ConnectionKey: ("connection_keys", "key_id = ?1"),
    Webhook: ("webhooks", "id = ?1"),
    Resource: ("resources", "id = ?1"),
    Grant: ("grants", "id = ?1"),
    EndedToken: ("ended_tokens", "serial = ?1"),
    ForeignToken: ("foreign_tokens", "digest = ?1"),
    PendingAuthorization: ("pending_authorizations", "digest = ?1"),
    Event: ("events", "id = ?1"),
    Notice: ("notices", "id = ?1"),
    DeliveryAttempt: ("delivery_attempts", "notice_id = ?1 and number = ?2"),
    SigningKey: ("signing_keys", "kid = ?1"),
    OperatorKey: ("operator_keys", "id = ?1"),
    AuditEntry: ("audit_entries", "id = ?1"),
    AuditSeal: ("audit_seals", "number = ?1"),
    Lease: ("leases", "name = ?1"),
    Restoration: ("restorations", "id = ?1"),
    IdempotentAnswer: ("idempotent_answers", "digest = ?1"),
    Tally: ("tallies", "hour = ?1 and kind = ?2 and label = ?3"),
}
"""Each kind's table and what finds one row of it. The keys are the first fields of their records."""

_ADD = {
    kind: f"insert into {table} ({CODECS[kind].columns()}) values ({CODECS[kind].marks()})"
    for kind, (table, _) in TABLES.items()
}

PUT = {
    kind: f"{statement} on conflict ({', '.join(re.findall('[a-z_]+(?= =)', TABLES[kind][1]))}) do update"
    f" set {', '.join(f'{name} = excluded.{name}' for name in CODECS[kind].columns().split(', '))}"
    for kind, statement in _ADD.items()
}
"""A row that takes the place of the one with its key. Only for tables whose one unique key is the primary one."""

_ADD_NOTICE = f"""
insert into notices ({NOTICE.columns()}, head) values ({NOTICE.marks()}, case when exists (
  select 1 from notices where line = ?2 and delivered_at is null and dead_at is null) then 0 else 1 end)"""

ADD = {**_ADD, Notice: _ADD_NOTICE}
"""A new row; violates a unique index when its keys are not free. A notice is the head of its line if none waits there."""

REPLACE = {
    kind: f"update {TABLES[kind][0]} set ({codec.columns()}) = ({codec.marks()})"
    f" where {codec.names[0]} = ?1 and version = cast(?{codec.names.index('version') + 1} as bigint) - 1"
    for kind, codec in CODECS.items()
    if "version" in codec.names
}
"""A row's new value; changes nothing unless the stored version is one less."""

FORGET = {kind: f"delete from {table} where {key}" for kind, (table, key) in TABLES.items()}
"""A row is gone; changes nothing when it was gone already."""

BY_KEY = {kind: f"select {CODECS[kind].columns()} from {table} where {key}" for kind, (table, key) in TABLES.items()}
"""One row by its primary key."""

READ_META = "select value from meta where key = ?1"
"""A value about the database itself."""

WRITE_META_ONCE = "insert into meta (key, value) values (?1, ?2) on conflict (key) do nothing"
"""Such a value, unless there is one."""

CENSUS = """select (select count(*) from connections indexed by connections_live_by_client where removed_at is null),
    (select count(*) from notices indexed by notices_waiting where delivered_at is null and dead_at is null),
    (select count(*) from notices indexed by notices_dead where dead_at is not null),
    (select count(*) from connections indexed by connections_suspended
     where suspended_at is not null and removed_at is null),
    (select count(*) from clients indexed by clients_by_name where ended_at is null)"""
"""How many live connections, waiting and dead notices, suspended connections and clients there are, for metrics and the
operators' first page; each by an index of its own."""
