"""Who is told when a connection changes: the platform, the integration, the account's owners. All in the same commit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from typing import Any, Literal

from grantway.protocol.decision import Add, Change, Replace
from grantway.protocol.events import LifecycleEvent, tell_webhooks
from grantway.protocol.facts import ConnectionInView, Facts
from grantway.protocol.ids import show
from grantway.protocol.mail import Letter, mail_notice
from grantway.protocol.model import Notice, Resource
from grantway.protocol.moment import Moment
from grantway.protocol.notices import remove_url_notice
from grantway.protocol.resources import as_cancelled
from grantway.wire.times import write_time

ConnectionEvent = Literal[
    "connection.created", "connection.changed", "connection.suspended", "connection.resumed", "connection.removed"
]
OWNERS_TOLD = 50
"""At most so many people of one account are written to about one change."""


def platform_notice(
    at: Moment, view: ConnectionInView, what: ConnectionEvent, *, reason: str | None, actor: str, **more: Any
) -> tuple[Change, ...]:
    """The signed call to the platform's own address (Standard Webhooks shape), if it has one. In order per connection."""
    if not at.house.hears_events:
        return ()
    connection = view.connection
    told = {
        "type": what,
        "timestamp": write_time(at.now),
        "data": {
            "connection_id": show("cn", connection.id),
            "client_id": view.client.client_id,
            "account": {"id": show("ac", view.account.id), "external_ids": dict(view.account.external_ids)},
            "reason": reason,
            "actor": actor,
            **more,
        },
    }
    notice = Notice(
        id=at.new_id(),
        line=hashlib.sha256(b"platform" + connection.id).digest()[:16],
        connection_id=connection.id,
        client_id=view.client.id,
        kind="platform",
        url="",
        body=json.dumps(told, separators=(",", ":")).encode(),
        created_at=at.now,
        next_attempt_at=at.now,
    )
    return (Add(notice),)


async def tell(
    facts: Facts,
    at: Moment,
    view: ConnectionInView,
    what: LifecycleEvent,
    *,
    reason: str | None,
    actor: str,
    **more: Any,
) -> tuple[Change, ...]:
    """The platform, and those of the connection's webhooks that asked for it. The integration is not told who it was."""
    return (
        *platform_notice(at, view, what, reason=reason, actor=actor, **more),
        *await tell_webhooks(facts, at, view, what, {"reason": reason, **more}),
    )


async def cancel_with_grants(
    facts: Facts, at: Moment, view: ConnectionInView, grants: Collection[bytes], *, reason: str, actor: str
) -> tuple[Change, ...]:
    """What lived by grants that end on purpose while their connection goes on is cancelled, and that is told."""
    cancelled = [one for one in await facts.resources(view.connection.id) if one.grant_id in grants]
    if not cancelled:
        return ()
    told = [_told(resource) for resource in cancelled]
    return (
        *(Replace(as_cancelled(resource, at, reason)) for resource in cancelled),
        *platform_notice(at, view, "connection.changed", reason=reason, actor=actor, resources=told),
        *(Add(_resource_notice(at, view, resource, reason)) for resource in cancelled if resource.url is not None),
    )


async def tell_removed(
    facts: Facts, at: Moment, view: ConnectionInView, *, reason: str, actor: str
) -> tuple[Change, ...]:
    """Everybody who has to know that a connection is over, and of what was cancelled with it.

    The integration at its ``removeUrl``, the platform (``connection.removed``, with all that was cancelled), whoever
    registered a resource with an address of its own, and the account's owners by mail.
    """
    cancelled = await facts.resources(view.connection.id)
    webhooks = await facts.webhooks(view.connection.id)
    remove_url = remove_url_notice(view.client, view.connection, view.account, at, reason)
    return (
        *(() if remove_url is None else (Add(remove_url),)),
        *platform_notice(
            at,
            view,
            "connection.removed",
            reason=reason,
            actor=actor,
            resources=[_told(resource) for resource in cancelled],
            webhooks=[show("wh", webhook.id) for webhook in webhooks],
        ),
        *(Add(_resource_notice(at, view, resource, reason)) for resource in cancelled if resource.url is not None),
        *(await tell_owners(facts, at, view, "connection_removed", reason)),
    )


def _told(resource: Resource) -> dict[str, Any]:
    return {
        "id": show("rs", resource.id),
        "kind": resource.kind,
        "reference": resource.reference,
        "metadata": dict(resource.metadata),
    }


def _resource_notice(at: Moment, view: ConnectionInView, resource: Resource, reason: str) -> Notice:
    told = {
        "type": "resource.cancelled",
        "timestamp": write_time(at.now),
        "data": {**_told(resource), "connection_id": show("cn", view.connection.id), "reason": reason},
    }
    notice_id = at.new_id()
    return Notice(
        id=notice_id,
        line=notice_id,
        connection_id=view.connection.id,
        client_id=view.client.id,
        kind="resource",
        url=resource.url or "",
        body=json.dumps(told, separators=(",", ":")).encode(),
        created_at=at.now,
        next_attempt_at=at.now,
    )


async def tell_owners(
    facts: Facts, at: Moment, view: ConnectionInView, letter: Letter, reason: str
) -> tuple[Change, ...]:
    """A letter to each of the account's owners."""
    if not at.house.sends_mail:
        return ()
    owners = [user for membership, user in await facts.members(view.account.id) if membership.role == "owner"]
    told = {"integration": view.client.name, "account": view.account.name, "reason": reason}
    return tuple(
        Add(mail_notice(at, user.id, letter, view.connection, **told))
        for user in owners[:OWNERS_TOLD]
        if user.email is not None and user.disabled_at is None
    )
