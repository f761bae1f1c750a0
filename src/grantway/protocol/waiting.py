"""An authorization request that waits for its customer: found again, bound to its browser, and its way back."""

from __future__ import annotations

from dataclasses import replace

from grantway.protocol.consent import Allowed, Question, answer_again
from grantway.protocol.decision import Decision, Forget, Refusal, refuse
from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.keys import same
from grantway.protocol.lifecycle import is_held_by_an_operator
from grantway.protocol.model import Client, PendingAuthorization, User
from grantway.protocol.moment import Moment
from grantway.protocol.redirect_uri import is_registered
from grantway.protocol.scope import within
from grantway.protocol.sessions import signed_in
from grantway.protocol.standing import why_client_is_out
from grantway.protocol.steps import SendBack, Step, Visitor
from grantway.protocol.trying import try_redirect_uri
from grantway.wire.errors import INVALID_REQUEST, LOGIN_REQUIRED, OAuthError
from grantway.wire.messages import AuthorizationAnswer


async def waiting(facts: Facts, at: Moment, pending_id: str) -> tuple[PendingAuthorization, Client] | Refusal:
    """The request that waits under this id, and its client, if both may still go on."""
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


def is_bound(pending: PendingAuthorization, visitor: Visitor) -> bool:
    """Whether this is the browser that started: it still has the cookie that the request was bound to."""
    known = [same(digest(cookie), pending.browser_digest) for cookie in (visitor.browser, visitor.session) if cookie]
    return any(known)


async def ready(
    facts: Facts, at: Moment, pending_id: str, visitor: Visitor, *, answered: bool = False
) -> tuple[PendingAuthorization, Client, User] | Refusal:
    """The waiting request, its client, and the customer who is signed in as the request wants it.

    A request that was answered already does not wait any more, unless ``answered``.
    """
    found = await waiting(facts, at, pending_id)
    if isinstance(found, Refusal):
        return found
    pending, client = found
    who = await signed_in(facts, at, visitor.session)
    if who is None or ("login" in pending.prompt and who[0].auth_time < pending.created_at):
        return Refusal(LOGIN_REQUIRED, "login_required")
    if not is_bound(pending, visitor):
        return Refusal(INVALID_REQUEST, "pending_of_another_browser")
    if pending.grant_id is not None and not answered:
        return Refusal(INVALID_REQUEST, "pending_unknown")
    return pending, client, who[1]


def why_held(question: Question) -> str | None:
    """Why this customer's consent cannot bring the connection back, or ``None``."""
    connection = question.connection
    if connection is None or connection.suspended_at is None:
        return None
    if is_held_by_an_operator(connection):
        return "suspended_by_operator"
    return None if question.membership.may_connect else "connection_suspended"


async def answered(
    facts: Facts, at: Moment, pending: PendingAuthorization, client: Client, user: User, issuer: str
) -> Decision[SendBack | Refusal]:
    """What was answered a moment ago, once more."""
    again = await answer_again(facts, at, pending, user)
    if again is None:
        return refuse(INVALID_REQUEST, "pending_unknown")
    return settled_back(Decision(again), pending, client, issuer, "answered_again")


def settled_back(
    settled: Decision[Allowed | Refusal], pending: PendingAuthorization, client: Client, issuer: str, reason: str
) -> Decision[SendBack | Refusal]:
    """The way back with what was allowed."""
    allowed = settled.answer
    if isinstance(allowed, Refusal):
        return Decision(allowed, reason=allowed.reason)
    return Decision(
        replace(back(pending, client, issuer, code=allowed.code), issued=allowed.issued), settled.changes, reason
    )


def send_back(
    pending: PendingAuthorization, client: Client, issuer: str, error: OAuthError, reason: str
) -> Decision[Step | Refusal]:
    """The way back with an error; nothing waits any more."""
    return Decision(back(pending, client, issuer, error=error), (Forget(pending),), reason)


def back(
    pending: PendingAuthorization,
    client: Client,
    issuer: str,
    *,
    code: str | None = None,
    error: OAuthError | None = None,
) -> SendBack:
    """The way back, in the client's dialect and where it looks for this kind of answer."""
    policy = client.policy
    answer = AuthorizationAnswer(
        pending.redirect_uri,
        code,
        error,
        pending.state,
        issuer if policy.names_issuer else None,
        response_type=pending.response_type,
    )
    return SendBack(answer, policy.dialect)
