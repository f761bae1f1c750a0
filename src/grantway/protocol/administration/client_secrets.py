"""Rotating a client's secret: two may live at once, so that an integrator changes over without downtime."""

from __future__ import annotations

from dataclasses import field, replace
from datetime import timedelta

from grantway.protocol.administration.answers import OPERATOR, Rejected, recorded, reject
from grantway.protocol.administration.clients import find_client
from grantway.protocol.client_secrets import LIVE_SECRETS, draw_client_secret
from grantway.protocol.decision import Decision, Replace
from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.model import Client, ClientSecret
from grantway.protocol.moment import Moment
from grantway.wire.record import record

CHANGEOVER = timedelta(days=7)
"""How long the secret before goes on working, if nothing else is said."""
LONGEST_CHANGEOVER = timedelta(days=365)


@record
class RotatedSecret:
    """The new secret as it is shown once; until when the one before works, and how many were dropped at once."""

    client: Client
    client_secret: str = field(repr=False)
    older: ClientSecret | None = None
    dropped: int = 0


async def rotate_secret(
    facts: Facts,
    at: Moment,
    client_id: str,
    *,
    expire_old_in: timedelta = CHANGEOVER,
    compromised: bool = False,
    actor: str = OPERATOR,
) -> Decision[RotatedSecret | Rejected]:
    """A new secret. The newest one before it works for ``expire_old_in`` more; an even older one is dropped.

    ``compromised``: all secrets before it are dropped at once, and so are the tokens issued until now to the client.
    """
    client = await find_client(facts, client_id)
    if isinstance(client, Rejected):
        return Decision(client, (), client.reason)
    if not client.confidential:
        return reject("A public client has no secret.", "client_public")
    if not timedelta(0) <= expire_old_in <= LONGEST_CHANGEOVER:
        return reject("The older secret goes on working for 0 seconds to a year.", "duration_out_of_range")
    text, new = draw_client_secret(at)
    live = live_secrets(client, at)
    kept: tuple[ClientSecret, ...] = ()
    if live and expire_old_in and not compromised:
        ends = at.now + expire_old_in
        kept = tuple(replace(one, expires_at=min(one.expires_at or ends, ends)) for one in live[-(LIVE_SECRETS - 1) :])
    changed = replace(
        client,
        secrets=(*kept, new),
        tokens_not_before=at.now if compromised else client.tokens_not_before,
        version=client.version + 1,
    )
    reason = "compromised" if compromised else None
    entry = recorded(at, "client_secret_rotated", actor=actor, reason=reason, client_id=client.id)
    older = kept[-1] if kept else None
    return Decision(RotatedSecret(changed, text, older, len(live) - len(kept)), (Replace(changed), entry))


def live_secrets(client: Client, at: Moment) -> list[ClientSecret]:
    """The secrets that work now, oldest first."""
    live = (one for one in client.secrets if one.expires_at is None or one.expires_at > at.now)
    return sorted(live, key=lambda one: one.created_at)


def name_of(secret: ClientSecret) -> str:
    """What a secret is called where it cannot be shown: the beginning of its digest, or of its foreign hash's."""
    return (secret.digest or digest(secret.foreign_hash or ""))[:4].hex()


async def end_secret(
    facts: Facts, at: Moment, client_id: str, name: str, *, actor: str = OPERATOR
) -> Decision[Client | Rejected]:
    """The secret of this name works no more. The last one cannot be ended: there would be no way in any more."""
    client = await find_client(facts, client_id)
    if isinstance(client, Rejected):
        return Decision(client, (), client.reason)
    live = live_secrets(client, at)
    kept = tuple(one for one in live if name_of(one) != name)
    if len(kept) == len(live):
        return reject("This secret does not work any more.", "secret_unknown")
    if not kept:
        return reject("This is the last secret: make a new one first.", "last_secret")
    changed = replace(client, secrets=kept, version=client.version + 1)
    entry = recorded(at, "client_secret_ended", actor=actor, client_id=client.id)
    return Decision(changed, (Replace(changed), entry))
