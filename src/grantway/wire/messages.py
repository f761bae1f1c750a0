"""The messages, shared by all dialects and by both ends of the wire.

A message is what is meant, not how it is spelled: lists are tuples, an absent parameter is ``None`` (or an empty
tuple where absence and emptiness mean the same). Secrets and tokens do not show in ``repr``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any, Literal

from grantway.wire.errors import OAuthError
from grantway.wire.record import record

AuthenticationMethod = Literal["client_secret_basic", "client_secret_post", "none"]


@record
class ClientCredentials:
    """Who the caller says it is, and how it proves it (RFC 6749 §2.3). ``none`` has no secret."""

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    method: AuthenticationMethod = "none"


@record
class AuthorizationRequest:
    """What a client asks the customer for, through the browser (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2).

    ``state`` is byte-exact: ``None`` when absent, ``""`` when sent empty.
    """

    client_id: str
    response_type: str | None
    redirect_uri: str | None = None
    scope: tuple[str, ...] | None = None
    state: str | None = field(default=None, repr=False)
    code_challenge: str | None = None
    code_challenge_method: str | None = None
    resource: tuple[str, ...] = ()
    prompt: tuple[str, ...] = ()
    ui_locales: tuple[str, ...] = ()


@record
class AuthorizationAnswer:
    """What the browser carries back to the client's redirect URI: a code, tokens, or an error.

    RFC 6749 §4.1.2, §4.2.2; RFC 9207. ``token`` answers the response type ``token``. ``response_type`` is what was asked
    for: whoever asked for a token is told of errors where the token would have been.
    """

    redirect_uri: str
    code: str | None = field(default=None, repr=False)
    error: OAuthError | None = None
    state: str | None = field(default=None, repr=False)
    iss: str | None = None
    token: TokenAnswer | None = None
    response_type: str = "code"


@record
class TokenRequest:
    """A request to the token endpoint (RFC 6749 §4.1.3, §4.3.2, §4.4.2, §6; RFC 8707 §2.2).

    ``idempotency_key`` is the value of the ``Idempotency-Key`` header: up to 255 visible ASCII characters. Square:
    ``migration_token`` is a token of an older system, ``short_lived`` and ``jwt`` say what access token is wanted.
    """

    grant_type: str
    credentials: ClientCredentials
    code: str | None = field(default=None, repr=False)
    redirect_uri: str | None = None
    code_verifier: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    scope: tuple[str, ...] | None = None
    resource: tuple[str, ...] = ()
    idempotency_key: str | None = field(default=None, repr=False)
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    migration_token: str | None = field(default=None, repr=False)
    short_lived: bool = False
    jwt: bool = False


@record
class AccountSummary:
    """The account that a connection reaches, as the integrator is told of it.

    ``external_id`` is the one by which the client's dialect knows it; the standard dialect does not tell it.
    """

    id: str
    name: str
    external_id: str | None = None


@record
class TokenAnswer:
    """Tokens (RFC 6749 §5.1). ``expires_in`` is in seconds; ``None`` when the token does not expire or it is not said.

    ``expires_at`` and ``refresh_token_expires_at`` are aware times, for dialects that say these; ``short_lived`` is
    whether that is what was asked for (Square).
    """

    access_token: str = field(repr=False)
    token_type: str = "Bearer"
    expires_in: int | None = None
    refresh_token: str | None = field(default=None, repr=False)
    scope: tuple[str, ...] | None = None
    connection_id: str | None = None
    account: AccountSummary | None = None
    expires_at: datetime | None = None
    refresh_token_expires_at: datetime | None = None
    short_lived: bool = False


@record
class ErrorAnswer:
    """A refusal, as it is said (RFC 6749 §5.2). ``retry_after`` is in seconds.

    ``connection_state`` says why for now nothing goes, although the tokens are good: ``suspended``. ``details`` are a
    vendor's own entries as they were read, word for word; they say the same again, so they make no difference.
    """

    error: OAuthError
    retry_after: int | None = None
    connection_state: str | None = None
    details: tuple[Mapping[str, Any], ...] = field(default=(), compare=False)


@record
class IntrospectionRequest:
    """What is this token good for? (RFC 7662 §2.1)"""

    token: str = field(repr=False)
    credentials: ClientCredentials
    token_type_hint: str | None = None


@record
class IntrospectionAnswer:
    """What the token is good for (RFC 7662 §2.2). Times are seconds since the epoch. An inactive answer says no more.

    ``member_id`` is who the person is in the account, by the identifier of the client's dialect: there for tokens that
    reach only what is the person's own. ``connection_state`` says that an inactive token will come back: ``suspended``.
    """

    active: bool
    scope: tuple[str, ...] = ()
    client_id: str | None = None
    token_type: str | None = None
    exp: int | None = None
    iat: int | None = None
    sub: str | None = None
    aud: tuple[str, ...] = ()
    iss: str | None = None
    jti: str | None = None
    connection_id: str | None = None
    account: AccountSummary | None = None
    member_id: str | None = None
    connection_state: str | None = None


@record
class RevocationRequest:
    """End this token (RFC 7009 §2.1)."""

    token: str = field(repr=False)
    credentials: ClientCredentials
    token_type_hint: str | None = None


@record
class RevocationAnswer:
    """It is ended, or never was (RFC 7009 §2.2)."""


@record
class TokenInfoRequest:
    """Which account does this token reach? (Sunshine Conversations: ``GET /v2/tokenInfo``)"""

    access_token: str | None = field(default=None, repr=False)


@record
class TokenInfoAnswer:
    """The account behind a token, with what vendors tell of it (Sunshine Conversations: ``AppResponse``).

    ``display_name`` is ``None`` or 1 to 100 characters; ``metadata`` is flat.
    """

    id: str
    display_name: str | None = None
    subdomain: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] | None = None


@record
class AccountsRequest:
    """Which accounts does this token reach?"""

    access_token: str | None = field(default=None, repr=False)


@record
class ReachedAccount:
    """An account, and through which connection it is reached. A client's own token needs none."""

    id: str
    name: str
    scope: tuple[str, ...] = ()
    connection_id: str | None = None
    connection_state: str | None = None


@record
class AccountsAnswer:
    """What the token reaches: one account, or for a client's own token without one, none."""

    accounts: tuple[ReachedAccount, ...] = ()


@record
class AccessRevocationRequest:
    """End the whole connection that these credentials belong to (Sunshine Conversations: ``DELETE /oauth/authorization``).

    Either an access token or a connection key (``key_id`` and ``key_secret``); the token wins when both are there.
    """

    access_token: str | None = field(default=None, repr=False)
    key_id: str | None = None
    key_secret: str | None = field(default=None, repr=False)


@record
class AccessRevocationAnswer:
    """The connection is removed."""


@record
class TokenStatusRequest:
    """What is this token good for, asked with the token itself? (Square ``RetrieveTokenStatus``, Phone.com
    ``GET /v4/oauth/access-token``)"""

    access_token: str | None = field(default=None, repr=False)


@record
class TokenStatusAnswer:
    """What an active token is good for. ``expires_at`` is ``None`` for one without end.

    ``account_id`` and ``member_id`` are the identifiers by which the dialect knows the account and the person in it. Not
    every dialect tells the client.
    """

    scope: tuple[str, ...]
    client_id: str | None = None
    expires_at: datetime | None = None
    account_id: str | None = None
    member_id: str | None = None


@record
class RenewalRequest:
    """Another access token for one that ends soon or ended lately (Square ``RenewToken``)."""

    credentials: ClientCredentials
    access_token: str = field(repr=False)


@record
class AuthorizationRevocationRequest:
    """End a client's whole authorization by an account (Square ``RevokeToken``).

    Which one is said by one of its access tokens, by the dialect's id of the account, or by both where they agree.
    ``only_access_token``: nothing but that token ends.
    """

    credentials: ClientCredentials
    access_token: str | None = field(default=None, repr=False)
    account_id: str | None = None
    only_access_token: bool = False


@record
class AuthorizationRevocationAnswer:
    """It is ended."""


@record
class SignOutRequest:
    """End the grant that this access token hangs from (Phone.com ``DELETE /v4/oauth/access-token``)."""

    access_token: str | None = field(default=None, repr=False)


@record
class SignOutAnswer:
    """It is ended."""
