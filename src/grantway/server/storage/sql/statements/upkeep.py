"""Whose turn it is, which grants may be over, and the audit in the order in which it grew."""

from __future__ import annotations

from datetime import timedelta

from grantway.server.storage.keeping import FIRST_LOOK
from grantway.server.storage.sql.records import AUDIT_ENTRY, AUDIT_SEAL, CLIENT, CONNECTION, GRANT

_NEXT_LOOK = f"coalesce(g.look_again_at, g.created_at + {FIRST_LOOK // timedelta(microseconds=1)})"

GRANTS_TO_LOOK_AT = f"""
select {GRANT.columns("g")}, {CONNECTION.columns("c")}, {CLIENT.columns("k")}, (
  select count(*) from foreign_tokens f
  where f.grant_id = g.id and (f.kind = 'access' or g.generation = 0))
from grants g cross join connections c on c.id = g.connection_id cross join clients k on k.id = g.client_id
where g.revoked_at is null and {_NEXT_LOOK} < ?1
order by {_NEXT_LOOK} limit ?2"""
"""Grants that nobody ended and nobody has looked at for long, with how many tokens of an older system hold them."""

LOOK_AGAIN = "update grants set look_again_at = ?2 where id = ?1"
"""Not before then."""

SWEEP_GRANT = """
delete from grants where id = ?1 and generation = ?2 and coalesce(last_used_day, -1) = ?3 and revoked_at is null"""
"""A grant is gone, unless it moved or was used on another day than was read (``?3``; -1: never)."""

SWEEP_ORPHANS = """
delete from foreign_tokens where grant_id = ?1 and not exists (select 1 from grants where id = ?1)"""
"""What of an older system stood for it."""

AUDIT_IN_ORDER = f"""
select sequence, {AUDIT_ENTRY.columns()} from audit_entries where sequence > ?1 order by sequence limit ?2"""
"""Entries as they were added."""

LAST_NUMBER = "select coalesce(max(sequence), 0) from audit_entries"
"""The number of the newest."""

LAST_SEAL = f"select {AUDIT_SEAL.columns()} from audit_seals where number > 0 order by number desc limit 1"
"""The head of the chain."""

SEALS = f"select {AUDIT_SEAL.columns()} from audit_seals where number > ?1 order by number limit ?2"
"""The chain from a seal on."""

KEPT_SEALS = f"""
select {AUDIT_SEAL.columns()} from audit_seals where removed_at is null and number > ?1 order by number limit ?2"""
"""The same, of those whose entries are not retired."""

RETIRE_SEALS = "update audit_seals set removed_at = ?2 where number <= ?1 and removed_at is null"
"""The entries up to this seal may be swept."""
