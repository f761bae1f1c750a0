"""The authorization endpoint: from a client's request to the customer's Allow or Deny (RFC 6749 §4.1, RFC 9700).

A request is opened once (``open_authorization``) and waits as a ``PendingAuthorization``. From then on every visit asks
``next_step`` what the customer has to be shown; steps never lead to one another, each returns to the dispatcher.
Nothing goes back to a client, success or error, before the customer has signed in (RFC 9700 §4.11.2).
"""

from __future__ import annotations

from dataclasses import replace

from grantway.protocol import audit
from grantway.protocol.account_choice import obstacle_to
from grantway.protocol.administration.approval import may_connect_draft
from grantway.protocol.consent import (
    chosen_of,
    lost_of,
    needs_asking,
    optional_of,
    question_of,
    resumes,
    settle_consent,
    shown_of,
)
from grantway.protocol.decision import Change, Decision, Forget, Refusal, Replace, refuse
from grantway.protocol.facts import Facts
from grantway.protocol.ids import parse
from grantway.protocol.keys import same
from grantway.protocol.model import Account, Client, Membership, PendingAuthorization, Scope, User
from grantway.protocol.moment import Moment
from grantway.protocol.opening import ERRORS, open_authorization
from grantway.protocol.personal import is_personal, may_allow
from grantway.protocol.scope import within
from grantway.protocol.sessions import signed_in
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
from grantway.protocol.waiting import answered, back, is_bound, ready, send_back, settled_back, waiting, why_held
from grantway.wire.errors import ACCESS_DENIED, CONSENT_REQUIRED, INVALID_REQUEST, LOGIN_REQUIRED

__all__ = [
    "AskAccount", "AskConsent", "AskSignIn", "Chosen", "Opened", "SendBack", "Step", "TellSuspended", "Visitor", "allow",
    "change_account", "choose_account", "deny", "next_step", "open_authorization",
]  # fmt: skip


async def next_step(
    facts: Facts, at: Moment, pending_id: str, visitor: Visitor, issuer: str
) -> Decision[Step | Refusal]:
    """What the customer has to be shown now, or where the browser goes. A refusal is for a page."""
    asked = await waiting(facts, at, pending_id)
    if isinstance(asked, Refusal):
        return Decision(asked, reason=asked.reason)
    pending, client = asked
    found = await signed_in(facts, at, visitor.session)
    if found is None:
        if "none" in pending.prompt:
            return refuse(LOGIN_REQUIRED, "login_required")  # on a page: nobody has signed in, nothing is redirected
        since = pending.created_at if "login" in pending.prompt else None
        return Decision(AskSignIn(client, pending.redirect_uri, since=since), reason="sign_in_asked")
    session, user = found
    if not is_bound(pending, visitor):
        return refuse(INVALID_REQUEST, "pending_of_another_browser")
    if "login" in pending.prompt and session.auth_time < pending.created_at:
        ask = AskSignIn(client, pending.redirect_uri, again=True, since=pending.created_at)
        return Decision(ask, reason="sign_in_asked_again")
    if pending.grant_id is not None:
        return await answered(facts, at, pending, client, user, issuer)
    if await _is_unasked_by_draft(facts, pending, client, user):
        return refuse(INVALID_REQUEST, "client_is_draft")
    if pending.refusal is not None:
        code, reason = pending.refusal
        return send_back(pending, client, issuer, ERRORS[code], reason)
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
    if picked is None and len(choices) == 1:
        picked = choices[0][1].id
    chosen = next((each for each in choices if each[1].id == picked), None)
    if chosen is None or await obstacle_to(facts, client, *chosen, pending.scope) is not None:
        if "none" in pending.prompt:
            return send_back(pending, client, issuer, CONSENT_REQUIRED, "account_required")
        return Decision(await _ask_account(facts, pending, client, user, choices), reason="account_asked")
    question = await question_of(facts, pending, client, user, *chosen)
    account, held = question.account, why_held(question)
    if held is not None:
        if "none" in pending.prompt:
            return send_back(pending, client, issuer, ACCESS_DENIED, held)
        by_operator = held == "suspended_by_operator"
        told = TellSuspended(client, user, account, len(choices) > 1, pending.redirect_uri, by_operator)
        return Decision(told, reason=held)
    if not needs_asking(question):
        settled = await settle_consent(facts, question, at, pending.scope, asked=False)
        return settled_back(settled, pending, client, issuer, "consent_repeated")
    if "none" in pending.prompt:
        return send_back(pending, client, issuer, CONSENT_REQUIRED, "consent_required")
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
        lost=lost_of(question),
        resumes=resumes(question),
        personal=question.is_personal,
    )
    return Decision(ask, bound, "consent_asked")


async def _ask_account(
    facts: Facts,
    pending: PendingAuthorization,
    client: Client,
    user: User,
    choices: tuple[tuple[Membership, Account], ...],
) -> AskAccount:
    found = {account.id: await obstacle_to(facts, client, each, account, pending.scope) for each, account in choices}
    obstacles = {account_id: obstacle for account_id, obstacle in found.items() if obstacle is not None}
    personal = is_personal(client.policy, pending.scope)
    return AskAccount(client, user, choices, pending.redirect_uri, obstacles, personal)


async def choose_account(
    facts: Facts, at: Moment, pending_id: str, visitor: Visitor, account: str
) -> Decision[Chosen | Refusal]:
    """The customer picked an account (text id, ``ac_…``)."""
    awaited = await ready(facts, at, pending_id, visitor)
    if isinstance(awaited, Refusal):
        return Decision(awaited, reason=awaited.reason)
    pending, client, user = awaited
    account_id = parse("ac", account)
    membership = None if account_id is None else await facts.membership(account_id, user.id)
    account_row = None if account_id is None else await facts.account(account_id)
    if account_id is None or account_row is None or membership is None:
        return refuse(ACCESS_DENIED, "account_not_yours")
    if not may_allow(membership, client.policy, pending.scope):
        return refuse(ACCESS_DENIED, "account_not_yours")
    if not await may_connect_draft(facts, client, account_row):
        return refuse(ACCESS_DENIED, "client_is_draft")
    bound = replace(pending, user_id=user.id, account_id=account_id, version=pending.version + 1)
    return Decision(Chosen(), (Replace(bound),), "account_chosen")


async def change_account(facts: Facts, at: Moment, pending_id: str, visitor: Visitor) -> Decision[Chosen | Refusal]:
    """The customer wants to pick again."""
    awaited = await ready(facts, at, pending_id, visitor)
    if isinstance(awaited, Refusal):
        return Decision(awaited, reason=awaited.reason)
    pending, _, user = awaited
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
    awaited = await ready(facts, at, pending_id, visitor, answered=True)
    if isinstance(awaited, Refusal):
        return Decision(awaited, reason=awaited.reason)
    pending, client, user = awaited
    if pending.grant_id is not None:
        return await answered(facts, at, pending, client, user, issuer)
    if pending.refusal is not None or pending.user_id != user.id or pending.account_id is None:
        return refuse(ACCESS_DENIED, "consent_not_asked")
    membership = await facts.membership(pending.account_id, user.id)
    account = await facts.account(pending.account_id)
    if membership is None or account is None or account.removed_at is not None:
        return refuse(ACCESS_DENIED, "account_not_yours")
    if not may_allow(membership, client.policy, pending.scope):
        return refuse(ACCESS_DENIED, "account_not_yours")
    if account.suspended_at is not None:
        return refuse(ACCESS_DENIED, "account_suspended")
    if not await may_connect_draft(facts, client, account):
        return refuse(ACCESS_DENIED, "client_is_draft")
    question = await question_of(facts, pending, client, user, membership, account)
    if not same(shown.encode(), shown_of(question).encode()):
        return refuse(ACCESS_DENIED, "consent_differs")
    held = why_held(question)
    if held is not None:
        return refuse(ACCESS_DENIED, held)
    optional = optional_of(question)
    if chosen is not None and not within(chosen, optional):
        return refuse(ACCESS_DENIED, "consent_differs")  # the form has no such box
    scope = chosen_of(question, optional if chosen is None else chosen)
    if pending.scope and not scope:
        return refuse(ACCESS_DENIED, "nothing_chosen")
    settled = await settle_consent(facts, question, at, scope, asked=True)
    return settled_back(settled, pending, client, issuer, "consented")


async def deny(
    facts: Facts, at: Moment, pending_id: str, visitor: Visitor, issuer: str
) -> Decision[SendBack | Refusal]:
    """The customer says no (RFC 6749 §4.1.2.1: ``access_denied``)."""
    awaited = await ready(facts, at, pending_id, visitor)
    if isinstance(awaited, Refusal):
        return Decision(awaited, reason=awaited.reason)
    pending, client, user = awaited
    denied = audit.note(at, audit.by_user(user), "denied", client_id=client.id, user_id=user.id)
    return Decision(back(pending, client, issuer, error=ACCESS_DENIED), (Forget(pending), denied), "denied")
