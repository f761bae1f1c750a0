-- expand
-- Whose turn it is to keep house, when an unused grant is looked at again, people who were erased, the audit in order
-- and sealed.

create table leases (
  name text not null primary key,
  owner blob not null,
  until integer not null
) strict, without rowid;

alter table users add column erased_at integer;

alter table grants add column look_again_at integer;
-- For the first time a month after it was made.
create index grants_to_look_at on grants (coalesce(look_again_at, created_at + 2592000000000)) where revoked_at is null;

create index connections_over on connections (removed_at) where removed_at is not null;
create index connection_keys_by_connection on connection_keys (connection_id);

-- The order in which entries were added is what seals go by; an id tells only about when. A number is never given twice,
-- whatever was removed.
create table audit_entries_2 (
  sequence integer primary key autoincrement,
  id blob not null unique,
  at integer not null,
  actor text not null,
  action text not null,
  reason text,
  client_id blob,
  account_id blob,
  connection_id blob,
  grant_id blob,
  user_id blob,
  detail text not null
) strict;
insert into audit_entries_2 (id, at, actor, action, reason, client_id, account_id, connection_id, grant_id, user_id, detail)
  select id, at, actor, action, reason, client_id, account_id, connection_id, grant_id, user_id, detail
  from audit_entries order by id;
drop table audit_entries;
alter table audit_entries_2 rename to audit_entries;
create index audit_entries_by_connection on audit_entries (connection_id, id) where connection_id is not null;
create index audit_entries_by_client on audit_entries (client_id, id) where client_id is not null;
create index audit_entries_by_account on audit_entries (account_id, id) where account_id is not null;
create index audit_entries_by_user on audit_entries (user_id, id) where user_id is not null;
create index audit_entries_by_reason on audit_entries (reason, id) where reason is not null;
create index audit_entries_by_action on audit_entries (action, id);
-- What people did. What integrations did is found by their client, and is most of it.
create index audit_entries_by_actor on audit_entries (actor, id) where actor >= 'us_' and actor < 'us`';

create table audit_seals (
  number integer not null primary key,
  first integer not null,
  last integer not null,
  count integer not null,
  day integer not null,
  digest blob not null,
  previous blob not null,
  hash blob not null,
  sealed_at integer not null,
  removed_at integer
) strict;
create index audit_seals_kept on audit_seals (number) where removed_at is null;
create index audit_seals_removed on audit_seals (number, removed_at) where removed_at is not null;
