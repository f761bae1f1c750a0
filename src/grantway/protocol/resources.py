"""Resources: what the platform holds that lives by a connection, or by one grant of it: a subscription, a webhook, …

The platform registers them, so that whatever ends the connection cancels them with it: in the same commit, listed in
``connection.removed``, and told to the address that was given with each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

from grantway.protocol import audit
from grantway.protocol.administration.answers import OPERATOR, Rejected, reject
from grantway.protocol.decision import Add, Change, Decision, Replace
from grantway.protocol.facts import ConnectionInView, Facts
from grantway.protocol.ids import show
from grantway.protocol.model import Resource
from grantway.protocol.moment import Moment
from grantway.wire.record import record

AT_MOST = 1000
"""Live resources of one connection: a removal cancels and lists them all in one commit."""
MAX_REFERENCE = 255
MAX_METADATA = 2048
"""Bytes of JSON."""
_KIND = re.compile(r"[a-z][a-z0-9_-]{0,63}")


@record
class NewResource:
    """What the platform registers. ``reference`` is its own id of it; ``url`` is where it hears of the cancellation."""

    kind: str
    reference: str
    url: str | None = None
    grant_id: bytes | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@record
class Registered:
    """The resource as it is now; ``was_new`` when nothing live had this kind and reference."""

    resource: Resource
    was_new: bool


async def register_resource(
    facts: Facts, at: Moment, connection_id: bytes, wanted: NewResource, actor: str = OPERATOR
) -> Decision[Registered | Rejected]:
    """It lives by the connection from now on. The same kind and reference again is the same resource, with these values.

    That its address may be called at all is looked at outside, and again at the call.
    """
    if problem := _problem(wanted):
        return reject(problem, "resource_malformed")
    view = await facts.connection(connection_id)
    if view is None or view.connection.removed_at is not None:
        return reject("There is no such connection.", "connection_unknown")
    if wanted.grant_id is not None and not await _is_live_grant(facts, wanted.grant_id, connection_id):
        return reject("This connection has no such grant.", "grant_unknown")
    known = await facts.resource_by_reference(connection_id, wanted.kind, wanted.reference)
    if known is not None:
        return _again(known, wanted)
    if len(await facts.resources(connection_id, limit=AT_MOST)) >= AT_MOST:
        return reject(f"A connection has at most {AT_MOST} live resources.", "too_many_resources")
    resource = Resource(
        id=at.new_id(),
        connection_id=connection_id,
        kind=wanted.kind,
        reference=wanted.reference,
        created_at=at.now,
        grant_id=wanted.grant_id,
        url=wanted.url,
        metadata=dict(wanted.metadata),
    )
    # The connection's version moves: a removal that did not see this resource decides again.
    moved = Replace(replace(view.connection, version=view.connection.version + 1))
    written = _written(at, view, actor, "resource_registered", resource)
    return Decision(Registered(resource, was_new=True), (Add(resource), moved, written), "resource_registered")


async def list_resources(
    facts: Facts, at: Moment, connection_id: bytes, *, live: bool = True
) -> Decision[tuple[Resource, ...] | Rejected]:
    """What lives by the connection, oldest first; with ``live=False`` also what was cancelled of late."""
    if await facts.connection(connection_id) is None:
        return reject("There is no such connection.", "connection_unknown")
    return Decision(await facts.resources(connection_id, live=live, limit=AT_MOST), (), "resources_shown")


async def cancel_resource(
    facts: Facts, at: Moment, connection_id: bytes, resource_id: bytes, actor: str = OPERATOR
) -> Decision[Resource | Rejected]:
    """The platform cancelled it by itself, so nobody has to be told. Cancelled already is cancelled."""
    resource = await facts.resource(resource_id)
    view = await facts.connection(connection_id)
    if resource is None or view is None or resource.connection_id != connection_id:
        return reject("There is no such resource.", "resource_unknown")
    if resource.cancelled_at is not None:
        return Decision(resource, (), "unchanged")
    cancelled = as_cancelled(resource, at, "platform")
    changes = (Replace(cancelled), _written(at, view, actor, "resource_cancelled", resource))
    return Decision(cancelled, changes, "resource_cancelled")


def as_cancelled(resource: Resource, at: Moment, reason: str) -> Resource:
    """The resource, cancelled now."""
    return replace(resource, cancelled_at=at.now, cancelled_reason=reason, version=resource.version + 1)


def _problem(wanted: NewResource) -> str | None:
    if not _KIND.fullmatch(wanted.kind):
        return "A kind is a word of 1 to 64 small letters, digits, - and _, such as subscription."
    if not 0 < len(wanted.reference) <= MAX_REFERENCE or not wanted.reference.isprintable():
        return f"A reference has 1 to {MAX_REFERENCE} printable characters."
    if len(json.dumps(dict(wanted.metadata)).encode()) > MAX_METADATA:
        return f"The metadata is at most {MAX_METADATA // 1024} KiB of JSON."
    return None


async def _is_live_grant(facts: Facts, grant_id: bytes, connection_id: bytes) -> bool:
    held = await facts.grant(grant_id)
    return held is not None and held.connection.id == connection_id and held.grant.revoked_at is None


def _again(known: Resource, wanted: NewResource) -> Decision[Registered | Rejected]:
    changed = replace(known, url=wanted.url, grant_id=wanted.grant_id, metadata=dict(wanted.metadata))
    if changed == known:
        return Decision(Registered(known, was_new=False), (), "unchanged")
    changed = replace(changed, version=known.version + 1)
    return Decision(Registered(changed, was_new=False), (Replace(changed),), "resource_changed")


def _written(at: Moment, view: ConnectionInView, actor: str, action: str, resource: Resource) -> Change:
    return audit.note(at, actor, action, view.connection, resource=show("rs", resource.id), kind=resource.kind)
