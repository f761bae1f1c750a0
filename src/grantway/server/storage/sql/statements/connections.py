"""Connections, and what lives by them."""

from __future__ import annotations

from grantway.server.storage.sql.records import ACCOUNT, CLIENT, CONNECTION, RESOURCE, USER, WEBHOOK

REMOVE_CONNECTION = """
update connections set removed_at = ?2, removed_reason = ?3, removed_by = ?4, version = version + 1
where id = ?1 and removed_at is null"""
"""A connection is over, once."""

END_WEBHOOKS = "update webhooks set ended_at = ?2, version = version + 1 where connection_id = ?1 and ended_at is null"
"""All live webhooks of a connection are over."""

CANCEL_RESOURCES = """
update resources set cancelled_at = ?2, cancelled_reason = ?3, version = version + 1
where connection_id = ?1 and cancelled_at is null"""
"""All live resources of a connection are cancelled."""

TOUCH_CONNECTION = (
    "update connections set last_used_day = ?2 where id = ?1 and (last_used_day is null or last_used_day < ?2)"
)
"""A connection was used on this day, unless it was used later."""

VIEW = f"{CONNECTION.columns('c')}, {CLIENT.columns('k')}, {ACCOUNT.columns('a')}, {USER.columns('u')}"
_BESIDE = """
  cross join clients k on k.id = c.client_id cross join accounts a on a.id = c.account_id
  left join users u on u.id = c.approved_by"""
_VIEW = f"select {VIEW} from connections c{_BESIDE}"

CONNECTION_VIEW = f"{_VIEW} where c.id = ?1"
"""A connection with client, account and who approved it."""

CONNECTION_VIEW_BY_INTEGRATION_ID = f"{_VIEW} where c.integration_id = ?1"
"""The same by integration id."""

LIVE_CONNECTION = f"""
select {CONNECTION.columns()} from connections where client_id = ?1 and account_id = ?2 and removed_at is null"""
"""The one live connection of a client and an account."""

_STATES = {
    "live": "c.removed_at is null",
    "suspended": "c.suspended_at is not null and c.removed_at is null",
    "removed": "c.removed_at is not null",
    "all": "true",
}


def _of(of_account: bool, of_client: bool, state: str) -> str:
    """Accounts have few connections and clients many, of which few are suspended: a plus keeps from the wrong index."""
    by_client = not of_account and state != "suspended"
    account = "c.account_id = ?3" if of_account else "cast(?3 as blob) is null"
    client = f"{'' if by_client else '+'}c.client_id = ?4" if of_client else "cast(?4 as blob) is null"
    return f"{account} and {client}"


CONNECTIONS = {
    (of_account, of_client, state): f"{_VIEW} where {_of(of_account, of_client, state)} and {such} and c.id < ?1"
    " order by c.id desc limit ?2"
    for of_account in (False, True)
    for of_client in (False, True)
    for state, such in _STATES.items()
}
"""Connections newest first, by whether an account (``?3``) and a client (``?4``) are named, and by state."""

CONNECTIONS_APPROVED_BY = f"""
select {CONNECTION.columns("c")} from connections c
where c.account_id = ?2 and c.removed_at is null and exists (
  select 1 from grants g where g.connection_id = c.id and g.user_id = ?1 and g.revoked_at is null)
order by c.id"""
"""Live connections of an account under which a user has live grants, oldest first."""

IDLE_CONNECTIONS = f"""
{_VIEW}
where c.removed_at is null and c.activated_at is not null
  and coalesce(c.last_used_day, c.created_at / 86400000000) < ?1
order by coalesce(c.last_used_day, c.created_at / 86400000000), c.id limit ?2"""
"""Live, active connections that were last used, or made, before a day; longest idle first."""

ABANDONED_CONNECTIONS = f"""
{_VIEW}
where c.removed_at is null and c.activated_at is null and c.created_at < ?1 and not exists (
  select 1 from grants g where g.connection_id = c.id and g.revoked_at is null and g.generation = 0
    and g.code_expires_at > ?2 limit 1 offset 0)
order by c.created_at, c.id limit ?3"""
"""Live connections made before a time (``?1``) that never had a token and have no code that is still good (``?2``).

The offset keeps PostgreSQL from joining all grants: each connection's are looked up.
"""

WEBHOOK_VIEW = f"""
select {WEBHOOK.columns("w")}, {VIEW} from webhooks w cross join connections c on c.id = w.connection_id{_BESIDE}
where w.id = ?1"""
"""A webhook with its connection."""

WEBHOOKS = f"select {WEBHOOK.columns()} from webhooks where connection_id = ?1 and ended_at is null order by id"
"""A connection's webhooks that are not ended, oldest first."""

WEBHOOKS_OF_ACCOUNT = f"""
select {WEBHOOK.columns("w")}, {CONNECTION.columns("c")}
from connections c cross join webhooks w on w.connection_id = c.id
where c.account_id = ?1 and c.removed_at is null and w.ended_at is null and w.disabled_at is null order by w.id"""
"""Webhooks that hear of an account, oldest first, with their connections."""

RESOURCE_BY_REFERENCE = f"""
select {RESOURCE.columns()} from resources
where connection_id = ?1 and kind = ?2 and reference = ?3 and cancelled_at is null"""
"""The live resource of a connection that the platform knows by this reference."""

RESOURCES = {
    live: f"select {RESOURCE.columns()} from resources indexed by resources_by_connection where connection_id = ?1"
    f"{' and cancelled_at is null' if live else ''} order by id limit ?2"
    for live in (True, False)
}
"""A connection's resources, oldest first, by whether only live ones are asked for."""
