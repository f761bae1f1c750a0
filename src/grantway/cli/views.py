"""Records as commands show them. No digest, no sealed value, no row id that nobody needs."""

from __future__ import annotations

from typing import Any

from grantway.protocol.facts import ConnectionInView, GrantInUse
from grantway.protocol.foreign_hashes import kind_of, read_foreign_hash
from grantway.protocol.ids import show
from grantway.protocol.lifecycle import state_of
from grantway.protocol.model import (
    Account,
    AuditEntry,
    Client,
    ClientSecret,
    DeliveryAttempt,
    Membership,
    Notice,
    Operator,
    Resource,
    Scope,
    Session,
    SigningKey,
    Tally,
    User,
    Webhook,
)

CONNECTION_COLUMNS = ("id", "client", "account", "state", "last_used_day", "removed_at")
DELIVERY_COLUMNS = ("id", "kind", "state", "url", "attempts", "last_status", "last_error", "created_at")
TOKEN_COLUMNS = ("id", "account", "scope", "made_by", "created_at", "last_used_day")
AUDIT_COLUMNS = ("at", "actor", "action", "reason", "client_id", "detail")
"""What of a record fits a window."""


def user(one: User) -> dict[str, Any]:
    return {
        "id": show("us", one.id),
        "email": one.email,
        "external_id": one.external_id,
        "name": one.name,
        "has_password": one.password_hash is not None,
        "created_at": one.created_at,
        "disabled_at": one.disabled_at,
        "erased_at": one.erased_at,
    }


def session(one: Session) -> dict[str, Any]:
    return {"id": show("se", one.id), "browser": one.label, "signed_in_at": one.auth_time, "expires_at": one.expires_at}


def operator(one: Operator, its_user: User) -> dict[str, Any]:
    return {
        "id": show("us", its_user.id),
        "email": its_user.email,
        "name": its_user.name,
        "role": one.role,
        "has_password": its_user.password_hash is not None,
        "since": one.created_at,
    }


def account_line(one: Account) -> dict[str, Any]:
    return {
        "id": show("ac", one.id),
        "name": one.name,
        "external_ids": dict(one.external_ids),
        "created_at": one.created_at,
        "suspended_at": one.suspended_at,
        "removed_at": one.removed_at,
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
        "external_ids": dict(membership.external_ids),
        "since": membership.created_at,
    }


def scope(one: Scope, from_file: bool) -> dict[str, Any]:
    return {
        "name": one.name,
        "sentence": dict(one.sentences),
        "sensitivity": one.sensitivity,
        "opens": {language: list(lines) for language, lines in one.opens.items()},
        "withholds": {language: list(lines) for language, lines in one.withholds.items()},
        "events": list(one.events),
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
        "account_id": _shown("ac", one.account_id),
        "set": dict(one.overrides),
        "tokens_not_before": one.tokens_not_before,
        "secrets": [
            {"created_at": each.created_at, "expires_at": each.expires_at, "kept_as": kept_as(each)}
            for each in one.secrets
        ],
    }


def kept_as(secret: ClientSecret) -> str:
    """How a secret is kept: by another server's hash until it is first shown."""
    return "sha256" if secret.foreign_hash is None else kind_of(read_foreign_hash(secret.foreign_hash))


def connection(view: ConnectionInView) -> dict[str, Any]:
    one = view.connection
    return {
        "id": show("cn", one.id),
        "integration_id": one.integration_id,
        "client_id": view.client.client_id,
        "client": view.client.name,
        "account_id": show("ac", view.account.id),
        "account": view.account.name,
        "state": state_of(one, view.client),
        "scope": list(one.scope),
        "approved_by": view.approved_by.email or show("us", view.approved_by.id) if view.approved_by else None,
        "created_at": one.created_at,
        "activated_at": one.activated_at,
        "last_used_day": one.last_used_day,
        "suspended_at": one.suspended_at,
        "suspensions": [{"at": each.at, "reason": each.reason, "actor": each.actor} for each in one.suspensions],
        "removed_at": one.removed_at,
        "removed_reason": one.removed_reason,
    }


def token(held: GrantInUse) -> dict[str, Any]:
    """A token without end, without its text."""
    grant = held.grant
    return {
        "id": show("gr", grant.id),
        "client_id": held.client.client_id,
        "account_id": show("ac", held.account.id),
        "account": held.account.name,
        "connection_id": show("cn", held.connection.id),
        "scope": list(grant.scope),
        "made_by": held.user.email or show("us", held.user.id) if held.user else None,
        "created_at": grant.created_at,
        "last_used_day": grant.last_used_day,
    }


def webhook(one: Webhook) -> dict[str, Any]:
    return {
        "id": show("wh", one.id),
        "url": one.url,
        "events": list(one.events),
        "dialect": one.dialect,
        "created_at": one.created_at,
        "disabled_at": one.disabled_at,
    }


def resource(one: Resource) -> dict[str, Any]:
    return {
        "id": show("rs", one.id),
        "connection_id": show("cn", one.connection_id),
        "kind": one.kind,
        "reference": one.reference,
        "url": one.url,
        "metadata": dict(one.metadata),
        "created_at": one.created_at,
        "cancelled_at": one.cancelled_at,
        "cancelled_reason": one.cancelled_reason,
    }


def delivery(one: Notice) -> dict[str, Any]:
    over = one.delivered_at is not None or one.dead_at is not None
    return {
        "id": show("nt", one.id),
        "kind": one.kind,
        "state": "delivered" if one.delivered_at is not None else "dead" if one.dead_at is not None else "waiting",
        "url": one.url or None,
        "connection_id": _shown("cn", one.connection_id),
        "webhook_id": _shown("wh", one.webhook_id),
        "event_id": _shown("ev", one.event_id),
        "created_at": one.created_at,
        "attempts": one.attempts,
        "last_status": one.last_status,
        "last_error": one.last_error,
        "next_attempt_at": None if over else one.next_attempt_at,
        "delivered_at": one.delivered_at,
        "dead_at": one.dead_at,
        "replayed_at": one.replayed_at,
    }


def attempt(one: DeliveryAttempt) -> dict[str, Any]:
    return {
        "number": one.number,
        "at": one.at,
        "milliseconds": one.milliseconds,
        "status": one.status,
        "error": one.error,
        "answer": one.answer,
    }


def audit(one: AuditEntry, client: Client | None) -> dict[str, Any]:
    """``client`` is the one that the entry names by its row."""
    return {
        "id": show("au", one.id),
        "at": one.at,
        "actor": one.actor,
        "action": one.action,
        "reason": one.reason,
        "client_id": client.client_id if client else None,
        "connection_id": _shown("cn", one.connection_id),
        "account_id": _shown("ac", one.account_id),
        "user_id": _shown("us", one.user_id),
        "detail": dict(one.detail),
    }


def tally(one: Tally) -> dict[str, Any]:
    return {"hour": one.hour, "kind": one.kind, "label": one.label, "count": one.count}


def signing_key(one: SigningKey, state: str) -> dict[str, Any]:
    return {
        "kid": one.kid,
        "algorithm": one.algorithm,
        "state": state,
        "created_at": one.created_at,
        "signs_from": one.signs_from,
        "retires_at": one.retires_at,
    }


def _shown(prefix: str, row_id: bytes | None) -> str | None:
    return None if row_id is None else show(prefix, row_id)
