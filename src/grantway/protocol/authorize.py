"""The authorization endpoint: from a client's request to the customer's Allow or Deny (RFC 6749 §4.1, RFC 9700).

A request is opened once (``open_authorization``) and waits as a ``PendingAuthorization``. From then on every visit asks
``next_step`` what the customer has to be shown; steps never lead to one another, each returns to the dispatcher.
Nothing goes back to a client, success or error, before the customer has signed in (RFC 9700 §4.11.2).
"""

from __future__ import annotations

from dataclasses import replace

from grantway.protocol import audit
from grantway.protocol.administration.approval import may_connect_draft
from grantway.protocol.consent import (
    answer_again,
    chosen_of,
    needs_asking,
    optional_of,
    question_of,
    resumes,
    settle_consent,
    shown_of,
)
from grantway.protocol.decision import Change, Decision, Forget, Refusal, Replace, refuse
from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.ids import parse
from grantway.protocol.keys import same
from grantway.protocol.lifecycle import is_held_by_an_operator
from grantway.protocol.model import Client, PendingAuthorization, Scope, User
from grantway.protocol.moment import Moment
from grantway.protocol.opening import ERRORS, open_authorization
from grantway.protocol.redirect_uri import is_registered
from grantway.protocol.scope import within
from grantway.protocol.sessions import signed_in
from grantway.protocol.standing import why_client_is_out
from grantway.protocol.steps import (
    AskAccount,
    AskConsent,
    AskSignIn,
    Chosen,
    Opened,
    SendBack,
    Step,
    TellSuspended,
    Visitor,
)
from grantway.protocol.trying import try_redirect_uri
from grantway.wire.errors import ACCESS_DENIED, CONSENT_REQUIRED, INVALID_REQUEST, LOGIN_REQUIRED, OAuthError
from grantway.wire.messages import AuthorizationAnswer

__all__ = [
    "AskAccount", "AskConsent", "AskSignIn", "Chosen", "Opened", "SendBack", "Step", "TellSuspended", "Visitor", "allow",
    "change_account", "choose_account", "deny", "next_step", "open_authorization",
]  # fmt: skip


async def next_step(
    facts: Facts, at: Moment, pending_id: str, visitor: Visitor, issuer: str
) -> Decision[Step | Refusal]:
    """What the customer has to be shown now, or where the browser goes. A refusal is for a page."""
    waiting = await _waiting(facts, at, pending_id)
    if isinstance(waiting, Refusal):
        return Decision(waiting, reason=waiting.reason)
    pending, client = waiting
    found = await signed_in(facts, at, visitor.session)
    if found is None:
        if "none" in pending.prompt:
            return refuse(LOGIN_REQUIRED, "login_required")  # on a page: nobody has signed in, nothing is redirected
        since = pending.created_at if "login" in pending.prompt else None
        return Decision(AskSignIn(client, pending.redirect_uri, since=since), reason="sign_in_asked")
    session, user = found
    if not _is_bound(pending, visitor):
        return refuse(INVALID_REQUEST, "pending_of_another_browser")
    if "login" in pending.prompt and session.auth_time < pending.created_at:
        ask = AskSignIn(client, pending.redirect_uri, again=True, since=pending.created_at)
        return Decision(ask, reason="sign_in_asked_again")
    if pending.grant_id is not None:
        return await _answered(facts, at, pending, client, user, issuer)
    if await _is_unasked_by_draft(facts, pending, client, user):
        return refuse(INVALID_REQUEST, "client_is_draft")
    if pending.refusal is not None:
        code, reason = pending.refusal
        return _send_back(pending, client, issuer, ERRORS[code], reason)
    return await _after_sign_in(facts, at, pending, client, user, issuer)


async def _is_unasked_by_draft(facts: Facts, pending: PendingAuthorization, client: Client, user: User) -> bool:
    """Whether a stranger's draft would have the browser sent on by us before its user was asked anything.

    Anybody can register one, and our address would lead to wherever they like (RFC 9700 §4.11.2).
    """
    if client.approved_at is not None or (pending.refusal is None and "none" not in pending.prompt):
        return False
    return await facts.developer(client.id, user.id) is None


async def _after_sign_in(
    facts: Facts, at: Moment, pending: PendingAuthorization, client: Client, user: User, issuer: str
) -> Decision[Step | Refusal]:
    picked = pending.account_id if pending.user_id == user.id else None
    choices = await facts.memberships(user.id)
    open_to = {a.id: a for membership, a in choices if membership.may_connect and a.suspended_at is None}
    closed = frozenset([id for id, account in open_to.items() if not await may_connect_draft(facts, client, account)])
    if picked is None and len(choices) == 1:
        picked = choices[0][1].id
    account = None if picked is None or picked in closed else open_to.get(picked)
    if account is None:
        if "none" in pending.prompt:
            return _send_back(pending, client, issuer, CONSENT_REQUIRED, "account_required")
        return Decision(AskAccount(client, user, choices, pending.redirect_uri, closed), reason="account_asked")
    question = await question_of(facts, pending, client, user, account)
    if question.connection is not None and is_held_by_an_operator(question.connection):
        if "none" in pending.prompt:
            return _send_back(pending, client, issuer, ACCESS_DENIED, "suspended_by_operator")
        told = TellSuspended(client, user, account, len(choices) > 1, pending.redirect_uri)
        return Decision(told, reason="suspended_by_operator")
    if not needs_asking(question):
        code, changes = await settle_consent(facts, question, at, pending.scope, asked=False)
        return Decision(_back(pending, client, issuer, code=code), changes, "consent_repeated")
    if "none" in pending.prompt:
        return _send_back(pending, client, issuer, CONSENT_REQUIRED, "consent_required")
    bound: tuple[Change, ...] = ()
    if (pending.user_id, pending.account_id) != (user.id, account.id):
        bound = (Replace(replace(pending, user_id=user.id, account_id=account.id, version=pending.version + 1)),)
    catalogue = {scope.name: scope for scope in await facts.scopes()}
    ask = AskConsent(
        client=client,
        user=user,
        account=account,
        connection=question.connection,
        scopes=tuple(catalogue.get(name) or Scope(name, {}) for name in pending.scope),
        several_accounts=len(choices) > 1,
        redirect_uri=pending.redirect_uri,
        shown=shown_of(question),
        optional=frozenset(optional_of(question)),
        resumes=resumes(question),
    )
    return Decision(ask, bound, "consent_asked")


async def choose_account(
    facts: Facts, at: Moment, pending_id: str, visitor: Visitor, account: str
) -> Decision[Chosen | Refusal]:
    """The customer picked an account (text id, ``ac_…``)."""
    ready = await _ready(facts, at, pending_id, visitor)
    if isinstance(ready, Refusal):
        return Decision(ready, reason=ready.reason)
    pending, client, user = ready
    account_id = parse("ac", account)
    membership = None if account_id is None else await facts.membership(account_id, user.id)
    account_row = None if account_id is None else await facts.account(account_id)
    if account_id is None or account_row is None or membership is None or not membership.may_connect:
        return refuse(ACCESS_DENIED, "account_not_yours")
    if not await may_connect_draft(facts, client, account_row):
        return refuse(ACCESS_DENIED, "client_is_draft")
    bound = replace(pending, user_id=user.id, account_id=account_id, version=pending.version + 1)
    return Decision(Chosen(), (Replace(bound),), "account_chosen")


async def change_account(facts: Facts, at: Moment, pending_id: str, visitor: Visitor) -> Decision[Chosen | Refusal]:
    """The customer wants to pick again."""
    ready = await _ready(facts, at, pending_id, visitor)
    if isinstance(ready, Refusal):
        return Decision(ready, reason=ready.reason)
    pending, _, user = ready
    unbound = replace(pending, user_id=user.id, account_id=None, version=pending.version + 1)
    return Decision(Chosen(), (Replace(unbound),), "account_unpicked")


async def allow(
    facts: Facts,
    at: Moment,
    pending_id: str,
    visitor: Visitor,
    shown: str,
    issuer: str,
    chosen: tuple[str, ...] | None = None,
) -> Decision[SendBack | Refusal]:
    """The customer allows what was shown. Everything is checked again: who, which account, which scopes, which client.

    ``chosen`` are the optional scopes that they left checked; ``None``: all of them.
    """
    ready = await _ready(facts, at, pending_id, visitor, answered=True)
    if isinstance(ready, Refusal):
        return Decision(ready, reason=ready.reason)
    pending, client, user = ready
    if pending.grant_id is not None:
        return await _answered(facts, at, pending, client, user, issuer)
    if pending.refusal is not None or pending.user_id != user.id or pending.account_id is None:
        return refuse(ACCESS_DENIED, "consent_not_asked")
    membership = await facts.membership(pending.account_id, user.id)
    account = await facts.account(pending.account_id)
    if membership is None or not membership.may_connect or account is None or account.removed_at is not None:
        return refuse(ACCESS_DENIED, "account_not_yours")
    if account.suspended_at is not None:
        return refuse(ACCESS_DENIED, "account_suspended")
    if not await may_connect_draft(facts, client, account):
        return refuse(ACCESS_DENIED, "client_is_draft")
    question = await question_of(facts, pending, client, user, account)
    if not same(shown.encode(), shown_of(question).encode()):
        return refuse(ACCESS_DENIED, "consent_differs")
    if question.connection is not None and is_held_by_an_operator(question.connection):
        return refuse(ACCESS_DENIED, "suspended_by_operator")
    optional = optional_of(question)
    if chosen is not None and not within(chosen, optional):
        return refuse(ACCESS_DENIED, "consent_differs")  # the form has no such box
    scope = chosen_of(question, optional if chosen is None else chosen)
    if pending.scope and not scope:
        return refuse(ACCESS_DENIED, "nothing_chosen")
    code, changes = await settle_consent(facts, question, at, scope, asked=True)
    return Decision(_back(pending, client, issuer, code=code), changes, "consented")


async def deny(
    facts: Facts, at: Moment, pending_id: str, visitor: Visitor, issuer: str
) -> Decision[SendBack | Refusal]:
    """The customer says no (RFC 6749 §4.1.2.1: ``access_denied``)."""
    ready = await _ready(facts, at, pending_id, visitor)
    if isinstance(ready, Refusal):
        return Decision(ready, reason=ready.reason)
    pending, client, user = ready
    denied = audit.note(at, audit.by_user(user), "denied", client_id=client.id, user_id=user.id)
    return Decision(_back(pending, client, issuer, error=ACCESS_DENIED), (Forget(pending), denied), "denied")


async def _waiting(facts: Facts, at: Moment, pending_id: str) -> tuple[PendingAuthorization, Client] | Refusal:
    pending = await facts.pending(digest(pending_id))
    if pending is None or at.now >= pending.expires_at:
        return Refusal(INVALID_REQUEST, "pending_unknown")
    client = await facts.client_by_row(pending.client_id)
    if client is None:
        return Refusal(INVALID_REQUEST, "client_unknown")
    out = why_client_is_out(client) or _why_changed(at, pending, client)
    return (pending, client) if out is None else Refusal(INVALID_REQUEST, out)


def _why_changed(at: Moment, pending: PendingAuthorization, client: Client) -> str | None:
    """What the client may not do any more of what it might when the request was opened, or ``None``."""
    tried = pending.redirect_uri == try_redirect_uri(at.house.issuer, client)  # ours: who gets the code is asked there
    if not tried and not is_registered(pending.redirect_uri, client.redirect_uris):
        return "redirect_uri_unregistered"  # nothing goes there, not even an error
    if pending.refusal is None and not within(pending.scope, client.scopes):
        return "scope_exceeds_client"
    if pending.refusal is None and not within(pending.resource, client.resources):
        return "resource_exceeds_client"
    return None


def _is_bound(pending: PendingAuthorization, visitor: Visitor) -> bool:
    """Whether this is the browser that started: it still has the cookie that the request was bound to."""
    known = [same(digest(cookie), pending.browser_digest) for cookie in (visitor.browser, visitor.session) if cookie]
    return any(known)


async def _answered(
    facts: Facts, at: Moment, pending: PendingAuthorization, client: Client, user: User, issuer: str
) -> Decision[SendBack | Refusal]:
    code = await answer_again(facts, at, pending, user)
    if code is None:
        return refuse(INVALID_REQUEST, "pending_unknown")
    return Decision(_back(pending, client, issuer, code=code), reason="answered_again")


async def _ready(
    facts: Facts, at: Moment, pending_id: str, visitor: Visitor, *, answered: bool = False
) -> tuple[PendingAuthorization, Client, User] | Refusal:
    """The waiting request, its client, and the customer who is signed in as the request wants it.

    A request that was answered already does not wait any more, unless ``answered``.
    """
    waiting = await _waiting(facts, at, pending_id)
    if isinstance(waiting, Refusal):
        return waiting
    pending, client = waiting
    found = await signed_in(facts, at, visitor.session)
    if found is None or ("login" in pending.prompt and found[0].auth_time < pending.created_at):
        return Refusal(LOGIN_REQUIRED, "login_required")
    if not _is_bound(pending, visitor):
        return Refusal(INVALID_REQUEST, "pending_of_another_browser")
    if pending.grant_id is not None and not answered:
        return Refusal(INVALID_REQUEST, "pending_unknown")
    return pending, client, found[1]


def _back(
    pending: PendingAuthorization,
    client: Client,
    issuer: str,
    *,
    code: str | None = None,
    error: OAuthError | None = None,
) -> SendBack:
    policy = client.policy
    iss = issuer if policy.names_issuer else None
    return SendBack(AuthorizationAnswer(pending.redirect_uri, code, error, pending.state, iss), policy.dialect)


def _send_back(
    pending: PendingAuthorization, client: Client, issuer: str, error: OAuthError, reason: str
) -> Decision[Step | Refusal]:
    return Decision(_back(pending, client, issuer, error=error), (Forget(pending),), reason)
