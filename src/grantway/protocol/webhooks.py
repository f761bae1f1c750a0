"""Webhooks of a connection: its integration makes, sees, changes, tests and ends them with its token, its own only.

A webhook has an owner (the connection), and ends with it. Its secret is drawn here and kept sealed; shown once where the
dialect verifies signatures, whenever asked where the vendor has it so.
"""

from __future__ import annotations

import base64
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import Literal

from grantway.protocol import audit
from grantway.protocol.access import used_today
from grantway.protocol.bearer import bearer
from grantway.protocol.decision import Add, Change, Decision, Refusal, Replace, refuse
from grantway.protocol.events import TEST, covered_by, event_for, is_event_pattern, line_of, overlap, webhook_notice
from grantway.protocol.facts import Facts, GrantInUse
from grantway.protocol.ids import parse, show
from grantway.protocol.model import Notice, Webhook
from grantway.protocol.moment import Moment
from grantway.protocol.vault import Vault
from grantway.wire.errors import (
    INSUFFICIENT_SCOPE,
    INVALID_REQUEST,
    NOT_FOUND,
    TOO_MANY,
    TOO_MANY_REQUESTS,
    WEBHOOK_DISABLED,
)
from grantway.wire.record import record
from grantway.wire.webhook_messages import WebhookFields, WebhookRequest

AT_MOST = 10
"""Webhooks of one connection at a time."""
MAX_EVENTS = 50
"""Event types and patterns of one webhook."""
SECRET_OVERLAP = timedelta(hours=24)
"""How long after a rotation the previous secret signs beside the new one."""
TEST_AGAIN_AFTER = timedelta(seconds=10)
"""From one test of a webhook to the next."""

Dialect = Literal["standard", "sunshine"]
_VERSION: dict[Dialect, str] = {"standard": "1", "sunshine": "v2"}
_ME = "me"


@record
class ShownWebhook:
    """One webhook as its integration sees it; ``secret`` where it is shown."""

    webhook: Webhook
    secret: str | None = field(default=None, repr=False)


@record
class WebhookEnded:
    """It is gone."""

    webhook: Webhook


@record
class TestSent:
    """A test event is in the outbox."""

    notice: Notice


@record
class _Caller:
    """The grant that calls, the scope that its token has now, and what is noted of the call."""

    held: GrantInUse
    scope: tuple[str, ...]
    noted: tuple[Change, ...]


async def create_webhook(
    facts: Facts, at: Moment, asked: WebhookRequest, wanted: WebhookFields, dialect: Dialect, issuer: str
) -> Decision[ShownWebhook | Refusal]:
    """A new webhook. That its address may be called at all was seen before, and is seen again at each delivery."""
    caller = await _caller(facts, at, asked, dialect, issuer)
    if isinstance(caller, Refusal):
        return Decision(caller, (), caller.reason)
    if wanted.url is None or wanted.events is None:
        return refuse(INVALID_REQUEST, "url_missing" if wanted.url is None else "events_missing")
    unfit = await _unfit(facts, caller, wanted, dialect)
    if unfit is not None:
        return unfit
    connection = caller.held.connection
    if len(await facts.webhooks(connection.id)) >= AT_MOST:
        return refuse(TOO_MANY, "too_many_webhooks")
    row_id = at.new_id()
    webhook = Webhook(
        id=row_id,
        connection_id=connection.id,
        client_id=connection.client_id,
        url=wanted.url,
        events=wanted.events,
        secret=at.new_secret(row_id),
        key_id=at.vault.current,
        created_at=at.now,
        dialect=dialect,
        api_version=_VERSION[dialect],
        options=dict(wanted.options),
    )
    # The connection's version moves: a removal that did not see this webhook decides again, and so does an eleventh.
    moved = Replace(replace(connection, version=connection.version + 1))
    changes = (Add(webhook), moved, _written(at, caller, webhook, "webhook_created"), *caller.noted)
    return Decision(ShownWebhook(webhook, secret_of(webhook, at.vault)), changes, "webhook_created")


async def list_webhooks(
    facts: Facts, at: Moment, asked: WebhookRequest, dialect: Dialect, issuer: str
) -> Decision[tuple[ShownWebhook, ...] | Refusal]:
    """The connection's webhooks, oldest first."""
    caller = await _caller(facts, at, asked, dialect, issuer)
    if isinstance(caller, Refusal):
        return Decision(caller, (), caller.reason)
    shown = tuple(_shown(webhook, at) for webhook in await facts.webhooks(caller.held.connection.id))
    return Decision(shown, caller.noted, "webhooks_shown")


async def show_webhook(
    facts: Facts, at: Moment, asked: WebhookRequest, dialect: Dialect, issuer: str
) -> Decision[ShownWebhook | Refusal]:
    """One of them."""
    found = await _own(facts, at, asked, dialect, issuer)
    if isinstance(found, Refusal):
        return Decision(found, (), found.reason)
    caller, webhook = found
    return Decision(_shown(webhook, at), caller.noted, "webhook_shown")


async def change_webhook(
    facts: Facts, at: Moment, asked: WebhookRequest, wanted: WebhookFields, dialect: Dialect, issuer: str
) -> Decision[ShownWebhook | Refusal]:
    """Another address or other events. Naming an address, be it the same, enables a webhook whose target was gone."""
    found = await _own(facts, at, asked, dialect, issuer)
    if isinstance(found, Refusal):
        return Decision(found, (), found.reason)
    caller, webhook = found
    unfit = await _unfit(facts, caller, wanted, dialect)
    if unfit is not None:
        return unfit
    changed = replace(
        webhook,
        url=wanted.url or webhook.url,
        events=wanted.events or webhook.events,
        options={**webhook.options, **wanted.options},
        disabled_at=webhook.disabled_at if wanted.url is None else None,
    )
    if changed == webhook:
        return Decision(_shown(webhook, at), caller.noted, "unchanged")
    changed = replace(changed, version=webhook.version + 1)
    changes = (Replace(changed), _written(at, caller, webhook, "webhook_changed"), *caller.noted)
    return Decision(_shown(changed, at), changes, "webhook_changed")


async def end_webhook(
    facts: Facts, at: Moment, asked: WebhookRequest, dialect: Dialect, issuer: str
) -> Decision[WebhookEnded | Refusal]:
    """It hears no more; what waits to be delivered to it is dropped."""
    found = await _own(facts, at, asked, dialect, issuer)
    if isinstance(found, Refusal):
        return Decision(found, (), found.reason)
    caller, webhook = found
    ended = replace(webhook, ended_at=at.now, version=webhook.version + 1)
    changes = (Replace(ended), _written(at, caller, webhook, "webhook_ended"), *caller.noted)
    return Decision(WebhookEnded(ended), changes, "webhook_ended")


async def send_test(
    facts: Facts, at: Moment, asked: WebhookRequest, dialect: Dialect, issuer: str
) -> Decision[TestSent | Refusal]:
    """A ``webhook.test`` event goes the way of all others. One at a time, and not often: it may be a stranger's address."""
    found = await _own(facts, at, asked, dialect, issuer)
    if isinstance(found, Refusal):
        return Decision(found, (), found.reason)
    caller, webhook = found
    if webhook.disabled_at is not None:
        return refuse(WEBHOOK_DISABLED, "webhook_disabled")
    waiting = await facts.notices(connection_id=webhook.connection_id, state="waiting")
    newest = await facts.notices(connection_id=webhook.connection_id)
    lately = [notice for notice in newest if at.now < notice.created_at + TEST_AGAIN_AFTER]
    if any(notice.line == line_of(webhook, TEST) for notice in (*waiting, *lately)):
        again_after = int(TEST_AGAIN_AFTER.total_seconds())
        return refuse(TOO_MANY_REQUESTS, "webhook_test_waits", retry_after=again_after)
    event = event_for(at, caller.held.account.id, TEST, {}, 1)
    notice = webhook_notice(at, webhook, event, TEST)
    return Decision(TestSent(notice), (Add(event), Add(notice), *caller.noted), "webhook_tested")


async def rotate_webhook_secret(
    facts: Facts, at: Moment, asked: WebhookRequest, dialect: Dialect, issuer: str
) -> Decision[ShownWebhook | Refusal]:
    """A new secret, shown once. For ``SECRET_OVERLAP`` the one before it signs beside it, so that no delivery is lost."""
    found = await _own(facts, at, asked, dialect, issuer)
    if isinstance(found, Refusal):
        return Decision(found, (), found.reason)
    caller, webhook = found
    previous = at.vault.open(webhook.key_id, webhook.secret, webhook.id)
    rotated = replace(
        webhook,
        secret=at.new_secret(webhook.id),
        key_id=at.vault.current,
        previous_secret=at.vault.seal(previous, webhook.id),
        previous_until=at.now + SECRET_OVERLAP,
        version=webhook.version + 1,
    )
    changes = (Replace(rotated), _written(at, caller, webhook, "webhook_secret_rotated"), *caller.noted)
    return Decision(ShownWebhook(rotated, secret_of(rotated, at.vault)), changes, "webhook_secret_rotated")


# --- secrets


def secret_of(webhook: Webhook, vault: Vault) -> str:
    """The secret as its integration holds it. Raises ``Unsealable``."""
    key = vault.open(webhook.key_id, webhook.secret, webhook.id)
    return key.hex() if webhook.dialect == "sunshine" else "whsec_" + base64.b64encode(key).decode()


def signing_keys(webhook: Webhook, vault: Vault, now: datetime) -> tuple[bytes, ...]:
    """The keys that sign a delivery at this time, the newest first. Raises ``Unsealable``."""
    keys = [vault.open(webhook.key_id, webhook.secret, webhook.id)]
    if webhook.previous_secret is not None and webhook.previous_until is not None and now < webhook.previous_until:
        keys.append(vault.open(webhook.key_id, webhook.previous_secret, webhook.id))
    return tuple(keys)


# --- who asks, and for what


async def _caller(facts: Facts, at: Moment, asked: WebhookRequest, dialect: Dialect, issuer: str) -> _Caller | Refusal:
    """The active token of a connection, and, where the path names account and integration, that they are its own."""
    proven = await bearer(asked.access_token, facts, at, dialect, issuer)
    if isinstance(proven, Refusal):
        return proven
    held = proven.held
    if held is None:
        return Refusal(INSUFFICIENT_SCOPE, "token_without_connection")
    if asked.account is not None and asked.account != held.account.external_ids.get(dialect):
        return Refusal(INSUFFICIENT_SCOPE, "account_of_others")
    if asked.integration is not None and asked.integration not in (_ME, held.connection.integration_id):
        return Refusal(INSUFFICIENT_SCOPE, "integration_of_others")
    return _Caller(held, proven.scope, used_today(proven, at))


async def _own(
    facts: Facts, at: Moment, asked: WebhookRequest, dialect: Dialect, issuer: str
) -> tuple[_Caller, Webhook] | Refusal:
    """The caller and the webhook that it names. Others' are as unknown as those that never were."""
    caller = await _caller(facts, at, asked, dialect, issuer)
    if isinstance(caller, Refusal):
        return caller
    row_id = parse("wh", asked.webhook_id or "")
    found = None if row_id is None else await facts.webhook(row_id)
    if found is None or found.webhook.ended_at or found.webhook.connection_id != caller.held.connection.id:
        return Refusal(NOT_FOUND, "webhook_unknown")
    return caller, found.webhook


async def _unfit(facts: Facts, caller: _Caller, wanted: WebhookFields, dialect: Dialect) -> Decision[Refusal] | None:
    """Why there cannot be such a webhook. Events that its scope will never cover are refused here, not kept silent."""
    if wanted.version not in (None, _VERSION[dialect]):
        return refuse(INVALID_REQUEST, "webhook_version_unknown")
    events = wanted.events or ()
    if len(events) > MAX_EVENTS or not all(is_event_pattern(event) for event in events):
        return refuse(INVALID_REQUEST, "events_malformed")
    covered = await covered_by(facts, caller.scope)
    if not all(overlap(event, covered) for event in events):
        return refuse(INSUFFICIENT_SCOPE, "events_not_covered")
    return None


def _shown(webhook: Webhook, at: Moment) -> ShownWebhook:
    return ShownWebhook(webhook, secret_of(webhook, at.vault) if webhook.dialect == "sunshine" else None)


def _written(at: Moment, caller: _Caller, webhook: Webhook, action: str) -> Change:
    held = caller.held
    return audit.note(at, audit.by_client(held.client), action, held.connection, webhook=show("wh", webhook.id))
