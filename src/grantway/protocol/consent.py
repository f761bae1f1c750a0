"""Consent: when it has to be asked, what was seen, and what Allow makes true (RFC 9700 §4.11, OAuth 2.1 §7.3.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import field, replace
from datetime import timedelta

from grantway.protocol import audit
from grantway.protocol.activation import activation
from grantway.protocol.connecting import granted
from grantway.protocol.connections import SYSTEM
from grantway.protocol.decision import Add, Change, Decision, EndGrant, Refusal, Replace
from grantway.protocol.facts import ConnectionInView, Facts, GrantInUse
from grantway.protocol.ids import show
from grantway.protocol.issuing import Issued, as_signed, issue_for_grant
from grantway.protocol.lifecycle import THEIRS, resuming, taken_back
from grantway.protocol.model import Account, Client, Connection, Grant, Membership, PendingAuthorization, User
from grantway.protocol.moment import Moment
from grantway.protocol.personal import is_personal
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
    membership: Membership
    connection: Connection | None
    earlier: tuple[Grant, ...]
    """The user's live grants under the connection, least recently used first."""

    @property
    def is_personal(self) -> bool:
        """Whether nothing is asked for but what is the person's own in the account."""
        return is_personal(self.client.policy, self.pending.scope)


@record
class Allowed:
    """What the client gets of an Allow: a code, or, where it asked for that, an access token at once."""

    code: str | None = field(default=None, repr=False)
    issued: Issued | None = None


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

    Where no answer tells it what was granted, silence does not mean that it can do without; and a single scope is all or
    nothing, which Allow and Deny say already.
    """
    client, asked = question.client, question.pending.scope
    if len(asked) < 2 or (not client.required_scopes and not client.policy.tells_scope):
        return ()
    return tuple(one for one in asked if one not in client.required_scopes)


def resumes(question: Question) -> bool:
    """Whether Allow takes back a suspension."""
    return question.connection is not None and question.connection.suspended_at is not None


def lost_of(question: Question) -> tuple[str, ...]:
    """What the connection will not reach any more if all is allowed that is asked."""
    before = question.connection
    if before is None:
        return ()
    after = _scope_after(question, before, question.pending.scope, asked=True)
    return tuple(one for one in before.scope if one not in after)


def chosen_of(question: Question, chosen: Collection[str]) -> tuple[str, ...]:
    """What is allowed of what was asked, when these optional ones were left checked."""
    optional = optional_of(question)
    return tuple(one for one in question.pending.scope if one not in optional or one in chosen)


def needs_asking(question: Question) -> bool:
    """Whether the customer has to be shown the consent page.

    Every time, except when the client's identity is proven (confidential, or a https redirect URI) and the same user
    has allowed it all before for the same account, and the client does not insist. What came about without this page, or
    was for an hour, is no answer to what lasts. A token that is answered through the
    browser reaches whoever is there, secret or not, and a code for which PKCE stands for the secret whoever made the
    challenge: then only the redirect URI proves anything (RFC 9700 §2.1.2, OAuth 2.1 §7.3.1).
    """
    pending, connection, client = question.pending, question.connection, question.client
    if "consent" in pending.prompt or connection is None or connection.suspended_at is not None:
        return True
    takes_no_secret = client.policy.pkce_replaces_secret and pending.code_challenge is not None
    is_proven = client.confidential and pending.response_type == "code" and not takes_no_secret
    if not is_proven and not is_web(pending.redirect_uri):
        return True
    agreed = ("code",) if pending.response_type == "code" else ("code", "implicit")
    return not any(
        grant.origin in agreed and within(pending.scope, grant.scope) and within(pending.resource, grant.resource)
        for grant in question.earlier
    ) or not within(pending.scope, connection.scope)


async def question_of(
    facts: Facts,
    pending: PendingAuthorization,
    client: Client,
    user: User,
    membership: Membership,
    account: Account,
) -> Question:
    """The question, with what was agreed before."""
    connection = await facts.live_connection(client.id, account.id)
    earlier = () if connection is None else await facts.live_grants(connection.id, user.id)
    return Question(pending, client, user, account, membership, connection, earlier)


async def settle_consent(
    facts: Facts, question: Question, at: Moment, scope: tuple[str, ...], *, asked: bool
) -> Decision[Allowed | Refusal]:
    """What the client gets, and the changes by which it is good: a connection, a grant, and the request is answered.

    The answered request stays for a moment (``answer_again``).

    ``scope`` is what was allowed of what was asked. A consent that was asked for no more than the connection has
    narrows it to that at once; otherwise it gains the new ones, loses what was left out, and what older grants allow
    stays what it was. What is people's own is theirs: nobody's consent narrows a connection in that, and a consent to
    nothing else narrows it in nothing.
    """
    pending, client = question.pending, question.client
    connection, first = await _connection(facts, question, at, scope, asked=asked)
    grant = replace(granted(at, connection, question.user, "code", scope, client), resource=pending.resource)
    if pending.response_type == "code":
        grant = replace(
            grant,
            code_expires_at=at.now + client.policy.code_lifetime,
            code_challenge=pending.code_challenge,
            redirect_uri_digest=uri_digest(pending.redirect_uri),
            redirect_uri_was_sent=pending.redirect_uri_was_sent,
        )
    else:
        grant = replace(grant, origin="implicit", last_used_day=at.now.date())
    held = GrantInUse(grant, connection, question.account, question.user, client)
    allowed = await _allowed(facts, at, held)
    if isinstance(allowed, Refusal):
        return Decision(allowed, reason=allowed.reason)
    changes = (
        Replace(replace(pending, grant_id=grant.id, expires_at=at.now + ANSWERED, version=pending.version + 1)),
        *first,
        *(() if allowed.issued is None else activation(held, at)),
        Add(grant),
        *superseded(question.earlier, client, connection, at),
        audit.note(
            at,
            audit.by_user(question.user),
            "consented" if asked else "consent_repeated",
            connection,
            grant_id=grant.id,
            user_id=question.user.id,
            scope=list(scope),
        ),
    )
    return Decision(allowed, changes)


async def _allowed(facts: Facts, at: Moment, held: GrantInUse) -> Allowed | Refusal:
    grant = held.grant
    secret = at.vault.open(grant.key_id, grant.secret, grant.id)
    if grant.origin == "code":
        return Allowed(code=write_code(secret, grant.id))
    issued = await as_signed(issue_for_grant(held, secret, grant.generation, at), facts, at)
    return issued if isinstance(issued, Refusal) else Allowed(issued=issued)


def superseded(earlier: tuple[Grant, ...], client: Client, connection: Connection, at: Moment) -> tuple[Change, ...]:
    """The end of those of a person's live grants (least recently used first) that make room for one more.

    What never became a token, or has none any more, goes first: a customer who clicks often must not end the connection
    that works. Tokens that were made by hand stay until somebody ends them.
    """

    def is_empty(old: Grant) -> bool:
        spent = old.origin == "implicit" and at.now >= old.created_at + client.policy.implicit_lifetime
        return spent or _is_unexchanged(old)

    in_turn = sorted((old for old in earlier if old.origin != "permanent"), key=lambda old: not is_empty(old))
    surplus = in_turn[: max(0, len(in_turn) + 1 - client.policy.live_grants)]
    if not surplus:
        return ()
    ended = [show("gr", old.id) for old in surplus]
    written = audit.note(
        at, SYSTEM, "grants_ended", connection, reason="superseded", user_id=surplus[0].user_id, grants=ended
    )
    return *(EndGrant(old.id, at.now, "superseded") for old in surplus), written


async def answer_again(facts: Facts, at: Moment, pending: PendingAuthorization, user: User) -> Allowed | Refusal | None:
    """The answer to a request that was answered a moment ago: its code, as long as that waits, or another token of its grant.

    Browsers show the answer to the last click: whoever clicks Allow twice, or reloads, needs the first one's answer again.
    """
    held = None if pending.grant_id is None else await facts.grant(pending.grant_id)
    if held is None or held.grant.user_id != user.id or why_out(held) is not None:
        return None
    grant = held.grant
    if grant.origin != "implicit" and not _is_unexchanged(grant):
        return None
    if grant.code_expires_at is not None and at.now >= grant.code_expires_at:
        return None
    return await _allowed(facts, at, held)


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
    changed = replace(before, scope=_scope_after(question, before, scope, asked=asked), version=before.version + 1)
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


def _scope_after(question: Question, before: Connection, allowed: tuple[str, ...], *, asked: bool) -> tuple[str, ...]:
    wanted, personal = question.pending.scope, question.client.policy.personal_scopes
    if question.is_personal:
        kept = before.scope
    elif asked and within(wanted, before.scope):
        return allowed + tuple(one for one in before.scope if one in personal and one not in allowed)
    else:
        kept = tuple(one for one in before.scope if one in allowed or one in personal or one not in wanted)
    return kept + tuple(one for one in allowed if one not in kept)
