"""Integrations and other clients, and the scope catalogue."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from grantway.wire.api.message import AccountId, Answer, ClientId, Name, PageQuery, Request, ScopeName, Time, Url

Urls = Annotated[list[Url], Meta(max_length=50)]
Scopes = Annotated[list[ScopeName], Meta(max_length=500)]
Kind = Literal["integration", "resource_server", "operator"]
Sensitivity = Literal["low", "medium", "high"]
Language = Annotated[str, Meta(pattern="^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", examples=["en"])]
Sentence = Annotated[str, Meta(min_length=1, max_length=500)]


class ClientQuery(PageQuery, frozen=True, kw_only=True):
    """Which clients."""

    name: Annotated[str, Meta(max_length=200, description="Only those whose name begins so.")] | None = None


class NewClient(Request, frozen=True, kw_only=True):
    """A client. Its id and secret are drawn when they are not given; what an operator registers is approved.

    ``account`` is whose client it is: the account that it acts for when it acts for itself.
    """

    name: Name
    profile: str = "standard"
    kind: Kind = "integration"
    public: bool = False
    client_id: ClientId | None = None
    redirect_uris: Urls = []
    remove_url: Url | None = None
    scopes: Scopes | None = None
    default_scopes: Scopes | None = None
    required_scopes: Scopes = []
    resources: Urls = []
    account: AccountId | None = None
    policy: dict[str, Any] = {}


class ClientChange(Request, frozen=True, kw_only=True):
    """What becomes different; what is left out stays. ``version`` is the one that was looked at, if it has to be that."""

    name: Name | UnsetType = UNSET
    redirect_uris: Urls | UnsetType = UNSET
    remove_url: Url | UnsetType | None = UNSET
    scopes: Scopes | UnsetType = UNSET
    default_scopes: Scopes | UnsetType = UNSET
    required_scopes: Scopes | UnsetType = UNSET
    resources: Urls | UnsetType = UNSET
    profile: str | UnsetType = UNSET
    account: AccountId | UnsetType | None = UNSET
    policy: dict[str, Any] | UnsetType = UNSET
    version: Annotated[int, Meta(ge=1)] | None = None


class Secret(Answer, frozen=True, kw_only=True):
    """When one of a client's secrets was made and ends. Its text is shown once, when it is made."""

    created_at: Time
    expires_at: Time | None


class Client(Answer, frozen=True, kw_only=True):
    """A client. Without ``approved_at`` it is a draft, which connects only its developers' own accounts."""

    client_id: str
    name: str
    kind: Kind
    profile: str
    public: bool
    redirect_uris: list[str]
    remove_url: str | None
    scopes: list[str]
    default_scopes: list[str]
    required_scopes: list[str]
    resources: list[str]
    account_id: str | None
    policy: dict[str, Any]
    secrets: list[Secret]
    version: int
    created_at: Time
    submitted_at: Time | None
    approved_at: Time | None
    disabled_at: Time | None
    ended_at: Time | None


class CreatedClient(Answer, frozen=True, kw_only=True):
    """The client, with its secret as it is shown once; null for a public client.

    ``notice_secret`` is what calls to its ``remove_url`` are signed with (Standard Webhooks).
    """

    client: Client
    client_secret: str | None
    notice_secret: str


class SecretRotation(Request, frozen=True, kw_only=True):
    """For how many seconds the secret before goes on working. ``compromised``: not at all, and tokens end, too."""

    expire_old_in: Annotated[int, Meta(ge=0, le=31536000)] = 604800
    compromised: bool = False


class RotatedSecret(Answer, frozen=True, kw_only=True):
    """The new secret as it is shown once, and until when the one before works."""

    client_secret: str
    old_expires_at: Time | None


class Review(Request, frozen=True, kw_only=True):
    """``version`` is the one that was looked at: what developers changed since is not approved unseen."""

    version: Annotated[int, Meta(ge=1)] | None = None


class ReviewWord(Request, frozen=True, kw_only=True):
    """What is missing, for the developers; ``version`` is the one that was looked at."""

    word: Annotated[str, Meta(min_length=1, max_length=500)]
    version: Annotated[int, Meta(ge=1)] | None = None


class ScopeEntry(Request, frozen=True, kw_only=True):
    """What a scope allows, in words, by language. Of one that is there only the languages that are given change."""

    sentences: dict[Language, Sentence]
    sensitivity: Sensitivity = "medium"
    opens: dict[Language, list[Sentence]] = {}
    withholds: dict[Language, list[Sentence]] = {}
    events: list[Annotated[str, Meta(min_length=1, max_length=191)]] = []


class Scope(Answer, frozen=True, kw_only=True):
    """One entry of the catalogue. ``events`` are the event types that it covers."""

    name: str
    sentences: dict[str, str]
    sensitivity: Sensitivity
    opens: dict[str, list[str]]
    withholds: dict[str, list[str]]
    events: list[str]
