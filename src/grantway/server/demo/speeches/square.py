"""Square, with the application's secret."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from grantway.server.demo.desk import Desk
from grantway.server.demo.speech import Call, Registration, Speech, api_call, takes
from grantway.wire.dialects import square
from grantway.wire.dialects.square import webhooks
from grantway.wire.http import HttpRequest
from grantway.wire.messages import (
    AuthorizationRequest,
    AuthorizationRevocationRequest,
    RenewalRequest,
    TokenRequest,
    TokenStatusRequest,
)


def _authorize(own: Registration, state: str, challenge: str) -> str:
    request = AuthorizationRequest(own.client_id, None, own.redirect_uri, own.scopes, state)
    return f"{square.AUTHORIZE_PATH}?{square.write_authorization_request(request)}"


def _exchange(own: Registration, code: str, verifier: str) -> HttpRequest:
    return square.write_token_request(TokenRequest("authorization_code", own.in_body, code, own.redirect_uri))


def _refresh(own: Registration, desk: Desk) -> HttpRequest:
    return square.write_token_request(TokenRequest("refresh_token", own.in_body, refresh_token=desk.refresh_token))


def _renew(own: Registration, desk: Desk) -> HttpRequest:
    return square.write_renewal_request(RenewalRequest(own.in_body, desk.access_token or ""))


def _status(own: Registration, desk: Desk) -> HttpRequest:
    return square.write_token_status_request(TokenStatusRequest(desk.access_token))


def _revoke(own: Registration, desk: Desk) -> HttpRequest:
    return square.write_authorization_revocation_request(AuthorizationRevocationRequest(own.in_body, desk.access_token))


def _is_signed(own: Registration, headers: Mapping[str, str], body: bytes) -> bool:
    right = webhooks.write_signature(own.notice_secret, own.remove_url, body)
    return hmac.compare_digest(right, headers.get(webhooks.SIGNATURE_HEADER, ""))


SPEECH = Speech(
    sentence="Speaks Square: access tokens for thirty days, a refresh token that stays the same, and a merchant.",
    authorize=_authorize,
    read_authorization=square.read_authorization_answer,
    exchange=_exchange,
    read_tokens=square.read_token_answer,
    calls={
        "api": api_call("/demo/api/payments"),
        "status": Call("Token status", "Token status", _status),
        "refresh": Call("Refresh", "Refreshed", _refresh, takes(square.read_token_answer)),
        "renew": Call("Renew", "Renewed", _renew, takes(square.read_renewal_answer)),
        "revoke": Call("Revoke", "Revoked", _revoke, is_end=True),
    },
    is_signed=_is_signed,
)
