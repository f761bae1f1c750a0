"""What can have no effect any more. ``?1`` is a time before which it was over, ``?2`` how many go at most."""

from __future__ import annotations

from grantway.server.storage.keeping import (
    CANCELLED_RESOURCES_KEPT,
    CODES_KEPT,
    ENDED_GRANTS_KEPT,
    ENDED_WEBHOOKS_KEPT,
    EVENTS_KEPT,
    FOREIGN_TOKENS_KEPT,
    NOTICES_KEPT,
    REMOVED_CONNECTIONS_KEPT,
    TALLIES_BY_HOUR,
    TALLIES_KEPT,
)


def _oldest(table: str, key: str, over: str, among: str = "", then: str | None = None) -> str:
    """Which rows go next: those that were over first, and of several at the same time always the same ones (by ``then``, else by
    their key). Two statements of a transaction mean the same rows, and an index in this order is read no further than they go."""
    first = f"{among} and " if among else ""
    return f"select {key} from {table} where {first}{over} < ?1 order by {over}, {then or key} limit ?2"


def _sweep(table: str, key: str, over: str, among: str = "", then: str | None = None) -> str:
    """Rows that are over go, found by the index of what makes them so."""
    named = f"({key})" if "," in key else key
    return f"delete from {table} where {named} in ({_oldest(table, key, over, among, then)})"


_NOTICE_IS_OVER = ("coalesce(delivered_at, dead_at)", "(delivered_at is not null or dead_at is not null)", "sequence")

# Rows of a day's midnight are what the others are added to. A day is not begun before all of it is that old.
_DAY = 86_400_000_000
_HOURLY = f"hour < ?1 / {_DAY} * {_DAY} and hour % {_DAY} <> 0"
_OLDEST_HOURLY = f"from tallies where {_HOURLY} order by hour, kind, label limit ?2"

ADD_UP_TALLIES = f"""
insert into tallies (hour, kind, label, count)
select hour / {_DAY} * {_DAY}, kind, label, cast(sum(count) as bigint) from (select * {_OLDEST_HOURLY}) as oldest where true group by 1, 2, 3
on conflict (hour, kind, label) do update set count = tallies.count + excluded.count"""
"""The counts of just the hours that go next, by the day."""

SWEEP_ATTEMPTS = f"""
delete from delivery_attempts where notice_id in ({_oldest("notices", "id", *_NOTICE_IS_OVER)})"""
"""The attempts of just the notices that go next."""

SWEEP_FOREIGN_TOKENS = f"""
delete from foreign_tokens where grant_id in ({_oldest("grants", "id", "revoked_at")})"""
"""What stands for just the grants that go next."""

# What still hangs from one keeps it: grants go by themselves before.
_LEFT_BEHIND = """select id from connections c where c.removed_at is not null and c.removed_at < ?1 and not exists (
  select 1 from grants g where g.connection_id = c.id and g.revoked_at is null) order by c.removed_at, c.id limit ?2"""

SWEEP_CONNECTION_KEYS = f"delete from connection_keys where connection_id in ({_LEFT_BEHIND})"
"""The keys of just the connections that go next."""

SWEEPS = {
    "ended_tokens": _sweep("ended_tokens", "serial", "keep_until"),
    "foreign_tokens": _sweep("foreign_tokens", "digest", "expires_at"),
    "sessions": _sweep("sessions", "digest", "expires_at"),
    "one_time_links": _sweep("one_time_links", "digest", "expires_at"),
    "sign_in_requests": _sweep("sign_in_requests", "digest", "expires_at"),
    "pending_authorizations": _sweep("pending_authorizations", "digest", "expires_at"),
    "failure_buckets": _sweep("failure_buckets", "digest", "expires_at"),
    "idempotent_answers": _sweep("idempotent_answers", "digest", "expires_at"),
    # No other grant of generation 0 has the origin.
    "codes": _sweep("grants", "id", "code_expires_at", "origin = 'code' and generation = 0"),
    "revoked_grants": _sweep("grants", "id", "revoked_at"),
    "notices": _sweep("notices", "id", *_NOTICE_IS_OVER),
    "events": _sweep("events", "id", "created_at"),
    "connections": f"delete from connections where id in ({_LEFT_BEHIND})",
    "audit_entries": """
delete from audit_entries where sequence in (select sequence from audit_entries where sequence <= (
  select last from audit_seals where removed_at is not null and removed_at < ?1 and number > 0 order by number desc limit 1) limit ?2)""",
    "webhooks": _sweep("webhooks", "id", "ended_at"),
    "resources": _sweep("resources", "id", "cancelled_at"),
    "tallies": _sweep("tallies", "hour, kind, label", "hour", then="kind, label"),
    "hourly_tallies": f"delete from tallies where (hour, kind, label) in (select hour, kind, label {_OLDEST_HOURLY})",
}
"""The rows of each kind that go."""

BEFORE = {
    "revoked_grants": SWEEP_FOREIGN_TOKENS,
    "notices": SWEEP_ATTEMPTS,
    "connections": SWEEP_CONNECTION_KEYS,
    "hourly_tallies": ADD_UP_TALLIES,
}
"""What is done first, in the same transaction."""

KEPT = {
    "codes": CODES_KEPT,
    "revoked_grants": ENDED_GRANTS_KEPT,
    "foreign_tokens": FOREIGN_TOKENS_KEPT,
    "notices": NOTICES_KEPT,
    "events": EVENTS_KEPT,
    "connections": REMOVED_CONNECTIONS_KEPT,
    "webhooks": ENDED_WEBHOOKS_KEPT,
    "resources": CANCELLED_RESOURCES_KEPT,
    "tallies": TALLIES_KEPT,
    "hourly_tallies": TALLIES_BY_HOUR,
}
"""How long they are kept after they are over; the others go at once."""
