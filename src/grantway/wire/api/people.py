"""Users, accounts, who belongs to which, and who signed in."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from grantway.wire.api.message import Answer, Json, Name, PageQuery, Request, Role, Time

Email = Annotated[str, Meta(min_length=3, max_length=254, examples=["ada@example.com"])]
ExternalId = Annotated[str, Meta(min_length=1, max_length=191)]
Dialect = Annotated[str, Meta(min_length=1, max_length=40)]


class UserQuery(PageQuery, frozen=True, kw_only=True):
    """Which users."""

    email: Annotated[str, Meta(max_length=254, description="Only those whose address begins so.")] | None = None


class NewUser(Request, frozen=True, kw_only=True):
    """A person. ``invite`` writes to them, with a link to choose a password."""

    email: Email
    name: Name
    invite: bool = False


class User(Answer, frozen=True, kw_only=True):
    """A person who can sign in. ``external_id`` is the platform's own id of somebody who comes by hand-off."""

    id: str
    email: str | None
    external_id: str | None
    name: str
    language: str | None
    has_password: bool
    created_at: Time
    disabled_at: Time | None
    erased_at: Time | None


class Erasure(Request, frozen=True, kw_only=True):
    """``force``: even where nobody else owns an account of theirs."""

    force: bool = False


class AccountQuery(PageQuery, frozen=True, kw_only=True):
    """Which accounts."""

    name: Annotated[str, Meta(max_length=200, description="Only those whose name begins so.")] | None = None


class NewAccount(Request, frozen=True, kw_only=True):
    """What people connect integrations to. External ids that are not given are drawn."""

    name: Name
    display_name: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    subdomain: Annotated[str, Meta(min_length=1, max_length=63)] | None = None
    external_ids: dict[Dialect, ExternalId] = {}
    settings: Json = {}
    metadata: Json | None = None


class AccountChange(Request, frozen=True, kw_only=True):
    """What becomes different; what is left out stays, null takes it away."""

    name: Name | UnsetType = UNSET
    display_name: Annotated[str, Meta(min_length=1, max_length=100)] | UnsetType | None = UNSET
    subdomain: Annotated[str, Meta(min_length=1, max_length=63)] | UnsetType | None = UNSET
    external_ids: dict[Dialect, ExternalId] | UnsetType = UNSET
    settings: Json | UnsetType = UNSET
    metadata: Json | UnsetType | None = UNSET


class Account(Answer, frozen=True, kw_only=True):
    """What people connect integrations to."""

    id: str
    name: str
    display_name: str | None
    subdomain: str | None
    external_ids: dict[str, str]
    settings: Json
    metadata: Json | None
    created_at: Time
    suspended_at: Time | None
    removed_at: Time | None


class NewMember(Request, frozen=True, kw_only=True):
    """Owners and admins may connect integrations, members may not.

    ``external_ids`` are the person's own in this account, by dialect (phonecom: their extension); others are drawn.
    """

    role: Role
    external_ids: dict[Dialect, ExternalId] = {}


class Member(Answer, frozen=True, kw_only=True):
    """A person who belongs to an account."""

    user_id: str
    email: str | None
    name: str
    role: Role
    external_ids: dict[str, str]
    since: Time


class SignedInAccount(Request, frozen=True, kw_only=True):
    """An account of somebody who signed in. ``id`` is the platform's own; what is left out stays as it is.

    ``member_ids`` are the person's own in this account, by dialect (phonecom: their extension).
    """

    id: ExternalId
    name: Name
    role: Role
    external_ids: dict[Dialect, ExternalId] = {}
    member_ids: dict[Dialect, ExternalId] = {}
    display_name: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    subdomain: Annotated[str, Meta(min_length=1, max_length=63)] | None = None
    settings: Json | None = None
    metadata: Json | None = None


class SignIn(Request, frozen=True, kw_only=True):
    """Who signed in at the platform, and when. ``id`` is the platform's own; accounts that it leaves out are left."""

    id: ExternalId
    name: Name
    auth_time: Time
    email: Email | None = None
    accounts: Annotated[list[SignedInAccount], Meta(max_length=200)] = []


class SignedIn(Answer, frozen=True, kw_only=True):
    """Where to send the browser now. Only there is it signed in, once."""

    user_id: str
    return_to: str
