-- expand
-- Times are integers: microseconds since 1970-01-01T00:00:00Z. Days are integers: days since 1970-01-01. Ids and
-- digests are blobs. Lists and mappings are JSON text. Text compares binary. What is read at every request stands
-- first in its row. Nothing here cascades: records are ended by a time, and sweeping is a statement of its own.

create table meta (
  key text not null primary key,
  value blob not null
) strict, without rowid;

create table users (
  id blob not null primary key,
  version integer not null,
  created_at integer not null,
  disabled_at integer,
  password_version integer not null,
  password_hash text,
  email text not null,
  name text not null
) strict, without rowid;
create unique index users_by_email on users (email);
create index users_by_age on users (created_at);

create table accounts (
  id blob not null primary key,
  version integer not null,
  created_at integer not null,
  suspended_at integer,
  removed_at integer,
  name text not null,
  display_name text,
  subdomain text,
  external_ids text not null,
  settings text not null,
  metadata text
) strict, without rowid;
create index accounts_by_age on accounts (created_at);

create table account_external_ids (
  dialect text not null,
  external_id text not null,
  account_id blob not null,
  primary key (dialect, external_id)
) strict, without rowid;
create index account_external_ids_by_account on account_external_ids (account_id);

create table memberships (
  account_id blob not null,
  user_id blob not null,
  role text not null,
  created_at integer not null,
  primary key (account_id, user_id)
) strict, without rowid;
create index memberships_by_user on memberships (user_id);

create table clients (
  id blob not null primary key,
  version integer not null,
  created_at integer not null,
  disabled_at integer,
  ended_at integer,
  tokens_not_before integer,
  client_id text not null,
  name text not null,
  kind text not null,
  profile text not null,
  confidential integer not null,
  account_id blob,
  key_id text not null,
  secret blob not null,
  secrets text not null,
  overrides text not null,
  redirect_uris text not null,
  remove_url text,
  scopes text not null,
  default_scopes text not null,
  resources text not null
) strict, without rowid;
create unique index clients_by_client_id on clients (client_id);
create index clients_by_age on clients (created_at) where ended_at is null;

create table icons (
  client_id blob not null primary key,
  digest text not null,
  png blob not null
) strict;

create table connections (
  id blob not null primary key,
  version integer not null,
  last_used_day integer,
  client_id blob not null,
  account_id blob not null,
  created_at integer not null,
  suspended_at integer,
  removed_at integer,
  integration_id text not null,
  scope text not null,
  approved_by blob,
  removed_reason text,
  removed_by blob
) strict, without rowid;
create unique index connections_live on connections (client_id, account_id) where removed_at is null;
create unique index connections_by_integration_id on connections (integration_id);
create index connections_by_age on connections (created_at);
create index connections_by_account on connections (account_id, created_at);
create index connections_by_client on connections (client_id, created_at);

create table grants (
  id blob not null primary key,
  generation integer not null,
  moved_at integer,
  previous_moved_at integer,
  move_key blob,
  refresh_idle_expires_at integer,
  last_used_day integer,
  revoked_at integer,
  connection_id blob not null,
  client_id blob not null,
  account_id blob not null,
  user_id blob,
  origin text not null,
  scope text not null,
  resource text not null,
  key_id text not null,
  secret blob not null,
  created_at integer not null,
  code_expires_at integer,
  code_challenge text,
  redirect_uri_digest blob,
  redirect_uri_was_sent integer not null,
  cnf text,
  oidc text,
  refresh_expires_at integer,
  access_not_before integer,
  revoked_reason text,
  revoked_by blob
) strict, without rowid;
create index grants_live on grants (connection_id, user_id) where revoked_at is null;
create index grants_revoked on grants (revoked_at) where revoked_at is not null;
create index grants_unexchanged on grants (code_expires_at) where origin = 'code' and generation = 0;

create table ended_tokens (
  serial blob not null primary key,
  keep_until integer not null
) strict, without rowid;
create index ended_tokens_by_end on ended_tokens (keep_until);

create table pending_authorizations (
  digest blob not null primary key,
  version integer not null,
  browser_digest blob not null,
  client_id blob not null,
  created_at integer not null,
  expires_at integer not null,
  redirect_uri text not null,
  redirect_uri_was_sent integer not null,
  scope text not null,
  resource text not null,
  state text,
  code_challenge text,
  prompt text not null,
  refusal text,
  user_id blob,
  account_id blob,
  grant_id blob
) strict;
create index pending_authorizations_by_end on pending_authorizations (expires_at);

create table sessions (
  digest blob not null primary key,
  user_id blob not null,
  auth_time integer not null,
  expires_at integer not null
) strict, without rowid;
create index sessions_by_end on sessions (expires_at);

create table connection_keys (
  key_id text not null primary key,
  connection_id blob not null,
  digest blob not null,
  created_at integer not null
) strict, without rowid;

create table signing_keys (
  kid text not null primary key,
  version integer not null,
  created_at integer not null,
  signs_from integer not null,
  retires_at integer,
  algorithm text not null,
  key_id text not null,
  private_sealed blob not null,
  public_jwk text not null
) strict;

create table scopes (
  name text not null primary key,
  sensitivity text not null,
  sentences text not null,
  opens text not null,
  withholds text not null
) strict, without rowid;

create table notices (
  id blob not null primary key,
  connection_id blob not null,
  created_at integer not null,
  next_attempt_at integer not null,
  attempts integer not null,
  delivered_at integer,
  dead_at integer,
  lease blob,
  leased_until integer,
  client_id blob not null,
  kind text not null,
  url text not null,
  last_status integer,
  last_error text,
  body blob not null
) strict;
create index notices_waiting on notices (connection_id, created_at, id) where delivered_at is null and dead_at is null;
create index notices_by_connection on notices (connection_id, created_at);
create index notices_over on notices (coalesce(delivered_at, dead_at))
  where delivered_at is not null or dead_at is not null;

create table audit_entries (
  id blob not null primary key,
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
) strict, without rowid;
create index audit_entries_by_time on audit_entries (at);
create index audit_entries_by_connection on audit_entries (connection_id, at) where connection_id is not null;

create table failure_buckets (
  digest blob not null primary key,
  window_start integer not null,
  failures integer not null,
  expires_at integer not null
) strict, without rowid;
create index failure_buckets_by_end on failure_buckets (expires_at);
