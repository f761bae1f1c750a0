"""Which accounts does this token reach? Asked with the token itself (RFC 6750)."""

from __future__ import annotations

from typing import Any

from grantway.wire import json_bytes
from grantway.wire.dialects.standard.failures import HEADERS, read_error_answer
from grantway.wire.dialects.standard.token import read_answered_scope
from grantway.wire.encoding import JSON_TYPE, Parameters, read_json_object, write_scope
from grantway.wire.headers import read_bearer, write_bearer
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import AccountsAnswer, AccountsRequest, ErrorAnswer, ReachedAccount

ACCOUNTS_PATH = "/accounts"


def read_accounts_request(request: HttpRequest) -> AccountsRequest:
    """The question. The token is in the header, never in a query or a body (OAuth 2.1 §5.1)."""
    return AccountsRequest(read_bearer(request.header(b"authorization")))


def write_accounts_request(message: AccountsRequest) -> HttpRequest:
    """The client's end of ``read_accounts_request``."""
    headers: list[tuple[bytes, bytes]] = [(b"accept", JSON_TYPE.encode())]
    if message.access_token is not None:
        headers.append((b"authorization", write_bearer(message.access_token).encode()))
    return HttpRequest("GET", ACCOUNTS_PATH, headers=tuple(headers))


def write_accounts_answer(answer: AccountsAnswer) -> HttpAnswer:
    """The list, in a member, so that there is room beside it."""
    return HttpAnswer(200, HEADERS, json_bytes.dumps({"accounts": [_write(each) for each in answer.accounts]}))


def _write(account: ReachedAccount) -> dict[str, Any]:
    members: dict[str, Any] = {"id": account.id, "name": account.name}
    for name in ("connection_id", "connection_state"):
        value = getattr(account, name)
        if value is not None:
            members[name] = value
    members["scope"] = write_scope(account.scope)
    return members


def read_accounts_answer(answer: HttpAnswer) -> AccountsAnswer | ErrorAnswer:
    """The list, or the refusal."""
    if not 200 <= answer.status < 300:
        return read_error_answer(answer)
    return AccountsAnswer(tuple(map(_read, read_json_object(answer.body).mappings("accounts"))))


def _read(account: Any) -> ReachedAccount:
    members = Parameters(account)
    return ReachedAccount(
        id=members.needed("id"),
        name=members.exact("name") or "",
        scope=read_answered_scope(members) or (),
        connection_id=members.visible("connection_id"),
        connection_state=members.visible("connection_state"),
    )
