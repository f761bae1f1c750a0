"""What the API learns of the access token that it was called with."""

from __future__ import annotations

from datetime import UTC, datetime

from grantway.wire.errors import INVALID_TOKEN, Malformed
from grantway.wire.record import record


@record
class AccessToken:
    """What a caller's access token is good for, now. The string itself is not kept.

    What a verifier cannot know is ``None``: a signed token says nothing of the account's name, a client's own token has
    neither account nor connection. ``expires_at`` is ``None`` for a token without end. ``member_id`` is there for tokens
    that reach only what is one person's own in the account.
    """

    scope: tuple[str, ...]
    audience: tuple[str, ...]
    client_id: str | None = None
    subject: str | None = None
    issuer: str | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    id: str | None = None
    connection_id: str | None = None
    account_id: str | None = None
    account_name: str | None = None
    member_id: str | None = None

    def has(self, *scope: str) -> bool:
        """Whether it reaches all of these."""
        return all(one in self.scope for one in scope)


def read_moment(seconds: object) -> datetime | None:
    """The time that a NumericDate names (RFC 7519 §2); ``None`` when there is none. ``Malformed`` when it is another thing."""
    if seconds is None:
        return None
    try:
        if not isinstance(seconds, bool) and isinstance(seconds, int | float):
            return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise Malformed(INVALID_TOKEN, "time_malformed")
