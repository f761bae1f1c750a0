"""How often something happened, by the hour: for pictures of the last weeks, not for accounts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, get_args

from grantway.protocol.decision import AddTallies, Decision
from grantway.protocol.facts import Facts
from grantway.protocol.moment import Moment

Kind = Literal["tokens", "refusals", "connections", "deliveries", "sign_ins"]
KINDS: tuple[Kind, ...] = get_args(Kind)


async def add_tallies(facts: Facts, at: Moment, counts: Mapping[tuple[str, str], int]) -> Decision[None]:
    """So many more, in the hour in which they are told."""
    return Decision(None, (AddTallies(hour_of(at.now), counts),) if counts else (), "tallied")


def hour_of(when: datetime) -> datetime:
    """When its hour began."""
    return when.replace(minute=0, second=0, microsecond=0)
