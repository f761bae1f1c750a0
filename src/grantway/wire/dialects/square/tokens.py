"""Tokens: obtain, renew, and what an access token is good for (vendors.md §3.2, §3.4, §3.5)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from grantway.wire import json_bytes
from grantway.wire.dialects.square.failures import ACCEPT, HEADERS, read_error_answer, read_success
from grantway.wire.dialects.square.fields import flag, needed, read_body, text, texts
from grantway.wire.dialects.square.secret import read_client_secret, write_client_secret
from grantway.wire.encoding import Parameters
from grantway.wire.errors import (
    CLIENT_SECRET_REQUIRED,
    INVALID_GRANT,
    INVALID_TOKEN,
    Malformed,
)
from grantway.wire.headers import read_bearer, read_idempotency_key, write_bearer
from grantway.wire.http import JSON, HttpAnswer, HttpRequest
from grantway.wire.messages import (
    AccountSummary,
    ClientCredentials,
    ErrorAnswer,
    RenewalRequest,
    TokenAnswer,
    TokenRequest,
    TokenStatusAnswer,
    TokenStatusRequest,
)
from grantway.wire.times import read_time, write_time

TOKEN_PATH = "/oauth2/token"
TOKEN_STATUS_PATH = "/oauth2/token/status"
RENEW_PATH = "/oauth2/clients/{client_id}/access-token/renew"

_RENEWED = ("access_token", "token_type", "expires_at", "merchant_id")
# RFC 9745: since when renewing is deprecated (it left the vendor's specification on that day), and what to do instead.
_DEPRECATED = (
    (b"deprecation", b"@%d" % datetime(2024, 4, 17, tzinfo=UTC).timestamp()),
    (b"link", b'<https://developer.squareup.com/docs/oauth-api/refresh-revoke-limit-scope>; rel="deprecation"'),
    (b"link", b'<../../../token>; rel="successor-version"'),
)


# --- POST /oauth2/token ---------------------------------------------------------------------------------------------


def read_token_request(request: HttpRequest) -> TokenRequest:
    """What is to become tokens. Fields that the grant type does not name are not looked at, nor is ``Authorization``.

    PKCE stands for the secret, but for the code only where there is a verifier, and for a migration never; whether it
    stands for it in a refresh only the grant can tell.
    """
    sent = read_body(request)
    client_id, secret = needed(sent, "client_id"), text(sent, "client_secret")
    grant_type = needed(sent, "grant_type")
    code = redirect_uri = verifier = refresh_token = migration_token = scope = None
    match grant_type:
        case "authorization_code":
            verifier = text(sent, "code_verifier")
            if secret is None and verifier is None:
                raise Malformed(CLIENT_SECRET_REQUIRED, "client_secret_missing")
            code, redirect_uri = needed(sent, "code"), text(sent, "redirect_uri")
        case "refresh_token":
            refresh_token, scope = needed(sent, "refresh_token"), texts(sent, "scopes")
        case "migration_token":
            if secret is None:
                raise Malformed(CLIENT_SECRET_REQUIRED, "client_secret_missing")
            migration_token = needed(sent, "migration_token")
    return TokenRequest(
        grant_type=grant_type,
        credentials=ClientCredentials(client_id, secret, "none" if secret is None else "client_secret_post"),
        code=code,
        redirect_uri=redirect_uri,
        code_verifier=verifier,
        refresh_token=refresh_token,
        scope=scope,
        idempotency_key=read_idempotency_key(request),
        migration_token=migration_token,
        short_lived=flag(sent, "short_lived"),
        jwt=flag(sent, "use_jwt"),
    )


def write_token_request(message: TokenRequest) -> HttpRequest:
    """The client's end of ``read_token_request``."""
    members = {
        "client_id": message.credentials.client_id,
        "client_secret": message.credentials.client_secret,
        "grant_type": message.grant_type,
        "code": message.code,
        "redirect_uri": message.redirect_uri,
        "code_verifier": message.code_verifier,
        "refresh_token": message.refresh_token,
        "migration_token": message.migration_token,
        "scopes": list(message.scope or ()) or None,
        "short_lived": message.short_lived or None,
        "use_jwt": message.jwt or None,
    }
    headers = [JSON, ACCEPT]
    if message.idempotency_key is not None:
        headers.append((b"idempotency-key", message.idempotency_key.encode()))
    body = {name: value for name, value in members.items() if value is not None}
    return HttpRequest("POST", TOKEN_PATH, headers=tuple(headers), body=json_bytes.dumps(body))


def write_token_answer(answer: TokenAnswer) -> HttpAnswer:
    """``ObtainTokenResponse``. There is no ``expires_in`` and no ``scope``; a token without end expires at ``""``."""
    return HttpAnswer(200, HEADERS, json_bytes.dumps(_members(answer)))


def _members(answer: TokenAnswer) -> dict[str, Any]:
    members: dict[str, Any] = {
        "access_token": answer.access_token,
        "token_type": answer.token_type.lower(),
        "expires_at": _time(answer.expires_at),
    }
    if answer.account is not None and answer.account.external_id is not None:
        members["merchant_id"] = answer.account.external_id
    if answer.refresh_token is not None:
        members["refresh_token"] = answer.refresh_token
    members["short_lived"] = answer.short_lived
    if answer.refresh_token_expires_at is not None:
        members["refresh_token_expires_at"] = _time(answer.refresh_token_expires_at)
    return members


def read_token_answer(answer: HttpAnswer) -> TokenAnswer | ErrorAnswer:
    """The tokens, or the refusal. The merchant is the account, whose name is not told."""
    sent = read_success(answer)
    if sent is None:
        return read_error_answer(answer, INVALID_GRANT)
    merchant_id = sent.visible("merchant_id")
    return TokenAnswer(
        access_token=sent.needed("access_token"),
        token_type=sent.needed("token_type"),
        refresh_token=sent.visible("refresh_token"),
        account=None if merchant_id is None else AccountSummary(merchant_id, "", merchant_id),
        expires_at=_read_time(sent, "expires_at"),
        refresh_token_expires_at=_read_time(sent, "refresh_token_expires_at"),
        short_lived=bool(sent.flag("short_lived")),
    )


# --- POST /oauth2/clients/{client_id}/access-token/renew ------------------------------------------------------------


def read_renewal_request(request: HttpRequest) -> RenewalRequest:
    """Which access token is to be renewed; the secret is in the header, the client in the path."""
    credentials = read_client_secret(request, needed(Parameters(request.path_values), "client_id"))
    return RenewalRequest(credentials, needed(read_body(request), "access_token"))


def write_renewal_request(message: RenewalRequest) -> HttpRequest:
    """The client's end of ``read_renewal_request``."""
    client_id = message.credentials.client_id
    return HttpRequest(
        "POST",
        RENEW_PATH.format(client_id=quote(client_id, safe="")),
        headers=(JSON, ACCEPT, write_client_secret(message.credentials)),
        body=json_bytes.dumps({"access_token": message.access_token}),
        path_values={"client_id": client_id},
    )


def write_renewal_answer(answer: TokenAnswer) -> HttpAnswer:
    """``RenewTokenResponse``, and that this way of renewing is deprecated."""
    members = _members(answer)
    members = {name: members[name] for name in _RENEWED if name in members}
    return HttpAnswer(200, (*HEADERS, *_DEPRECATED), json_bytes.dumps(members))


read_renewal_answer = read_token_answer
"""The new access token, or the refusal."""


# --- POST /oauth2/token/status --------------------------------------------------------------------------------------


def read_token_status_request(request: HttpRequest) -> TokenStatusRequest:
    """The question. A body is not looked at: libraries say all kinds of things of an empty one."""
    return TokenStatusRequest(read_bearer(request.header(b"authorization")))


def write_token_status_request(message: TokenStatusRequest) -> HttpRequest:
    """The client's end of ``read_token_status_request``."""
    token = message.access_token
    headers = (ACCEPT,) if token is None else (ACCEPT, (b"authorization", write_bearer(token).encode()))
    return HttpRequest("POST", TOKEN_STATUS_PATH, headers=headers)


def write_token_status_answer(answer: TokenStatusAnswer) -> HttpAnswer:
    """``RetrieveTokenStatusResponse``. "Empty if the token never expires"."""
    members: dict[str, Any] = {
        "scopes": list(answer.scope),
        "expires_at": _time(answer.expires_at),
        "client_id": answer.client_id,
    }
    if answer.account_id is not None:
        members["merchant_id"] = answer.account_id
    return HttpAnswer(200, HEADERS, json_bytes.dumps(members))


def read_token_status_answer(answer: HttpAnswer) -> TokenStatusAnswer | ErrorAnswer:
    """What the token is good for, or the refusal."""
    sent = read_success(answer)
    if sent is None:
        return read_error_answer(answer, INVALID_TOKEN)
    return TokenStatusAnswer(
        scope=sent.many("scopes"),
        client_id=sent.needed("client_id"),
        expires_at=_read_time(sent, "expires_at"),
        account_id=sent.visible("merchant_id"),
    )


def _time(at: datetime | None) -> str:
    return "" if at is None else write_time(at.replace(microsecond=0))


def _read_time(sent: Parameters, name: str) -> datetime | None:
    value = sent.visible(name)
    return None if value is None else read_time(value)
