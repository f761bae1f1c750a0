"""What an access token is good for, now: read it, prove it under its row's secret, see whether all it hangs from stands.

A token that an older system issued proves itself by being known: its digest is stored, and what it stands for here.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import Literal

from grantway.protocol import jwt
from grantway.protocol.administration.approval import may_connect_draft
from grantway.protocol.decision import Change, TouchUse
from grantway.protocol.digests import foreign_digest
from grantway.protocol.facts import Facts, GrantInUse
from grantway.protocol.model import Account, Client
from grantway.protocol.moment import Moment
from grantway.protocol.scope import common
from grantway.protocol.standing import SUSPENDED, why_out, why_own_is_out
from grantway.protocol.tokens import SERIAL_LENGTH, Access, UnprovenAccessToken, read_access_token, read_sealed
from grantway.wire.record import record

IN_PEACE = frozenset({"customer", "integrator"})
"""Removals after which there may be something to tidy up and nothing to fear."""


@record
class ProvenAccess:
    """An access token that is known here. Proven is not active: ask ``why_inactive``.

    ``held`` is ``None`` for a client's own; then ``own_account`` is the account that the client belongs to, if any.
    The form ``foreign`` is that of tokens that an older system issued.
    """

    access: Access
    client: Client
    held: GrantInUse | None
    form: Literal["opaque", "jwt", "account_jwt", "foreign"]
    secret: bytes = field(repr=False, default=b"")
    own_account: Account | None = None

    @property
    def account(self) -> Account | None:
        """The account that the token reaches."""
        return self.own_account if self.held is None else self.held.account

    @property
    def scope(self) -> tuple[str, ...]:
        """The scope at use: token, grant and connection in common; for a client's own token, what it still may have."""
        if self.held is None:
            return common(self.access.scope, self.client.scopes)
        return common(common(self.access.scope, self.held.grant.scope), self.held.connection.scope)


async def prove_access(token: str, facts: Facts, at: Moment, issuer: str) -> ProvenAccess | None:
    """The token, if it is known here and its row is still there; expiry and ends are not looked at here."""
    if token.startswith("gwa_"):
        opaque = read_access_token(token)
        return None if opaque is None else await _prove_opaque(opaque, facts, at)
    parts = jwt.read(token)
    proven = None if parts is None else await _prove_jwt(parts, facts, at, issuer)
    return proven or await _known_foreign(token, facts)


async def _prove_jwt(parts: jwt.UnverifiedJwt, facts: Facts, at: Moment, issuer: str) -> ProvenAccess | None:
    grant_id = jwt.account_grant_id(parts)
    if grant_id is None:
        jwks = {key.kid: key.public_jwk for key in await facts.signing_keys()}
        access = jwt.verified_access(parts, issuer, jwks)
        return None if access is None else await _with_row(access, facts)
    held = await facts.grant(grant_id)
    if held is None:
        return None
    policy = held.client.policy
    if policy.access_token_format != "account_jwt" and not policy.jwt_on_request:
        return None
    secret = at.vault.open(held.grant.key_id, held.grant.secret, grant_id)
    if not jwt.is_proven_account_jwt(parts, secret):
        return None
    access = jwt.account_access(parts, grant_id, (held.grant.scope, held.grant.resource))
    return ProvenAccess(access, held.client, held, "account_jwt", secret)


async def _known_foreign(token: str, facts: Facts) -> ProvenAccess | None:
    """A token of an older system. Its serial here is the beginning of its digest, so that it can be ended alone, too."""
    known = foreign_digest(token)
    found = None if known is None else await facts.foreign_token(known)
    held = await facts.grant(found.grant_id) if found is not None and found.kind == "access" else None
    if found is None or held is None:
        return None
    grant, serial = held.grant, found.digest[:SERIAL_LENGTH]
    access = Access("grant", grant.id, serial, found.created_at, found.expires_at, grant.scope, grant.resource)
    return ProvenAccess(access, held.client, held, "foreign")


async def _prove_opaque(token: UnprovenAccessToken, facts: Facts, at: Moment) -> ProvenAccess | None:
    if token.kind == "client":
        client = await facts.client_by_row(token.row_id)
        if client is None:
            return None
        secret = at.vault.open(client.key_id, client.secret, client.id)
        opened = token.open(secret)
        if opened is None:
            return None
        account = await _account_of(client, facts)
        return ProvenAccess(read_sealed(token, opened), client, None, "opaque", secret, account)
    held = await facts.grant(token.row_id)
    if held is None:
        return None
    grant = held.grant
    secret = at.vault.open(grant.key_id, grant.secret, grant.id)
    opened = token.open(secret)
    if opened is None:
        return None
    return ProvenAccess(read_sealed(token, opened, (grant.scope, grant.resource)), held.client, held, "opaque", secret)


async def _with_row(access: Access, facts: Facts) -> ProvenAccess | None:
    if access.kind == "client":
        client = await facts.client_by_row(access.row_id)
        if client is None:
            return None
        return ProvenAccess(access, client, None, "jwt", own_account=await _account_of(client, facts))
    held = await facts.grant(access.row_id)
    return None if held is None else ProvenAccess(access, held.client, held, "jwt")


async def _account_of(client: Client, facts: Facts) -> Account | None:
    return None if client.account_id is None else await facts.account(client.account_id)


async def why_inactive(proven: ProvenAccess, facts: Facts, at: Moment) -> str | None:
    """The reason for which a proven token is good for nothing now, or ``None``."""
    access, held = proven.access, proven.held
    if access.expires_at is not None and at.now >= access.expires_at:
        return "access_token_expired"
    out = await _why_own_is_out(proven, facts) if held is None else why_out(held)
    if out is not None and out not in SUSPENDED:
        return out
    not_before = proven.client.tokens_not_before if held is None else held.grant.access_not_before
    if not_before is not None and access.issued_at < not_before:
        return "access_token_before_its_time"
    ended = await facts.ended_token(access.serial) if access.serial else None
    if ended is not None and (ended.ends_at is None or at.now >= ended.ends_at):
        return "access_token_ended"
    return out  # what is over came before what is suspended


async def _why_own_is_out(proven: ProvenAccess, facts: Facts) -> str | None:
    client, account = proven.client, proven.own_account
    out = why_own_is_out(client, account)
    if out is None and account is not None and not await may_connect_draft(facts, client, account):
        return "client_is_draft"
    return out


CLEANUP = ("cleanup",)
"""All that the tokens of a removed connection reach while the grace lasts."""


async def may_clean_up(proven: ProvenAccess, facts: Facts, at: Moment) -> bool:
    """Whether the token's connection was removed so lately that the token still introspects, for ``CLEANUP`` only.

    Only where customer or integrator removed it in peace, and only if nothing else had ended the token.
    """
    held = proven.held
    if held is None or held.connection.removed_at is None or held.connection.removed_reason not in IN_PEACE:
        return False
    if at.now >= held.connection.removed_at + at.house.removal_grace:
        return False
    as_before = replace(held, connection=replace(held.connection, removed_at=None))
    return await why_inactive(replace(proven, held=as_before), facts, at) is None


def used_today(proven: ProvenAccess, at: Moment) -> tuple[Change, ...]:
    """The change that notes the day of use: once a day per grant, so that reading stays reading."""
    held = proven.held
    if held is None or held.grant.last_used_day == at.now.date():
        return ()
    return (TouchUse(held.grant.id, held.connection.id, at.now.date()),)
