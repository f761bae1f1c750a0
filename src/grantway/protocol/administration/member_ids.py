"""The ids by which dialects know a person in an account: given by the platform, or drawn with the membership."""

from __future__ import annotations

from collections.abc import Mapping

from grantway.protocol.administration.answers import Rejected
from grantway.protocol.facts import Facts
from grantway.protocol.model import Membership
from grantway.protocol.moment import Moment
from grantway.protocol.numbers import draw_number, is_number
from grantway.wire.sentence import worded

DIALECTS = ("phonecom",)
"""Those that have such ids. Phone.com's are extensions: integers."""


def check_member_ids(given: Mapping[str, str]) -> str | None:
    """The sentence that says why nobody can have such ids, or ``None``."""
    for dialect, text in given.items():
        if dialect not in DIALECTS:
            return worded(
                "There is no dialect %(dialect)r with ids of members; there is %(dialects)s.",
                dialect=dialect,
                dialects=", ".join(DIALECTS),
            )
        if not is_number(text):
            return worded("A %(dialect)s id of a member (an extension) is a positive integer.", dialect=dialect)
    return None


async def member_ids(
    facts: Facts, at: Moment, account_id: bytes, known: Membership | None, given: Mapping[str, str]
) -> Mapping[str, str] | Rejected:
    """What a membership's ids become: as given, else as they are, else drawn. No two members of an account share one."""
    if problem := check_member_ids(given):
        return Rejected(problem, "member_id_malformed")
    before = {} if known is None else known.external_ids
    ids = {**before, **given}
    if ids == before and all(dialect in ids for dialect in DIALECTS):
        return ids  # at nearly every sign-in that the platform tells of
    others = [each for each, _ in await facts.members(account_id) if known is None or each.user_id != known.user_id]
    taken = {(dialect, text) for each in others for dialect, text in each.external_ids.items()}
    for dialect, text in given.items():
        if (dialect, text) in taken:
            return Rejected(
                worded("The %(dialect)s id %(text)s is another member's.", dialect=dialect, text=text),
                "member_id_taken",
            )
    for dialect in DIALECTS:
        while dialect not in ids:
            drawn = draw_number(at)
            if (dialect, drawn) not in taken:
                ids[dialect] = drawn
    return ids
