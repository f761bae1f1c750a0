-- contract
-- People who come by hand-off, operators, developers, one-time links; the life of a connection; webhooks, resources,
-- events and a queue that stands in lines; operator keys, repeated calls, counts. Listings go by id, which is by age.

-- A person by hand-off may have no address.
create table users_2 (
  id blob not null primary key,
  version integer not null,
  created_at integer not null,
  disabled_at integer,
  password_version integer not null,
  password_hash text,
  email text,
  name text not null,
  external_id text,
  language text
) strict, without rowid;
insert into users_2 (id, version, created_at, disabled_at, password_version, password_hash, email, name)
  select id, version, created_at, disabled_at, password_version, password_hash, email, name from users;
drop table users;
alter table users_2 rename to users;
create unique index users_by_email on users (email) where email is not null;
create unique index users_by_external_id on users (external_id) where external_id is not null;

drop index accounts_by_age;
create index accounts_by_name on accounts (name);

-- Each session has an id of its own by which its person sees and ends it.
create table sessions_2 (
  digest blob not null primary key,
  id blob not null,
  user_id blob not null,
  auth_time integer not null,
  expires_at integer not null,
  label text not null
) strict, without rowid;
insert into sessions_2 (digest, id, user_id, auth_time, expires_at, label)
  select digest, randomblob(16), user_id, auth_time, expires_at, '' from sessions;
drop table sessions;
alter table sessions_2 rename to sessions;
create index sessions_by_end on sessions (expires_at);
create index sessions_by_user on sessions (user_id);

create table operators (
  user_id blob not null primary key,
  role text not null,
  created_at integer not null
) strict, without rowid;

create table one_time_links (
  digest blob not null primary key,
  purpose text not null,
  user_id blob not null,
  created_at integer not null,
  expires_at integer not null,
  email text
) strict, without rowid;
create index one_time_links_by_end on one_time_links (expires_at);
create index one_time_links_by_user on one_time_links (user_id);

create table sign_in_requests (
  digest blob not null primary key,
  version integer not null,
  browser_digest blob not null,
  destination_sealed blob not null,
  key_id text not null,
  created_at integer not null,
  expires_at integer not null,
  user_id blob,
  auth_time integer
) strict, without rowid;
create index sign_in_requests_by_end on sign_in_requests (expires_at);

alter table clients add column required_scopes text not null default '[]';
alter table clients add column submitted_at integer;
alter table clients add column approved_at integer;
update clients set approved_at = created_at;
drop index clients_by_age;
create index clients_by_name on clients (name) where ended_at is null;
create index clients_submitted on clients (submitted_at, id)
  where submitted_at is not null and approved_at is null and ended_at is null;

create table developers (
  client_id blob not null,
  user_id blob not null,
  created_at integer not null,
  added_by blob,
  primary key (client_id, user_id)
) strict, without rowid;
create index developers_by_user on developers (user_id);

create table refused_authorizations (
  client_id blob not null,
  slot integer not null,
  reason text not null,
  detail text not null,
  count integer not null,
  first_at integer not null,
  last_at integer not null,
  primary key (client_id, slot)
) strict, without rowid;

alter table scopes add column events text not null default '[]';

alter table connections add column activated_at integer;
alter table connections add column suspensions text not null default '[]';
update connections set activated_at = created_at;
-- Nobody said who suspended one, so an operator takes it back.
update connections set suspensions = json_array(json_array(suspended_at, 'operator', 'system'))
  where suspended_at is not null;
drop index connections_by_age;
drop index connections_by_account;
drop index connections_by_client;
create index connections_by_account on connections (account_id, id);
create index connections_by_client on connections (client_id, id);
create index connections_live_by_account on connections (account_id, id) where removed_at is null;
-- With removed_at, counting them reads the index alone: the condition itself is not enough for SQLite.
create index connections_live_by_client on connections (client_id, id, removed_at) where removed_at is null;
create index connections_suspended on connections (id) where suspended_at is not null and removed_at is null;
create index connections_removed on connections (id) where removed_at is not null;
create index connections_idle on connections (coalesce(last_used_day, created_at / 86400000000), id)
  where removed_at is null and activated_at is not null;
create index connections_pending on connections (created_at, id) where removed_at is null and activated_at is null;

create table webhooks (
  id blob not null primary key,
  version integer not null,
  connection_id blob not null,
  client_id blob not null,
  created_at integer not null,
  disabled_at integer,
  ended_at integer,
  dialect text not null,
  api_version text not null,
  url text not null,
  events text not null,
  options text not null,
  key_id text not null,
  secret blob not null,
  previous_secret blob,
  previous_until integer
) strict, without rowid;
create index webhooks_live on webhooks (connection_id, id) where ended_at is null;
create index webhooks_ended on webhooks (ended_at) where ended_at is not null;

create table resources (
  id blob not null primary key,
  version integer not null,
  connection_id blob not null,
  grant_id blob,
  kind text not null,
  reference text not null,
  created_at integer not null,
  cancelled_at integer,
  cancelled_reason text,
  url text,
  metadata text not null
) strict, without rowid;
create unique index resources_live on resources (connection_id, kind, reference) where cancelled_at is null;
create index resources_by_connection on resources (connection_id, id);
create index resources_cancelled on resources (cancelled_at) where cancelled_at is not null;

create table events (
  id blob not null primary key,
  account_id blob not null,
  created_at integer not null,
  type text not null,
  ordering_key text,
  "to" integer not null,
  key_id text not null,
  payload_sealed blob not null
) strict;
create index events_by_age on events (created_at);

-- A line keeps the order in which its notices were added (ids of one millisecond have none). Of a line only the head is
-- in the index of what is due, so that a long line costs no more to look at than a short one.
create table notices_2 (
  sequence integer primary key,
  id blob not null unique,
  line blob not null,
  head integer not null,
  connection_id blob,
  client_id blob,
  webhook_id blob,
  event_id blob,
  user_id blob,
  kind text not null,
  created_at integer not null,
  next_attempt_at integer not null,
  replayed_at integer,
  attempts integer not null,
  delivered_at integer,
  dead_at integer,
  lease blob,
  leased_until integer,
  last_status integer,
  last_error text,
  url text not null,
  body blob not null
) strict;
insert into notices_2 (id, line, head, connection_id, client_id, kind, created_at, next_attempt_at, attempts, delivered_at,
    dead_at, lease, leased_until, last_status, last_error, url, body)
  select id, connection_id, 0, connection_id, client_id, kind, created_at, next_attempt_at, attempts, delivered_at,
    dead_at, lease, leased_until, last_status, last_error, url, body from notices order by created_at, id;
drop table notices;
alter table notices_2 rename to notices;
-- What is waiting and what is dead is counted in the index alone, which takes the columns of its condition as well.
create index notices_waiting on notices (line, sequence, delivered_at, dead_at)
  where delivered_at is null and dead_at is null;
update notices set head = 1 where delivered_at is null and dead_at is null and not exists (
  select 1 from notices o where o.line = notices.line and o.delivered_at is null and o.dead_at is null
    and o.sequence < notices.sequence);
create index notices_due on notices (next_attempt_at, id) where head = 1 and delivered_at is null and dead_at is null;
create index notices_by_connection on notices (connection_id, id) where connection_id is not null;
create index notices_by_client on notices (client_id, id) where client_id is not null;
create index notices_dead on notices (id, dead_at) where dead_at is not null;
create index notices_dead_by_client on notices (client_id, id) where dead_at is not null and client_id is not null;
create index notices_over on notices (coalesce(delivered_at, dead_at))
  where delivered_at is not null or dead_at is not null;

create table delivery_attempts (
  notice_id blob not null,
  number integer not null,
  at integer not null,
  milliseconds integer not null,
  status integer,
  error text,
  answer text not null,
  primary key (notice_id, number)
) strict, without rowid;

create table operator_keys (
  id blob not null primary key,
  version integer not null,
  created_at integer not null,
  expires_at integer,
  revoked_at integer,
  last_used_day integer,
  digest blob not null,
  name text not null,
  scopes text not null
) strict, without rowid;

create table idempotent_answers (
  digest blob not null primary key,
  request_digest blob not null,
  status integer not null,
  created_at integer not null,
  expires_at integer not null,
  key_id text not null,
  body_sealed blob not null
) strict;
create index idempotent_answers_by_end on idempotent_answers (expires_at);

create table tallies (
  hour integer not null,
  kind text not null,
  label text not null,
  count integer not null,
  primary key (hour, kind, label)
) strict, without rowid;

drop index audit_entries_by_time;
drop index audit_entries_by_connection;
create index audit_entries_by_connection on audit_entries (connection_id, id) where connection_id is not null;
create index audit_entries_by_client on audit_entries (client_id, id) where client_id is not null;
create index audit_entries_by_account on audit_entries (account_id, id) where account_id is not null;
create index audit_entries_by_user on audit_entries (user_id, id) where user_id is not null;
create index audit_entries_by_actor on audit_entries (actor, id);
create index audit_entries_by_reason on audit_entries (reason, id) where reason is not null;
create index audit_entries_by_action on audit_entries (action, id);
