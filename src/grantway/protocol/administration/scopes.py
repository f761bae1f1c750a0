"""The scope catalogue: clients can only be given what stands there."""

from __future__ import annotations

import re
from collections.abc import Iterable

from grantway.protocol.administration.answers import Rejected, recorded, reject
from grantway.protocol.administration.built_in import built_in
from grantway.protocol.decision import Change, Decision, Forget, Put
from grantway.protocol.events import is_event_pattern
from grantway.protocol.facts import Facts
from grantway.protocol.model import Scope
from grantway.protocol.moment import Moment
from grantway.protocol.paging import read_pages
from grantway.wire.record import record
from grantway.wire.sentence import worded

MAX_SCOPE = 191
_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 §3.3


def check_scope_name(name: str) -> str | None:
    """The sentence that says why no scope can have this name, or ``None``."""
    if _SCOPE_TOKEN.fullmatch(name) and len(name) <= MAX_SCOPE:
        return None
    return worded(
        "%(name)r cannot be a scope: 1 to %(most)s visible ASCII characters, without quotes and backslashes.",
        name=name,
        most=MAX_SCOPE,
    )


def check_events(patterns: Iterable[str]) -> str | None:
    """The sentence that says which of these is no event type and no pattern of them, or ``None``."""
    wrong = next((pattern for pattern in patterns if not is_event_pattern(pattern)), None)
    return (
        None
        if wrong is None
        else worded("%(wrong)r is no event type: order.paid, order.* for all that begin so, or *.", wrong=wrong)
    )


def undescribed(name: str) -> Scope:
    """The entry of a scope that nobody has described: its customers read its name."""
    return built_in().get(name) or Scope(name, {"en": f"Use “{name}”"})


@record
class Catalogued:
    """The entry as it is now; ``was_new`` when there was none."""

    scope: Scope
    was_new: bool


async def put_scope(facts: Facts, at: Moment, scope: Scope) -> Decision[Catalogued | Rejected]:
    """The scope stands in the catalogue. Of one that is there, only the languages that are given change."""
    if problem := check_scope_name(scope.name):
        return reject(problem, "scope_malformed")
    if any(not sentence.strip() for sentence in scope.sentences.values()) or not scope.sentences:
        return reject("A scope has a sentence that tells customers what it allows.", "sentence_missing")
    if problem := check_events(scope.events):
        return reject(problem, "event_type_malformed")
    known = {one.name: one for one in await facts.scopes()}.get(scope.name)
    merged = _merge(known, scope) if known else scope
    if merged == known:
        return Decision(Catalogued(merged, False), (), "unchanged")
    changes = (Put(merged), recorded(at, "scope_changed" if known else "scope_added", scope=scope.name))
    return Decision(Catalogued(merged, known is None), changes)


async def remove_scope(facts: Facts, at: Moment, name: str) -> Decision[Scope | Rejected]:
    """The scope leaves the catalogue; refused while a client may be given it."""
    scope = {one.name: one for one in await facts.scopes()}.get(name)
    if scope is None:
        return reject(worded("There is no scope %(name)r.", name=name), "scope_unknown")
    users = [client.client_id for client in await read_pages(facts.clients) if name in client.scopes]
    if users:
        return reject(worded("%(name)r is in use by %(users)s.", name=name, users=_list(users)), "scope_in_use")
    return Decision(scope, (Forget(scope), recorded(at, "scope_removed", scope=name)))


async def publish_catalogue(facts: Facts, at: Moment, scopes: tuple[Scope, ...]) -> Decision[tuple[str, ...]]:
    """The entries of the settings file stand in the catalogue, word for word. Answers with those that changed."""
    known = {one.name: one for one in await facts.scopes()}
    changed = tuple(scope for scope in scopes if known.get(scope.name) != scope)
    changes: list[Change] = []
    for scope in changed:
        changes += [Put(scope), recorded(at, "scope_published", scope=scope.name)]
    return Decision(tuple(scope.name for scope in changed), tuple(changes))


def _merge(known: Scope, given: Scope) -> Scope:
    return Scope(
        known.name,
        {**known.sentences, **given.sentences},
        given.sensitivity,
        {**known.opens, **given.opens},
        {**known.withholds, **given.withholds},
        given.events or known.events,
    )


def _list(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return worded("%(names)s and %(more)s more", names=shown, more=len(names) - 5) if len(names) > 5 else shown
