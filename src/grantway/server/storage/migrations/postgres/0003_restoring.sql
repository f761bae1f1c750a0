-- expand
-- When the database was set back to a backup, so that tokens that know more than their rows are believed for a while.

create table restorations (
  id bytea not null primary key,
  restored_at bigint not null,
  backup_at bigint not null,
  until bigint not null
);
