"""After a database was set back to a backup: what it does not know of is made true again, as far as that can be known.

Tokens prove by themselves that they were issued since (``grant_types/refresh_token.py``). What was taken away since stands
in the journal of removals, and is replayed from there: as often as anybody likes, for what is gone cannot go again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from grantway.protocol.administration.answers import Rejected, recorded, reject
from grantway.protocol.administration.erasure import nobody
from grantway.protocol.connections import SYSTEM, Reason, removal
from grantway.protocol.decision import (
    Add,
    Change,
    Decision,
    EndGrant,
    EndUserGrants,
    Forget,
    Put,
    RemoveConnection,
    Replace,
    SetBack,
)
from grantway.protocol.facts import Facts
from grantway.protocol.model import (
    Account,
    AuditEntry,
    Client,
    Connection,
    ConnectionKey,
    Developer,
    EndedToken,
    Membership,
    Operator,
    OperatorKey,
    Resource,
    Restoration,
    SigningKey,
    User,
    Webhook,
)
from grantway.protocol.moment import Moment
from grantway.wire.record import record

BELIEVED = timedelta(days=90)
"""How long tokens that are ahead of their rows are believed: as long as the profiles let a refresh token lie unused."""

STANDING: Mapping[type[Any], tuple[str, ...]] = {
    User: ("disabled_at", "password_version", "erased_at"),
    Account: ("suspended_at", "removed_at"),
    Client: ("disabled_at", "ended_at", "tokens_not_before"),
    Connection: ("suspended_at", "suspensions"),
    Webhook: ("disabled_at", "ended_at"),
    Resource: ("cancelled_at", "cancelled_reason"),
    SigningKey: ("retires_at",),
    OperatorKey: ("revoked_at", "expires_at"),
}
"""The fields by which a record ends, is suspended, or may do less than it did. None of them is a secret."""

PLACES: tuple[type[Any], ...] = (Membership, Operator, Developer)
"""What gives people a place, and is taken from them."""

FOUND_BY: Mapping[type[Any], tuple[str, ...]] = {
    Membership: ("account_id", "user_id"),
    Operator: ("user_id",),
    Developer: ("client_id", "user_id"),
    ConnectionKey: ("key_id",),
}
"""What may be forgotten and has to stay so, and what it is found by."""


@record
class Standing:
    """How a record stands since a change: its fields of ``STANDING``."""

    kind: type[Any]
    key: bytes | str
    fields: Mapping[str, Any]


@record
class Gone:
    """A record is not there any more."""

    kind: type[Any]
    key: tuple[bytes | str, ...]


Taken = RemoveConnection | EndGrant | EndUserGrants | Put | Gone | Standing


def taken_by(changes: Sequence[Change]) -> Iterator[Taken]:
    """What these changes take away, or give back to whom it was taken from."""
    for change in changes:
        match change:
            case RemoveConnection() | EndGrant() | EndUserGrants():
                yield change
            case Put(EndedToken()):
                yield change
            case Add(thing) | Put(thing) if isinstance(thing, PLACES):
                yield Put(thing)
            case Forget(thing) if type(thing) in FOUND_BY:
                yield Gone(type(thing), _key_of(thing))
            case Replace(thing) if type(thing) in STANDING and not _goes_on(thing, changes):
                fields = {name: getattr(thing, name) for name in STANDING[type(thing)]}
                yield Standing(type(thing), thing.kid if isinstance(thing, SigningKey) else thing.id, fields)  # type: ignore[union-attr]


def _goes_on(thing: Any, changes: Sequence[Change]) -> bool:
    """Whether this is a connection that neither was nor is suspended: most changes of one are of something else."""
    if not isinstance(thing, Connection) or thing.suspensions:
        return False
    return not any(
        isinstance(change, Add)
        and isinstance(change.record, AuditEntry)
        and (change.record.action, change.record.connection_id) == ("connection_resumed", thing.id)
        for change in changes
    )


async def set_back(facts: Facts, at: Moment, backup_at: datetime) -> Decision[Restoration | Rejected]:
    """The database is one of ``backup_at``. From now on tokens that know more are believed; codes and sessions are gone."""
    if backup_at > at.now:
        return reject("A backup cannot be of a time that is still to come.", "backup_in_future")
    earlier = await facts.restoration()
    begun = Restoration(at.new_id(), at.now, backup_at, at.now + BELIEVED)
    changes: list[Change] = [Put(begun), SetBack(at.now), recorded(at, "restored", backup_at=_iso(backup_at))]
    if earlier is not None:
        changes.append(Put(replace(earlier, until=at.now)))
    return Decision(begun, tuple(changes), "restored")


async def finish(facts: Facts, at: Moment) -> Decision[Restoration | Rejected]:
    """From now on a token that is ahead of its row is an alarm again."""
    known = await facts.restoration()
    if known is None:
        return reject("Nothing was restored, or that was finished already.", "not_restored")
    over = replace(known, until=at.now)
    return Decision(over, (Put(over), recorded(at, "restoration_finished")), "restoration_finished")


async def replay(facts: Facts, at: Moment, taken: Taken) -> Decision[bool]:
    """What was taken away is taken away here, too, unless it is already, or was never here. Whether it was."""
    match taken:
        case RemoveConnection(connection_id, _, reason, by):
            view = await facts.connection(connection_id)
            if view is None or view.connection.removed_at is not None:
                return _unchanged()
            # Those who hear of removals hear of this one again: whether they have heard of it is what nobody knows.
            changes = await removal(facts, at, view, reason=cast("Reason", reason), actor=SYSTEM, by=by)
            return Decision(True, changes, "replayed")
        case EndGrant(grant_id, _, reason, by):
            held = await facts.grant(grant_id)
            if held is None or held.grant.revoked_at is not None:
                return _unchanged()
            return _again(at, EndGrant(grant_id, at.now, reason, by), "grant", connection_id=held.connection.id)
        case EndUserGrants(connection_id, user_id):
            if not await facts.live_grants(connection_id, user_id):
                return _unchanged()
            return _again(at, replace(taken, at=at.now), "grants", connection_id=connection_id, user_id=user_id)
        case Put(EndedToken() as ended):
            if ended.keep_until <= at.now or await facts.ended_token(ended.serial) == ended:
                return _unchanged()
            return _again(at, taken, "token")
        case Put(thing):
            stored = await _by_key(facts, type(thing), _key_of(thing))
            if stored is None or stored == thing:
                return _unchanged()  # who has no place is not given one here
            return _again(at, taken, type(thing).__name__.lower(), user_id=stored.user_id)
        case Gone(kind, key):
            stored = await _by_key(facts, kind, key)
            if stored is None:
                return _unchanged()
            return _again(at, Forget(stored), kind.__name__.lower(), user_id=getattr(stored, "user_id", None))
        case Standing():
            return await _stands(facts, at, taken)


async def _stands(facts: Facts, at: Moment, taken: Standing) -> Decision[bool]:
    stored = await _by_key(facts, taken.kind, (taken.key,))
    if stored is None:
        return _unchanged()
    fields = dict(taken.fields)
    erased_at = fields.pop("erased_at", None)  # nobody becomes somebody again
    if erased_at is not None and stored.erased_at is None:
        return _again(at, Replace(nobody(stored, erased_at)), "user", user_id=stored.id)
    if "password_version" in fields:
        if fields["password_version"] <= stored.password_version:
            del fields["password_version"]
        else:
            fields["password_hash"] = None  # it was another since, which nobody knows here: the old one is not good
    stands = replace(stored, **fields)
    if stands == stored:
        return _unchanged()
    ids = {_NAMED[taken.kind]: stored.id} if taken.kind in _NAMED else {}
    return _again(at, Replace(replace(stands, version=stored.version + 1)), taken.kind.__name__.lower(), **ids)


_NAMED = {User: "user_id", Account: "account_id", Client: "client_id", Connection: "connection_id"}


def _key_of(thing: Any) -> tuple[Any, ...]:
    return tuple(getattr(thing, name) for name in FOUND_BY[type(thing)])


async def _by_key(facts: Facts, kind: type[Any], key: tuple[Any, ...]) -> Any:
    if kind is Connection:
        view = await facts.connection(*key)
        return None if view is None else view.connection
    if kind is Webhook:
        seen = await facts.webhook(*key)
        return None if seen is None else seen.webhook
    if kind is ConnectionKey:
        found = await facts.connection_key(*key)
        return None if found is None else found[0]
    if kind is SigningKey:
        return next((each for each in await facts.signing_keys() if (each.kid,) == key), None)
    asked: Mapping[type[Any], Callable[..., Awaitable[Any]]] = {
        User: facts.user,
        Account: facts.account,
        Client: facts.client_by_row,
        Resource: facts.resource,
        OperatorKey: facts.operator_key,
        Membership: facts.membership,
        Operator: facts.operator,
        Developer: facts.developer,
    }
    return await asked[kind](*key)


def _again(at: Moment, change: Change, what: str, **ids: Any) -> Decision[bool]:
    return Decision(True, (change, recorded(at, "removal_replayed", actor=SYSTEM, reason=what, **ids)), "replayed")


def _unchanged() -> Decision[bool]:
    return Decision(False, (), "unchanged")


def _iso(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
