"""Statements that PostgreSQL needs otherwise than SQLite, and those that are its own. Marks are numbered from ``$1``."""

from __future__ import annotations

from collections.abc import Mapping

from grantway.server.storage.sql.statements import grants, people, sweeping

_MOVED = """generation = g.generation + 1, previous_moved_at = g.moved_at"""

MOVE_GENERATION = f"""
update grants g set {_MOVED}, moved_at = greatest(g.moved_at, $3), move_key = $4,
  refresh_idle_expires_at = coalesce($5, g.refresh_idle_expires_at)
where g.id = $1 and g.generation = $2 and g.revoked_at is null"""
"""A code is exchanged or a refresh token rotated, once."""

MOVE_GENERATIONS = f"""
with asked as materialized (
  select * from unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[])
    as a (id, generation, moved_at, move_key, idle)),
held as materialized (select h.id from grants h where h.id = any ($1::bytea[]) order by h.id for no key update)
update grants g set {_MOVED}, moved_at = greatest(g.moved_at, a.moved_at), move_key = a.move_key,
  refresh_idle_expires_at = coalesce(a.idle, g.refresh_idle_expires_at)
from asked a join held h on h.id = a.id
where g.id = a.id and g.generation = a.generation and g.revoked_at is null
returning g.id"""
"""The same for many grants, each named once. Rows are locked in one order: batches that meet do not wait in a circle."""

MOVED = "select id, generation, moved_at from grants where id = any ($1::bytea[]) order by id for no key update"
"""Where grants stand whose move was not answered. Locked, because then whoever is still moving them is waited for, and the
commit is answered only when what is seen here has reached the standby, too."""

SWEEP_CODES = """
delete from grants where id = any (array(
  select id from grants where unexchanged_until < $1 order by unexchanged_until limit $2 for update skip locked))"""
"""Codes that nobody exchanged; the column is null for everything else."""

SET_BACK_CODES = "update grants set code_expires_at = null where unexchanged_until > $1"
"""Codes that may have been exchanged since a backup."""

NOW = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint"
"""The database's time."""

LAST_NUMBER_DRAWN = "select case when is_called then last_value else 0 end from audit_entries_sequence"
"""The last number that an entry of the audit got; its transaction may be under way."""

DRAW_TRANSACTION = "select pg_current_xact_id()::text::bigint"
"""A new transaction id: all that have one by now have a lower one."""

OLDEST_TRANSACTION = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
"""Transactions with a lower id are over."""

LAST_RETIRED = "select last from audit_seals where removed_at is not null order by number desc limit 1"
"""Entries with numbers up to this one are retired."""

PARTITIONS = """
select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = 'audit_entries'::regclass"""
"""The parts of the audit by name."""

SWEEP_AUDIT = f"""
delete from audit_entries_default where sequence = any (array(
  select sequence from audit_entries_default where sequence <= ({LAST_RETIRED}) and $1::bigint > 0 limit $2))"""
"""Retired entries of days without a partition of their own; of the others, whole days are dropped."""

INSTEAD: Mapping[str, str] = {
    grants.MOVE_GENERATION: MOVE_GENERATION,
    people.SET_BACK["codes"]: SET_BACK_CODES,
    sweeping.SWEEPS["codes"]: SWEEP_CODES,
    sweeping.SWEEPS["audit_entries"]: SWEEP_AUDIT,
}
"""What stands for a shared statement here."""
