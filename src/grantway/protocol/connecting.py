"""A connection that comes to be without a consent page, because whoever is asked stands behind the request already.

Its owner typed a password or makes a token by hand, an operator acts for the account, or an older system knew of it.
"""

from __future__ import annotations

from dataclasses import replace

from grantway.protocol.decision import Add, Change, Replace
from grantway.protocol.facts import ConnectionInView, Facts
from grantway.protocol.model import Account, Client, Connection, Grant, Origin, User
from grantway.protocol.moment import Moment
from grantway.protocol.telling import platform_notice, tell


async def connected(
    facts: Facts,
    at: Moment,
    client: Client,
    account: Account,
    scope: tuple[str, ...],
    *,
    user: User | None,
    actor: str,
    reason: str,
) -> tuple[Connection, tuple[Change, ...]]:
    """The live connection of the two: active, reaching these scopes, too; made when there is none.

    Its version moves, so that what was read of it (its grants, a suspension) still holds when this becomes true.
    """
    before = await facts.live_connection(client.id, account.id)
    if before is None:
        made = Connection(
            id=at.new_id(),
            client_id=client.id,
            account_id=account.id,
            integration_id=at.draw(12).hex(),
            scope=scope,
            created_at=at.now,
            approved_by=None if user is None else user.id,
            activated_at=at.now,
        )
        return made, (Add(made), *_created(at, client, account, made, actor, reason))
    gained = tuple(one for one in scope if one not in before.scope)
    changed = replace(
        before,
        scope=before.scope + gained,
        activated_at=before.activated_at or at.now,
        version=before.version + 1,
    )
    told: tuple[Change, ...] = ()
    if before.activated_at is None:
        told = _created(at, client, account, changed, actor, reason)
    elif gained:
        view = ConnectionInView(before, client, account, user)
        told = await tell(facts, at, view, "connection.changed", reason=reason, actor=actor, scope=list(changed.scope))
    return changed, (Replace(changed), *told)


def _created(
    at: Moment, client: Client, account: Account, connection: Connection, actor: str, reason: str
) -> tuple[Change, ...]:
    view = ConnectionInView(connection, client, account, None)
    return platform_notice(at, view, "connection.created", reason=reason, actor=actor, scope=list(connection.scope))


def granted(
    at: Moment, connection: Connection, user: User | None, origin: Origin, scope: tuple[str, ...], client: Client
) -> Grant:
    """What somebody allowed under a connection, without a code: its first token is issued with it, or was elsewhere."""
    grant_id, lifetime = at.new_id(), client.policy.refresh_lifetime
    return Grant(
        id=grant_id,
        connection_id=connection.id,
        client_id=client.id,
        account_id=connection.account_id,
        user_id=None if user is None else user.id,
        origin=origin,
        scope=scope,
        resource=client.resources,
        secret=at.new_secret(grant_id),
        key_id=at.vault.current,
        created_at=at.now,
        refresh_expires_at=None if lifetime is None else at.now + lifetime,
    )
