"""Records as commands show them. No digest, no sealed value, no row id that nobody needs."""

from __future__ import annotations

from typing import Any

from grantway.protocol.facts import ConnectionInView
from grantway.protocol.ids import show
from grantway.protocol.model import Account, AuditEntry, Client, Membership, Notice, Scope, SigningKey, User


def user(one: User) -> dict[str, Any]:
    return {
        "id": show("us", one.id),
        "email": one.email,
        "name": one.name,
        "has_password": one.password_hash is not None,
        "created_at": one.created_at,
        "disabled_at": one.disabled_at,
    }


def account_line(one: Account) -> dict[str, Any]:
    return {
        "id": show("ac", one.id),
        "name": one.name,
        "external_ids": dict(one.external_ids),
        "created_at": one.created_at,
        "suspended_at": one.suspended_at,
    }


def account(one: Account) -> dict[str, Any]:
    return {
        **account_line(one),
        "display_name": one.display_name,
        "subdomain": one.subdomain,
        "settings": dict(one.settings),
        "metadata": dict(one.metadata) if one.metadata is not None else None,
    }


def member(membership: Membership, its_user: User) -> dict[str, Any]:
    return {
        "email": its_user.email,
        "name": its_user.name,
        "role": membership.role,
        "may_connect": membership.may_connect,
        "since": membership.created_at,
    }


def scope(one: Scope, from_file: bool) -> dict[str, Any]:
    return {
        "name": one.name,
        "sentence": dict(one.sentences),
        "sensitivity": one.sensitivity,
        "opens": {language: list(lines) for language, lines in one.opens.items()},
        "withholds": {language: list(lines) for language, lines in one.withholds.items()},
        "in_settings_file": from_file,
    }


def client_line(one: Client) -> dict[str, Any]:
    return {
        "client_id": one.client_id,
        "name": one.name,
        "kind": one.kind.replace("_", "-"),
        "profile": one.profile,
        "created_at": one.created_at,
        "submitted_at": one.submitted_at,
        "approved_at": one.approved_at,
        "disabled_at": one.disabled_at,
    }


def client(one: Client) -> dict[str, Any]:
    return {
        **client_line(one),
        "public": not one.confidential,
        "redirect_uris": list(one.redirect_uris),
        "remove_url": one.remove_url,
        "scopes": list(one.scopes),
        "default_scopes": list(one.default_scopes),
        "required_scopes": list(one.required_scopes),
        "resources": list(one.resources),
        "set": dict(one.overrides),
        "tokens_not_before": one.tokens_not_before,
        "secrets": [{"created_at": each.created_at, "expires_at": each.expires_at} for each in one.secrets],
    }


def connection(view: ConnectionInView) -> dict[str, Any]:
    one = view.connection
    return {
        "id": show("cn", one.id),
        "integration_id": one.integration_id,
        "client_id": view.client.client_id,
        "client": view.client.name,
        "account_id": show("ac", view.account.id),
        "account": view.account.name,
        "scope": list(one.scope),
        "approved_by": view.approved_by.email if view.approved_by else None,
        "created_at": one.created_at,
        "last_used_day": one.last_used_day,
        "suspended_at": one.suspended_at,
        "removed_at": one.removed_at,
        "removed_reason": one.removed_reason,
    }


def notice(one: Notice) -> dict[str, Any]:
    return {
        "id": show("nt", one.id),
        "kind": one.kind,
        "url": one.url,
        "created_at": one.created_at,
        "attempts": one.attempts,
        "last_status": one.last_status,
        "last_error": one.last_error,
        "delivered_at": one.delivered_at,
        "next_attempt_at": one.next_attempt_at if one.delivered_at is None and one.dead_at is None else None,
        "dead_at": one.dead_at,
    }


def audit(one: AuditEntry) -> dict[str, Any]:
    return {"at": one.at, "actor": one.actor, "action": one.action, "reason": one.reason, "detail": dict(one.detail)}


def signing_key(one: SigningKey, state: str) -> dict[str, Any]:
    return {
        "kid": one.kid,
        "algorithm": one.algorithm,
        "state": state,
        "created_at": one.created_at,
        "signs_from": one.signs_from,
        "retires_at": one.retires_at,
    }
