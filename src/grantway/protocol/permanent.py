"""Access tokens without end, made by hand for one account: what vendors call personal or permanent tokens.

Square's pages have a personal access token, whose status has no ``expires_at``; Phone.com's a permanent token. Each is a
grant of its own: shown once, without a refresh token, ended by hand or with its connection.
"""

from __future__ import annotations

from grantway.protocol import audit
from grantway.protocol.administration.answers import OPERATOR, Rejected, reject
from grantway.protocol.administration.approval import may_connect_draft
from grantway.protocol.administration.clients import find_client
from grantway.protocol.connecting import connected, granted
from grantway.protocol.connections import Reason, ending
from grantway.protocol.decision import Add, Change, Decision
from grantway.protocol.facts import ConnectionInView, Facts, GrantInUse
from grantway.protocol.issuing import Issued, issue_for_grant
from grantway.protocol.model import Account, Client, User
from grantway.protocol.moment import Moment
from grantway.protocol.scope import within
from grantway.protocol.standing import why_client_is_out
from grantway.protocol.telling import tell_owners
from grantway.wire.sentence import worded


async def make_token(
    facts: Facts,
    at: Moment,
    client_id: str,
    account_id: bytes,
    scope: tuple[str, ...] | None = None,
    *,
    user: User | None = None,
    actor: str = OPERATOR,
) -> Decision[Issued | Rejected]:
    """A token of this client for this account. ``user``: who makes it for themselves; it ends when they leave.

    ``scope`` is what it reaches; the client's default scopes, if nothing is said.
    """
    client = await find_client(facts, client_id)
    if isinstance(client, Rejected):
        return Decision(client, (), client.reason)
    account = await facts.account(account_id)
    if account is None or account.removed_at is not None:
        return reject("There is no such account.", "account_unknown")
    scope = client.default_scopes if scope is None else scope
    if problem := await _problem(facts, client, account, scope):
        return Decision(problem, (), problem.reason)
    known = await facts.live_connection(client.id, account.id)
    if known is not None and known.suspended_at is not None:
        return reject("The connection is suspended: resume it first.", "connection_suspended")
    if len(await facts.permanent_grants(client.id, account.id)) >= client.policy.live_grants:
        return reject(
            worded(
                "There are %(most)s tokens of it for this account already: end one of them first.",
                most=client.policy.live_grants,
            ),
            "too_many_tokens",
        )
    reason: Reason = "operator" if user is None else "customer"
    connection, changes = await connected(facts, at, client, account, scope, user=user, actor=actor, reason=reason)
    grant = granted(at, connection, user, "permanent", scope, client)
    held = GrantInUse(grant, connection, account, user, client)
    issued = issue_for_grant(held, at.vault.open(grant.key_id, grant.secret, grant.id), 0, at)
    entry = audit.note(
        at,
        actor,
        "permanent_token_made",
        connection,
        grant_id=grant.id,
        user_id=None if user is None else user.id,
        scope=list(scope),
    )
    view = ConnectionInView(connection, client, account, user)
    told = await tell_owners(facts, at, view, "connection_made", "permanent_token")
    return Decision(issued, (*changes, Add(grant), entry, *told), "permanent_token_made")


async def _problem(facts: Facts, client: Client, account: Account, scope: tuple[str, ...]) -> Rejected | None:
    if client.kind != "integration" or not client.policy.permanent_tokens:
        return Rejected("Clients of this profile have no tokens without end.", "permanent_tokens_not_allowed")
    if (out := why_client_is_out(client)) is not None:
        return Rejected("The client is switched off.", out)
    if not await may_connect_draft(facts, client, account):
        return Rejected("It is a draft, which connects only its developers' own accounts.", "client_is_draft")
    if account.suspended_at is not None:
        return Rejected("The account is suspended: resume it first.", "account_suspended")
    if not within(scope, client.scopes) or len(set(scope)) != len(scope) or (client.scopes and not scope):
        return Rejected(
            "A token reaches some of the scopes that the client may be given, each of them once.",
            "scope_exceeds_client",
        )
    return None


async def tokens_of(facts: Facts, client: Client, account_id: bytes | None = None) -> tuple[GrantInUse, ...]:
    """What stands behind the client's tokens without end, oldest first; ``account_id``: only those for this account."""
    found = [await facts.grant(grant.id) for grant in await facts.permanent_grants(client.id, account_id)]
    return tuple(held for held in found if held is not None)


async def end_token(
    facts: Facts,
    at: Moment,
    grant_id: bytes,
    *,
    reason: Reason = "operator",
    actor: str = OPERATOR,
    by: bytes | None = None,
) -> Decision[GrantInUse | Rejected]:
    """The token is good for nothing any more; with the last grant of a connection that goes, too."""
    held = await facts.grant(grant_id)
    if held is None or held.grant.origin != "permanent":
        return reject("There is no such token.", "token_unknown")
    if held.grant.revoked_at is not None or held.connection.removed_at is not None:
        return reject("This token has ended already.", "token_ended")
    changes: tuple[Change, ...] = await ending(facts, held, at, reason=reason, actor=actor, by=by)
    return Decision(held, changes, "permanent_token_ended")
