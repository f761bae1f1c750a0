"""The token endpoint: RFC 6749 §4.1.3, §4.4.2, §5, §6; RFC 7636 §4.5; RFC 8707 §2.2."""

from __future__ import annotations

from typing import Any

from grantway.wire import json_bytes
from grantway.wire.dialects.standard.credentials import read_body, read_credentials, write_request
from grantway.wire.dialects.standard.failures import HEADERS, read_error_answer
from grantway.wire.encoding import Parameters, read_json_object, read_scope, write_scope
from grantway.wire.errors import INVALID_TARGET
from grantway.wire.headers import read_idempotency_key
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import AccountSummary, ErrorAnswer, TokenAnswer, TokenRequest

TOKEN_PATH = "/token"


def read_token_request(request: HttpRequest) -> TokenRequest:
    """What the client asks for. Which parameters a grant type needs is its rule's to say."""
    form = read_body(request)
    credentials = read_credentials(request, form)
    return TokenRequest(
        grant_type=form.needed("grant_type"),
        credentials=credentials,
        code=form.visible("code"),
        redirect_uri=form.visible("redirect_uri"),
        code_verifier=form.visible("code_verifier"),
        refresh_token=form.visible("refresh_token"),
        scope=form.scope(),
        resource=form.many("resource", INVALID_TARGET),
        idempotency_key=read_idempotency_key(request),
    )


def write_token_request(message: TokenRequest) -> HttpRequest:
    """The client's end of ``read_token_request``."""
    key = message.idempotency_key
    return write_request(
        TOKEN_PATH,
        message.credentials,
        [
            ("grant_type", message.grant_type),
            ("code", message.code),
            ("redirect_uri", message.redirect_uri),
            ("code_verifier", message.code_verifier),
            ("refresh_token", message.refresh_token),
            ("scope", None if message.scope is None else write_scope(message.scope)),
            *[("resource", resource) for resource in message.resource],
        ],
        () if key is None else ((b"idempotency-key", key.encode()),),
    )


def write_token_answer(answer: TokenAnswer) -> HttpAnswer:
    """Tokens (RFC 6749 §5.1), and which connection and account they reach."""
    members: dict[str, Any] = {"access_token": answer.access_token, "token_type": answer.token_type}
    if answer.expires_in is not None:
        members["expires_in"] = answer.expires_in
    if answer.refresh_token is not None:
        members["refresh_token"] = answer.refresh_token
    if answer.scope is not None:
        members["scope"] = write_scope(answer.scope)
    if answer.connection_id is not None:
        members["connection_id"] = answer.connection_id
    if answer.account is not None:
        members["account"] = {"id": answer.account.id, "name": answer.account.name}
    return HttpAnswer(200, HEADERS, json_bytes.dumps(members))


def read_token_answer(answer: HttpAnswer) -> TokenAnswer | ErrorAnswer:
    """Tokens, or the refusal. A 2xx with an ``error`` in it is a refusal, too.

    The media type is not asked: what is a JSON object with tokens in it is one, whatever it is called.
    """
    if not 200 <= answer.status < 300:
        return read_error_answer(answer)
    members = read_json_object(answer.body)
    if members.one("error") is not None:
        return read_error_answer(answer)
    return TokenAnswer(
        access_token=members.needed("access_token"),
        token_type=members.needed("token_type"),
        expires_in=members.number("expires_in"),
        refresh_token=members.visible("refresh_token"),
        scope=read_answered_scope(members),
        connection_id=members.visible("connection_id"),
        account=read_account(members),
    )


def read_answered_scope(members: Parameters) -> tuple[str, ...] | None:
    """The scope of an answer, where empty does not mean absent but that nothing was granted."""
    text = members.exact("scope")
    if text is None:
        return None
    return read_scope(text) if text else ()


def read_account(members: Parameters) -> AccountSummary | None:
    """The ``account`` member."""
    account = members.mapping("account")
    if account is None:
        return None
    inner = Parameters(account)
    return AccountSummary(inner.needed("id"), inner.exact("name") or "")
