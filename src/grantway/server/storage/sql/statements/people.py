"""Users, accounts, who belongs to which, and how browsers are known."""

from __future__ import annotations

from grantway.server.storage.sql.records import ACCOUNT, MEMBERSHIP, ONE_TIME_LINK, OPERATOR, SESSION, USER

ADD_EXTERNAL_ID = "insert into account_external_ids (dialect, external_id, account_id) values (?1, ?2, ?3)"
"""An account's id in one dialect, unique there."""

FORGET_EXTERNAL_IDS = "delete from account_external_ids where account_id = ?1"
"""All ids of an account in dialects."""

END_SESSIONS = "delete from sessions where user_id = ?1 and digest is not ?2"
"""A person's sessions are over, but for one."""

SET_BACK = {
    "sessions": "delete from sessions where expires_at > ?1",
    "one_time_links": "delete from one_time_links where expires_at > ?1",
    "sign_in_requests": "delete from sign_in_requests where expires_at > ?1",
    "pending_authorizations": "delete from pending_authorizations where expires_at > ?1",
    "codes": "update grants set code_expires_at = null where origin = 'code' and generation = 0 and code_expires_at > ?1",
}
"""What may have been used since a backup; ``?1`` is a time before all of them."""

USER_BY_EMAIL = f"select {USER.columns()} from users where email = ?1"
"""A user by case-folded address."""

USER_BY_EXTERNAL_ID = f"select {USER.columns()} from users where external_id = ?1"
"""A user by the platform's own id."""

USERS = f"select {USER.columns()} from users where id < ?1 order by id desc limit ?2"
"""Users, newest first."""

USERS_BY_EMAIL = f"""
select {USER.columns()} from users indexed by users_by_email
where email >= ?3 and email < ?4 and id < ?1 order by id desc limit ?2"""
"""Users whose address lies in a range, newest first."""

ACCOUNT_BY_EXTERNAL_ID = f"""
select {ACCOUNT.columns("a")} from account_external_ids e join accounts a on a.id = e.account_id
where e.dialect = ?1 and e.external_id = ?2"""
"""An account by its id in a dialect."""

ACCOUNTS = f"select {ACCOUNT.columns()} from accounts where id < ?1 order by id desc limit ?2"
"""Accounts, newest first."""

ACCOUNTS_BY_NAME = f"""
select {ACCOUNT.columns()} from accounts indexed by accounts_by_name
where name >= ?3 and name < ?4 and id < ?1 order by id desc limit ?2"""
"""Accounts whose name lies in a range, newest first."""

MEMBERSHIPS = f"""
select {MEMBERSHIP.columns("m")}, {ACCOUNT.columns("a")} from memberships m join accounts a on a.id = m.account_id
where m.user_id = ?1 and a.removed_at is null order by a.name, a.id"""
"""A user's memberships with their accounts."""

MEMBERS = f"""
select {MEMBERSHIP.columns("m")}, {USER.columns("u")} from memberships m join users u on u.id = m.user_id
where m.account_id = ?1 order by m.created_at, m.user_id"""
"""An account's memberships with their users."""

OPERATORS = f"""
select {OPERATOR.columns("o")}, {USER.columns("u")} from operators o join users u on u.id = o.user_id
order by o.created_at, o.user_id"""
"""Who runs the installation, oldest first."""

SESSION_WITH_USER = f"""
select {SESSION.columns("s")}, {USER.columns("u")} from sessions s join users u on u.id = s.user_id
where s.digest = ?1"""
"""A session with its user."""

SESSIONS_OF = f"""
select {SESSION.columns()} from sessions where user_id = ?1 and expires_at > ?2 order by auth_time desc, id desc"""
"""A person's sessions that are not over, newest sign-in first."""

LINK_WITH_USER = f"""
select {ONE_TIME_LINK.columns("l")}, {USER.columns("u")} from one_time_links l join users u on u.id = l.user_id
where l.digest = ?1"""
"""A one-time link with whom it was sent to."""

LINKS_OF = f"select {ONE_TIME_LINK.columns()} from one_time_links where user_id = ?1 order by created_at, digest"
"""A person's one-time links, oldest first."""
