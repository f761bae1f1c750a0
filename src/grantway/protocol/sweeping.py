"""Grants that are over although nobody ended them: none of their tokens can be used any more (DESIGN §3a, Bounded).

Nothing is written when a token is issued, so when the last one ends is worked out from what the grant and its client's
policy say. A grant that may still be used is looked at again when it could be over, and at least every three months,
because policies change and connections are removed.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from grantway.protocol.decision import Change, Decision, LookAgain, SweepGrant
from grantway.protocol.facts import Facts, GrantAtRest
from grantway.protocol.issuing import WITHOUT_REFRESH
from grantway.protocol.model import Grant
from grantway.protocol.moment import Moment
from grantway.protocol.policy import Policy
from grantway.protocol.revocation import SKEW
from grantway.protocol.standing import refresh_end

KEPT = timedelta(days=30)
"""How long a grant is kept after its last token ended. Uses are noted by the day, so one in use is never over: not even
where a policy was shortened after its tokens were issued for longer."""

LOOK_AGAIN = timedelta(days=90)
"""After how long at most a grant that may still be used is looked at again."""


async def sweep_grants(facts: Facts, at: Moment, limit: int = 100) -> Decision[int]:
    """The next grants to be looked at: gone if they are over, else left alone for as long as they may be used.

    None goes while the database knows less than its tokens.
    """
    if await facts.restoration() is not None:
        return Decision(0, reason="set_back")
    found = await facts.grants_to_look_at(at.now, limit)
    changes = tuple(_verdict(at_rest, at) for at_rest in found)
    return Decision(len(found), changes, "grants_looked_at" if found else "no_grants_to_look_at")


def _verdict(at_rest: GrantAtRest, at: Moment) -> Change:
    grant, over = at_rest.grant, over_at(at_rest, at)
    if over is not None and over <= at.now:
        return SweepGrant(grant.id, grant.generation, grant.last_used_day)
    latest = at.now + LOOK_AGAIN
    return LookAgain(grant.id, latest if over is None else min(over, latest))


def over_at(at_rest: GrantAtRest, at: Moment) -> datetime | None:
    """From when on nobody misses the grant, as things stand; ``None``: never."""
    grant, connection, client = at_rest.grant, at_rest.connection, at_rest.client
    if connection.removed_at is not None:
        return connection.removed_at + max(KEPT, at.house.removal_grace)
    if at_rest.has_foreign:
        return None
    if grant.origin == "migration" and grant.generation == 0:
        return _last_issued(grant) + KEPT  # what stood for it is gone, and nothing of ours came of it
    lifetime = _longest_lifetime(client.policy, grant)
    if lifetime is None:
        return None
    ends = [_last_issued(grant) + lifetime + client.policy.renewal_grace]
    if grant.origin not in WITHOUT_REFRESH and not _is_unexchanged(grant):
        refresh = refresh_end(at_rest)
        if refresh is not None:
            ends.append(refresh + lifetime + client.policy.renewal_grace)
        elif client.policy.issues_refresh_tokens or "refresh_token" in client.policy.grant_types:
            return None
    return max(ends) + SKEW + KEPT


def _longest_lifetime(policy: Policy, grant: Grant) -> timedelta | None:
    """Of an access token; ``None``: one has no end."""
    if grant.origin == "permanent":
        return None
    if grant.origin == "implicit":
        return policy.implicit_lifetime
    if policy.access_token_lifetime is None:
        return None
    return max(policy.access_token_lifetime, policy.short_access_token_lifetime or timedelta(0))


def _last_issued(grant: Grant) -> datetime:
    """The latest time at which a token can have been issued: each use is noted by its day."""
    known = max(grant.created_at, grant.moved_at or grant.created_at)
    if grant.last_used_day is None:
        return known
    return max(known, datetime.combine(grant.last_used_day, time.min, UTC) + timedelta(days=1))


def _is_unexchanged(grant: Grant) -> bool:
    return grant.origin == "code" and grant.generation == 0
