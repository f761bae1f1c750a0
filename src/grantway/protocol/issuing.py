"""What is given when the answer is yes: claims, not strings. Access tokens are minted after the commit."""

from __future__ import annotations

from dataclasses import field, replace
from datetime import datetime, timedelta

from grantway.protocol.decision import Refusal
from grantway.protocol.facts import Facts, GrantInUse
from grantway.protocol.ids import show
from grantway.protocol.model import Account, Client, Grant, SigningKey
from grantway.protocol.moment import Moment
from grantway.protocol.policy import HOUR, Policy
from grantway.protocol.scope import common
from grantway.protocol.standing import next_idle_end, refresh_end, rotates
from grantway.protocol.tokens import SERIAL_LENGTH, Access, RowKind, write_refresh_token
from grantway.wire.errors import TEMPORARILY_UNAVAILABLE
from grantway.wire.messages import AccountSummary
from grantway.wire.record import record

WITHOUT_REFRESH = frozenset({"implicit", "permanent"})
"""Origins of grants that have one access token and nothing else (RFC 6749 §4.2.2)."""

LONGEST_CLIENT_TOKEN = HOUR
"""How long a client's own token lives when its policy names no end: it can always ask for another."""


@record
class Issued:
    """An access token to be minted and what is said beside it.

    ``secret`` is the opened secret of the row that the token hangs from; ``held`` is ``None`` for a client's own token;
    then ``own_account`` is the account that the client belongs to. ``signing_key`` is there for JWTs of RFC 9068; ``as_account_jwt``: it becomes a JWT that names the account, whatever
    the policy's format.
    """

    client: Client
    access: Access
    secret: bytes = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    held: GrantInUse | None = None
    signing_key: SigningKey | None = None
    refresh_expires_at: datetime | None = None
    short_lived: bool = False
    as_account_jwt: bool = False
    own_account: Account | None = None

    @property
    def account(self) -> Account | None:
        """The account that the token reaches."""
        return self.own_account if self.held is None else self.held.account

    @property
    def subject(self) -> str:
        """The ``sub`` of the token."""
        return subject_of(self.client, self.held)


@record
class Reused:
    """What was presented had been used before, by whom it was made for or by a thief: the grant ends for both.

    Not an answer yet: ``token.py`` says what ends with it (RFC 6749 §4.1.2, RFC 9700 §4.14.2).
    """

    held: GrantInUse
    reason: str


def subject_of(client: Client, held: GrantInUse | None) -> str:
    """Whom a token speaks for: the user who consented, else the client itself (RFC 9068 §2.2)."""
    return show("us", held.user.id) if held is not None and held.user is not None else client.client_id


def account_of(client: Client, account: Account) -> AccountSummary:
    """The account that a token reaches, as the client is told of it."""
    return AccountSummary(show("ac", account.id), account.name, account.external_ids.get(client.policy.dialect))


def issue_for_grant(
    held: GrantInUse,
    secret: bytes,
    generation: int,
    at: Moment,
    scope: tuple[str, ...] | None = None,
    resource: tuple[str, ...] | None = None,
    *,
    short_lived: bool = False,
    jwt: bool = False,
) -> Issued:
    """Tokens of a grant at a generation. ``scope`` and ``resource`` narrow the access token, never the refresh token.

    ``short_lived`` and ``jwt`` are what was asked for; policy says whether that can be had.
    """
    grant, policy = held.grant, held.client.policy
    short_lived = short_lived and policy.short_access_token_lifetime is not None
    access = _access(
        at,
        _lifetime(policy, grant, short_lived),
        kind="grant",
        row_id=grant.id,
        scope=common(grant.scope, held.connection.scope if scope is None else scope),
        resource=grant.resource if resource is None else common(grant.resource, resource),
    )
    takes_them = policy.issues_refresh_tokens and "refresh_token" in policy.grant_types
    if not takes_them or grant.origin in WITHOUT_REFRESH:
        return Issued(held.client, access, secret, None, held, None, None, short_lived, jwt and policy.jwt_on_request)
    idle_end = next_idle_end(held.client, grant, at.now) if rotates(held.client, grant) else refresh_end(held)
    ends = [end for end in (grant.refresh_expires_at, idle_end) if end is not None]
    return Issued(
        client=held.client,
        access=access,
        secret=secret,
        refresh_token=write_refresh_token(secret, grant.id, generation),
        held=held,
        refresh_expires_at=min(ends, default=None),
        short_lived=short_lived,
        as_account_jwt=jwt and policy.jwt_on_request,
    )


def _lifetime(policy: Policy, grant: Grant, short_lived: bool) -> timedelta | None:
    if grant.origin == "permanent":
        return None
    if grant.origin == "implicit":
        return policy.implicit_lifetime
    return policy.short_access_token_lifetime if short_lived else policy.access_token_lifetime


def issue_for_client(
    client: Client, secret: bytes, at: Moment, scope: tuple[str, ...], resource: tuple[str, ...]
) -> Issued:
    """A client's own token: it hangs from the client's row, nothing is stored.

    It always has an end: a token without one is its own grant, here there is none that could be ended.
    """
    lifetime = client.policy.access_token_lifetime
    if lifetime is None:
        lifetime = LONGEST_CLIENT_TOKEN
    access = _access(at, lifetime, kind="client", row_id=client.id, scope=scope, resource=resource)
    return Issued(client, access, secret)


def _access(
    at: Moment,
    lifetime: timedelta | None,
    *,
    kind: RowKind,
    row_id: bytes,
    scope: tuple[str, ...],
    resource: tuple[str, ...],
) -> Access:
    issued_at = at.now.replace(microsecond=0)
    return Access(
        kind=kind,
        row_id=row_id,
        serial=at.draw(SERIAL_LENGTH),
        issued_at=issued_at,
        expires_at=None if lifetime is None else issued_at + lifetime,
        scope=scope,
        resource=resource,
    )


async def as_signed(issued: Issued, facts: Facts, at: Moment) -> Issued | Refusal:
    """The same with the key that signs it, where its client has signed tokens: it is chosen with the facts."""
    if issued.client.policy.access_token_format != "jwt":
        return issued
    key = current_signing_key(await facts.signing_keys(), at)
    return Refusal(TEMPORARILY_UNAVAILABLE, "no_signing_key") if key is None else replace(issued, signing_key=key)


def current_signing_key(keys: tuple[SigningKey, ...], at: Moment) -> SigningKey | None:
    """The key that signs now: the newest one whose time has come and that is not retired."""
    usable = [k for k in keys if k.signs_from <= at.now and (k.retires_at is None or at.now < k.retires_at)]
    return max(usable, key=lambda k: k.signs_from, default=None)
