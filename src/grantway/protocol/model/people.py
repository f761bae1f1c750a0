"""People, what they act for, and how their browsers are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any, Literal

from grantway.wire.record import record

Role = Literal["owner", "admin", "member"]


@record
class User:
    """A person who can sign in.

    ``email`` is case-folded and unique; only people who come by hand-off may have none. ``external_id`` is the
    platform's own id of the person (hand-off), unique. ``password_version`` rises with each password. ``language`` is
    the one that was last read (BCP 47), for mail. After ``erased_at`` there is nobody any more: what is left is a name that tells nothing.
    """

    id: bytes
    email: str | None
    name: str
    created_at: datetime
    password_hash: str | None = field(default=None, repr=False)
    password_version: int = 0
    disabled_at: datetime | None = None
    version: int = 1
    external_id: str | None = None
    language: str | None = None
    erased_at: datetime | None = None


@record
class Account:
    """What a user acts for: app, merchant, tenant, shop.

    ``external_ids`` are the identifiers that dialects answer with, unique per dialect: ``sunshine`` 24 hex digits,
    ``square`` 8 to 191 characters, ``phonecom`` an integer (kept as text); ``standard`` is the platform's own.
    ``settings`` and ``metadata`` are told as they are by dialects that tell them.
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
    """A user belongs to an account. Owners and admins may connect integrations; members may not.

    ``external_ids`` are the identifiers by which dialects know the person in this account: ``phonecom`` their extension,
    an integer (kept as text).
    """

    account_id: bytes
    user_id: bytes
    role: Role
    created_at: datetime
    external_ids: Mapping[str, str] = field(default_factory=dict)

    @property
    def may_connect(self) -> bool:
        return self.role in ("owner", "admin")


@record
class Operator:
    """A user who runs this installation. A ``viewer`` sees what an ``operator`` sees and changes nothing."""

    user_id: bytes
    role: Literal["operator", "viewer"]
    created_at: datetime


@record
class Session:
    """A signed-in browser. Found by the digest of its cookie; drawn anew at every sign-in.

    ``id`` names it on the page that lists a person's sessions, ``label`` says what browser it is.
    """

    digest: bytes
    user_id: bytes
    auth_time: datetime
    expires_at: datetime
    id: bytes
    label: str = ""


@record
class OneTimeLink:
    """A link that was sent to a person: whoever opens it may do one thing, once. Found by the digest of its secret.

    ``email`` is the new address that an ``email`` link proves.
    """

    digest: bytes
    purpose: Literal["invitation", "password", "email", "operator"]
    user_id: bytes
    created_at: datetime
    expires_at: datetime
    email: str | None = None


@record
class SignInRequest:
    """A browser that was sent to the platform's own sign-in, until the platform says who it is and it comes back.

    Found by the digest of its id and bound to the browser's cookie. ``destination_sealed`` is the path of ours where it
    goes on (it may hold the id of a pending authorization). ``user_id`` and ``auth_time`` are there once the platform
    has said them.
    """

    digest: bytes
    browser_digest: bytes
    destination_sealed: bytes = field(repr=False)
    key_id: str
    created_at: datetime
    expires_at: datetime
    user_id: bytes | None = None
    auth_time: datetime | None = None
    version: int = 1


@record
class FailureBucket:
    """Failed sign-ins under one key (a digest of user and network, or of an address) in one window of time."""

    digest: bytes
    window_start: datetime
    failures: int
    expires_at: datetime
