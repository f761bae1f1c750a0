"""The installation's own: signing keys, the audit, counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from grantway.protocol.administration import signing_keys
from grantway.protocol.administration.answers import reject
from grantway.protocol.administration.finding import clients_of
from grantway.protocol.decision import Decision
from grantway.protocol.facts import Facts
from grantway.protocol.ids import parse
from grantway.protocol.issuing import current_signing_key
from grantway.protocol.model import SigningKey as Key
from grantway.protocol.moment import Moment
from grantway.server.api import views
from grantway.server.api.call import NOWHERE, Asked, Call, Paged, said, told
from grantway.server.api.finding import named_account, named_client, named_connection
from grantway.server.service import Service
from grantway.server.signing_keys import draw_signing_key
from grantway.wire.api.house import AuditEntry, AuditQuery, Count, CountQuery, KeyRotation, SigningKey
from grantway.wire.api.message import Whole

_LONGEST_SINCE = timedelta(days=366)


async def list_signing_keys(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    keys = await facts.signing_keys()
    signing = current_signing_key(keys, at)
    return told(Whole(data=[_signing_key(one, signing, at) for one in keys]), "signing_keys_listed")


async def rotate(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    body: KeyRotation = asked.body
    rule: Any = signing_keys.rotate_now if body.compromised else signing_keys.rotate
    return said(await rule(facts, at, asked.prepared), lambda key: _signing_key(key, key, at))


async def search_audit(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    query: AuditQuery = asked.query
    entries = await facts.audit(
        asked.page,
        connection_id=await named_connection(facts, query.connection),
        client_row_id=await named_client(facts, query.client),
        account_id=await named_account(facts, query.account),
        user_id=None if query.user is None else parse("us", query.user) or NOWHERE,
        reason=query.reason,
        action=query.action,
    )
    clients = await clients_of(facts, (one.client_id for one in entries))
    page = Paged(entries, lambda one: views.audit_entry(one, clients.get(one.client_id)), lambda one: one.id)
    return told(page, "audit_searched")


async def read_counts(facts: Facts, at: Moment, asked: Asked) -> Decision[Any]:
    query: CountQuery = asked.query
    if at.now - query.since > _LONGEST_SINCE:
        return reject("Counts are told for a year back at most.", "since_too_early")
    return told(Whole(data=[views.count(one) for one in await facts.tallies(query.since, query.kind)]), "counts_told")


def _draw(service: Service) -> Any:
    return draw_signing_key(service.vault)


def _signing_key(one: Key, signing: Key | None, at: Moment) -> SigningKey:
    waits = one.signs_from > at.now
    return SigningKey(
        kid=one.kid,
        algorithm=one.algorithm,
        state="waiting" if waits else "signing" if signing and signing.kid == one.kid else "verifying",
        created_at=one.created_at,
        signs_from=one.signs_from,
        retires_at=one.retires_at,
    )


CALLS = (
    Call(
        "signing_keys.list", "GET", "/v1/signing-keys", "keys:read", "List the keys of /jwks.json.", list_signing_keys,
        answer=Whole[SigningKey],
    ),
    Call(
        "signing_keys.rotate", "POST", "/v1/signing-keys", "keys:write",
        "Publish a new signing key; it signs when every cache has it.", rotate,
        answer=SigningKey, status=201, body=KeyRotation, prepare=_draw,
    ),
    Call(
        "audit.search", "GET", "/v1/audit", "audit:read", "Search the audit log, newest first.", search_audit,
        answer=AuditEntry, query=AuditQuery, paged=True,
    ),
    Call(
        "counts.read", "GET", "/v1/counts", "metrics:read", "Read how often things happened, by the hour.", read_counts,
        answer=Whole[Count], query=CountQuery,
    ),
)  # fmt: skip
