"""Clients, whose they are, and what they may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any, Literal

from grantway.protocol.policy import Policy, resolve
from grantway.wire.record import record

ClientKind = Literal["integration", "resource_server", "operator"]


@record
class ClientSecret:
    """One of a client's live secrets (at most two, so that it can be rotated). SHA-256, shown once.

    One that was brought along from another server may be known by its ``foreign_hash`` only (``foreign_hashes.py``).
    Its digest is empty then, which is no secret's, until the client first shows it.
    """

    digest: bytes = field(repr=False)
    created_at: datetime
    expires_at: datetime | None = None
    foreign_hash: str | None = field(default=None, repr=False)


@record
class Client:
    """What RFC 6749 calls a client; on pages, an integration. Never deleted: ``ended_at`` makes it a tombstone.

    ``scopes`` is what it may be given, ``default_scopes`` what it gets when it does not say, ``required_scopes`` what it
    cannot do without: a customer may leave out any other, and a connection that lacks one of them requires
    reauthorization. ``resources`` are the RFC 8707 resources that it may ask tokens for or, for a resource server, the
    ones that it is. ``secret`` is what its own (client credentials) tokens hang from. ``overrides`` are single fields of
    policy, as sorted pairs. ``account_id`` is whose client it is: the account that it acts for when it acts for itself.
    Without ``approved_at`` it is a draft, which connects only accounts of its developers;
    ``submitted_at`` is when they asked for approval.
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
    required_scopes: tuple[str, ...] = ()
    submitted_at: datetime | None = None
    approved_at: datetime | None = None

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
class Developer:
    """A user who looks after a client in the developer portal.

    ``added_by`` is the developer who added them; ``None`` for who registered it, and whom an operator added.
    """

    client_id: bytes
    user_id: bytes
    created_at: datetime
    added_by: bytes | None = None


@record
class RefusedAuthorization:
    """Why authorization requests of a client were refused, for its developers. At most ``slot`` many per client.

    The same refusal again only counts up. ``detail`` is what was wrong in full (a redirect URI that is not registered).
    """

    client_id: bytes
    slot: int
    reason: str
    detail: str
    count: int
    first_at: datetime
    last_at: datetime


@record
class Scope:
    """One entry of the catalogue.

    ``sentences`` by language tell a customer what it allows; ``opens`` and ``withholds`` list what it reaches and what
    not, by language, where one sentence is not enough. ``events`` are the event types that it covers: ``order.paid``, or
    ``order.*`` for all that begin so.
    """

    name: str
    sentences: Mapping[str, str]
    sensitivity: Literal["low", "medium", "high"] = "medium"
    opens: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    withholds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    events: tuple[str, ...] = ()
