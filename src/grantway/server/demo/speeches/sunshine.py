"""Sunshine Conversations."""

from __future__ import annotations

from grantway.server.demo.desk import Desk
from grantway.server.demo.speech import Call, Registration, Speech, api_call
from grantway.wire.dialects import sunshine
from grantway.wire.http import HttpRequest
from grantway.wire.messages import AccessRevocationRequest, AuthorizationRequest, TokenInfoRequest, TokenRequest


def _authorize(own: Registration, state: str, challenge: str) -> str:
    request = AuthorizationRequest(own.client_id, "code", own.redirect_uri, state=state)
    return f"{sunshine.AUTHORIZE_PATH}?{sunshine.write_authorization_request(request)}"


def _exchange(own: Registration, code: str, verifier: str) -> HttpRequest:
    return sunshine.write_token_request(TokenRequest("authorization_code", own.in_body, code))


def _info(own: Registration, desk: Desk) -> HttpRequest:
    return sunshine.write_token_info_request(TokenInfoRequest(desk.access_token))


def _revoke(own: Registration, desk: Desk) -> HttpRequest:
    return sunshine.write_access_revocation_request(AccessRevocationRequest(desk.access_token))


SPEECH = Speech(
    sentence="Speaks Sunshine Conversations: no scopes, one token that does not expire.",
    authorize=_authorize,
    read_authorization=sunshine.read_authorization_answer,
    exchange=_exchange,
    read_tokens=sunshine.read_token_answer,
    calls={
        "api": api_call("/demo/api/conversations"),
        "info": Call("Token info", "Token info", _info),
        "revoke": Call("Revoke access", "Access revoked", _revoke, is_end=True),
    },
)
