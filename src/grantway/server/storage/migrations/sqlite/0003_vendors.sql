-- expand
-- Tokens of an older system, what a renewal leaves, people's own ids in an account, whose client one is.

create table foreign_tokens (
  digest blob not null primary key,
  grant_id blob not null,
  kind text not null,
  created_at integer not null,
  expires_at integer
) strict, without rowid;
create index foreign_tokens_by_end on foreign_tokens (expires_at) where expires_at is not null;
create index foreign_tokens_by_grant on foreign_tokens (grant_id);

alter table ended_tokens add column ends_at integer;

alter table pending_authorizations add column response_type text not null default 'code';
alter table pending_authorizations add column ui_locales text not null default '[]';

alter table memberships add column external_ids text not null default '{}';
-- Phone.com knows people by an integer; those who are there already get one, too.
update memberships set external_ids = json_object('phonecom', cast(1000000 + abs(random() % 2000000000) as text));

create index clients_by_account on clients (account_id, id) where account_id is not null and ended_at is null;
create index grants_permanent on grants (client_id, id) where origin = 'permanent' and revoked_at is null;
