"""Which grant a refresh token stands for: one of ours proves it, one of an older system is known by its digest."""

from __future__ import annotations

from datetime import datetime

from grantway.protocol.digests import foreign_digest
from grantway.protocol.facts import Facts, GrantInUse
from grantway.protocol.moment import Moment
from grantway.protocol.standing import rotates
from grantway.protocol.tokens import read_refresh_token
from grantway.wire.record import record


@record
class ProvenRefresh:
    """What can be exchanged for tokens of a grant. Proven is not active.

    ``is_live``: it is what the grant's next exchange is made with. ``expires_at`` is the end of its own that one of an
    older system brought along.
    """

    held: GrantInUse
    is_live: bool
    expires_at: datetime | None = None
    unknown_until: datetime | None = None
    """It is ahead of its row, which was set back: up to then it may have moved."""


async def prove_refresh(text: str, facts: Facts, at: Moment) -> ProvenRefresh | None:
    """The token, if it is known here and its grant is still there; ends are not looked at here."""
    token = read_refresh_token(text)
    if token is None:
        return await _known_foreign(text, facts)
    held = await facts.grant(token.grant_id)
    if held is None or not token.is_proven(at.vault.open(held.grant.key_id, held.grant.secret, held.grant.id)):
        return None
    if token.generation > held.grant.generation and (set_back := await facts.restoration()) is not None:
        return ProvenRefresh(held, is_live=True, unknown_until=set_back.restored_at)
    return ProvenRefresh(held, token.generation == held.grant.generation != 0)


async def _known_foreign(text: str, facts: Facts) -> ProvenRefresh | None:
    known = foreign_digest(text)
    found = None if known is None else await facts.foreign_token(known)
    held = None if found is None or found.kind == "access" else await facts.grant(found.grant_id)
    if found is None or held is None:
        return None
    is_live = held.grant.generation == 0 or not rotates(held.client, held.grant)
    return ProvenRefresh(held, found.kind == "refresh" and is_live, found.expires_at)
