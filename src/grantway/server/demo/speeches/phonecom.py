"""Phone.com, by code."""

from __future__ import annotations

from grantway.server.demo.desk import Desk
from grantway.server.demo.speech import Call, Registration, Speech, api_call, takes
from grantway.wire.dialects import phonecom
from grantway.wire.http import HttpRequest
from grantway.wire.messages import AuthorizationRequest, SignOutRequest, TokenRequest, TokenStatusRequest


def _authorize(own: Registration, state: str, challenge: str) -> str:
    request = AuthorizationRequest(own.client_id, "code", own.redirect_uri, own.scopes, state)
    return f"{phonecom.AUTHORIZE_PATH}?{phonecom.write_authorization_request(request)}"


def _exchange(own: Registration, code: str, verifier: str) -> HttpRequest:
    return phonecom.write_token_request(TokenRequest("authorization_code", own.in_body, code, own.redirect_uri))


def _refresh(own: Registration, desk: Desk) -> HttpRequest:
    return phonecom.write_token_request(TokenRequest("refresh_token", own.in_body, refresh_token=desk.refresh_token))


def _details(own: Registration, desk: Desk) -> HttpRequest:
    return phonecom.write_token_status_request(TokenStatusRequest(desk.access_token))


def _sign_out(own: Registration, desk: Desk) -> HttpRequest:
    return phonecom.write_sign_out_request(SignOutRequest(desk.access_token))


SPEECH = Speech(
    sentence="Speaks Phone.com: access tokens for an hour, integer ids, errors in Mason, and a sign-out.",
    authorize=_authorize,
    read_authorization=phonecom.read_authorization_answer,
    exchange=_exchange,
    read_tokens=phonecom.read_token_answer,
    calls={
        "api": api_call("/demo/api/calls"),
        "details": Call("Token details", "Token details", _details),
        "refresh": Call("Refresh", "Refreshed", _refresh, takes(phonecom.read_token_answer)),
        "signout": Call("Sign out", "Signed out", _sign_out, is_end=True),
    },
)
