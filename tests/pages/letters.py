"""The letters that wait in the outbox, as their readers would read them."""

from __future__ import annotations

import re
from typing import Any

from grantway.protocol.decision import Decision
from grantway.protocol.model import User
from grantway.server.mail.letters import Letter, write_letter
from tests.helpers.people import House


def letters(house: House) -> list[Letter]:
    """Oldest first, as far as the clock was turned between them."""

    async def waiting(facts: Any, at: Any) -> Decision[Any]:
        found = [notice for notice in await facts.notices() if notice.kind == "mail"]
        return Decision([(notice, await facts.user(notice.user_id)) for notice in reversed(found)])

    waited: list[tuple[Any, User]] = house.decide(waiting).answer
    return [write_letter(house.service, notice, user) for notice, user in waited]


def last_link(house: House) -> str:
    """The path of the link in the last letter that has one."""
    found = [link for letter in letters(house) for link in re.findall(r"https://[^/]+(/links/\S+)", letter.words)]
    return str(found[-1])
