"""Keys for the operator's JSON API: shown once, stored as a digest, each with the calls that it may make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field, replace
from datetime import datetime

from grantway.protocol.administration.answers import Rejected, recorded, reject
from grantway.protocol.administration.people import check_name
from grantway.protocol.decision import Add, Change, Decision, Refusal, Replace, TouchOperatorKey
from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.ids import ID_LENGTH, show
from grantway.protocol.keys import same
from grantway.protocol.model import OperatorKey
from grantway.protocol.moment import Moment
from grantway.wire import base62
from grantway.wire.errors import INSUFFICIENT_SCOPE, INVALID_TOKEN
from grantway.wire.record import record
from grantway.wire.sentence import worded
from grantway.wire.words import CHECKSUM_LENGTH, checksum

PREFIX = "gwo_"
SECRET_LENGTH = 32
LIVE_KEYS = 200
"""How many keys may work at once: they are listed whole."""

SCOPES: dict[str, str] = {
    "users:read": "See people.",
    "users:write": "Create people, disable and enable them, sign them out.",
    "accounts:read": "See accounts and who belongs to them.",
    "accounts:write": "Create, change, suspend and remove accounts, and say who belongs to them.",
    "clients:read": "See integrations and the scope catalogue.",
    "clients:write": "Register, change, approve, disable and end integrations, rotate their secrets, keep the catalogue.",
    "connections:read": "See connections and what lives by them.",
    "connections:write": "Suspend, resume and remove connections.",
    "tokens:write": "Make access tokens without end for any account, and end them.",
    "resources:write": "Record what lives by a connection, and cancel it.",
    "events:publish": "Publish events to integrations.",
    "deliveries:read": "See what was delivered, and each attempt.",
    "deliveries:write": "Have deliveries sent again.",
    "sign_ins:write": "Say who signed in (hand-off).",
    "keys:read": "See signing keys and operator keys, without their secrets.",
    "keys:write": "Rotate signing keys; create operator keys that reach no further, and revoke them.",
    "audit:read": "Search the audit log.",
    "metrics:read": "Read metrics and counts.",
}
"""All there are, with a sentence each."""

_NOBODY = bytes(32)
_ID_CHARACTERS = base62.encoded_length(ID_LENGTH)
_CHARACTERS = len(PREFIX) + _ID_CHARACTERS + base62.encoded_length(SECRET_LENGTH) + CHECKSUM_LENGTH


@record
class CreatedOperatorKey:
    """The key, and its text as it is shown once."""

    key: OperatorKey
    text: str = field(repr=False)


async def authenticate(facts: Facts, at: Moment, bearer: str | None, scope: str) -> OperatorKey | Refusal:
    """The key that this text proves, if it reaches so far; always the same ``invalid_token`` after the same work.

    RFC 6750 §3.1: 401 where nobody is known, 403 where somebody is and may not.
    """
    if bearer is None:
        return Refusal(INVALID_TOKEN, "operator_key_missing")
    key_id = _key_id(bearer)
    key = None if key_id is None else await facts.operator_key(key_id)
    proven = same(digest(bearer), _NOBODY if key is None else key.digest)
    if key is None or not proven:
        return Refusal(INVALID_TOKEN, "operator_key_unknown")
    if key.revoked_at is not None:
        return Refusal(INVALID_TOKEN, "operator_key_revoked")
    if key.expires_at is not None and at.now >= key.expires_at:
        return Refusal(INVALID_TOKEN, "operator_key_expired")
    if scope not in key.scopes:
        return Refusal(INSUFFICIENT_SCOPE, "operator_key_scope")
    return key


def touch(key: OperatorKey, at: Moment) -> tuple[Change, ...]:
    """That the key was used today, if that is not known yet."""
    today = at.now.date()
    return () if key.last_used_day == today else (TouchOperatorKey(key.id, today),)


def actor_of(key: OperatorKey) -> str:
    """How the audit names who did it."""
    return show("ok", key.id)


def expand(scopes: Iterable[str]) -> tuple[str, ...] | str:
    """The scopes that these words name now, or the sentence that says which names none.

    ``users:*`` stands for all of users, ``*`` for all. They are written out when the key is made, so that a scope which
    comes later is not given by itself.
    """
    wanted: set[str] = set()
    for word in scopes:
        named = {name for name in SCOPES if word in (name, "*", f"{name.partition(':')[0]}:*")}
        if not named:
            return worded("There is no scope %(word)r of operator keys.", word=word)
        wanted |= named
    return tuple(name for name in SCOPES if name in wanted) or "A key has at least one scope."


async def create_operator_key(
    facts: Facts,
    at: Moment,
    name: str,
    scopes: Iterable[str],
    *,
    expires_at: datetime | None = None,
    by: OperatorKey | None = None,
) -> Decision[CreatedOperatorKey | Rejected]:
    """A new key. One that is made with another key (``by``) reaches no further and lives no longer than that one."""
    if problem := check_name(name):
        return reject(problem, "name_malformed")
    expanded = expand(scopes)
    if isinstance(expanded, str):
        return reject(expanded, "operator_scope_unknown")
    if expires_at is not None and expires_at <= at.now:
        return reject("A key expires in the future.", "expiry_past")
    if by is not None:
        if not set(expanded) <= set(by.scopes):
            return reject("A key gives other keys no more than it has itself.", "operator_scope_exceeded")
        if by.expires_at is not None and (expires_at is None or expires_at > by.expires_at):
            return reject("A key gives other keys no longer life than it has itself.", "expiry_exceeded")
    live = [key for key in await facts.operator_keys() if _is_live(key, at)]
    if len(live) >= LIVE_KEYS:
        return reject(
            worded("There are %(number)s keys: revoke some that are not needed.", number=LIVE_KEYS),
            "operator_keys_too_many",
        )
    row_id = at.new_id()
    body = base62.encode(row_id) + base62.encode(at.draw(SECRET_LENGTH))
    text = f"{PREFIX}{body}{checksum(body)}"
    key = OperatorKey(row_id, name.strip(), digest(text), expanded, at.now, expires_at)
    entry = recorded(at, "operator_key_created", key=show("ok", row_id), scopes=list(expanded))
    return Decision(CreatedOperatorKey(key, text), (Add(key), entry))


async def revoke_operator_key(facts: Facts, at: Moment, key_id: bytes) -> Decision[OperatorKey | Rejected]:
    """The key is good for nothing any more. Revoking what is revoked changes nothing."""
    key = await facts.operator_key(key_id)
    if key is None:
        return reject("There is no such key.", "operator_key_unknown")
    if key.revoked_at is not None:
        return Decision(key, (), "unchanged")
    revoked = replace(key, revoked_at=at.now, version=key.version + 1)
    return Decision(revoked, (Replace(revoked), recorded(at, "operator_key_revoked", key=show("ok", key.id))))


def _is_live(key: OperatorKey, at: Moment) -> bool:
    return key.revoked_at is None and (key.expires_at is None or at.now < key.expires_at)


def _key_id(text: str) -> bytes | None:
    """Which key the text says it is; says nothing of whether it is."""
    body = text[len(PREFIX) : -CHECKSUM_LENGTH]
    if not text.startswith(PREFIX) or len(text) != _CHARACTERS or checksum(body) != text[-CHECKSUM_LENGTH:]:
        return None
    return base62.decode(body[:_ID_CHARACTERS], ID_LENGTH)
