"""Who is calling, and is it really them (RFC 6749 §2.3, §3.2.1)."""

from __future__ import annotations

from dataclasses import field, replace

from grantway.protocol.decision import Refusal
from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.keys import same
from grantway.protocol.model import Client, ClientSecret
from grantway.protocol.moment import Moment
from grantway.protocol.standing import why_client_is_out
from grantway.wire.errors import INVALID_CLIENT
from grantway.wire.messages import ClientCredentials
from grantway.wire.record import record

_NOBODY = bytes(32)
LONGEST_SECRET = 512
"""Characters. No secret that was brought along is longer, so nothing longer is worth verifying slowly."""


@record
class VerifiedSecret:
    """What was verified outside of rules: the secret of this digest is the one of this foreign hash."""

    foreign_hash: str = field(repr=False)
    digest: bytes = field(repr=False)


def _no(reason: str) -> Refusal:
    return Refusal(INVALID_CLIENT, reason)


def may_ask(client: Client, grant_type: str) -> bool:
    """Whether it may make this kind of token request."""
    return client.kind == "integration" and grant_type in client.policy.grant_types


async def authenticate_client(
    credentials: ClientCredentials, facts: Facts, at: Moment, dialect: str, verified: VerifiedSecret | None = None
) -> Client | Refusal:
    """The client that these credentials prove, or the refusal: always ``invalid_client``, after the same work.

    A confidential client proves itself by one of its live secrets; a public one has none to show. Where PKCE stands for
    the secret, one that shows none is given as the public client that it is in this request. Clients of another dialect
    are unknown here. A secret that only another server's hash is known of has to be ``verified`` first; until then the
    refusal says what is to verify.
    """
    client = await facts.client(credentials.client_id)
    if client is None or client.policy.dialect != dialect:
        same(digest(credentials.client_secret or ""), _NOBODY)
        return _no("client_unknown" if client is None else "client_of_another_dialect")
    if client.confidential:
        if credentials.client_secret is None and not client.policy.pkce_replaces_secret:
            return _no("client_secret_missing")
        if credentials.client_secret is None:
            reason = why_client_is_out(client)
            return replace(client, confidential=False) if reason is None else _no(reason)
        shown = digest(credentials.client_secret)
        # No early exit: every live secret is compared.
        proven = [
            same(shown, one.digest) for one in client.secrets if one.expires_at is None or at.now < one.expires_at
        ]
        if not any(proven) and not _is_verified(client, at, shown, verified):
            return _not_yet(client, at, credentials.client_secret)
    elif credentials.client_secret is not None:
        return _no("client_secret_of_a_public_client")
    reason = why_client_is_out(client)
    return client if reason is None else _no(reason)


def foreign_secrets(client: Client, at: Moment) -> list[ClientSecret]:
    """Its live secrets that only another server's hash is known of."""
    return [
        one
        for one in client.secrets
        if one.foreign_hash is not None and (one.expires_at is None or at.now < one.expires_at)
    ]


def _is_verified(client: Client, at: Moment, shown: bytes, verified: VerifiedSecret | None) -> bool:
    """Whether what was verified is what is shown now, and is still the client's."""
    if verified is None or not same(shown, verified.digest):
        return False
    return any(one.foreign_hash == verified.foreign_hash for one in foreign_secrets(client, at))


def _not_yet(client: Client, at: Moment, secret: str) -> Refusal:
    """The secret fits nothing that can be told at once. Nothing slow is done for a client that is out."""
    if len(secret) > LONGEST_SECRET or why_client_is_out(client) is not None:
        return _no("client_secret_wrong")
    hashes = tuple(one.foreign_hash for one in foreign_secrets(client, at) if one.foreign_hash is not None)
    return Refusal(INVALID_CLIENT, "client_secret_wrong", to_verify=hashes)
