"""``/v4/oauth/access-token``: POST makes tokens, GET tells what one is good for, DELETE signs out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from grantway.wire import json_bytes
from grantway.wire.dialects.phonecom.calls import (
    ACCEPT,
    DONE,
    HEADERS,
    asking,
    body_of,
    members_of,
    needed_in,
    refusal_in,
    text_in,
    token_in,
)
from grantway.wire.dialects.phonecom.failures import wrong
from grantway.wire.encoding import Parameters, read_query, read_scope, write_form, write_scope
from grantway.wire.errors import INVALID_CLIENT, INVALID_REQUEST, Malformed
from grantway.wire.headers import read_idempotency_key
from grantway.wire.http import JSON, HttpAnswer, HttpRequest
from grantway.wire.messages import (
    ClientCredentials,
    ErrorAnswer,
    SignOutAnswer,
    SignOutRequest,
    TokenAnswer,
    TokenRequest,
    TokenStatusAnswer,
    TokenStatusRequest,
)

TOKEN_PATH = "/v4/oauth/access-token"
DETAILS_PATH = "/v4/oauth/access-token/details"

ACCOUNT_OWNER = "account-owner"
"""The scope with which a token tells its account."""

_NAMES = (
    "grant_type", "client_id", "client_secret", "code", "redirect_uri", "code_verifier", "refresh_token", "scope",
    "username", "password",
)  # fmt: skip
_LATEST = int(datetime.max.replace(tzinfo=UTC).timestamp())


# --- POST -----------------------------------------------------------------------------------------------------------


def read_token_request(request: HttpRequest) -> TokenRequest:
    """What the client asks for: in the query, as JSON or as a form, or some here and some there.

    The credentials are parameters like the others. ``Authorization`` is not looked at: the vendor's SDK sends its API key
    with every call.
    """
    sent = _read_parameters(request)
    grant_type = needed_in(sent, "grant_type")
    client_id = sent.visible("client_id", INVALID_CLIENT)
    if client_id is None:
        raise Malformed(INVALID_CLIENT, "client_missing")
    secret = sent.visible("client_secret", INVALID_CLIENT)
    return TokenRequest(
        grant_type=grant_type,
        credentials=ClientCredentials(client_id, secret, "none" if secret is None else "client_secret_post"),
        code=text_in(sent, "code"),
        redirect_uri=text_in(sent, "redirect_uri"),
        code_verifier=text_in(sent, "code_verifier"),
        refresh_token=text_in(sent, "refresh_token"),
        scope=sent.scope(),
        idempotency_key=read_idempotency_key(request),
        username=sent.one("username"),
        password=sent.one("password"),
    )


def _read_parameters(request: HttpRequest) -> Parameters:
    """Query and body in one. Which of two different values is meant nobody can know, so that is refused."""
    in_query, in_body = read_query(request.query).plain, body_of(request).plain
    merged: dict[str, Any] = {}
    for name in _NAMES:
        here, there = in_query.get(name), in_body.get(name)
        if here and there not in (None, "", here):
            raise Malformed(wrong(name, "says one thing in the query and another in the body"), f"{name}_differs")
        merged[name] = here or there
    return Parameters(merged)


def wants_details(request: HttpRequest) -> bool:
    """Whether ``?mode=details`` was asked for: the answer then says what GET would say, too."""
    return read_query(request.query).one("mode") == "details"


def write_token_request(message: TokenRequest, *, details: bool = False) -> HttpRequest:
    """The client's end of ``read_token_request``, as JSON."""
    credentials = message.credentials
    members = {
        "grant_type": message.grant_type,
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
        "code": message.code,
        "redirect_uri": message.redirect_uri,
        "code_verifier": message.code_verifier,
        "refresh_token": message.refresh_token,
        "scope": None if message.scope is None else write_scope(message.scope),
        "username": message.username,
        "password": message.password,
    }
    headers = [JSON, ACCEPT]
    if message.idempotency_key is not None:
        headers.append((b"idempotency-key", message.idempotency_key.encode()))
    query = write_form([("mode", "details")]).encode() if details else b""
    body = json_bytes.dumps({name: value for name, value in members.items() if value is not None})
    return HttpRequest("POST", TOKEN_PATH, query, tuple(headers), body)


def write_token_answer(answer: TokenAnswer, details: TokenStatusAnswer | None = None) -> HttpAnswer:
    """Tokens, with **201**. ``details`` are said beside them."""
    members: dict[str, Any] = {"access_token": answer.access_token, "token_type": answer.token_type}
    if answer.expires_in is not None:
        members["expires_in"] = answer.expires_in
    if answer.scope is not None:
        members["scope"] = write_scope(answer.scope)
    if answer.refresh_token is not None:
        members["refresh_token"] = answer.refresh_token
    if details is not None:
        members |= _details(details)
    return HttpAnswer(201, HEADERS, json_bytes.dumps(members))


def read_token_answer(answer: HttpAnswer) -> TokenAnswer | ErrorAnswer:
    """Tokens, or the refusal."""
    members = members_of(answer)
    if isinstance(members, ErrorAnswer):
        return members
    return TokenAnswer(
        access_token=members.needed("access_token"),
        token_type=members.needed("token_type"),
        expires_in=members.number("expires_in"),
        refresh_token=members.visible("refresh_token"),
        scope=_scope_in(members),
    )


# --- GET ------------------------------------------------------------------------------------------------------------


def read_token_status_request(request: HttpRequest) -> TokenStatusRequest:
    """The question, which is the token in ``Authorization`` and nothing else."""
    return TokenStatusRequest(token_in(request))


def write_token_status_request(message: TokenStatusRequest) -> HttpRequest:
    """The client's end of ``read_token_status_request``."""
    return HttpRequest("GET", TOKEN_PATH, headers=asking(message.access_token))


def write_token_status_answer(answer: TokenStatusAnswer) -> HttpAnswer:
    """``scope``, ``expires_at`` and ``scope_details``."""
    return HttpAnswer(200, HEADERS, json_bytes.dumps(_details(answer)))


def _details(answer: TokenStatusAnswer) -> dict[str, Any]:
    """``expires_at`` is in seconds since the epoch, and absent when the token has no end.

    The account's ``voip_id`` is told with the scope ``account-owner`` only, the person's ``extension_id`` whenever there is
    one. The one entry is there even if it has nothing to tell: the vendor's script looks into it unasked.
    """
    members: dict[str, Any] = {"scope": write_scope(answer.scope)}
    if answer.expires_at is not None:
        members["expires_at"] = int(answer.expires_at.timestamp())
    ids = {}
    if answer.account_id is not None and ACCOUNT_OWNER in answer.scope:
        ids["voip_id"] = int(answer.account_id)
    if answer.member_id is not None:
        ids["extension_id"] = int(answer.member_id)
    members["scope_details"] = [ids]
    return members


def read_token_status_answer(answer: HttpAnswer) -> TokenStatusAnswer | ErrorAnswer:
    """What the token is good for, or the refusal. An ``expires_at`` of 0 or null is none."""
    members = members_of(answer)
    if isinstance(members, ErrorAnswer):
        return members
    expires_at = members.number("expires_at")
    if expires_at is not None and expires_at > _LATEST:
        raise Malformed(INVALID_REQUEST, "expires_at_not_a_time")
    ids = Parameters(next(iter(members.mappings("scope_details")), {}))
    voip_id, extension_id = ids.number("voip_id"), ids.number("extension_id")
    scope = _scope_in(members)
    if scope is None:
        raise Malformed(INVALID_REQUEST, "scope_missing")
    return TokenStatusAnswer(
        scope=scope,
        expires_at=datetime.fromtimestamp(expires_at, UTC) if expires_at else None,
        account_id=None if voip_id is None else str(voip_id),
        member_id=None if extension_id is None else str(extension_id),
    )


# --- DELETE ---------------------------------------------------------------------------------------------------------


def read_sign_out_request(request: HttpRequest) -> SignOutRequest:
    """Whose grant is to end. A body is not looked at."""
    return SignOutRequest(token_in(request))


def write_sign_out_request(message: SignOutRequest) -> HttpRequest:
    """The client's end of ``read_sign_out_request``."""
    return HttpRequest("DELETE", TOKEN_PATH, headers=asking(message.access_token))


def write_sign_out_answer(answer: SignOutAnswer) -> HttpAnswer:
    """As the vendor answers its other DELETEs."""
    return DONE


def read_sign_out_answer(answer: HttpAnswer) -> SignOutAnswer | ErrorAnswer:
    """That it is done, or the refusal."""
    return refusal_in(answer) or SignOutAnswer()


def _scope_in(members: Parameters) -> tuple[str, ...] | None:
    text = members.exact("scope")
    if text is None:
        return None
    return read_scope(text) if text else ()
