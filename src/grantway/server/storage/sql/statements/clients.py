"""Clients, their developers and the catalogue."""

from __future__ import annotations

from grantway.server.storage.sql.records import CLIENT, DEVELOPER, REFUSED_AUTHORIZATION, SCOPE, USER

CLIENT_VERSION = "select id, version from clients where client_id = ?1"
"""Which version of a client holds now, by its public id: enough when that version has been read before."""

CLIENT_ROW_VERSION = "select id, version from clients where id = ?1"
"""The same by row id."""

CLIENTS = f"""
select {CLIENT.columns()} from clients where ended_at is null and id < ?1 order by id desc limit ?2"""
"""Clients that are not ended, newest first."""

CLIENTS_BY_NAME = f"""
select {CLIENT.columns()} from clients indexed by clients_by_name
where ended_at is null and name >= ?3 and name < ?4 and id < ?1 order by id desc limit ?2"""
"""Clients that are not ended and whose name lies in a range, newest first."""

CLIENTS_OF_ACCOUNT = f"""
select {CLIENT.columns()} from clients indexed by clients_by_account
where account_id = ?3 and ended_at is null and id < ?1 order by id desc limit ?2"""
"""Clients that are not ended and belong to an account, newest first."""

SUBMITTED_CLIENTS = f"""
select {CLIENT.columns()} from clients indexed by clients_submitted
where submitted_at is not null and approved_at is null and ended_at is null order by submitted_at, id limit 1000"""
"""Drafts that wait for approval, longest waiting first."""

SCOPES = f"select {SCOPE.columns()} from scopes order by name"
"""The catalogue."""

DEVELOPERS = f"""
select {DEVELOPER.columns("d")}, {USER.columns("u")} from developers d join users u on u.id = d.user_id
where d.client_id = ?1 order by d.created_at, d.user_id"""
"""Who looks after a client, longest first."""

CLIENTS_OF_DEVELOPER = f"""
select {CLIENT.columns("k")} from developers d join clients k on k.id = d.client_id
where d.user_id = ?1 and k.ended_at is null order by k.id desc"""
"""Clients that are not ended and that a person looks after, newest first."""

REFUSED_AUTHORIZATIONS = f"""
select {REFUSED_AUTHORIZATION.columns()} from refused_authorizations where client_id = ?1 order by last_at desc, slot desc"""
"""Why authorizations of a client were refused, latest first."""
