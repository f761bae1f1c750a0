"""Clients are switched off and on, and end. Every use of a token reads its client, so one row is enough to stop all."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Literal

from grantway.protocol.administration.answers import OPERATOR, Rejected, recorded
from grantway.protocol.administration.clients import find_client
from grantway.protocol.decision import Add, Change, Decision, Replace
from grantway.protocol.facts import Facts
from grantway.protocol.model import Client, Notice
from grantway.protocol.moment import Moment

ClientEvent = Literal["client.disabled", "client.enabled", "client.ended"]


async def disable_client(
    facts: Facts, at: Moment, client_id: str, *, actor: str = OPERATOR
) -> Decision[Client | Rejected]:
    """The client may do nothing, and its tokens are good for nothing, until it is enabled again."""
    client = await find_client(facts, client_id)
    if isinstance(client, Rejected):
        return Decision(client, (), client.reason)
    if client.disabled_at is not None:
        return Decision(client, (), "unchanged")
    changed = replace(client, disabled_at=at.now, version=client.version + 1)
    entry = recorded(at, "client_disabled", actor=actor, reason="client_disabled", client_id=client.id)
    told = _platform_told(at, client, "client.disabled", "client_disabled", actor)
    return Decision(changed, (Replace(changed), entry, *told))


async def enable_client(
    facts: Facts, at: Moment, client_id: str, *, actor: str = OPERATOR
) -> Decision[Client | Rejected]:
    """The client may go on where it was."""
    client = await find_client(facts, client_id)
    if isinstance(client, Rejected):
        return Decision(client, (), client.reason)
    if client.disabled_at is None:
        return Decision(client, (), "unchanged")
    changed = replace(client, disabled_at=None, version=client.version + 1)
    entry = recorded(at, "client_enabled", actor=actor, client_id=client.id)
    return Decision(changed, (Replace(changed), entry, *_platform_told(at, client, "client.enabled", None, actor)))


async def end_client(
    facts: Facts,
    at: Moment,
    client_id: str,
    *,
    reason: Literal["operator", "integrator"] = "operator",
    actor: str = OPERATOR,
) -> Decision[Client | Rejected]:
    """The client is over, for ever, and all its tokens with it. Its id is not used again.

    Its connections are removed afterwards, a hundred in a commit (``aftermath.remove_connections``), so that each
    account and the platform hear of theirs and no commit grows with a client's success.
    """
    client = await find_client(facts, client_id)
    if isinstance(client, Rejected):
        return Decision(client, (), client.reason)
    changed = replace(client, ended_at=at.now, secrets=(), submitted_at=None, version=client.version + 1)
    entry = recorded(at, "client_ended", actor=actor, reason=reason, client_id=client.id)
    return Decision(changed, (Replace(changed), entry, *_platform_told(at, client, "client.ended", reason, actor)))


def _platform_told(at: Moment, client: Client, what: ClientEvent, reason: str | None, actor: str) -> tuple[Change, ...]:
    """The signed call to the platform's own address, if it has one. In order per client."""
    if not at.house.hears_events:
        return ()
    told = {
        "type": what,
        "timestamp": at.now.isoformat().replace("+00:00", "Z"),
        "data": {"client_id": client.client_id, "reason": reason, "actor": actor},
    }
    notice = Notice(
        id=at.new_id(),
        line=client.id,
        connection_id=None,
        client_id=client.id,
        kind="platform",
        url="",
        body=json.dumps(told, separators=(",", ":")).encode(),
        created_at=at.now,
        next_attempt_at=at.now,
    )
    return (Add(notice),)
