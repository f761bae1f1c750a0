"""Who is calling, and is it really them (RFC 6749 §2.3, §3.2.1)."""

from __future__ import annotations

from dataclasses import replace

from grantway.protocol.decision import Refusal
from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.keys import same
from grantway.protocol.model import Client
from grantway.protocol.moment import Moment
from grantway.protocol.standing import why_client_is_out
from grantway.wire.errors import INVALID_CLIENT
from grantway.wire.messages import ClientCredentials

_NOBODY = bytes(32)


def _no(reason: str) -> Refusal:
    return Refusal(INVALID_CLIENT, reason)


def may_ask(client: Client, grant_type: str) -> bool:
    """Whether it may make this kind of token request."""
    return client.kind == "integration" and grant_type in client.policy.grant_types


async def authenticate_client(
    credentials: ClientCredentials, facts: Facts, at: Moment, dialect: str
) -> Client | Refusal:
    """The client that these credentials prove, or the refusal: always ``invalid_client``, after the same work.

    A confidential client proves itself by one of its live secrets; a public one has none to show. Where PKCE stands for
    the secret, one that shows none is given as the public client that it is in this request. Clients of another dialect
    are unknown here.
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
        if not any(proven):
            return _no("client_secret_wrong")
    elif credentials.client_secret is not None:
        return _no("client_secret_of_a_public_client")
    reason = why_client_is_out(client)
    return client if reason is None else _no(reason)
