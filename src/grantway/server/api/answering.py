"""What all calls share: who asks, what is read, what was answered before, and how the answer is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import orjson

from grantway.protocol.administration.answers import OPERATOR, Rejected
from grantway.protocol.administration.operator_keys import actor_of, authenticate, touch
from grantway.protocol.decision import Add, Change, Decision, Forget, Refusal
from grantway.protocol.facts import Facts
from grantway.protocol.ids import show
from grantway.protocol.model import AuditEntry, IdempotentAnswer, OperatorKey
from grantway.protocol.moment import Moment
from grantway.server.answer import Endpoint, Said
from grantway.server.api.call import Asked, Call, Paged
from grantway.server.service import Service
from grantway.wire.api.message import Nothing
from grantway.wire.api.problem import No, Unfit, write_problem
from grantway.wire.api.reading import read_body, read_parameters, write_cursor
from grantway.wire.encoding import read_query
from grantway.wire.errors import (
    CONFLICT,
    IDEMPOTENCY_KEY_REUSED,
    NOT_FOUND,
    UNPROCESSABLE,
    Malformed,
    OAuthError,
)
from grantway.wire.headers import read_bearer, read_idempotency_key
from grantway.wire.http import JSON, NO_STORE, HttpAnswer, HttpRequest
from grantway.wire.messages import ErrorAnswer
from grantway.wire.record import record

ANSWERS_KEPT = timedelta(hours=24)
"""How long a repetition gets the answer that was given before."""

_MISSING = frozenset({
    "user_unknown", "account_unknown", "member_unknown", "client_unknown", "connection_unknown", "operator_key_unknown",
    "resource_unknown", "sign_in_request_unknown", "token_unknown",
})  # fmt: skip
_IN_THE_WAY = frozenset({
    "user_exists", "client_exists", "external_id_taken", "member_id_taken", "last_owner", "scope_in_use", "rotation_under_way",
    "connection_removed", "client_public", "operator_keys_too_many", "client_approved", "client_not_submitted",
    "client_changed", "client_connected", "account_removed", "too_many_resources", "user_of_platform",
    "too_many_tokens", "token_ended", "connection_suspended", "account_suspended", "user_erased",
})  # fmt: skip


@record
class Answered:
    """What goes out: status, headers beside the usual ones, body; and who asked, for the log."""

    status: int
    body: bytes
    by: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


@record
class Denied:
    """No, to whom it may concern: ``by`` is ``None`` where nobody is known."""

    no: No
    by: str | None = None


def endpoint(call: Call, issuer: str) -> Endpoint:
    """The endpoint that answers this call."""

    async def handle(service: Service, request: HttpRequest) -> Said:
        prepared = None if call.prepare is None else call.prepare(service)
        run = service.consult if call.method == "GET" else service.settle
        decision = await run(answer_call, call, request, prepared)
        answer = decision.answer
        if isinstance(answer, Denied):
            return Said(write_problem(answer.no, issuer, request.request_id), decision.reason, answer.by)
        headers = (NO_STORE, *answer.headers, *((JSON,) if answer.body else ()))
        return Said(HttpAnswer(answer.status, headers, answer.body), decision.reason, answer.by)

    return Endpoint(f"api.{call.name}", handle, error_writer(issuer))


def error_writer(issuer: str) -> Any:
    """How faults, bodies that are too large and wrong methods are said."""

    def write(answer: ErrorAnswer, request: HttpRequest | None) -> HttpAnswer:
        no = No(answer.error, retry_after=answer.retry_after)
        return write_problem(no, issuer, "" if request is None else request.request_id)

    return write


async def answer_call(
    facts: Facts, at: Moment, call: Call, request: HttpRequest, prepared: Any
) -> Decision[Answered | Denied]:
    """Decide one request: the key first, then what it says, then whether it was answered before, then the call itself."""
    try:
        key = await authenticate(facts, at, read_bearer(request.header(b"authorization")), call.scope)
    except Malformed as unread:
        return _denied(No(unread.error), unread.reason)
    if isinstance(key, Refusal):
        return _denied(No(key.error), key.reason)
    touched = touch(key, at)
    try:
        repeat = read_idempotency_key(request) if call.honours_idempotency else None
        asked = Asked(
            by=key,
            path=request.path_values,
            query=read_parameters(request, call.query or Nothing),
            body=read_body(request, call.body) if call.body else None,
            prepared=prepared,
        )
        if repeat is None:
            decision = await _decide(facts, at, call, request, asked)
        else:
            decision = await _decide_once(facts, at, call, request, asked, repeat)
    except Unfit as unfit:
        return _denied(No(unfit.error, places=unfit.places), unfit.reason, key, touched)
    except Malformed as unread:
        return _denied(No(unread.error), unread.reason, key, touched)
    return Decision(decision.answer, (*decision.changes, *touched), decision.reason)


async def _decide(
    facts: Facts, at: Moment, call: Call, request: HttpRequest, asked: Asked
) -> Decision[Answered | Denied]:
    decision = await call.rule(facts, at, asked)
    changes = tuple(_in_the_name_of(asked.by, change) for change in decision.changes)
    answer = decision.answer
    if isinstance(answer, Rejected):
        no = No(_error_of(answer), answer.sentence, answer.reason)
        return _denied(no, decision.reason, asked.by, changes)
    if isinstance(answer, Refusal):
        return _denied(No(answer.error, retry_after=answer.retry_after), decision.reason, asked.by, changes)
    return Decision(_write(call, request, asked, answer, at.house.issuer), changes, decision.reason)


async def _decide_once(
    facts: Facts, at: Moment, call: Call, request: HttpRequest, asked: Asked, repeat: str
) -> Decision[Answered | Denied]:
    """The same, but a repetition gets the first one's answer: it was stored in the commit of what it tells of.

    Of two at once one finds the place taken when it commits, and decides again (draft-ietf-httpapi-idempotency-key).
    """
    digest = sha256(asked.by.id + repeat.encode()).digest()
    body = b"" if asked.body is None else orjson.dumps(msgspec.to_builtins(asked.body), option=orjson.OPT_SORT_KEYS)
    asked_for = sha256(b"\0".join((call.method.encode(), request.path.encode(), body))).digest()
    known = await facts.idempotent_answer(digest)
    if known is not None and at.now < known.expires_at:
        if known.request_digest != asked_for:
            return _denied(No(IDEMPOTENCY_KEY_REUSED), "idempotency_key_reused", asked.by)
        before = at.vault.open(known.key_id, known.body_sealed, digest)
        return Decision(Answered(known.status, before, show("ok", asked.by.id)), (), "answered_before")
    decision = await _decide(facts, at, call, request, asked)
    answer = decision.answer
    if isinstance(answer, Denied):
        return decision
    kept = IdempotentAnswer(
        digest=digest,
        request_digest=asked_for,
        status=answer.status,
        body_sealed=at.vault.seal(answer.body, digest),
        key_id=at.vault.current,
        created_at=at.now,
        expires_at=at.now + ANSWERS_KEPT,
    )
    over = () if known is None else (Forget(known),)
    return replace(decision, changes=(*decision.changes, *over, Add(kept)))


def _write(call: Call, request: HttpRequest, asked: Asked, answer: Any, issuer: str) -> Answered:
    by = show("ok", asked.by.id)
    if answer is None:
        return Answered(204, b"", by)
    if not isinstance(answer, Paged):
        return Answered(call.status, msgspec.json.encode(answer), by)
    limit = asked.query.limit
    shown = answer.rows[:limit]
    cursor = write_cursor(answer.id_of(shown[-1])) if len(answer.rows) > limit else None
    body = msgspec.json.encode({"data": [answer.write(row) for row in shown], "next": cursor})
    if cursor is None:
        return Answered(200, body, by)
    # RFC 8288 §3
    query = urlencode({**read_query(request.query).plain, "cursor": cursor})
    link = f'<{issuer}{quote(request.path)}?{query}>; rel="next"'
    return Answered(200, body, by, ((b"link", link.encode()),))


def _error_of(rejected: Rejected) -> OAuthError:
    if rejected.reason in _MISSING:
        return NOT_FOUND
    return CONFLICT if rejected.reason in _IN_THE_WAY else UNPROCESSABLE


def _in_the_name_of(key: OperatorKey, change: Change) -> Change:
    """The audit says with which key an operator did it."""
    if isinstance(change, Add) and isinstance(change.record, AuditEntry) and change.record.actor == OPERATOR:
        return Add(replace(change.record, actor=actor_of(key)))
    return change


def _denied(
    no: No, reason: str, key: OperatorKey | None = None, changes: tuple[Change, ...] = ()
) -> Decision[Answered | Denied]:
    return Decision(Denied(no, None if key is None else show("ok", key.id)), changes, reason)
