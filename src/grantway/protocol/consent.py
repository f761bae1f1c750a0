"""Consent: when it has to be asked, what was seen, and what Allow makes true (RFC 9700 §4.11, OAuth 2.1 §7.3.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from grantway.protocol import audit
from grantway.protocol.decision import Add, Change, EndGrant, Replace
from grantway.protocol.facts import ConnectionInView, Facts
from grantway.protocol.lifecycle import THEIRS, resuming, taken_back
from grantway.protocol.model import Account, Client, Connection, Grant, PendingAuthorization, User
from grantway.protocol.moment import Moment
from grantway.protocol.redirect_uri import is_web, uri_digest
from grantway.protocol.scope import within
from grantway.protocol.standing import why_out
from grantway.protocol.telling import tell
from grantway.protocol.tokens import write_code
from grantway.wire import base62
from grantway.wire.record import record

ANSWERED = timedelta(minutes=2)
"""How long an answered request is kept for a second click."""


@record
class Question:
    """Who is asked what: all that a consent is about, read together."""

    pending: PendingAuthorization
    client: Client
    user: User
    account: Account
    connection: Connection | None
    earlier: tuple[Grant, ...]
    """The user's live grants under the connection, least recently used first."""


def shown_of(question: Question) -> str:
    """What the page showed, in one word: comes back with Allow, so that nothing else than that is settled."""
    pending = question.pending
    seen = (
        pending.digest, question.client.id, question.user.id, question.account.id,
        " ".join(pending.scope).encode(), " ".join(pending.resource).encode(), pending.redirect_uri.encode(),
        " ".join(optional_of(question)).encode(), b"resumes" if resumes(question) else b"",
    )  # fmt: skip
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in seen)
    return base62.encode(hashlib.sha256(framed).digest())


def optional_of(question: Question) -> tuple[str, ...]:
    """The scopes that the customer may leave out: those that the client can do without, as it has declared.

    Where requests name no scopes the client has not chosen what it asks for, so silence does not mean that it can do
    without; and a single scope is all or nothing, which Allow and Deny say already.
    """
    client, asked = question.client, question.pending.scope
    if len(asked) < 2 or (not client.required_scopes and not client.policy.takes_scope):
        return ()
    return tuple(one for one in asked if one not in client.required_scopes)


def resumes(question: Question) -> bool:
    """Whether Allow takes back a suspension."""
    return question.connection is not None and question.connection.suspended_at is not None


def chosen_of(question: Question, chosen: Collection[str]) -> tuple[str, ...]:
    """What is allowed of what was asked, when these optional ones were left checked."""
    optional = optional_of(question)
    return tuple(one for one in question.pending.scope if one not in optional or one in chosen)


def needs_asking(question: Question) -> bool:
    """Whether the customer has to be shown the consent page.

    Every time, except when the client's identity is proven (confidential, or a https redirect URI) and the same user
    has allowed it all before for the same account, and the client does not insist.
    """
    pending, connection = question.pending, question.connection
    if "consent" in pending.prompt or connection is None or connection.suspended_at is not None:
        return True
    if not question.client.confidential and not is_web(pending.redirect_uri):
        return True
    return not any(
        within(pending.scope, grant.scope) and within(pending.resource, grant.resource) for grant in question.earlier
    ) or not within(pending.scope, connection.scope)


async def question_of(
    facts: Facts, pending: PendingAuthorization, client: Client, user: User, account: Account
) -> Question:
    """The question, with what was agreed before."""
    connection = await facts.live_connection(client.id, account.id)
    earlier = () if connection is None else await facts.live_grants(connection.id, user.id)
    return Question(pending, client, user, account, connection, earlier)


async def settle_consent(
    facts: Facts, question: Question, at: Moment, scope: tuple[str, ...], *, asked: bool
) -> tuple[str, tuple[Change, ...]]:
    """The code, and the changes by which it is good: a connection, a grant, and the request is answered.

    The answered request stays for a moment (``answer_again``).

    ``scope`` is what was allowed of what was asked. A consent that was asked for no more than the connection has
    narrows it to that at once; otherwise it gains the new ones, loses what was left out, and what older grants allow
    stays what it was.
    """
    pending, client, policy = question.pending, question.client, question.client.policy
    connection, first = await _connection(facts, question, at, scope, asked=asked)
    grant_id = at.new_id()
    raw = at.draw(32)
    grant = Grant(
        id=grant_id,
        connection_id=connection.id,
        client_id=client.id,
        account_id=question.account.id,
        user_id=question.user.id,
        origin="code",
        scope=scope,
        resource=pending.resource,
        secret=at.vault.seal(raw, grant_id),
        key_id=at.vault.current,
        created_at=at.now,
        code_expires_at=at.now + policy.code_lifetime,
        code_challenge=pending.code_challenge,
        redirect_uri_digest=uri_digest(pending.redirect_uri),
        redirect_uri_was_sent=pending.redirect_uri_was_sent,
        refresh_expires_at=None if policy.refresh_lifetime is None else at.now + policy.refresh_lifetime,
    )
    return write_code(raw, grant_id), (
        Replace(replace(pending, grant_id=grant_id, expires_at=at.now + ANSWERED, version=pending.version + 1)),
        *first,
        Add(grant),
        *superseded(question.earlier, client, at),
        audit.note(
            at,
            audit.by_user(question.user),
            "consented" if asked else "consent_repeated",
            connection,
            grant_id=grant_id,
            user_id=question.user.id,
            scope=list(scope),
        ),
    )


def superseded(earlier: tuple[Grant, ...], client: Client, at: Moment) -> tuple[Change, ...]:
    """The end of those of a person's live grants (least recently used first) that make room for one more.

    What never became a token goes first: a customer who clicks often must not end the connection that works. Tokens that
    were made by hand stay until somebody ends them.
    """
    in_turn = sorted((old for old in earlier if old.origin != "permanent"), key=lambda old: not _is_unexchanged(old))
    surplus = in_turn[: max(0, len(in_turn) + 1 - client.policy.live_grants)]
    return tuple(EndGrant(old.id, at.now, "superseded") for old in surplus)


async def answer_again(facts: Facts, at: Moment, pending: PendingAuthorization, user: User) -> str | None:
    """The code of a request that was answered a moment ago, as long as it waits to be exchanged.

    Browsers show the answer to the last click: whoever clicks Allow twice, or reloads, needs the first one's answer again.
    """
    held = None if pending.grant_id is None else await facts.grant(pending.grant_id)
    if held is None or held.grant.user_id != user.id or not _is_unexchanged(held.grant) or why_out(held) is not None:
        return None
    grant = held.grant
    if grant.code_expires_at is None or at.now >= grant.code_expires_at:
        return None
    return write_code(at.vault.open(grant.key_id, grant.secret, grant.id), grant.id)


def _is_unexchanged(grant: Grant) -> bool:
    return grant.origin == "code" and grant.generation == 0


async def _connection(
    facts: Facts, question: Question, at: Moment, scope: tuple[str, ...], *, asked: bool
) -> tuple[Connection, tuple[Change, ...]]:
    before = question.connection
    if before is None:
        made = Connection(
            id=at.new_id(),
            client_id=question.client.id,
            account_id=question.account.id,
            integration_id=at.draw(12).hex(),
            scope=scope,
            created_at=at.now,
            approved_by=question.user.id,
        )
        return made, (Add(made),)
    # Replaced even when nothing is different: the set of live grants is guarded by the connection's version.
    changed = replace(
        before, scope=_scope_after(before, question.pending.scope, scope, asked), version=before.version + 1
    )
    if asked:
        changed = taken_back(changed, THEIRS)
    view = ConnectionInView(before, question.client, question.account, question.user)
    actor = audit.by_user(question.user)
    told: tuple[Change, ...] = ()
    if set(changed.scope) != set(before.scope) and before.activated_at is not None:
        told = await tell(
            facts, at, view, "connection.changed", reason="customer", actor=actor, scope=list(changed.scope)
        )
    return changed, (
        Replace(changed),
        *told,
        *await resuming(facts, at, view, changed, "customer", actor, question.user.id),
    )


def _scope_after(before: Connection, wanted: tuple[str, ...], allowed: tuple[str, ...], asked: bool) -> tuple[str, ...]:
    if asked and within(wanted, before.scope):
        return allowed
    kept = tuple(one for one in before.scope if one in allowed or one not in wanted)
    return kept + tuple(one for one in allowed if one not in kept)
