"""A refresh token becomes new tokens (RFC 6749 §6, RFC 9700 §4.14.2).

Rotation is one guarded move of the grant's generation. Retry rule: an authenticated client may present the token before
the live one at any time and gets the same successor, a public one within a short window; older ones are reuse and end
the grant, because thief and owner look alike from here. Only a proven token presented by its own client ends anything.

A token ahead of its row proves that the database was set back. While that is known (``Restoration``) the row follows the
token; otherwise it is refused and nothing ends.

A refresh token of an older system is generation 0 of its grant: its first use moves the grant to 1, and it is answered
with one of ours. From then on the retry rule holds for it as for any other; where nothing rotates it stays good.
"""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from grantway.protocol import audit
from grantway.protocol.activation import activation
from grantway.protocol.decision import Change, Decision, MoveAhead, MoveGeneration, Refusal, TouchUse, refuse
from grantway.protocol.digests import foreign_digest
from grantway.protocol.facts import Facts, GrantInUse
from grantway.protocol.issuing import Issued, Reused, issue_for_grant
from grantway.protocol.keys import MOVE, REFRESH, mac, same
from grantway.protocol.model import Client, ForeignToken, Grant, Restoration
from grantway.protocol.moment import Moment
from grantway.protocol.scope import common, within
from grantway.protocol.standing import SUSPENDED, next_idle_end, refresh_end, rotates, suspended, why_out
from grantway.protocol.tokens import UnprovenRefreshToken, read_refresh_token
from grantway.wire.errors import (
    CLIENT_SECRET_REQUIRED,
    IDEMPOTENCY_KEY_REUSED,
    INVALID_GRANT,
    INVALID_REQUEST,
    INVALID_SCOPE,
    INVALID_TARGET,
)
from grantway.wire.messages import TokenRequest
from grantway.wire.record import record

GRANT_TYPE = "refresh_token"
WRITES = True
_KEY_LENGTH = 16


@record
class Presented:
    """The refresh token as it was read, or as it is known from an older system, and the grant that it names.

    ``set_back`` is asked for only when the token is ahead of its grant.
    """

    token: UnprovenRefreshToken | ForeignToken | None = field(repr=False)
    held: GrantInUse | None
    set_back: Restoration | None = None


async def load(request: TokenRequest, facts: Facts) -> Presented:
    text = request.refresh_token or ""
    token = read_refresh_token(text) or await _known_foreign(text, facts)
    held = None if token is None else await facts.grant(token.grant_id)
    if held is None or not isinstance(token, UnprovenRefreshToken) or token.generation <= held.grant.generation:
        return Presented(token, held)
    return Presented(token, held, await facts.restoration())


async def _known_foreign(text: str, facts: Facts) -> ForeignToken | None:
    known = foreign_digest(text)
    found = None if known is None else await facts.foreign_token(known)
    return found if found is not None and found.kind == "refresh" else None


def decide(request: TokenRequest, client: Client, loaded: Presented, at: Moment) -> Decision[Issued | Refusal | Reused]:
    if request.refresh_token is None:
        return refuse(INVALID_REQUEST, "refresh_token_missing")  # RFC 6749 §6
    token, held = loaded.token, loaded.held
    if token is None or held is None:
        mac(bytes(32), REFRESH, bytes(4))  # the same work as for a token that exists
        return refuse(INVALID_GRANT, "refresh_token_unknown")
    grant, policy = held.grant, client.policy
    secret = at.vault.open(grant.key_id, grant.secret, grant.id)
    foreign = isinstance(token, ForeignToken)
    generation = 0 if isinstance(token, ForeignToken) else token.generation
    if isinstance(token, UnprovenRefreshToken) and (not token.is_proven(secret) or generation == 0):
        return refuse(INVALID_GRANT, "refresh_token_unknown")
    if grant.client_id != client.id:
        return refuse(INVALID_GRANT, "refresh_token_of_another_client")  # RFC 6749 §10.4
    if held.client.confidential and not client.confidential and grant.code_challenge is None:
        return refuse(CLIENT_SECRET_REQUIRED, "client_secret_missing")  # nothing else proves who asks
    out = why_out(held)
    if out is not None and out in SUSPENDED:
        return Decision(suspended(out), reason=out)
    if out is not None:
        return refuse(INVALID_GRANT, out)
    set_back = loaded.set_back
    end = refresh_end(held, None if set_back is None else set_back.restored_at)
    ends = (end, token.expires_at if isinstance(token, ForeignToken) else None)
    if any(end is not None and at.now >= end for end in ends):
        return refuse(INVALID_GRANT, "refresh_token_expired")
    if generation > grant.generation and set_back is None:
        # Only a database that was set back knows less than its tokens; nothing ends, and somebody should look.
        return refuse(INVALID_GRANT, "generation_ahead")
    scope = grant.scope if request.scope is None else request.scope  # RFC 6749 §6: left out means all that was granted
    resource = request.resource or grant.resource
    move_key = _move_key(secret, client, generation, request, scope, resource)
    rotating = rotates(held.client, grant)
    if generation < grant.generation and (rotating or not foreign):
        verdict = _retry(generation, grant, client, move_key, at)
        if verdict == "reuse":
            return Decision(Reused(held, "refresh_token_reused"))
        if verdict is not None:
            return refuse(IDEMPOTENCY_KEY_REUSED if verdict == "idempotency_key_reused" else INVALID_GRANT, verdict)
    if policy.narrowing == "intersect":
        scope = common(grant.scope, scope)
    if not within(scope, grant.scope) or (grant.scope and not scope):
        return refuse(INVALID_SCOPE, "scope_exceeds_grant")  # RFC 6749 §6
    if not within(resource, grant.resource):
        return refuse(INVALID_TARGET, "resource_exceeds_grant")  # RFC 8707 §2.2
    scope = common(scope, held.connection.scope)
    used: tuple[Change, ...] = ()
    if grant.last_used_day != at.now.date():
        used = (TouchUse(grant.id, held.connection.id, at.now.date()),)
    if generation < grant.generation:
        return Decision(_issued(held, secret, grant.generation, at, scope, resource, request), used, "refresh_repeated")
    if generation > grant.generation:
        to = generation + 1 if rotating else generation
        caught_up = _catching_up(held, to, at, move_key, by=client)
        return Decision(
            _issued(held, secret, to, at, scope, resource, request), (*caught_up, *used), "refresh_caught_up"
        )
    if not rotating and not foreign:
        return Decision(_issued(held, secret, grant.generation, at, scope, resource, request), used, "refreshed")
    idle_end = next_idle_end(held.client, grant, at.now)
    moved: tuple[Change, ...] = (MoveGeneration(grant.id, grant.generation, at.now, move_key, idle_end), *used)
    if foreign:
        first = audit.note(at, audit.by_client(client), "foreign_token_replaced", held.connection, grant_id=grant.id)
        moved = (*moved, *activation(held, at), first)
    return Decision(_issued(held, secret, grant.generation + 1, at, scope, resource, request), moved, "refreshed")


def _catching_up(held: GrantInUse, to: int, at: Moment, move_key: bytes | None, by: Client) -> tuple[Change, ...]:
    """The row follows its token: whatever was issued between the backup and its restoration is older than this."""
    grant, idle_end = held.grant, next_idle_end(held.client, held.grant, at.now)
    return (
        MoveAhead(grant.id, grant.generation, to, at.now, move_key, idle_end),
        *activation(held, at),
        audit.note(at, audit.by_client(by), "grant_caught_up", held.connection, grant_id=grant.id),
    )


def _issued(
    held: GrantInUse,
    secret: bytes,
    generation: int,
    at: Moment,
    scope: tuple[str, ...],
    resource: tuple[str, ...],
    request: TokenRequest,
) -> Issued:
    return issue_for_grant(
        held, secret, generation, at, scope, resource, short_lived=request.short_lived, jwt=request.jwt
    )


def _retry(
    generation: int, grant: Grant, client: Client, move_key: bytes | None, at: Moment
) -> Literal["reuse", "idempotency_key_reused", "refresh_token_superseded"] | None:
    """What a superseded token is: a retry (``None``), reuse, or something to be refused and no more."""
    policy, moved_at = client.policy, grant.moved_at or grant.created_at
    if generation == grant.generation - 1:
        stored = grant.move_key
        is_keyed = move_key is not None and stored is not None and same(move_key[:_KEY_LENGTH], stored[:_KEY_LENGTH])
        if is_keyed and move_key != stored:
            return "idempotency_key_reused"
        if client.confidential or grant.cnf is not None:
            return None
        window = policy.retry_window_with_key if is_keyed else policy.retry_window
        return None if at.now - moved_at <= window else "reuse"
    if generation == grant.generation - 2 and at.now - (grant.previous_moved_at or moved_at) <= policy.retry_window:
        return "refresh_token_superseded"  # a herd of retries is not a thief
    return "reuse"


def _move_key(
    secret: bytes,
    client: Client,
    generation: int,
    request: TokenRequest,
    scope: tuple[str, ...],
    resource: tuple[str, ...],
) -> bytes | None:
    """What binds a move to its Idempotency-Key: who moved what with which key, and after that what was asked."""
    if request.idempotency_key is None:
        return None
    who = client.id + generation.to_bytes(4, "big") + request.idempotency_key.encode()
    what = "\n".join((" ".join(scope), " ".join(resource))).encode()
    return mac(secret, MOVE, who) + mac(secret, MOVE, b"body" + who + b"\0" + what)
