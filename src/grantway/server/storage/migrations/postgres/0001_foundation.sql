-- expand
-- The schema of SQLite after its 0003, on PostgreSQL. Times are microseconds since 1970-01-01T00:00:00Z, days are days since
-- 1970-01-01, lists and mappings JSON text, as in SQLite: one way of writing records down for both. Text compares binary
-- whatever the locale. Nothing cascades: records are ended by a time, and sweeping is a statement of its own.

-- people

create table users (
  id bytea not null primary key,
  version bigint not null,
  created_at bigint not null,
  disabled_at bigint,
  password_version bigint not null,
  password_hash text collate "C",
  email text collate "C",
  name text collate "C" not null,
  external_id text collate "C",
  language text collate "C"
);
create unique index users_by_email on users (email) where email is not null;
create unique index users_by_external_id on users (external_id) where external_id is not null;

create table accounts (
  id bytea not null primary key,
  version bigint not null,
  created_at bigint not null,
  suspended_at bigint,
  removed_at bigint,
  name text collate "C" not null,
  display_name text collate "C",
  subdomain text collate "C",
  external_ids text collate "C" not null,
  settings text collate "C" not null,
  metadata text collate "C"
);
create index accounts_by_name on accounts (name);

create table account_external_ids (
  dialect text collate "C" not null,
  external_id text collate "C" not null,
  account_id bytea not null,
  primary key (dialect, external_id)
);
create index account_external_ids_by_account on account_external_ids (account_id);

create table memberships (
  account_id bytea not null,
  user_id bytea not null,
  role text collate "C" not null,
  created_at bigint not null,
  external_ids text collate "C" not null,
  primary key (account_id, user_id)
);
create index memberships_by_user on memberships (user_id);

create table operators (
  user_id bytea not null primary key,
  role text collate "C" not null,
  created_at bigint not null
);

create table sessions (
  digest bytea not null primary key,
  id bytea not null,
  user_id bytea not null,
  auth_time bigint not null,
  expires_at bigint not null,
  label text collate "C" not null
);
create index sessions_by_end on sessions (expires_at);
create index sessions_by_user on sessions (user_id);

create table one_time_links (
  digest bytea not null primary key,
  purpose text collate "C" not null,
  user_id bytea not null,
  created_at bigint not null,
  expires_at bigint not null,
  email text collate "C"
);
create index one_time_links_by_end on one_time_links (expires_at);
create index one_time_links_by_user on one_time_links (user_id);

create table sign_in_requests (
  digest bytea not null primary key,
  version bigint not null,
  browser_digest bytea not null,
  destination_sealed bytea not null,
  key_id text collate "C" not null,
  created_at bigint not null,
  expires_at bigint not null,
  user_id bytea,
  auth_time bigint
);
create index sign_in_requests_by_end on sign_in_requests (expires_at);

create table failure_buckets (
  digest bytea not null primary key,
  window_start bigint not null,
  failures bigint not null,
  expires_at bigint not null
);
create index failure_buckets_by_end on failure_buckets (expires_at);

-- clients

create table clients (
  id bytea not null primary key,
  version bigint not null,
  created_at bigint not null,
  disabled_at bigint,
  ended_at bigint,
  tokens_not_before bigint,
  client_id text collate "C" not null,
  name text collate "C" not null,
  kind text collate "C" not null,
  profile text collate "C" not null,
  confidential smallint not null,
  account_id bytea,
  key_id text collate "C" not null,
  secret bytea not null,
  secrets text collate "C" not null,
  overrides text collate "C" not null,
  redirect_uris text collate "C" not null,
  remove_url text collate "C",
  scopes text collate "C" not null,
  default_scopes text collate "C" not null,
  resources text collate "C" not null,
  required_scopes text collate "C" not null,
  submitted_at bigint,
  approved_at bigint
);
create unique index clients_by_client_id on clients (client_id);
create index clients_by_name on clients (name) where ended_at is null;
create index clients_submitted on clients (submitted_at, id)
  where submitted_at is not null and approved_at is null and ended_at is null;
create index clients_by_account on clients (account_id, id) where account_id is not null and ended_at is null;

create table icons (
  client_id bytea not null primary key,
  digest text collate "C" not null,
  png bytea not null
);

create table developers (
  client_id bytea not null,
  user_id bytea not null,
  created_at bigint not null,
  added_by bytea,
  primary key (client_id, user_id)
);
create index developers_by_user on developers (user_id);

create table refused_authorizations (
  client_id bytea not null,
  slot bigint not null,
  reason text collate "C" not null,
  detail text collate "C" not null,
  count bigint not null,
  first_at bigint not null,
  last_at bigint not null,
  primary key (client_id, slot)
);

create table scopes (
  name text collate "C" not null primary key,
  sensitivity text collate "C" not null,
  sentences text collate "C" not null,
  opens text collate "C" not null,
  withholds text collate "C" not null,
  events text collate "C" not null
);

-- connections and what lives by them

create table connections (
  id bytea not null primary key,
  version bigint not null,
  last_used_day integer,
  client_id bytea not null,
  account_id bytea not null,
  created_at bigint not null,
  suspended_at bigint,
  removed_at bigint,
  integration_id text collate "C" not null,
  scope text collate "C" not null,
  approved_by bytea,
  removed_reason text collate "C",
  removed_by bytea,
  activated_at bigint,
  suspensions text collate "C" not null
);
create unique index connections_live on connections (client_id, account_id) where removed_at is null;
create unique index connections_by_integration_id on connections (integration_id);
create index connections_by_account on connections (account_id, id);
create index connections_by_client on connections (client_id, id);
create index connections_live_by_account on connections (account_id, id) where removed_at is null;
create index connections_live_by_client on connections (client_id, id, removed_at) where removed_at is null;
create index connections_suspended on connections (id) where suspended_at is not null and removed_at is null;
create index connections_removed on connections (id) where removed_at is not null;
create index connections_idle on connections (coalesce(last_used_day, created_at / 86400000000), id)
  where removed_at is null and activated_at is not null;
create index connections_pending on connections (created_at, id) where removed_at is null and activated_at is null;

create table connection_keys (
  key_id text collate "C" not null primary key,
  connection_id bytea not null,
  digest bytea not null,
  created_at bigint not null
);

create table webhooks (
  id bytea not null primary key,
  version bigint not null,
  connection_id bytea not null,
  client_id bytea not null,
  created_at bigint not null,
  disabled_at bigint,
  ended_at bigint,
  dialect text collate "C" not null,
  api_version text collate "C" not null,
  url text collate "C" not null,
  events text collate "C" not null,
  options text collate "C" not null,
  key_id text collate "C" not null,
  secret bytea not null,
  previous_secret bytea,
  previous_until bigint
);
create index webhooks_live on webhooks (connection_id, id) where ended_at is null;
create index webhooks_ended on webhooks (ended_at) where ended_at is not null;

create table resources (
  id bytea not null primary key,
  version bigint not null,
  connection_id bytea not null,
  grant_id bytea,
  kind text collate "C" not null,
  reference text collate "C" not null,
  created_at bigint not null,
  cancelled_at bigint,
  cancelled_reason text collate "C",
  url text collate "C",
  metadata text collate "C" not null
);
create unique index resources_live on resources (connection_id, kind, reference) where cancelled_at is null;
create index resources_by_connection on resources (connection_id, id);
create index resources_cancelled on resources (cancelled_at) where cancelled_at is not null;

-- grants

-- A refresh changes no column that an index names, in its condition either, and finds room on its page: it is a heap-only
-- update, which leaves nothing behind in the indexes. That is why what finds unexchanged codes is a column of its own.
create table grants (
  id bytea not null primary key,
  generation bigint not null,
  moved_at bigint,
  previous_moved_at bigint,
  move_key bytea,
  refresh_idle_expires_at bigint,
  last_used_day integer,
  revoked_at bigint,
  connection_id bytea not null,
  client_id bytea not null,
  account_id bytea not null,
  user_id bytea,
  origin text collate "C" not null,
  scope text collate "C" not null,
  resource text collate "C" not null,
  key_id text collate "C" not null,
  secret bytea not null,
  created_at bigint not null,
  code_expires_at bigint,
  code_challenge text collate "C",
  redirect_uri_digest bytea,
  redirect_uri_was_sent smallint not null,
  cnf text collate "C",
  oidc text collate "C",
  refresh_expires_at bigint,
  access_not_before bigint,
  revoked_reason text collate "C",
  revoked_by bytea,
  unexchanged_until bigint generated always as (
    case when origin = 'code' and generation = 0 then code_expires_at end) stored
) with (fillfactor = 85);
create index grants_live on grants (connection_id, user_id) where revoked_at is null;
create index grants_revoked on grants (revoked_at) where revoked_at is not null;
create index grants_unexchanged on grants (unexchanged_until) where unexchanged_until is not null;
create index grants_permanent on grants (client_id, id) where origin = 'permanent' and revoked_at is null;

create table ended_tokens (
  serial bytea not null primary key,
  keep_until bigint not null,
  ends_at bigint
);
create index ended_tokens_by_end on ended_tokens (keep_until);

create table foreign_tokens (
  digest bytea not null primary key,
  grant_id bytea not null,
  kind text collate "C" not null,
  created_at bigint not null,
  expires_at bigint
);
create index foreign_tokens_by_end on foreign_tokens (expires_at) where expires_at is not null;
create index foreign_tokens_by_grant on foreign_tokens (grant_id);

create table pending_authorizations (
  digest bytea not null primary key,
  version bigint not null,
  browser_digest bytea not null,
  client_id bytea not null,
  created_at bigint not null,
  expires_at bigint not null,
  redirect_uri text collate "C" not null,
  redirect_uri_was_sent smallint not null,
  scope text collate "C" not null,
  resource text collate "C" not null,
  state text collate "C",
  code_challenge text collate "C",
  prompt text collate "C" not null,
  refusal text collate "C",
  user_id bytea,
  account_id bytea,
  grant_id bytea,
  response_type text collate "C" not null,
  ui_locales text collate "C" not null
);
create index pending_authorizations_by_end on pending_authorizations (expires_at);

-- the outbox

create table events (
  id bytea not null primary key,
  account_id bytea not null,
  created_at bigint not null,
  type text collate "C" not null,
  ordering_key text collate "C",
  "to" bigint not null,
  key_id text collate "C" not null,
  payload_sealed bytea not null
);
create index events_by_age on events (created_at);

create table notices (
  sequence bigint generated by default as identity primary key,
  id bytea not null unique,
  line bytea not null,
  head smallint not null,
  connection_id bytea,
  client_id bytea,
  webhook_id bytea,
  event_id bytea,
  user_id bytea,
  kind text collate "C" not null,
  created_at bigint not null,
  next_attempt_at bigint not null,
  replayed_at bigint,
  attempts bigint not null,
  delivered_at bigint,
  dead_at bigint,
  lease bytea,
  leased_until bigint,
  last_status bigint,
  last_error text collate "C",
  url text collate "C" not null,
  body bytea not null
);
create index notices_waiting on notices (line, sequence, delivered_at, dead_at)
  where delivered_at is null and dead_at is null;
create index notices_due on notices (next_attempt_at, id) where head = 1 and delivered_at is null and dead_at is null;
create index notices_by_connection on notices (connection_id, id) where connection_id is not null;
create index notices_by_client on notices (client_id, id) where client_id is not null;
create index notices_dead on notices (id, dead_at) where dead_at is not null;
create index notices_dead_by_client on notices (client_id, id) where dead_at is not null and client_id is not null;
create index notices_over on notices (coalesce(delivered_at, dead_at))
  where delivered_at is not null or dead_at is not null;

create table delivery_attempts (
  notice_id bytea not null,
  number bigint not null,
  at bigint not null,
  milliseconds bigint not null,
  status bigint,
  error text collate "C",
  answer text collate "C" not null,
  primary key (notice_id, number)
);

-- the house

create table meta (
  key text collate "C" not null primary key,
  value bytea not null
);

create table signing_keys (
  kid text collate "C" not null primary key,
  version bigint not null,
  created_at bigint not null,
  signs_from bigint not null,
  retires_at bigint,
  algorithm text collate "C" not null,
  key_id text collate "C" not null,
  private_sealed bytea not null,
  public_jwk text collate "C" not null
);

create table operator_keys (
  id bytea not null primary key,
  version bigint not null,
  created_at bigint not null,
  expires_at bigint,
  revoked_at bigint,
  last_used_day integer,
  digest bytea not null,
  name text collate "C" not null,
  scopes text collate "C" not null
);

create table idempotent_answers (
  digest bytea not null primary key,
  request_digest bytea not null,
  status bigint not null,
  created_at bigint not null,
  expires_at bigint not null,
  key_id text collate "C" not null,
  body_sealed bytea not null
);
create index idempotent_answers_by_end on idempotent_answers (expires_at);

create table tallies (
  hour bigint not null,
  kind text collate "C" not null,
  label text collate "C" not null,
  count bigint not null,
  primary key (hour, kind, label)
);

-- An id begins with the milliseconds of its time, so a day's entries are a range of ids.
create table audit_entries (
  id bytea not null primary key,
  at bigint not null,
  actor text collate "C" not null,
  action text collate "C" not null,
  reason text collate "C",
  client_id bytea,
  account_id bytea,
  connection_id bytea,
  grant_id bytea,
  user_id bytea,
  detail text collate "C" not null
) partition by range (id);
create table audit_entries_default partition of audit_entries default;
create index audit_entries_by_connection on audit_entries (connection_id, id) where connection_id is not null;
create index audit_entries_by_client on audit_entries (client_id, id) where client_id is not null;
create index audit_entries_by_account on audit_entries (account_id, id) where account_id is not null;
create index audit_entries_by_user on audit_entries (user_id, id) where user_id is not null;
create index audit_entries_by_actor on audit_entries (actor, id);
create index audit_entries_by_reason on audit_entries (reason, id) where reason is not null;
create index audit_entries_by_action on audit_entries (action, id);
