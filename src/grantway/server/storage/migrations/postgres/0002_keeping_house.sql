-- expand
-- Whose turn it is to keep house, when an unused grant is looked at again, people who were erased, the audit in order
-- and sealed.

create table leases (
  name text collate "C" not null primary key,
  owner bytea not null,
  until bigint not null
);

alter table users add column erased_at bigint;

alter table grants add column look_again_at bigint;
-- For the first time a month after it was made.
create index grants_to_look_at on grants (coalesce(look_again_at, created_at + 2592000000000)) where revoked_at is null;

create index connections_over on connections (removed_at) where removed_at is not null;
create index connection_keys_by_connection on connection_keys (connection_id);

-- The order of numbers is not that of commits. But whoever has a number has a transaction id by then (a case decides in
-- order), so once all transactions that were under way when a number was the last are over, nothing comes before it.
create sequence audit_entries_sequence;
alter table audit_entries add column sequence bigint not null
  default (case when pg_current_xact_id() is not null then nextval('audit_entries_sequence') end);
create index audit_entries_by_sequence on audit_entries (sequence);
-- What people did. What integrations did is found by their client, and is most of it.
drop index audit_entries_by_actor;
create index audit_entries_by_actor on audit_entries (actor, id) where actor >= 'us_' and actor < 'us`';

create table audit_seals (
  number bigint not null primary key,
  first bigint not null,
  last bigint not null,
  count bigint not null,
  day bigint not null,
  digest bytea not null,
  previous bytea not null,
  hash bytea not null,
  sealed_at bigint not null,
  removed_at bigint
);
create index audit_seals_kept on audit_seals (number) where removed_at is null;
create index audit_seals_removed on audit_seals (number, removed_at) where removed_at is not null;
