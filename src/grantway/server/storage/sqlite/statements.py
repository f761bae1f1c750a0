"""Every statement that asks for or changes something, with a sentence each. Marks are numbered, values are bound."""

from __future__ import annotations

from collections.abc import Mapping
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
from grantway.server.storage.sqlite.records import (
    ACCOUNT,
    AUDIT_ENTRY,
    CLIENT,
    CODECS,
    CONNECTION,
    GRANT,
    MEMBERSHIP,
    NOTICE,
    SCOPE,
    SESSION,
    SIGNING_KEY,
    USER,
)

TABLES: Mapping[type[Any], tuple[str, str]] = {
    User: ("users", "id = ?1"),
    Account: ("accounts", "id = ?1"),
    Membership: ("memberships", "account_id = ?1 and user_id = ?2"),
    Client: ("clients", "id = ?1"),
    Icon: ("icons", "client_id = ?1"),
    Connection: ("connections", "id = ?1"),
    Grant: ("grants", "id = ?1"),
    EndedToken: ("ended_tokens", "serial = ?1"),
    PendingAuthorization: ("pending_authorizations", "digest = ?1"),
    Session: ("sessions", "digest = ?1"),
    ConnectionKey: ("connection_keys", "key_id = ?1"),
    SigningKey: ("signing_keys", "kid = ?1"),
    Scope: ("scopes", "name = ?1"),
    Notice: ("notices", "id = ?1"),
    AuditEntry: ("audit_entries", "id = ?1"),
    FailureBucket: ("failure_buckets", "digest = ?1"),
}
"""Each kind's table and what finds one row of it. The keys are the first fields of their records."""

# --- changes of one record ----------------------------------------------------------------------------------------

ADD = {
    kind: f"insert into {table} ({CODECS[kind].columns()}) values ({CODECS[kind].marks()})"
    for kind, (table, _) in TABLES.items()
}
"""A new row; violates a unique index when its keys are not free."""

PUT = {kind: statement.replace("insert into", "insert or replace into", 1) for kind, statement in ADD.items()}
"""A row that takes the place of the one with its key. Only for tables whose one unique key is the primary one."""

REPLACE = {
    kind: f"update {TABLES[kind][0]} set ({codec.columns()}) = ({codec.marks()})"
    f" where {codec.names[0]} = ?1 and version = ?{codec.names.index('version') + 1} - 1"
    for kind, codec in CODECS.items()
    if "version" in codec.names
}
"""A row's new value; changes nothing unless the stored version is one less."""

FORGET = {kind: f"delete from {table} where {key}" for kind, (table, key) in TABLES.items()}
"""A row is gone; changes nothing when it was gone already."""

ADD_EXTERNAL_ID = "insert into account_external_ids (dialect, external_id, account_id) values (?1, ?2, ?3)"
"""An account's id in one dialect, unique there."""

FORGET_EXTERNAL_IDS = "delete from account_external_ids where account_id = ?1"
"""All ids of an account in dialects."""

# --- changes of a kind of their own --------------------------------------------------------------------------------

MOVE_GENERATION = """
update grants set generation = generation + 1, previous_moved_at = moved_at,
  moved_at = max(coalesce(moved_at, ?3), ?3), move_key = ?4,
  refresh_idle_expires_at = coalesce(?5, refresh_idle_expires_at)
where id = ?1 and generation = ?2 and revoked_at is null"""
"""A code is exchanged or a refresh token rotated, once."""

END_GRANT = (
    "update grants set revoked_at = ?2, revoked_reason = ?3, revoked_by = ?4 where id = ?1 and revoked_at is null"
)
"""A grant is over; the first end stands."""

END_USER_GRANTS = """
update grants set revoked_at = ?3, revoked_reason = ?4, revoked_by = null
where connection_id = ?1 and user_id = ?2 and revoked_at is null"""
"""All live grants of one user under one connection are over."""

REMOVE_CONNECTION = """
update connections set removed_at = ?2, removed_reason = ?3, removed_by = ?4, version = version + 1
where id = ?1 and removed_at is null"""
"""A connection is over, once."""

TOUCH_GRANT = "update grants set last_used_day = ?2 where id = ?1 and (last_used_day is null or last_used_day < ?2)"
"""A grant was used on this day, unless it was used later."""

TOUCH_CONNECTION = (
    "update connections set last_used_day = ?2 where id = ?1 and (last_used_day is null or last_used_day < ?2)"
)
"""A connection was used on this day, unless it was used later."""

LEASE_NOTICE = """
update notices set lease = ?2, leased_until = ?4
where id = ?1 and delivered_at is null and dead_at is null and (leased_until is null or leased_until <= ?3)"""
"""A sender takes a notice that nobody holds."""

REPORT_DELIVERY = """
update notices set attempts = attempts + 1, last_status = ?3, last_error = ?4, delivered_at = ?5, dead_at = ?6,
  next_attempt_at = coalesce(?7, next_attempt_at), lease = null, leased_until = null
where id = ?1 and lease = ?2"""
"""What came of an attempt, from the sender that holds the notice."""

# --- facts ---------------------------------------------------------------------------------------------------------

BY_KEY = {kind: f"select {CODECS[kind].columns()} from {table} where {key}" for kind, (table, key) in TABLES.items()}
"""One row by its primary key."""

USER_BY_EMAIL = f"select {USER.columns()} from users where email = ?1"
"""A user by case-folded address."""

USERS = f"select {USER.columns()} from users order by created_at, id limit ?1"
"""Users, oldest first."""

ACCOUNT_BY_EXTERNAL_ID = f"""
select {ACCOUNT.columns("a")} from account_external_ids e join accounts a on a.id = e.account_id
where e.dialect = ?1 and e.external_id = ?2"""
"""An account by its id in a dialect."""

ACCOUNTS = f"select {ACCOUNT.columns()} from accounts order by created_at, id limit ?1"
"""Accounts, oldest first."""

MEMBERSHIPS = f"""
select {MEMBERSHIP.columns("m")}, {ACCOUNT.columns("a")} from memberships m join accounts a on a.id = m.account_id
where m.user_id = ?1 and a.removed_at is null order by a.name, a.id"""
"""A user's memberships with their accounts."""

MEMBERS = f"""
select {MEMBERSHIP.columns("m")}, {USER.columns("u")} from memberships m join users u on u.id = m.user_id
where m.account_id = ?1 order by m.created_at, m.user_id"""
"""An account's memberships with their users."""

SESSION_WITH_USER = f"""
select {SESSION.columns("s")}, {USER.columns("u")} from sessions s join users u on u.id = s.user_id
where s.digest = ?1"""
"""A session with its user."""

CLIENT_VERSION = "select id, version from clients where client_id = ?1"
"""Which version of a client holds now, by its public id: enough when that version has been read before."""

CLIENT_ROW_VERSION = "select id, version from clients where id = ?1"
"""The same by row id."""

CLIENTS = f"select {CLIENT.columns()} from clients where ended_at is null order by created_at, id limit ?1"
"""Clients that are not ended, oldest first."""

SCOPES = f"select {SCOPE.columns()} from scopes order by name"
"""The catalogue."""

_VIEW = f"""
select {CONNECTION.columns("c")}, {CLIENT.columns("k")}, {ACCOUNT.columns("a")}, {USER.columns("u")}
from connections c join clients k on k.id = c.client_id join accounts a on a.id = c.account_id
left join users u on u.id = c.approved_by"""

CONNECTION_VIEW = f"{_VIEW} where c.id = ?1"
"""A connection with client, account and who approved it."""

CONNECTION_VIEW_BY_INTEGRATION_ID = f"{_VIEW} where c.integration_id = ?1"
"""The same by integration id."""

LIVE_CONNECTION = f"""
select {CONNECTION.columns()} from connections where client_id = ?1 and account_id = ?2 and removed_at is null"""
"""The one live connection of a client and an account."""

_NEWEST = "order by c.created_at desc, c.id desc limit ?3"
_ALL_OR_LIVE = "(c.removed_at is null or not ?4)"

CONNECTIONS = {
    (False, False): f"{_VIEW} where ?1 is ?2 and {_ALL_OR_LIVE} {_NEWEST}",
    (True, False): f"{_VIEW} where c.account_id = ?1 and ?2 is null and {_ALL_OR_LIVE} {_NEWEST}",
    (False, True): f"{_VIEW} where ?1 is null and c.client_id = ?2 and {_ALL_OR_LIVE} {_NEWEST}",
    (True, True): f"{_VIEW} where c.account_id = ?1 and c.client_id = ?2 and {_ALL_OR_LIVE} {_NEWEST}",
}
"""Connections newest first, by whether an account and a client are named. ``?4``: only live ones."""

CONNECTIONS_OF_USER = f"""
{_VIEW} join memberships m on m.account_id = c.account_id
where m.user_id = ?1 and c.removed_at is null order by a.name, a.id, c.created_at desc, c.id desc"""
"""Live connections of the accounts that a user belongs to."""

GRANT_IN_USE = f"""
select {GRANT.columns("g")}, c.version, c.last_used_day, a.version, u.version, k.version
from grants g join connections c on c.id = g.connection_id join accounts a on a.id = g.account_id
join clients k on k.id = g.client_id left join users u on u.id = g.user_id
where g.id = ?1"""
"""A grant, and which versions of connection, account, user and client hold now. Every use of a token asks this."""

GRANT_IN_USE_IN_FULL = f"""
select {GRANT.columns("g")}, {CONNECTION.columns("c")}, {ACCOUNT.columns("a")}, {CLIENT.columns("k")},
  {USER.columns("u")}
from grants g join connections c on c.id = g.connection_id join accounts a on a.id = g.account_id
join clients k on k.id = g.client_id left join users u on u.id = g.user_id
where g.id = ?1"""
"""The same with everything, for when one of those versions is gone before it could be read."""

LIVE_GRANTS = f"""
select {GRANT.columns()} from grants where connection_id = ?1 and user_id is ?2 and revoked_at is null
order by coalesce(last_used_day, created_at / 86400000000), created_at, id"""
"""A user's live grants under a connection, least recently used first."""

HAS_LIVE_GRANT_BESIDE = """
select 1 from grants
where connection_id = ?1 and revoked_at is null and (?2 is null or id <> ?2) and (?3 is null or user_id is not ?3)
  and not (origin = 'code' and generation = 0 and code_expires_at is not null and code_expires_at <= ?4)
limit 1"""
"""Whether a connection has a live grant, dead codes aside, that is neither this one nor of this user."""

SIGNING_KEY_VERSIONS = """
select kid, version, created_at from signing_keys where retires_at is null or retires_at > ?1 order by signs_from, kid"""
"""Which keys are in force: enough when the same ones have been read before."""

SIGNING_KEYS = f"""
select {SIGNING_KEY.columns()} from signing_keys where retires_at is null or retires_at > ?1 order by signs_from, kid"""
"""The keys in force."""

DUE_NOTICES = f"""
select {NOTICE.columns("n")} from notices n
where n.delivered_at is null and n.dead_at is null and n.next_attempt_at <= ?1
  and (n.leased_until is null or n.leased_until <= ?1)
  and not exists (select 1 from notices o where o.connection_id = n.connection_id and o.delivered_at is null
    and o.dead_at is null and (o.created_at, o.id) < (n.created_at, n.id))
order by n.created_at, n.id limit ?2"""
"""The first waiting notice of each connection, if it is due and nobody holds it."""

NOTICES = f"select {NOTICE.columns()} from notices where connection_id = ?1 order by created_at, id"
"""A connection's notices, oldest first."""

AUDIT = f"select {AUDIT_ENTRY.columns()} from audit_entries order by at desc, id desc limit ?1"
"""The newest audit entries."""

AUDIT_OF_CONNECTION = f"""
select {AUDIT_ENTRY.columns()} from audit_entries where connection_id = ?2 order by at desc, id desc limit ?1"""
"""The newest audit entries about one connection."""

# --- sweeping (?1 is a time, ?2 how many at most) --------------------------------------------------------------------

SWEEP_ENDED_TOKENS = """
delete from ended_tokens where serial in (select serial from ended_tokens where keep_until < ?1 limit ?2)"""
"""Ended tokens that could not be used any more anyway."""

SWEEP_SESSIONS = "delete from sessions where digest in (select digest from sessions where expires_at < ?1 limit ?2)"
"""Expired sessions."""

SWEEP_PENDING = """
delete from pending_authorizations where digest in
  (select digest from pending_authorizations where expires_at < ?1 limit ?2)"""
"""Authorization requests that nobody finished."""

SWEEP_FAILURES = """
delete from failure_buckets where digest in (select digest from failure_buckets where expires_at < ?1 limit ?2)"""
"""Counts of failed sign-ins whose window is over."""

SWEEP_CODES = """
delete from grants where id in (select id from grants
  where origin = 'code' and generation = 0 and code_expires_at < ?1 limit ?2)"""
"""Codes that were never exchanged; no other grant of generation 0 matches."""

SWEEP_REVOKED_GRANTS = "delete from grants where id in (select id from grants where revoked_at < ?1 limit ?2)"
"""Grants that ended long ago."""

SWEEP_NOTICES = """
delete from notices where id in (select id from notices
  where (delivered_at is not null or dead_at is not null) and coalesce(delivered_at, dead_at) < ?1 limit ?2)"""
"""Notices that arrived, or were given up, long ago."""

# --- about the database ------------------------------------------------------------------------------------------------

READ_META = "select value from meta where key = ?1"
"""A value about the database itself."""

WRITE_META_ONCE = "insert into meta (key, value) values (?1, ?2) on conflict (key) do nothing"
"""Such a value, unless there is one."""
