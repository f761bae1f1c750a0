"""Grants and the tokens that hang from them."""

from __future__ import annotations

from grantway.server.storage.sql.records import ACCOUNT, CLIENT, CONNECTION, GRANT, USER

MOVE_GENERATION = """
update grants set generation = generation + 1, previous_moved_at = moved_at,
  moved_at = max(coalesce(moved_at, ?3), ?3), move_key = ?4,
  refresh_idle_expires_at = coalesce(?5, refresh_idle_expires_at)
where id = ?1 and generation = ?2 and revoked_at is null"""
"""A code is exchanged or a refresh token rotated, once."""

MOVE_AHEAD = """
update grants set generation = ?6, previous_moved_at = moved_at,
  moved_at = case when moved_at > ?3 then moved_at else ?3 end, move_key = ?4,
  refresh_idle_expires_at = coalesce(?5, refresh_idle_expires_at)
where id = ?1 and generation = ?2 and revoked_at is null"""
"""A grant follows a token that knows more than its row."""

END_GRANT = (
    "update grants set revoked_at = ?2, revoked_reason = ?3, revoked_by = ?4 where id = ?1 and revoked_at is null"
)
"""A grant is over; the first end stands."""

END_USER_GRANTS = """
update grants set revoked_at = ?3, revoked_reason = ?4, revoked_by = null
where connection_id = ?1 and user_id = ?2 and revoked_at is null and (?5 = 0 or (origin = 'code' and generation = 0))"""
"""All live grants of one user under one connection are over; ``?5``: only codes that were not exchanged."""

TOUCH_GRANT = "update grants set last_used_day = ?2 where id = ?1 and (last_used_day is null or last_used_day < ?2)"
"""A grant was used on this day, unless it was used later."""

GRANT_IN_USE = f"""
select {GRANT.columns("g")}, {CONNECTION.columns("c")}, {ACCOUNT.columns("a")}, u.version, k.version
from grants g join connections c on c.id = g.connection_id join accounts a on a.id = g.account_id
join clients k on k.id = g.client_id left join users u on u.id = g.user_id
where g.id = ?1"""
"""A grant, its connection and account, and which versions of user and client hold now: there are fewer of them than of
grants, so they have mostly been read before. Every use of a token asks this."""

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

PERMANENT_GRANTS = f"""
select {GRANT.columns("g")} from grants g join connections c on c.id = g.connection_id
where g.client_id = ?1 and g.origin = 'permanent' and g.revoked_at is null and c.removed_at is null
  and (cast(?2 as blob) is null or g.account_id = ?2)
order by g.id limit 1000"""
"""What stands behind the tokens without end of a client, oldest first."""

COUNT_LIVE_GRANTS = "select count(*) from grants where connection_id = ?1 and revoked_at is null"
"""How many grants a connection has that are not revoked."""

HAS_LIVE_GRANT_BESIDE = """
select 1 from grants
where connection_id = ?1 and revoked_at is null and (cast(?2 as blob) is null or id <> ?2)
  and (cast(?3 as blob) is null or user_id is not ?3)
  and not (origin = 'code' and generation = 0 and code_expires_at is not null and code_expires_at <= ?4)
limit 1"""
"""Whether a connection has a live grant, dead codes aside, that is neither this one nor of this user."""
