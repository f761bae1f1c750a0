"""Work that one process of all does at a time. A lease ends by itself, so that nobody waits for one that died."""

from __future__ import annotations

from datetime import timedelta

from grantway.protocol.decision import Decision, Forget, Put
from grantway.protocol.facts import Facts
from grantway.protocol.model import Lease
from grantway.protocol.moment import Moment


async def take(facts: Facts, at: Moment, name: str, owner: bytes, lasts: timedelta) -> Decision[bool]:
    """Whether the work is this owner's for so long; one that has it gets it anew.

    Decides on what is absent, so it is settled and never proposed.
    """
    held = await facts.lease(name)
    if held is not None and held.owner != owner and held.until > at.now:
        return Decision(False, reason="lease_held")
    return Decision(True, (Put(Lease(name, owner, at.now + lasts)),), "lease_taken")


async def give_back(facts: Facts, at: Moment, name: str, owner: bytes) -> Decision[None]:
    """The work is for whoever comes next."""
    held = await facts.lease(name)
    if held is None or held.owner != owner:
        return Decision(None, reason="lease_not_held")
    return Decision(None, (Forget(held),), "lease_given_back")
