"""The life of a signing key: published, then signing, then only verifying, then gone.

A resource server keeps ``/jwks.json`` for up to its max-age, so a key signs only after every cache has it, and stays
published until the last token that it signed has expired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import Any

from grantway.protocol.administration.answers import Rejected, recorded, reject
from grantway.protocol.administration.clients import LONGEST_JWT
from grantway.protocol.decision import Add, Change, Decision, Replace
from grantway.protocol.facts import Facts
from grantway.protocol.issuing import current_signing_key
from grantway.protocol.model import SigningKey
from grantway.protocol.moment import Moment
from grantway.wire.record import record
from grantway.wire.sentence import worded

JWKS_MAX_AGE = timedelta(minutes=10)
"""How long ``/jwks.json`` may be kept (its Cache-Control)."""
SKEW = timedelta(minutes=2)
"""How far the clocks of those who verify may be behind."""


@record
class DrawnKey:
    """A key that was drawn outside the rule: its private half sealed, its public half as a JWK with ``kid``."""

    kid: str
    algorithm: str
    private_sealed: bytes = field(repr=False)
    key_id: str
    public_jwk: Mapping[str, Any]


async def ensure_key(facts: Facts, at: Moment, drawn: DrawnKey) -> Decision[SigningKey]:
    """The key that signs; the drawn one becomes it when there is none."""
    known = current_signing_key(await facts.signing_keys(), at)
    if known is not None:
        return Decision(known, (), "unchanged")
    key = _new(at, drawn, signs_from=at.now)
    return Decision(key, (Add(key), recorded(at, "signing_key_created", actor="system", kid=key.kid)))


async def rotate(facts: Facts, at: Moment, drawn: DrawnKey) -> Decision[SigningKey | Rejected]:
    """The drawn key is published now, signs when every cache has it, and the one before it retires after its tokens."""
    keys = await facts.signing_keys()
    waiting = next((key for key in keys if key.signs_from > at.now), None)
    if waiting is not None:
        return reject(
            worded(
                "The key %(kid)s is published already and signs from %(time)s UTC; if a key has leaked, rotate with --now.",
                kid=waiting.kid,
                time=f"{waiting.signs_from:%H:%M:%S}",
            ),
            "rotation_under_way",
        )
    # Where nothing signs yet, no cache has to be waited for.
    signs_from = at.now + JWKS_MAX_AGE if current_signing_key(keys, at) else at.now
    key = _new(at, drawn, signs_from=signs_from)
    retires_at = signs_from + LONGEST_JWT + SKEW
    retired = [
        Replace(replace(old, retires_at=retires_at, version=old.version + 1)) for old in keys if old.retires_at is None
    ]
    return Decision(key, (Add(key), *retired, recorded(at, "signing_key_rotated", kid=key.kid)))


async def rotate_now(facts: Facts, at: Moment, drawn: DrawnKey) -> Decision[SigningKey]:
    """The drawn key signs now, and every other one is gone now: tokens that they signed stop verifying."""
    key = _new(at, drawn, signs_from=at.now)
    changes: list[Change] = [Add(key)]
    changes += [Replace(replace(old, retires_at=at.now, version=old.version + 1)) for old in await facts.signing_keys()]
    return Decision(key, (*changes, recorded(at, "signing_key_rotated", reason="compromised", kid=key.kid)))


def _new(at: Moment, drawn: DrawnKey, signs_from: datetime) -> SigningKey:
    return SigningKey(
        kid=drawn.kid,
        algorithm=drawn.algorithm,
        private_sealed=drawn.private_sealed,
        key_id=drawn.key_id,
        public_jwk=drawn.public_jwk,
        created_at=at.now,
        signs_from=signs_from,
    )
