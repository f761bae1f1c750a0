"""What a client holds: tokens whose expiry is a point in time, and what a token is good for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import Any

from grantway.client.errors import NoAnswer
from grantway.wire.errors import Malformed
from grantway.wire.messages import AccountSummary, TokenAnswer
from grantway.wire.record import record
from grantway.wire.times import read_time, write_time


@record
class Account:
    """The account that the tokens reach. ``external_id`` is the vendor's own id of it (``merchant_id``, ``voip_id``…)."""

    id: str
    name: str = ""
    external_id: str | None = None


@record
class Tokens:
    """Tokens as they are kept. They do not show in ``repr``; ``to_dict`` is how they are stored, on purpose.

    ``expires_at`` is aware, and counted from before the request was sent, so that it is never too late; ``None`` when the
    token does not expire or it was not said. ``scope`` is ``None`` when it is not known.
    """

    access_token: str = field(repr=False)
    token_type: str = "Bearer"
    expires_at: datetime | None = None
    refresh_token: str | None = field(default=None, repr=False)
    refresh_token_expires_at: datetime | None = None
    scope: tuple[str, ...] | None = None
    account: Account | None = None
    connection_id: str | None = None
    short_lived: bool = False

    def expires_within(self, seconds: float, now: datetime | None = None) -> bool:
        """Whether the access token will have expired in so many seconds from now."""
        return self.expires_at is not None and self.expires_at - (now or datetime.now(UTC)) <= timedelta(
            seconds=seconds
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything, secrets included, as JSON has it: to be stored where nobody else reads."""
        account = self.account
        return {
            "access_token": self.access_token,
            "token_type": self.token_type,
            "expires_at": _written(self.expires_at),
            "refresh_token": self.refresh_token,
            "refresh_token_expires_at": _written(self.refresh_token_expires_at),
            "scope": None if self.scope is None else list(self.scope),
            "account": account and {"id": account.id, "name": account.name, "external_id": account.external_id},
            "connection_id": self.connection_id,
            "short_lived": self.short_lived,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Tokens:
        """What ``to_dict`` gave. Members that are not there keep their defaults."""
        account, scope = stored.get("account"), stored.get("scope")
        return cls(
            access_token=stored["access_token"],
            token_type=stored.get("token_type", "Bearer"),
            expires_at=_read(stored.get("expires_at")),
            refresh_token=stored.get("refresh_token"),
            refresh_token_expires_at=_read(stored.get("refresh_token_expires_at")),
            scope=None if scope is None else tuple(scope),
            account=None if account is None else Account(**account),
            connection_id=stored.get("connection_id"),
            short_lived=stored.get("short_lived", False),
        )


@record
class Info:
    """What a token is good for, at this moment. Of one that is not active nothing more is told, unless it will come back.

    ``connection_state`` is ``suspended`` then. ``details`` is the answer as the dialect has it, for what only it tells.
    """

    active: bool
    scope: tuple[str, ...] | None = None
    expires_at: datetime | None = None
    client_id: str | None = None
    account: Account | None = None
    connection_id: str | None = None
    connection_state: str | None = None
    subject: str | None = None
    audience: tuple[str, ...] = ()
    details: Any = None


def tokens_of(
    answer: TokenAnswer,
    asked_at: datetime,
    *,
    before: Tokens | None = None,
    asked_scope: tuple[str, ...] | None = None,
) -> Tokens:
    """The tokens of an answer to what was asked at that time.

    RFC 6749 §5.1: a scope that is not told is the one that was asked for; §6: a refresh token that is not told is still the
    one ``before``. ``NoAnswer`` for a type of token that is not a bearer's: §7.1 forbids to use it.
    """
    if answer.token_type.lower() != "bearer":
        raise NoAnswer("token_type", status=200)
    expires_at = answer.expires_at
    if expires_at is None and answer.expires_in is not None:
        expires_at = later(asked_at, answer.expires_in)
    refresh_token, refresh_token_expires_at = answer.refresh_token, answer.refresh_token_expires_at
    account, connection_id = account_of(answer.account), answer.connection_id
    scope = answer.scope if answer.scope is not None else asked_scope
    if before is not None:
        if refresh_token is None:
            refresh_token = before.refresh_token
        if refresh_token == before.refresh_token and refresh_token_expires_at is None:
            refresh_token_expires_at = before.refresh_token_expires_at
        account, connection_id = account or before.account, connection_id or before.connection_id
        scope = scope if scope is not None else before.scope
    return Tokens(
        access_token=answer.access_token,
        token_type=answer.token_type,
        expires_at=expires_at,
        refresh_token=refresh_token,
        refresh_token_expires_at=refresh_token_expires_at,
        scope=scope,
        account=account,
        connection_id=connection_id,
        short_lived=answer.short_lived,
    )


def account_of(summary: AccountSummary | None) -> Account | None:
    """The account as a client keeps it."""
    return None if summary is None else Account(summary.id, summary.name, summary.external_id)


def later(at: datetime, seconds: int) -> datetime:
    """So many seconds later; ``NoAnswer`` beyond the end of time."""
    try:
        end = at + timedelta(seconds=seconds)
    except OverflowError:
        end = None
    if end is None:
        raise NoAnswer("wrong_type", status=200, reason="expires_in_not_a_time")
    return end


def _written(at: datetime | None) -> str | None:
    return None if at is None else write_time(at)


def _read(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return read_time(text)
    except Malformed:
        pass
    raise ValueError("A stored time is not one.")
