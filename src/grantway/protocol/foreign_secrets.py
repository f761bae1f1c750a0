"""A client's first authentication with a secret of which only another server's hash is known.

Hashes made for passwords take a tenth of a second and no rule may take that long, so it goes as signing in with a
password does (``sign_in.py``): the rule that the client asked for refuses with what is to verify, the server verifies
it, and asks again with what was verified. Failures are counted before that, and the secret is kept as our own from then on.
"""

from __future__ import annotations

from dataclasses import replace

from grantway.protocol import audit
from grantway.protocol.administration.clients import MIN_GIVEN_SECRET
from grantway.protocol.client_authentication import VerifiedSecret
from grantway.protocol.decision import Decision, Refusal, Replace, refuse
from grantway.protocol.facts import Facts
from grantway.protocol.model import ClientSecret
from grantway.protocol.moment import Moment
from grantway.protocol.throttle import Buckets, buckets_of_client, count_failure, forgive, pace
from grantway.wire.errors import INVALID_CLIENT, TOO_MANY_REQUESTS
from grantway.wire.record import record


@record
class Trial:
    """How slowly a secret is verified, and where a failure counts."""

    buckets: Buckets
    delay: float


async def begin_trial(facts: Facts, at: Moment, client_id: str, address: str) -> Decision[Trial | Refusal]:
    """Whether a secret from this address is verified at all: not after too many that were wrong."""
    buckets = buckets_of_client(client_id, address)
    speed = await pace(facts, at.now, buckets)
    if speed.retry_after is not None:
        return refuse(TOO_MANY_REQUESTS, "client_address_limited", retry_after=speed.retry_after)
    return Decision(Trial(buckets, speed.delay))


async def fail_trial(facts: Facts, at: Moment, trial: Trial) -> Decision[Refusal]:
    """The secret was wrong, and that counts."""
    return refuse(INVALID_CLIENT, "client_secret_wrong", *await count_failure(facts, at.now, trial.buckets))


async def pass_trial(
    facts: Facts, at: Moment, trial: Trial, client_id: str, verified: VerifiedSecret, length: int
) -> Decision[bool]:
    """The secret was right: its digest takes the place of the hash, unless somebody was faster. Answers whether it did.

    One fast hash is right for what is long and random only. A shorter secret keeps the slow one, and failures with it
    go on being counted, until it is rotated.
    """
    forgiven = await forgive(facts, trial.buckets)
    client = await facts.client(client_id)
    if client is None or length < MIN_GIVEN_SECRET:
        return Decision(False, forgiven, "client_secret_verified")
    secrets = tuple(_ours(one, verified) for one in client.secrets)
    if secrets == client.secrets:
        return Decision(False, forgiven, "client_secret_verified")
    changed = replace(client, secrets=secrets, version=client.version + 1)
    entry = audit.note(at, audit.by_client(client), "client_secret_upgraded", client_id=client.id)
    return Decision(True, (Replace(changed), entry, *forgiven), "client_secret_upgraded")


def _ours(secret: ClientSecret, verified: VerifiedSecret) -> ClientSecret:
    if secret.foreign_hash != verified.foreign_hash:
        return secret
    return replace(secret, digest=verified.digest, foreign_hash=None)
