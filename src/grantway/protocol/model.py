"""The records. All frozen; a change is a new value. States are times, times are aware, ids are 16 bytes.

An id is 48 bits of milliseconds and 80 random bits, so that rows of one time lie together. ``version`` counts the
changes of a record: a rule that read it, or a set of its children, guards on it. A field named ``secret`` or
``…_sealed`` holds bytes sealed by the master key ``key_id``; a field named ``…_digest`` holds a digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from typing import Any, Literal

from grantway.protocol.policy import Policy, resolve
from grantway.wire.record import record

Role = Literal["owner", "admin", "member"]
ClientKind = Literal["integration", "resource_server", "operator"]
Origin = Literal["code", "implicit", "password", "device", "migration", "permanent", "exchange"]


@record
class User:
    """A person who can sign in. ``email`` is case-folded and unique; ``password_version`` rises with each password."""

    id: bytes
    email: str
    name: str
    created_at: datetime
    password_hash: str | None = field(default=None, repr=False)
    password_version: int = 0
    disabled_at: datetime | None = None
    version: int = 1


@record
class Account:
    """What a user acts for: app, merchant, tenant, shop.

    ``external_ids`` are the identifiers that dialects answer with, unique per dialect: ``sunshine`` 24 hex digits,
    ``square`` 8 to 191 characters, ``phonecom`` an integer (kept as text). ``settings`` and ``metadata`` are told as
    they are by dialects that tell them.
    """

    id: bytes
    name: str
    created_at: datetime
    display_name: str | None = None
    subdomain: str | None = None
    external_ids: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] | None = None
    suspended_at: datetime | None = None
    removed_at: datetime | None = None
    version: int = 1


@record
class Membership:
    """A user belongs to an account. Owners and admins may connect integrations; members may not."""

    account_id: bytes
    user_id: bytes
    role: Role
    created_at: datetime

    @property
    def may_connect(self) -> bool:
        return self.role in ("owner", "admin")


@record
class ClientSecret:
    """One of a client's live secrets (at most two, so that it can be rotated). SHA-256, shown once."""

    digest: bytes = field(repr=False)
    created_at: datetime
    expires_at: datetime | None = None


@record
class Client:
    """What RFC 6749 calls a client; on pages, an integration. Never deleted: ``ended_at`` makes it a tombstone.

    ``scopes`` is what it may be given, ``default_scopes`` what it gets when it does not say. ``resources`` are the
    RFC 8707 resources that it may ask tokens for or, for a resource server, the ones that it is. ``secret`` is what
    its own (client credentials) tokens hang from. ``overrides`` are single fields of policy, as sorted pairs.
    """

    id: bytes
    client_id: str
    name: str
    created_at: datetime
    secret: bytes = field(repr=False)
    key_id: str
    kind: ClientKind = "integration"
    profile: str = "standard"
    overrides: tuple[tuple[str, Any], ...] = ()
    confidential: bool = True
    secrets: tuple[ClientSecret, ...] = field(default=(), repr=False)
    redirect_uris: tuple[str, ...] = ()
    remove_url: str | None = None
    scopes: tuple[str, ...] = ()
    default_scopes: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    account_id: bytes | None = None
    tokens_not_before: datetime | None = None
    disabled_at: datetime | None = None
    ended_at: datetime | None = None
    version: int = 1

    @property
    def policy(self) -> Policy:
        return resolve(self.profile, self.overrides)


@record
class Icon:
    """The picture of a client on the consent page: PNG, at most 256 pixels a side, re-encoded by us."""

    client_id: bytes
    png: bytes = field(repr=False)
    digest: str


@record
class Connection:
    """One client connected to one account: what people see, list and remove. One live one per client and account."""

    id: bytes
    client_id: bytes
    account_id: bytes
    integration_id: str
    scope: tuple[str, ...]
    created_at: datetime
    approved_by: bytes | None = None
    last_used_day: date | None = None
    suspended_at: datetime | None = None
    removed_at: datetime | None = None
    removed_reason: str | None = None
    removed_by: bytes | None = None
    version: int = 1


@record
class Grant:
    """One act of consent under a connection. All its codes and tokens are derived from this one row.

    ``secret`` is 32 random bytes, sealed. ``generation`` 0 is an unexchanged code. ``scope`` and ``resource`` are
    ordered and never change: tokens name them by position. ``redirect_uri_digest`` is SHA-256 of the redirect URI that
    was used. ``move_key`` binds the last move to an Idempotency-Key.
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


@record
class EndedToken:
    """One access token that was ended before its time. Kept until it could not be used any more anyway."""

    serial: bytes
    keep_until: datetime


@record
class PendingAuthorization:
    """An authorization request that waits for its customer.

    Found by the digest of the id in the address, bound to the digest of the browser's cookie, after sign-in to
    ``user_id`` and, once picked, to ``account_id``. ``refusal`` is an error that was found in the request and may be
    told to the client only when the customer has signed in: pair of error code and reason. ``grant_id`` is what Allow
    made of it: the row stays for a moment, so that a second click gets the same answer.
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


@record
class Session:
    """A signed-in browser. Found by the digest of its cookie; drawn anew at every sign-in."""

    digest: bytes
    user_id: bytes
    auth_time: datetime
    expires_at: datetime


@record
class ConnectionKey:
    """A key for the few vendor calls that take Basic (Sunshine: revoke access). Dies with its connection."""

    key_id: str
    connection_id: bytes
    digest: bytes = field(repr=False)
    created_at: datetime


@record
class SigningKey:
    """A key of ``/jwks.json``. Published from ``created_at``, signs from ``signs_from``, gone at ``retires_at``."""

    kid: str
    algorithm: str
    private_sealed: bytes = field(repr=False)
    key_id: str
    public_jwk: Mapping[str, Any]
    created_at: datetime
    signs_from: datetime
    retires_at: datetime | None = None
    version: int = 1


@record
class Scope:
    """One entry of the catalogue.

    ``sentences`` by language tell a customer what it allows; ``opens`` and ``withholds`` list what it reaches and what
    not, by language, where one sentence is not enough.
    """

    name: str
    sentences: Mapping[str, str]
    sensitivity: Literal["low", "medium", "high"] = "medium"
    opens: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    withholds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@record
class Notice:
    """A message that has to reach somebody: a row of the outbox, written in the commit of the change it tells of.

    ``body`` is JSON bytes and never contains a token. ``lease`` names the sender that is at it until ``leased_until``.
    """

    id: bytes
    connection_id: bytes
    client_id: bytes
    kind: Literal["remove_url"]
    url: str
    body: bytes
    created_at: datetime
    next_attempt_at: datetime
    attempts: int = 0
    last_status: int | None = None
    last_error: str | None = None
    delivered_at: datetime | None = None
    dead_at: datetime | None = None
    lease: bytes | None = None
    leased_until: datetime | None = None


@record
class AuditEntry:
    """Who did what, when and why. ``actor`` is ``user:…``, ``client:…``, ``operator`` or ``system``."""

    id: bytes
    at: datetime
    actor: str
    action: str
    reason: str | None = None
    client_id: bytes | None = None
    account_id: bytes | None = None
    connection_id: bytes | None = None
    grant_id: bytes | None = None
    user_id: bytes | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@record
class FailureBucket:
    """Failed sign-ins under one key (a digest of user and network, or of an address) in one window of time."""

    digest: bytes
    window_start: datetime
    failures: int
    expires_at: datetime


Record = (
    User | Account | Membership | Client | Icon | Connection | Grant | EndedToken | PendingAuthorization | Session
    | ConnectionKey | SigningKey | Scope | Notice | AuditEntry | FailureBucket
)  # fmt: skip
