"""Tokens that an older system issued are brought along, so that nobody has to connect anew when a platform moves.

Only digests are kept. What one line brings hangs from one grant under the live connection of its client and account, and
ends with it like any other: an ``access`` token goes on working until it expires, a ``refresh`` token is answered with
one of ours when it is used, a ``migration`` token is exchanged once (Square, "migration_token").
"""

from __future__ import annotations

from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import Literal

from grantway.protocol import audit
from grantway.protocol.administration.accounts import OWN_ID
from grantway.protocol.administration.answers import OPERATOR, Rejected, reject
from grantway.protocol.administration.approval import may_connect_draft
from grantway.protocol.administration.clients import find_client
from grantway.protocol.administration.people import normal_email
from grantway.protocol.connecting import connected, granted
from grantway.protocol.decision import Add, Change, Decision
from grantway.protocol.facts import Facts
from grantway.protocol.ids import parse
from grantway.protocol.model import Account, Client, ForeignToken, User
from grantway.protocol.moment import Moment
from grantway.protocol.policy import Policy
from grantway.protocol.scope import within
from grantway.protocol.standing import next_idle_end
from grantway.wire.record import record
from grantway.wire.sentence import worded

_GRANT_TYPE_OF = {"refresh": "refresh_token", "migration": "migration_token"}
"""What a client has to be able to ask for, to use such a token."""


@record
class OlderToken:
    """A token, by the SHA-256 of its text."""

    kind: Literal["access", "refresh", "migration"]
    digest: bytes = field(repr=False)
    expires_at: datetime | None = None


@record
class OlderGrant:
    """What somebody had allowed. ``account`` and ``user`` are named as ``_account`` and ``_user`` find them."""

    client_id: str
    account: str
    tokens: tuple[OlderToken, ...]
    user: str | None = None
    scope: tuple[str, ...] | None = None


@record
class Imported:
    """How many tokens were brought along by this grant. None: they were there already, or cannot be used any more."""

    tokens: int
    left_out: Literal["imported_before", "expired"] | None = None


async def import_tokens(facts: Facts, at: Moment, wanted: OlderGrant) -> Decision[Imported | Rejected]:
    """The tokens work from now on. The same again changes nothing."""
    client = await find_client(facts, wanted.client_id)
    if isinstance(client, Rejected):
        return Decision(client, (), client.reason)
    if client.kind != "integration":
        return reject("Only an integration has tokens of accounts.", "client_not_integration")
    account = await _account(facts, wanted.account, client)
    if isinstance(account, Rejected):
        return Decision(account, (), account.reason)
    user = await _user(facts, wanted.user, account)
    if isinstance(user, Rejected):
        return Decision(user, (), user.reason)
    scope = client.default_scopes if wanted.scope is None else wanted.scope
    if not within(scope, client.scopes) or len(set(scope)) != len(scope) or (client.scopes and not scope):
        return reject("The client may not be given this scope.", "scope_exceeds_client")
    if problem := _problem(wanted.tokens, client.policy):
        return reject(problem, "tokens_malformed")
    if not await may_connect_draft(facts, client, account):
        return reject("It is a draft, which connects only its developers' own accounts.", "client_is_draft")
    usable = tuple(token for token in wanted.tokens if not _is_over(token, client.policy, at))
    if not usable:
        return Decision(Imported(0, "expired"), (), "expired")
    known = [await facts.foreign_token(token.digest) for token in usable]
    if any(known):
        return await _again(facts, known, client, account, user)
    return await _imported(facts, at, client, account, user, scope, usable)


async def _imported(
    facts: Facts,
    at: Moment,
    client: Client,
    account: Account,
    user: User | None,
    scope: tuple[str, ...],
    tokens: tuple[OlderToken, ...],
) -> Decision[Imported | Rejected]:
    connection, changes = await connected(
        facts, at, client, account, scope, user=user, actor=OPERATOR, reason="operator"
    )
    grant = granted(at, connection, user, "migration", scope, client)
    if any(token.kind == "refresh" for token in tokens):
        # As if it had been issued now: one that nobody uses ends by itself.
        grant = replace(grant, refresh_idle_expires_at=next_idle_end(client, grant, at.now))
    added: list[Change] = [Add(grant)]
    added += [Add(ForeignToken(one.digest, grant.id, one.kind, at.now, one.expires_at)) for one in tokens]
    entry = audit.note(
        at,
        OPERATOR,
        "tokens_imported",
        connection,
        grant_id=grant.id,
        user_id=None if user is None else user.id,
        scope=list(scope),
        kinds=[token.kind for token in tokens],
    )
    return Decision(Imported(len(tokens)), (*changes, *added, entry), "tokens_imported")


async def _again(
    facts: Facts, known: list[ForeignToken | None], client: Client, account: Account, user: User | None
) -> Decision[Imported | Rejected]:
    grants = {None if token is None else token.grant_id for token in known}
    held = await facts.grant(next(iter(grants)) or b"") if len(grants) == 1 else None
    whose = (client.id, account.id, None if user is None else user.id)
    if held is None or (held.client.id, held.account.id, held.grant.user_id) != whose:
        return reject("Some of these tokens were brought along by another line.", "token_known")
    return Decision(Imported(0, "imported_before"), (), "unchanged")


async def _account(facts: Facts, text: str, client: Client) -> Account | Rejected:
    """By our id, or by its id in the client's dialect, or by the platform's own."""
    row_id = parse("ac", text)
    if row_id is not None:
        account = await facts.account(row_id)
    else:
        account = await facts.account_by_external_id(client.policy.dialect, text)
        own = await facts.account_by_external_id(OWN_ID, text)
        if account is not None and own is not None and own.id != account.id:
            return Rejected("Two accounts have this id in different dialects: name it by ac_….", "account_ambiguous")
        account = account or own
    if account is None or account.removed_at is not None:
        return Rejected("There is no such account.", "account_unknown")
    return account


async def _user(facts: Facts, text: str | None, account: Account) -> User | Rejected | None:
    """By our id, by their address, or by the platform's own id of them; who belongs to the account."""
    if text is None:
        return None
    row_id, email = parse("us", text), normal_email(text)
    user = await facts.user(row_id) if row_id else await facts.user_by_email(email) if email else None
    user = user or await facts.user_by_external_id(text)
    if user is None or user.disabled_at is not None or await facts.membership(account.id, user.id) is None:
        return Rejected("There is no such user in this account.", "user_unknown")
    return user


def _problem(tokens: tuple[OlderToken, ...], policy: Policy) -> str | None:
    if len({token.digest for token in tokens}) != len(tokens):
        return "A token is named once."
    if sum(token.kind in _GRANT_TYPE_OF for token in tokens) > 1:
        return "One line brings at most one token that is exchanged: a refresh token or a migration token."
    for token in tokens:
        needed = _GRANT_TYPE_OF.get(token.kind)
        if needed is not None and needed not in policy.grant_types:
            return worded("Clients of this profile do not use the grant type %(name)s.", name=needed)
        if token.kind == "access" and token.expires_at is None and policy.access_token_lifetime is not None:
            return "An access token of this profile has an expires_at."
    return None


def _is_over(token: OlderToken, policy: Policy, at: Moment) -> bool:
    """Whether it can have no effect any more: an access token may still be renewed for a while."""
    grace = policy.renewal_grace if token.kind == "access" else timedelta(0)
    return token.expires_at is not None and at.now >= token.expires_at + grace
