"""Grants, what was ended before its time, and authorization requests that wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from typing import Any, Literal

from grantway.wire.record import record

Origin = Literal["code", "implicit", "password", "device", "migration", "permanent", "exchange"]


@record
class Grant:
    """One act of consent under a connection. All its codes and tokens are derived from this one row.

    ``secret`` is 32 random bytes, sealed. ``generation`` 0 is an unexchanged code. ``scope`` and ``resource`` are
    ordered and never change: tokens name them by position. ``redirect_uri_digest`` is SHA-256 of the redirect URI that
    was used. ``move_key`` binds the last move to an Idempotency-Key. Before
    ``look_again_at`` the sweeper need not ask whether anything of it can still be used.
    """

    id: bytes
    connection_id: bytes
    client_id: bytes
    account_id: bytes
    user_id: bytes | None
    origin: Origin
    scope: tuple[str, ...]
    resource: tuple[str, ...]
    secret: bytes = field(repr=False)
    key_id: str
    created_at: datetime
    generation: int = 0
    moved_at: datetime | None = None
    previous_moved_at: datetime | None = None
    move_key: bytes | None = field(default=None, repr=False)
    code_expires_at: datetime | None = None
    code_challenge: str | None = None
    redirect_uri_digest: bytes | None = None
    redirect_uri_was_sent: bool = False
    cnf: str | None = None
    oidc: Mapping[str, Any] | None = None
    refresh_expires_at: datetime | None = None
    refresh_idle_expires_at: datetime | None = None
    access_not_before: datetime | None = None
    revoked_at: datetime | None = None
    revoked_reason: str | None = None
    revoked_by: bytes | None = None
    last_used_day: date | None = None
    look_again_at: datetime | None = None


@record
class EndedToken:
    """One access token that was ended before its time. Kept until it could not be used any more anyway.

    ``ends_at``: it was renewed, and works until then beside the new one; ``None``: it ended at once.
    """

    serial: bytes
    keep_until: datetime
    ends_at: datetime | None = None


@record
class ForeignToken:
    """A token that an older system issued, brought along as the SHA-256 digest of its text, and what it stands for here.

    An ``access`` token is good for its grant until ``expires_at``. A ``refresh`` token is generation 0 of its grant; so is
    a ``migration`` token, which is exchanged once (Square, "migration_token").
    """

    digest: bytes = field(repr=False)
    grant_id: bytes
    kind: Literal["access", "refresh", "migration"]
    created_at: datetime
    expires_at: datetime | None = None


@record
class PendingAuthorization:
    """An authorization request that waits for its customer.

    Found by the digest of the id in the address, bound to the digest of the browser's cookie, after sign-in to
    ``user_id`` and, once picked, to ``account_id``. ``refusal`` is an error that was found in the request and may be
    told to the client only when the customer has signed in: pair of error code and reason. ``grant_id`` is what Allow
    made of it: the row stays for a moment, so that a second click gets the same answer. ``response_type`` is ``code``,
    or ``token`` for an access token through the browser; ``ui_locales`` are languages that the client wants its customer
    spoken to in, best first.
    """

    digest: bytes
    browser_digest: bytes
    client_id: bytes
    created_at: datetime
    expires_at: datetime
    redirect_uri: str
    redirect_uri_was_sent: bool
    scope: tuple[str, ...]
    resource: tuple[str, ...] = ()
    state: str | None = field(default=None, repr=False)
    code_challenge: str | None = None
    prompt: tuple[str, ...] = ()
    refusal: tuple[str, str] | None = None
    user_id: bytes | None = None
    account_id: bytes | None = None
    grant_id: bytes | None = None
    version: int = 1
    response_type: str = "code"
    ui_locales: tuple[str, ...] = ()
