"""What a profile permits. Profiles belong to clients, not to the server; rules read policy and never ask for a vendor.

A client names a profile and may override single fields of it (``resolve``).
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any, Literal

from grantway.wire.record import record
from grantway.wire.sentence import worded

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@record
class Policy:
    """One bundle of policy. All durations are ``timedelta``; ``None`` means without end."""

    dialect: Literal["standard", "sunshine", "square", "phonecom"]
    """The endpoints that this client speaks to; tokens are unknown at any other dialect's."""
    grant_types: frozenset[str]
    """Kinds of token request that the token endpoint takes from it; ``implicit`` is answered without one."""
    pkce: Literal["required", "accepted"]
    """Whether an authorization request without a code challenge is refused (OAuth 2.1 §4.1.1)."""
    redirect_uri: Literal["required", "first_by_default"]
    """What happens when an authorization request names none."""
    repeats_redirect_uri: bool
    """Whether the token request has to name it again when the authorization request did (RFC 6749 §4.1.3)."""
    takes_scope: bool
    """Whether requests name scopes; without, the client's default scopes are asked for, whatever is sent."""
    names_issuer: bool
    """Whether the authorization answer carries ``iss`` (RFC 9207)."""
    access_token_format: Literal["opaque", "jwt", "account_jwt"]
    """Opaque, RFC 9068 signed with a key of ``/jwks.json``, or an HS256 token naming the account (Sunshine)."""
    access_token_lifetime: timedelta | None
    code_lifetime: timedelta
    issues_refresh_tokens: bool
    rotates_refresh_tokens: bool
    refresh_lifetime: timedelta | None
    """From consent, whatever happens in between."""
    refresh_idle_lifetime: timedelta | None
    """From the last refresh."""
    retry_window: timedelta = timedelta(seconds=30)
    """How long a public client may present the token before the live one again."""
    retry_window_with_key: timedelta = timedelta(seconds=120)
    """The same, with the Idempotency-Key that the move was made with."""
    code_reuse_window: timedelta = timedelta(seconds=10)
    """How long a second presentation of a code is refused without ending the grant (a race, an SDK's retry)."""
    renewal_grace: timedelta = timedelta(0)
    """How long after its expiry an access token can be renewed; ended ones are remembered that much longer."""
    member_left: Literal["keep", "suspend", "remove"] = "suspend"
    """What becomes of a connection when the user who approved it may no longer connect for the account, and nobody else
    approved it, too."""
    live_grants: int = 50
    """Live grants per connection and user; the least recently used ends as ``superseded``."""
    also_allows: frozenset[str] = frozenset()
    """Grant types that an operator may turn on beside the profile's own. All others exist for none of its clients."""
    pkce_replaces_secret: bool = False
    """Whether a grant that was asked for with a code challenge is used without the client's secret. It is then a public
    client's grant in every way: its refresh tokens are single-use and end."""
    pkce_refresh_idle_lifetime: timedelta | None = None
    """The same as ``refresh_idle_lifetime``, for such grants and those of public clients."""
    narrowing: Literal["refuse", "intersect"] = "refuse"
    """What becomes of a refresh that asks for scopes beyond the grant's (RFC 6749 §6 refuses it)."""
    short_access_token_lifetime: timedelta | None = None
    """How long an access token lives that was asked for as a short-lived one; ``None``: nobody can ask for that."""
    implicit_lifetime: timedelta = HOUR
    """How long an access token lives that was answered through the browser (RFC 6749 §4.2)."""
    jwt_on_request: bool = False
    """Whether a token request may ask for its access token as a JWT that names the account."""
    permanent_tokens: bool = False
    """Whether access tokens without end can be made for it by hand (personal access tokens)."""
    default_scopes: tuple[str, ...] = ()
    """What a new client asks for when neither it nor its request says; none: all that it may be given."""
    personal_scopes: frozenset[str] = frozenset()
    """Scopes that reach only what is the person's own in the account. Who may not connect for the account may still
    allow these, and tokens with them alone name the person by their own id there."""
    client_management_scopes: frozenset[str] = frozenset()
    """Scopes by any of which a token manages the clients that belong to its account."""
    tells_scope: bool = True
    """Whether token answers say what was granted (RFC 6749 §5.1). Where they do not, a customer may leave out scopes only
    of a client that has declared which ones it cannot do without."""
    removal_notice: Literal["removed", "authorization_revoked"] = "removed"
    """What an integration is told at its ``removeUrl``: that it was removed, or that all its tokens are revoked."""


_STANDARD = Policy(
    dialect="standard",
    grant_types=frozenset({"authorization_code", "refresh_token", "client_credentials"}),
    pkce="required",
    redirect_uri="required",
    repeats_redirect_uri=True,
    takes_scope=True,
    names_issuer=True,
    access_token_format="opaque",
    access_token_lifetime=10 * MINUTE,
    code_lifetime=MINUTE,
    issues_refresh_tokens=True,
    rotates_refresh_tokens=True,
    refresh_lifetime=None,
    refresh_idle_lifetime=90 * DAY,
)

_SUNSHINE = Policy(
    dialect="sunshine",
    grant_types=frozenset({"authorization_code"}),
    pkce="accepted",
    redirect_uri="first_by_default",
    repeats_redirect_uri=False,
    takes_scope=False,
    names_issuer=False,
    access_token_format="account_jwt",
    access_token_lifetime=None,
    code_lifetime=10 * MINUTE,
    issues_refresh_tokens=False,
    rotates_refresh_tokens=False,
    refresh_lifetime=None,
    refresh_idle_lifetime=None,
    also_allows=frozenset({"client_credentials", "refresh_token"}),
    tells_scope=False,
)

_SQUARE = Policy(
    dialect="square",
    grant_types=frozenset({"authorization_code", "refresh_token", "migration_token"}),
    pkce="accepted",
    redirect_uri="first_by_default",
    repeats_redirect_uri=True,
    takes_scope=True,
    names_issuer=False,
    access_token_format="opaque",
    access_token_lifetime=30 * DAY,
    code_lifetime=5 * MINUTE,
    issues_refresh_tokens=True,
    rotates_refresh_tokens=False,
    refresh_lifetime=None,
    refresh_idle_lifetime=None,
    renewal_grace=15 * DAY,
    pkce_replaces_secret=True,
    pkce_refresh_idle_lifetime=90 * DAY,
    narrowing="intersect",
    short_access_token_lifetime=DAY,
    jwt_on_request=True,
    permanent_tokens=True,
    default_scopes=("MERCHANT_PROFILE_READ", "PAYMENTS_READ", "SETTLEMENTS_READ", "BANK_ACCOUNTS_READ"),
    tells_scope=False,
    removal_notice="authorization_revoked",
)

_PHONECOM = Policy(
    dialect="phonecom",
    grant_types=frozenset({"authorization_code", "refresh_token", "client_credentials"}),
    pkce="accepted",
    redirect_uri="required",
    repeats_redirect_uri=True,
    takes_scope=True,
    names_issuer=False,
    access_token_format="opaque",
    access_token_lifetime=HOUR,
    code_lifetime=5 * MINUTE,
    issues_refresh_tokens=True,
    rotates_refresh_tokens=True,
    refresh_lifetime=None,
    refresh_idle_lifetime=90 * DAY,
    also_allows=frozenset({"password", "implicit"}),
    permanent_tokens=True,
    personal_scopes=frozenset({"extension-user"}),
    client_management_scopes=frozenset({"account-owner"}),
)

PROFILES = {"standard": _STANDARD, "sunshine": _SUNSHINE, "square": _SQUARE, "phonecom": _PHONECOM}

_DURATIONS = {
    "access_token_lifetime", "code_lifetime", "refresh_lifetime", "refresh_idle_lifetime", "retry_window",
    "retry_window_with_key", "code_reuse_window", "renewal_grace", "pkce_refresh_idle_lifetime",
    "short_access_token_lifetime", "implicit_lifetime",
}  # fmt: skip
_ENDLESS = frozenset({
    "access_token_lifetime", "refresh_lifetime", "refresh_idle_lifetime", "pkce_refresh_idle_lifetime",
})  # fmt: skip
"""Durations that may be without end."""


@lru_cache(maxsize=4096)
def resolve(profile: str, overrides: tuple[tuple[str, Any], ...] = ()) -> Policy:
    """The profile's policy with single fields replaced.

    Overrides are JSON values: durations in seconds (``None``: without end), ``grant_types`` a space separated string.
    Raises ``ValueError`` with a sentence when the profile or a field is unknown or a value does not fit.
    """
    base = PROFILES.get(profile)
    if base is None:
        raise ValueError(
            worded(
                "There is no profile %(profile)r; there are %(profiles)s.",
                profile=profile,
                profiles=", ".join(sorted(PROFILES)),
            )
        )
    policy = replace(base, **{name: _read(base, name, value) for name, value in overrides})
    if policy.access_token_format == "account_jwt" and policy.access_token_lifetime is not None:
        raise ValueError("An account_jwt cannot carry an expiry, so it takes no access_token_lifetime.")
    if policy.access_token_format == "account_jwt" and policy.dialect == "standard":
        raise ValueError(
            "An account_jwt names the account as a vendor does, which the standard dialect has no word for."
        )
    return policy


def _read(base: Policy, name: str, value: Any) -> Any:
    if name not in {field.name for field in fields(Policy)}:
        raise ValueError(worded("There is no policy field %(name)r.", name=name))
    if name in _DURATIONS:
        if value is None and name in _ENDLESS:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 3_650 * 86_400:
            raise ValueError(worded("%(name)s takes a number of seconds.", name=name))
        return timedelta(seconds=value)
    if name == "grant_types":
        named = frozenset(str(value).split())
        if foreign := named - base.grant_types - base.also_allows:
            raise ValueError(
                worded("Clients of this profile cannot use the grant type %(names)s.", names=", ".join(sorted(foreign)))
            )
        return named
    if name in ("dialect", "also_allows"):
        raise ValueError(
            "Which dialect a client speaks, and which grant types can be turned on for it, is the profile's own."
        )
    if name in ("default_scopes", "personal_scopes", "client_management_scopes"):
        return type(getattr(base, name))(str(value).split())
    allowed = _CHOICES.get(name)
    if allowed is not None:
        if value not in allowed:
            raise ValueError(worded("%(name)s takes one of %(choices)s.", name=name, choices=", ".join(allowed)))
        return value
    if type(value) is not type(getattr(base, name)):
        raise ValueError(worded("%(name)s takes a %(kind)s.", name=name, kind=type(getattr(base, name)).__name__))
    return value


_CHOICES = {
    "pkce": ("required", "accepted"),
    "redirect_uri": ("required", "first_by_default"),
    "access_token_format": ("opaque", "jwt", "account_jwt"),
    "member_left": ("keep", "suspend", "remove"),
    "narrowing": ("refuse", "intersect"),
    "removal_notice": ("removed", "authorization_revoked"),
}
