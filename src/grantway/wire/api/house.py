"""Keys, the audit, counts."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from grantway.wire.api.message import (
    AccountId,
    Answer,
    ClientId,
    ConnectionId,
    Json,
    Name,
    PageQuery,
    Request,
    Slug,
    Time,
    UserId,
)


class SigningKey(Answer, frozen=True, kw_only=True):
    """A key of /jwks.json."""

    kid: str
    algorithm: str
    state: Literal["waiting", "signing", "verifying"]
    created_at: Time
    signs_from: Time
    retires_at: Time | None


class KeyRotation(Request, frozen=True, kw_only=True):
    """``compromised``: sign with the new key at once and drop all others."""

    compromised: bool = False


class NewOperatorKey(Request, frozen=True, kw_only=True):
    """A key that reaches no further, and lives no longer, than the one it is made with."""

    name: Name
    scopes: Annotated[list[Annotated[str, Meta(min_length=1, max_length=40)]], Meta(min_length=1, max_length=50)]
    expires_at: Time | None = None


class OperatorKey(Answer, frozen=True, kw_only=True):
    """A key for this API."""

    id: str
    name: str
    scopes: list[str]
    created_at: Time
    expires_at: Time | None
    revoked_at: Time | None
    last_used_day: date | None


class CreatedOperatorKey(Answer, frozen=True, kw_only=True):
    """The key, and its text as it is shown once."""

    operator_key: OperatorKey
    key: str


class AuditQuery(PageQuery, frozen=True, kw_only=True):
    """Which entries; all that is named has to fit."""

    connection: ConnectionId | None = None
    client: ClientId | None = None
    account: AccountId | None = None
    user: UserId | None = None
    reason: Slug | None = None
    action: Slug | None = None


class AuditEntry(Answer, frozen=True, kw_only=True):
    """Who did what, when and why."""

    id: str
    at: Time
    actor: str
    action: str
    reason: str | None
    client_id: str | None
    connection_id: str | None
    account_id: str | None
    user_id: str | None
    detail: Json


class CountQuery(Request, frozen=True, kw_only=True):
    """Counts since when, and of what."""

    since: Time
    kind: Slug | None = None


class Count(Answer, frozen=True, kw_only=True):
    """How often something happened in one hour."""

    hour: Time
    kind: str
    label: str
    count: int
