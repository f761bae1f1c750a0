"""Records as the API tells them. No digest, no sealed value."""

from __future__ import annotations

from grantway.protocol import model
from grantway.protocol.administration.people import Member
from grantway.protocol.facts import ConnectionInView, GrantInUse
from grantway.protocol.ids import show
from grantway.protocol.lifecycle import state_of
from grantway.wire.api import clients, connections, house, people, tokens


def user(one: model.User) -> people.User:
    return people.User(
        id=show("us", one.id),
        email=one.email,
        external_id=one.external_id,
        name=one.name,
        language=one.language,
        has_password=one.password_hash is not None,
        created_at=one.created_at,
        disabled_at=one.disabled_at,
        erased_at=one.erased_at,
    )


def account(one: model.Account) -> people.Account:
    return people.Account(
        id=show("ac", one.id),
        name=one.name,
        display_name=one.display_name,
        subdomain=one.subdomain,
        external_ids=dict(one.external_ids),
        settings=dict(one.settings),
        metadata=None if one.metadata is None else dict(one.metadata),
        created_at=one.created_at,
        suspended_at=one.suspended_at,
        removed_at=one.removed_at,
    )


def member(one: Member) -> people.Member:
    return people.Member(
        user_id=show("us", one.user.id),
        email=one.user.email,
        name=one.user.name,
        role=one.membership.role,
        external_ids=dict(one.membership.external_ids),
        since=one.membership.created_at,
    )


def client(one: model.Client) -> clients.Client:
    return clients.Client(
        client_id=one.client_id,
        name=one.name,
        kind=one.kind,
        profile=one.profile,
        public=not one.confidential,
        redirect_uris=list(one.redirect_uris),
        remove_url=one.remove_url,
        scopes=list(one.scopes),
        default_scopes=list(one.default_scopes),
        required_scopes=list(one.required_scopes),
        resources=list(one.resources),
        account_id=None if one.account_id is None else show("ac", one.account_id),
        policy=dict(one.overrides),
        secrets=[clients.Secret(created_at=each.created_at, expires_at=each.expires_at) for each in one.secrets],
        version=one.version,
        created_at=one.created_at,
        submitted_at=one.submitted_at,
        approved_at=one.approved_at,
        disabled_at=one.disabled_at,
        ended_at=one.ended_at,
    )


def scope(one: model.Scope) -> clients.Scope:
    return clients.Scope(
        name=one.name,
        sentences=dict(one.sentences),
        sensitivity=one.sensitivity,
        opens={language: list(lines) for language, lines in one.opens.items()},
        withholds={language: list(lines) for language, lines in one.withholds.items()},
        events=list(one.events),
    )


def connection(view: ConnectionInView) -> connections.Connection:
    one = view.connection
    return connections.Connection(
        id=show("cn", one.id),
        integration_id=one.integration_id,
        state=state_of(one, view.client),
        client_id=view.client.client_id,
        client_name=view.client.name,
        account_id=show("ac", view.account.id),
        account_name=view.account.name,
        scope=list(one.scope),
        approved_by=None if one.approved_by is None else show("us", one.approved_by),
        created_at=one.created_at,
        activated_at=one.activated_at,
        last_used_day=one.last_used_day,
        suspensions=[
            connections.Suspension(at=each.at, reason=each.reason, actor=each.actor) for each in one.suspensions
        ],
        removed_at=one.removed_at,
        removed_reason=one.removed_reason,
    )


def token(held: GrantInUse) -> tokens.Token:
    """A token without end, without its text."""
    grant = held.grant
    return tokens.Token(
        id=show("gr", grant.id),
        client_id=held.client.client_id,
        account_id=show("ac", held.account.id),
        account_name=held.account.name,
        connection_id=show("cn", held.connection.id),
        scopes=list(grant.scope),
        made_by=None if held.user is None else show("us", held.user.id),
        created_at=grant.created_at,
        last_used_day=grant.last_used_day,
    )


def resource(one: model.Resource) -> connections.Resource:
    return connections.Resource(
        id=show("rs", one.id),
        connection_id=show("cn", one.connection_id),
        kind=one.kind,
        reference=one.reference,
        grant_id=None if one.grant_id is None else show("gr", one.grant_id),
        url=one.url,
        metadata=dict(one.metadata),
        created_at=one.created_at,
        cancelled_at=one.cancelled_at,
        cancelled_reason=one.cancelled_reason,
    )


def delivery(one: model.Notice) -> connections.Delivery:
    over = one.delivered_at is not None or one.dead_at is not None
    return connections.Delivery(
        id=show("nt", one.id),
        kind=one.kind,
        state="delivered" if one.delivered_at is not None else "dead" if one.dead_at is not None else "waiting",
        connection_id=None if one.connection_id is None else show("cn", one.connection_id),
        event_id=None if one.event_id is None else show("ev", one.event_id),
        webhook_id=None if one.webhook_id is None else show("wh", one.webhook_id),
        created_at=one.created_at,
        attempts=one.attempts,
        last_status=one.last_status,
        last_error=one.last_error,
        next_attempt_at=None if over else one.next_attempt_at,
        delivered_at=one.delivered_at,
        dead_at=one.dead_at,
    )


def attempt(one: model.DeliveryAttempt) -> connections.Attempt:
    return connections.Attempt(
        number=one.number,
        at=one.at,
        milliseconds=one.milliseconds,
        status=one.status,
        error=one.error,
        answer=one.answer,
    )


def operator_key(one: model.OperatorKey) -> house.OperatorKey:
    return house.OperatorKey(
        id=show("ok", one.id),
        name=one.name,
        scopes=list(one.scopes),
        created_at=one.created_at,
        expires_at=one.expires_at,
        revoked_at=one.revoked_at,
        last_used_day=one.last_used_day,
    )


def audit_entry(one: model.AuditEntry, client: model.Client | None) -> house.AuditEntry:
    """``client`` is the one that the entry names by its row."""
    return house.AuditEntry(
        id=show("au", one.id),
        at=one.at,
        actor=one.actor,
        action=one.action,
        reason=one.reason,
        client_id=None if client is None else client.client_id,
        connection_id=None if one.connection_id is None else show("cn", one.connection_id),
        account_id=None if one.account_id is None else show("ac", one.account_id),
        user_id=None if one.user_id is None else show("us", one.user_id),
        detail=dict(one.detail),
    )


def count(one: model.Tally) -> house.Count:
    return house.Count(hour=one.hour, kind=one.kind, label=one.label, count=one.count)
