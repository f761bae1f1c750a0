"""Events, notices in their lines, and attempts.

``head`` is 1 for the first waiting notice of a line and 0 for those that wait behind it, in the order in which they were
added (``sequence``). Whatever changes who waits in a line says so with ``FIRST_IN_LINE`` and, where one that was over comes
back before the first, with ``SECOND_IN_LINE``.
"""

from __future__ import annotations

from grantway.server.storage.sql.records import DELIVERY_ATTEMPT, DUE_NOTICE, NOTICE

_WAITS = "delivered_at is null and dead_at is null"
_FREE = f"id = ?1 and {_WAITS} and (leased_until is null or leased_until <= ?2)"
_IN_LINE = (
    f"select id from notices where line = (select line from notices where id = ?1) and {_WAITS} order by sequence"
)

FIRST_IN_LINE = f"update notices set head = 1 where id = ({_IN_LINE} limit 1) and head = 0"
"""The first that waits in the line of this notice is its head."""

SECOND_IN_LINE = f"update notices set head = 0 where id = ({_IN_LINE} limit 1 offset 1) and head = 1"
"""The second is not, although it was until somebody came before it."""

LEASE_NOTICE = f"update notices set lease = ?3, leased_until = ?4 where {_FREE}"
"""A sender takes a notice that nobody holds."""

PUT_OFF_NOTICE = f"update notices set next_attempt_at = ?3, lease = null, leased_until = null where {_FREE}"
"""A notice that nobody holds is due later."""

DROP_NOTICE = f"""
update notices set dead_at = ?2, last_error = ?3, lease = null, leased_until = null where {_FREE}"""
"""A notice that nobody holds is given up."""

REPORT_DELIVERY = """
update notices set attempts = ?3, last_status = ?4, last_error = ?5, delivered_at = ?6, dead_at = ?7,
  next_attempt_at = coalesce(?8, next_attempt_at), lease = null, leased_until = null
where id = ?1 and lease = ?2"""
"""What came of an attempt, from the sender that holds the notice."""

REPLAY_NOTICE = """
update notices set delivered_at = null, dead_at = null, replayed_at = ?2, next_attempt_at = ?2, head = 0,
  lease = null, leased_until = null
where id = ?1 and (delivered_at is not null or dead_at is not null)"""
"""A notice that was delivered or given up waits again."""

DUE_NOTICES = f"""
select {DUE_NOTICE.columns()} from notices indexed by notices_due
where head = 1 and {_WAITS} and next_attempt_at <= ?1 and (leased_until is null or leased_until <= ?1)
order by next_attempt_at, id limit ?2"""
"""The heads of lines that are due and that nobody holds, longest due first."""

_STATES = {
    "waiting": _WAITS,
    "delivered": "delivered_at is not null",
    "dead": "dead_at is not null",
    "all": "true",
}


def _index(of_connection: bool, of_client: bool, state: str) -> str:
    """Few wait and few are dead, so these are not looked for among all that were ever sent."""
    if state == "waiting":
        return "indexed by notices_waiting"
    if state == "dead":
        return f"indexed by notices_dead{'_by_client' if of_client else ''}"
    if of_connection:
        return "indexed by notices_by_connection"
    return "indexed by notices_by_client" if of_client else ""


def _notices(of_connection: bool, of_client: bool, state: str) -> str:
    connection = "connection_id = ?3" if of_connection else "cast(?3 as blob) is null"
    client = "client_id = ?4" if of_client else "cast(?4 as blob) is null"
    return f"""
select {NOTICE.columns()} from notices {_index(of_connection, of_client, state)}
where {connection} and {client} and {_STATES[state]} and id < ?1 order by id desc limit ?2"""


NOTICES = {
    (of_connection, of_client, state): _notices(of_connection, of_client, state)
    for of_connection in (False, True)
    for of_client in (False, True)
    for state in _STATES
}
"""Notices newest first, by whether a connection (``?3``) and a client (``?4``) are named, and by state."""

ATTEMPTS = f"select {DELIVERY_ATTEMPT.columns()} from delivery_attempts where notice_id = ?1 order by number"
"""The attempts to deliver a notice, oldest first."""
