-- expand
-- When the database was set back to a backup, so that tokens that know more than their rows are believed for a while.

create table restorations (
  id blob not null primary key,
  restored_at integer not null,
  backup_at integer not null,
  until integer not null
) strict, without rowid;
