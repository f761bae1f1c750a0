"""Who is signed in with this browser."""

from __future__ import annotations

from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.model import Session, User
from grantway.protocol.moment import Moment


async def signed_in(facts: Facts, at: Moment, session_id: str | None) -> tuple[Session, User] | None:
    """The session of this id (raw, as the cookie has it) and whose it is; ``None`` when it is over or never was."""
    found = await facts.session(digest(session_id)) if session_id else None
    if found is None or at.now >= found[0].expires_at or found[1].disabled_at is not None:
        return None
    return found
