"""OAuth 2.1, with webhooks."""

from __future__ import annotations

import secrets

from grantway.server.demo.desk import Desk
from grantway.server.demo.speech import Call, Registration, Speech, api_call, takes
from grantway.wire.dialects import standard
from grantway.wire.dialects.standard import webhooks
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import (
    AuthorizationRequest,
    ErrorAnswer,
    IntrospectionRequest,
    RevocationRequest,
    TokenRequest,
)
from grantway.wire.webhook_messages import WebhookFields, WebhookRequest


def _authorize(own: Registration, state: str, challenge: str) -> str:
    request = AuthorizationRequest(own.client_id, "code", own.redirect_uri, own.scopes, state, challenge, "S256")
    return f"{standard.AUTHORIZE_PATH}?{standard.write_authorization_request(request)}"


def _exchange(own: Registration, code: str, verifier: str) -> HttpRequest:
    request = TokenRequest("authorization_code", own.by_basic, code, own.redirect_uri, verifier)
    return standard.write_token_request(request)


def _refresh(own: Registration, desk: Desk) -> HttpRequest:
    return standard.write_token_request(TokenRequest("refresh_token", own.by_basic, refresh_token=desk.refresh_token))


def _introspect(own: Registration, desk: Desk) -> HttpRequest:
    return standard.write_introspection_request(IntrospectionRequest(desk.access_token or "", own.by_basic))


def _add_webhook(own: Registration, desk: Desk) -> HttpRequest:
    wanted = WebhookFields(f"{own.webhooks_at}/{secrets.token_urlsafe(12)}", ("*",))
    return webhooks.write_webhook_request(WebhookRequest(desk.access_token), "POST", webhooks.WEBHOOKS_PATH, wanted)


def _hear_webhook(own: Registration, desk: Desk, received: HttpAnswer) -> None:
    answer = webhooks.read_webhook_answer(received)
    if isinstance(answer, ErrorAnswer):
        desk.hear_no(answer)
    elif answer.secret is not None:
        own.hooks[answer.url.rpartition("/")[2]] = answer.secret
        desk.webhook_id = answer.id


def _revoke(own: Registration, desk: Desk) -> HttpRequest:
    token = desk.refresh_token or desk.access_token or ""
    return standard.write_revocation_request(RevocationRequest(token, own.by_basic))


SPEECH = Speech(
    sentence="Speaks standard OAuth 2.1: code with PKCE, refresh tokens that rotate.",
    authorize=_authorize,
    read_authorization=standard.read_authorization_answer,
    exchange=_exchange,
    read_tokens=standard.read_token_answer,
    calls={
        "api": api_call("/demo/api/tickets"),
        "introspect": Call("Introspect", "Introspected", _introspect),
        "refresh": Call("Refresh", "Refreshed", _refresh, takes(standard.read_token_answer)),
        "webhook": Call("Add a webhook", "Webhook added", _add_webhook, _hear_webhook),
        "revoke": Call("Revoke", "Revoked", _revoke, is_end=True),
    },
    names_issuer=True,
)
