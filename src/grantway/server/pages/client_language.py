"""The languages that a client wants its customer spoken to in (OpenID Connect Core ``ui_locales``, Square ``locale``)."""

from __future__ import annotations

from grantway.protocol.decision import Decision
from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.moment import Moment
from grantway.server.pages.visit import Visit


async def speak_as_asked(visit: Visit, pending_id: str) -> None:
    """From here on in the language that the waiting request asks for, unless the person has chosen one."""
    visit.prefer((await visit.service.consult(_asked_for, pending_id)).answer)


async def _asked_for(facts: Facts, at: Moment, pending_id: str) -> Decision[tuple[str, ...]]:
    pending = await facts.pending(digest(pending_id))
    return Decision(() if pending is None else pending.ui_locales)
