"""A client brings a person's name and password itself (RFC 6749 §4.3; Phone.com's password grant).

OAuth 2.1 has left it out: the integration sees the password, and nobody is asked anything. So it exists only for
confidential clients for which an operator turned it on, and never for people who sign in elsewhere, where more than a
password may be asked. In three steps, as signing in (``sign_in.py``), whose counters of failures it shares.
"""

from __future__ import annotations

from dataclasses import replace

from grantway.protocol import audit
from grantway.protocol.administration.approval import may_connect_draft
from grantway.protocol.client_authentication import VerifiedSecret, authenticate_client, may_ask
from grantway.protocol.connecting import connected, granted
from grantway.protocol.consent import superseded
from grantway.protocol.decision import Add, Change, Decision, Refusal, refuse
from grantway.protocol.facts import ConnectionInView, Facts, GrantInUse
from grantway.protocol.issuing import Issued, as_signed, issue_for_grant
from grantway.protocol.model import Account, Client, Membership, User
from grantway.protocol.moment import Moment
from grantway.protocol.personal import may_allow
from grantway.protocol.scope import within
from grantway.protocol.sign_in import Attempt, begin_sign_in, fail_sign_in, proven_person
from grantway.protocol.standing import next_idle_end, suspended
from grantway.protocol.telling import tell_owners
from grantway.protocol.throttle import forgive
from grantway.wire.errors import (
    ACCESS_DENIED,
    ACCOUNT_UNCLEAR,
    INVALID_REQUEST,
    INVALID_SCOPE,
    INVALID_TARGET,
    PASSWORD_WRONG,
    UNAUTHORIZED_CLIENT,
)
from grantway.wire.messages import TokenRequest

GRANT_TYPE = "password"


async def begin_password_grant(
    facts: Facts,
    at: Moment,
    request: TokenRequest,
    dialect: str,
    address: str,
    verified: VerifiedSecret | None = None,
) -> Decision[Attempt | Refusal]:
    """Who asks, and what has to be verified how slowly. No password is looked at for a client that may not bring one."""
    client = await _client(facts, at, request, dialect, verified)
    if isinstance(client, Refusal):
        return Decision(client, reason=client.reason)
    if request.username is None or request.password is None:
        return refuse(INVALID_REQUEST, "password_missing" if request.username else "username_missing")
    begun = await begin_sign_in(facts, at, request.username, address)
    if isinstance(begun.answer, Refusal) or not at.house.signs_in_elsewhere:
        return begun
    # The same work as for everybody, and no: at their own sign-in they may be asked for more than this.
    return Decision(replace(begun.answer, user_id=None, password_hash=None))


async def fail_password_grant(facts: Facts, at: Moment, attempt: Attempt) -> Decision[Refusal]:
    """The password was wrong or there is nobody of that name; both look the same, and both count."""
    failed = await fail_sign_in(facts, at, attempt)
    return Decision(replace(failed.answer, error=PASSWORD_WRONG), failed.changes, failed.reason)


async def finish_password_grant(
    facts: Facts,
    at: Moment,
    request: TokenRequest,
    dialect: str,
    attempt: Attempt,
    verified: VerifiedSecret | None = None,
) -> Decision[Issued | Refusal]:
    """The password was right: connect what the person may connect. Everything is read again, for it took a while."""
    client = await _client(facts, at, request, dialect, verified)
    if isinstance(client, Refusal):
        return Decision(client, reason=client.reason)
    user = await proven_person(facts, attempt)
    if user is None:
        overtaken = await fail_password_grant(facts, at, attempt)
        return Decision(replace(overtaken.answer, reason="sign_in_overtaken"), overtaken.changes, "sign_in_overtaken")
    forgiven = await forgive(facts, attempt.buckets)
    chosen = await _account(facts, client, user)
    if isinstance(chosen, Refusal):
        return Decision(chosen, forgiven, chosen.reason)
    membership, account = chosen
    scope = client.default_scopes if request.scope is None else request.scope
    refusal = await _why_not(facts, request, client, membership, account, scope)
    if refusal is not None:
        return Decision(refusal, forgiven, refusal.reason)
    before = await facts.live_connection(client.id, account.id)
    if before is not None and before.suspended_at is not None:
        refusal = suspended("connection_suspended")  # nobody is asked here, so nothing is taken back
        return Decision(refusal, forgiven, refusal.reason)
    return await _granted(facts, at, request, client, user, account, scope, forgiven, is_first=before is None)


async def _client(
    facts: Facts, at: Moment, request: TokenRequest, dialect: str, verified: VerifiedSecret | None
) -> Client | Refusal:
    client = await authenticate_client(request.credentials, facts, at, dialect, verified)
    if isinstance(client, Refusal):
        return client
    if not may_ask(client, GRANT_TYPE):
        return Refusal(UNAUTHORIZED_CLIENT, "grant_type_not_allowed")
    return client if client.confidential else Refusal(UNAUTHORIZED_CLIENT, "public_client_password")


async def _account(facts: Facts, client: Client, user: User) -> tuple[Membership, Account] | Refusal:
    """The account that the client belongs to, if the person does, too; else the only one that they have."""
    of_person = await facts.memberships(user.id)
    own = next((each for each in of_person if each[1].id == client.account_id), None)
    if own is not None:
        return own
    if len(of_person) > 1:
        return Refusal(ACCOUNT_UNCLEAR, "several_accounts")
    return of_person[0] if of_person else Refusal(ACCESS_DENIED, "no_account")


async def _why_not(
    facts: Facts,
    request: TokenRequest,
    client: Client,
    membership: Membership,
    account: Account,
    scope: tuple[str, ...],
) -> Refusal | None:
    """Why this person cannot have this for this account, or ``None``."""
    if not within(scope, client.scopes) or (client.scopes and not scope):
        return Refusal(INVALID_SCOPE, "scope_exceeds_client")
    if not within(request.resource, client.resources):
        return Refusal(INVALID_TARGET, "resource_exceeds_client")  # RFC 8707 §2
    if account.suspended_at is not None:
        return suspended("account_suspended")
    if not may_allow(membership, client.policy, scope):
        return Refusal(ACCESS_DENIED, "account_not_yours")
    if not await may_connect_draft(facts, client, account):
        return Refusal(ACCESS_DENIED, "client_is_draft")
    return None


async def _granted(
    facts: Facts,
    at: Moment,
    request: TokenRequest,
    client: Client,
    user: User,
    account: Account,
    scope: tuple[str, ...],
    forgiven: tuple[Change, ...],
    *,
    is_first: bool,
) -> Decision[Issued | Refusal]:
    """The connection, found or made, and the grant. Of a new connection the account's owners hear by mail."""
    actor = audit.by_user(user)
    connection, changes = await connected(facts, at, client, account, scope, user=user, actor=actor, reason=GRANT_TYPE)
    grant = replace(
        granted(at, connection, user, "password", scope, client),
        generation=1,
        moved_at=at.now,
        last_used_day=at.now.date(),
    )
    grant = replace(grant, refresh_idle_expires_at=next_idle_end(client, grant, at.now))
    held = GrantInUse(grant, connection, account, user, client)
    secret = at.vault.open(grant.key_id, grant.secret, grant.id)
    issued = await as_signed(
        issue_for_grant(held, secret, grant.generation, at, resource=request.resource or None), facts, at
    )
    if isinstance(issued, Refusal):
        return Decision(issued, reason=issued.reason)
    earlier = () if is_first else await facts.live_grants(connection.id, user.id)
    told: tuple[Change, ...] = ()
    if is_first:
        view = ConnectionInView(connection, client, account, user)
        told = await tell_owners(facts, at, view, "connection_made", GRANT_TYPE)
    return Decision(
        issued,
        (
            *changes,
            Add(grant),
            *superseded(earlier, client, connection, at),
            audit.note(
                at,
                actor,
                "password_granted",
                connection,
                reason=GRANT_TYPE,
                grant_id=grant.id,
                user_id=user.id,
                scope=list(scope),
            ),
            *told,
            *forgiven,
        ),
        "password_granted",
    )
