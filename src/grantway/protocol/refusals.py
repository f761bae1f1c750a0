"""Why authorization requests were refused, kept for the developers of the client: the browser is told little.

Anybody can send a client's id, so what this writes is bounded: so many slots per client, and one write per slot and
minute. What is counted is therefore a lower bound.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from grantway.protocol.decision import Change, Put
from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.model import Client, RefusedAuthorization
from grantway.protocol.moment import Moment

SLOTS = 50
PAUSE = timedelta(minutes=1)
LONGEST_DETAIL = 2048
"""As long as a redirect URI may be."""


async def refusal_noted(facts: Facts, at: Moment, client: Client, reason: str, detail: str = "") -> tuple[Change, ...]:
    """The change that counts this refusal, or none: its slot was written a moment ago."""
    shown = "".join(char if char.isprintable() else "\ufffd" for char in detail[:LONGEST_DETAIL])
    slot = digest(f"{reason} {shown}")[0] % SLOTS
    held = next((one for one in await facts.refused_authorizations(client.id) if one.slot == slot), None)
    if held is not None and at.now - held.last_at < PAUSE:
        return ()
    if held is not None and (held.reason, held.detail) == (reason, shown):
        return (Put(replace(held, count=held.count + 1, last_at=at.now)),)
    return (Put(RefusedAuthorization(client.id, slot, reason, shown, 1, at.now, at.now)),)
