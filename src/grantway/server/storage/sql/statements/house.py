"""Keys, counts and the audit."""

from __future__ import annotations

from collections.abc import Mapping

from grantway.server.storage.sql.records import AUDIT_ENTRY, OPERATOR_KEY, RESTORATION, SIGNING_KEY

TOUCH_OPERATOR_KEY = (
    "update operator_keys set last_used_day = ?2 where id = ?1 and (last_used_day is null or last_used_day < ?2)"
)
"""An operator key was used on this day, unless it was used later."""

ADD_TALLY = """
insert into tallies (hour, kind, label, count) values (?1, ?2, ?3, ?4)
on conflict (hour, kind, label) do update set count = tallies.count + excluded.count"""
"""So many more in one hour."""

SIGNING_KEY_VERSIONS = """
select kid, version, created_at from signing_keys where retires_at is null or retires_at > ?1 order by signs_from, kid"""
"""Which keys are in force: enough when the same ones have been read before."""

SIGNING_KEYS = f"""
select {SIGNING_KEY.columns()} from signing_keys where retires_at is null or retires_at > ?1 order by signs_from, kid"""
"""The keys in force."""

OPERATOR_KEYS = f"select {OPERATOR_KEY.columns()} from operator_keys order by id desc limit 1000"
"""All operator keys, newest first."""

RESTORATION_THAT_COUNTS = f"""
select {RESTORATION.columns()} from restorations where until > ?1 order by restored_at desc limit 1"""
"""The last time that the database was set back, while that counts."""

TALLIES = """
select hour / ?3 * ?3, kind, label, cast(sum(count) as bigint) from tallies where hour >= ?1 and (cast(?2 as text) is null or kind = ?2)
group by 1, kind, label order by 1, kind, label"""
"""Counts since an hour, of one kind or of all, added up for so many microseconds."""

# Their index holds people only; both ends say so in words that a planner can compare.
_DONE = "(actor = ?5 and actor >= 'us_' and actor < 'us`')"
_CRITERIA = {
    "connection": ("?3", "blob", "connection_id = ?3"),
    "user": ("?4", "blob", f"(user_id = ?4 or {_DONE})"),
    "account": ("?6", "blob", "account_id = ?6"),
    "client": ("?7", "blob", "client_id = ?7"),
    "reason": ("?8", "text", "reason = ?8"),
    "action": ("?9", "text", "action = ?9"),
}


def _audit(what: str, found: str, by: str | None = None) -> str:
    """The newest entries by the index of one criterion; each other one has to fit if it is named."""
    others = "".join(
        f" and (cast({mark} as {kind}) is null or {fits})"
        for each, (mark, kind, fits) in _CRITERIA.items()
        if each != by
    )
    return f"select {what} from audit_entries where {found} and id < ?1{others} order by id desc limit ?2"


_COLUMNS = AUDIT_ENTRY.columns()
# What a person did and what was done to them are two indexes.
_OF_USER = f"""
select {_COLUMNS} from audit_entries where id in (
  select id from ({_audit("id", "user_id = ?4", "user")}) as undergone
  union select id from ({_audit("id", _DONE, "user")}) as done)
order by id desc limit ?2"""

AUDIT: Mapping[str | None, str] = {
    **{by: _OF_USER if by == "user" else _audit(_COLUMNS, fits, by) for by, (_, _, fits) in _CRITERIA.items()},
    None: _audit(_COLUMNS, "true"),
}
"""Audit entries newest first, by the criterion that finds them; ``None`` if none is named."""

AUDIT_COUNT = {
    by: f"select count(*) from (select 1 from audit_entries where {each} limit 10000) as found"
    for by, (mark, _, fits) in _CRITERIA.items()
    for each in (fits.replace(mark, "?1").replace("?5", "?2"),)
}
"""How many entries a criterion finds, as far as it matters for which of them finds. ``?2`` is a user as an actor."""
