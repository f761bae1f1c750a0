"""The messages, shared by all dialects and by both ends of the wire.

A message is what is meant, not how it is spelled: lists are tuples, an absent parameter is ``None`` (or an empty
tuple where absence and emptiness mean the same). Secrets and tokens do not show in ``repr``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
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


@record
class AuthorizationAnswer:
    """What the browser carries back to the client's redirect URI: a code, or an error (RFC 6749 §4.1.2, RFC 9207)."""

    redirect_uri: str
    code: str | None = field(default=None, repr=False)
    error: OAuthError | None = None
    state: str | None = field(default=None, repr=False)
    iss: str | None = None


@record
class TokenRequest:
    """A request to the token endpoint (RFC 6749 §4.1.3, §4.4.2, §6; RFC 8707 §2.2).

    ``idempotency_key`` is the value of the ``Idempotency-Key`` header: up to 255 visible ASCII characters.
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


@record
class AccountSummary:
    """The account that a connection reaches, as the integrator is told of it."""

    id: str
    name: str


@record
class TokenAnswer:
    """Tokens (RFC 6749 §5.1). ``expires_in`` is in seconds; ``None`` when the token does not expire or it is not said."""

    access_token: str = field(repr=False)
    token_type: str = "Bearer"
    expires_in: int | None = None
    refresh_token: str | None = field(default=None, repr=False)
    scope: tuple[str, ...] | None = None
    connection_id: str | None = None
    account: AccountSummary | None = None


@record
class ErrorAnswer:
    """A refusal, as it is said (RFC 6749 §5.2). ``retry_after`` is in seconds.

    ``connection_state`` says why for now nothing goes, although the tokens are good: ``suspended``.
    """

    error: OAuthError
    retry_after: int | None = None
    connection_state: str | None = None


@record
class IntrospectionRequest:
    """What is this token good for? (RFC 7662 §2.1)"""

    token: str = field(repr=False)
    credentials: ClientCredentials
    token_type_hint: str | None = None


@record
class IntrospectionAnswer:
    """What the token is good for (RFC 7662 §2.2). Times are seconds since the epoch. An inactive answer says no more."""

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
