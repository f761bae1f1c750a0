"""Whether what a token hangs from still stands: asked at every use, so that an end is effective at once."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from grantway.protocol.decision import Refusal
from grantway.protocol.facts import GrantAtRest, GrantInUse
from grantway.protocol.model import Account, Client, Grant
from grantway.wire.errors import ACCESS_DENIED

SUSPENDED = frozenset({"connection_suspended", "account_suspended"})
"""Reasons that pass: what is suspended comes back as it was, so a client must not throw its tokens away."""

ASK_AGAIN = timedelta(minutes=5)
"""After how long a client whose connection is suspended may ask again: nobody resumes it from one second to the next."""


def why_client_is_out(client: Client) -> str | None:
    """The reason for which nothing of this client works, or ``None``."""
    if client.ended_at is not None:
        return "client_ended"
    if client.disabled_at is not None:
        return "client_disabled"
    return None


def why_own_is_out(client: Client, account: Account | None) -> str | None:
    """The reason for which a client can do nothing for itself, or ``None``; ``account`` is the one that it acts for."""
    if account is not None and account.removed_at is not None:
        return "account_removed"
    reason = why_client_is_out(client)
    if reason is not None:
        return reason
    return "account_suspended" if account is not None and account.suspended_at is not None else None


def suspended(reason: str) -> Refusal:
    """What is said while a connection or its account is suspended.

    Never ``invalid_grant`` or a 401: correct clients throw their tokens away on those.
    """
    return Refusal(ACCESS_DENIED, reason, int(ASK_AGAIN.total_seconds()), "suspended")


def why_out(held: GrantInUse) -> str | None:
    """The reason for which no token of this grant works, or ``None``. What is over comes before what is suspended."""
    if held.grant.revoked_at is not None:
        return "grant_ended"
    if held.connection.removed_at is not None:
        return "connection_removed"
    if held.account.removed_at is not None:
        return "account_removed"
    if held.user is not None and held.user.disabled_at is not None:
        return "user_disabled"
    if held.user is None and held.grant.user_id is not None:
        return "user_missing"
    reason = why_client_is_out(held.client)
    if reason is not None:
        return reason
    if held.connection.suspended_at is not None:
        return "connection_suspended"
    if held.account.suspended_at is not None:
        return "account_suspended"
    return None


def goes_without_secret(client: Client, grant: Grant) -> bool:
    """Whether the grant is a public client's in every way: its client has no secret, or PKCE stands for it."""
    return not client.confidential or (client.policy.pkce_replaces_secret and grant.code_challenge is not None)


def rotates(client: Client, grant: Grant) -> bool:
    """Whether each refresh token of the grant is used once; always, where nothing proves who uses it (RFC 9700 §2.2.2)."""
    return client.policy.rotates_refresh_tokens or goes_without_secret(client, grant)


def next_idle_end(client: Client, grant: Grant, now: datetime) -> datetime | None:
    """When the refresh token that is issued now stops working if nobody uses it; ``None``: it does not."""
    policy = client.policy
    is_vendors_own = policy.pkce_replaces_secret and goes_without_secret(client, grant)
    idle = policy.pkce_refresh_idle_lifetime if is_vendors_own else policy.refresh_idle_lifetime
    return None if idle is None else now + idle


def refresh_end(held: GrantInUse | GrantAtRest, unknown_until: datetime | None = None) -> datetime | None:
    """When the grant's refresh token stops working, as things stand; ``None``: without end.

    ``unknown_until``: it may have moved up to then without its row knowing of it.
    """
    grant, policy = held.grant, held.client.policy
    absolute, idle = grant.refresh_expires_at, grant.refresh_idle_expires_at
    if unknown_until is not None:
        idle = next_idle_end(held.client, grant, unknown_until)
    if idle is not None and not rotates(held.client, grant) and policy.refresh_idle_lifetime and grant.last_used_day:
        # Where nothing rotates nothing moves: the idle time runs from the end of the last day of use.
        used_until = datetime.combine(grant.last_used_day, time.min, UTC) + timedelta(days=1)
        idle = max(idle, used_until + policy.refresh_idle_lifetime)
    return idle if absolute is None or (idle is not None and idle < absolute) else absolute
