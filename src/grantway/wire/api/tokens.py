"""Tokens that are made by hand, and those that an older system issued."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from grantway.wire.api.clients import Scopes
from grantway.wire.api.message import AccountId, Answer, ClientId, Request, Time


class NewToken(Request, frozen=True, kw_only=True):
    """For which account, and what it reaches: the client's default scopes, if that is left out."""

    account: AccountId
    scopes: Scopes | None = None


class Token(Answer, frozen=True, kw_only=True):
    """A token without end that was made by hand. Its text is shown once, when it is made."""

    id: str
    client_id: str
    account_id: str
    account_name: str
    connection_id: str
    scopes: list[str]
    made_by: str | None
    created_at: Time
    last_used_day: date | None


class CreatedToken(Answer, frozen=True, kw_only=True):
    """The token, with its text as it is shown once."""

    token: Token
    access_token: str


class OlderToken(Request, frozen=True, kw_only=True):
    """A token that an older system issued: its text, or the SHA-256 of it in hexadecimal digits."""

    kind: Literal["access", "refresh", "migration"]
    token: Annotated[str, Meta(min_length=16, max_length=8192, pattern="^[!-~]+$")] | None = None
    sha256: Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}$")] | None = None
    expires_at: Time | None = None


class OlderGrant(Request, frozen=True, kw_only=True):
    """What an older system had been allowed, and the tokens that it had issued for that: one line of an import.

    ``account`` is ac_…, or its id in the client's dialect, or the platform's own; ``user`` an address, us_…, or the
    platform's own id. ``scope`` is separated by blanks.
    """

    client_id: ClientId
    account: Annotated[str, Meta(min_length=1, max_length=191)]
    tokens: Annotated[list[OlderToken], Meta(min_length=1, max_length=20)]
    user: Annotated[str, Meta(min_length=1, max_length=254)] | None = None
    scope: Annotated[str, Meta(max_length=8192)] | None = None
