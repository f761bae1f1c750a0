"""Which of a person's accounts an integration can be connected to, and what stands in the way of the others."""

from __future__ import annotations

from typing import Literal

from grantway.protocol.administration.approval import may_connect_draft
from grantway.protocol.facts import Facts
from grantway.protocol.model import Account, Client, Membership
from grantway.protocol.personal import is_personal, may_allow

Obstacle = Literal["suspended", "role", "nothing_own", "draft"]


async def obstacle_to(
    facts: Facts, client: Client, membership: Membership, account: Account, scope: tuple[str, ...]
) -> Obstacle | None:
    """Why this person cannot allow these scopes for this account, or ``None``."""
    if account.suspended_at is not None:
        return "suspended"
    if not may_allow(membership, client.policy, scope):
        return "nothing_own" if is_personal(client.policy, scope) else "role"
    return None if await may_connect_draft(facts, client, account) else "draft"
