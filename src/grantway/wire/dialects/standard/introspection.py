"""What is this token good for? RFC 7662."""

from __future__ import annotations

from typing import Any

from grantway.wire import json_bytes
from grantway.wire.dialects.standard.credentials import read_body, read_credentials, write_request
from grantway.wire.dialects.standard.failures import HEADERS, read_error_answer
from grantway.wire.dialects.standard.token import read_account, read_answered_scope
from grantway.wire.encoding import read_json_object, write_scope
from grantway.wire.errors import INVALID_REQUEST, Malformed
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import ErrorAnswer, IntrospectionAnswer, IntrospectionRequest

INTROSPECT_PATH = "/introspect"

_INACTIVE = HttpAnswer(200, HEADERS, b'{"active":false}')
_SUSPENDED = HttpAnswer(200, HEADERS, b'{"active":false,"connection_state":"suspended"}')


def read_introspection_request(request: HttpRequest) -> IntrospectionRequest:
    """The question (RFC 7662 §2.1). Callers authenticate as at the token endpoint; a bearer token is not taken."""
    form = read_body(request)
    credentials = read_credentials(request, form)
    return IntrospectionRequest(form.needed("token"), credentials, form.visible("token_type_hint"))


def write_introspection_request(message: IntrospectionRequest) -> HttpRequest:
    """The client's end of ``read_introspection_request``."""
    parameters = [("token", message.token), ("token_type_hint", message.token_type_hint)]
    return write_request(INTROSPECT_PATH, message.credentials, parameters)


def write_introspection_answer(answer: IntrospectionAnswer) -> HttpAnswer:
    """What the token is good for.

    RFC 7662 §2.2: of a token that is not active the server "SHOULD NOT include any additional information". That it is
    only suspended is told all the same: an API that says ``invalid_token`` makes correct clients throw it away.
    """
    if not answer.active:
        return _SUSPENDED if answer.connection_state == "suspended" else _INACTIVE
    members: dict[str, Any] = {"active": True}
    if answer.scope:
        members["scope"] = write_scope(answer.scope)
    for name in ("client_id", "token_type", "exp", "iat", "sub"):
        value = getattr(answer, name)
        if value is not None:
            members[name] = value
    if answer.aud:
        members["aud"] = answer.aud[0] if len(answer.aud) == 1 else answer.aud
    for name in ("iss", "jti", "connection_id", "member_id"):
        value = getattr(answer, name)
        if value is not None:
            members[name] = value
    if answer.account is not None:
        members["account"] = {"id": answer.account.id, "name": answer.account.name}
    return HttpAnswer(200, HEADERS, json_bytes.dumps(members))


def read_introspection_answer(answer: HttpAnswer) -> IntrospectionAnswer | ErrorAnswer:
    """What the token is good for, or the refusal to say."""
    if not 200 <= answer.status < 300:
        return read_error_answer(answer)
    members = read_json_object(answer.body)
    active = members.flag("active")
    if active is None:
        if members.one("error") is not None:
            return read_error_answer(answer)
        raise Malformed(INVALID_REQUEST, "active_missing")
    if not active:
        return IntrospectionAnswer(active=False, connection_state=members.visible("connection_state"))
    return IntrospectionAnswer(
        active=True,
        scope=read_answered_scope(members) or (),
        client_id=members.visible("client_id"),
        token_type=members.visible("token_type"),
        exp=members.number("exp"),
        iat=members.number("iat"),
        sub=members.one("sub"),
        aud=members.many("aud"),
        iss=members.visible("iss"),
        jti=members.visible("jti"),
        connection_id=members.visible("connection_id"),
        account=read_account(members),
        member_id=members.visible("member_id"),
    )
