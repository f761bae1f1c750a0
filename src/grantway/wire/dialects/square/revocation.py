"""The end of an authorization: ``RevokeToken`` (vendors.md §3.3)."""

from __future__ import annotations

from grantway.wire import json_bytes
from grantway.wire.dialects.square.failures import ACCEPT, HEADERS, read_error_answer, read_success
from grantway.wire.dialects.square.fields import flag, missing, needed, read_body, text
from grantway.wire.dialects.square.secret import read_client_secret, write_client_secret
from grantway.wire.errors import INVALID_GRANT, INVALID_REQUEST, Malformed
from grantway.wire.http import JSON, HttpAnswer, HttpRequest
from grantway.wire.messages import AuthorizationRevocationAnswer, AuthorizationRevocationRequest, ErrorAnswer

REVOKE_PATH = "/oauth2/revoke"


def read_authorization_revocation_request(request: HttpRequest) -> AuthorizationRevocationRequest:
    """Whose authorization is to end: that of an access token, of a merchant, or of both. One of them is needed."""
    sent = read_body(request)
    credentials = read_client_secret(request, needed(sent, "client_id"))
    access_token, merchant_id = text(sent, "access_token"), text(sent, "merchant_id")
    only = flag(sent, "revoke_only_access_token")
    if access_token is None and (only or merchant_id is None):
        raise missing("access_token")
    return AuthorizationRevocationRequest(credentials, access_token, merchant_id, only)


def write_authorization_revocation_request(message: AuthorizationRevocationRequest) -> HttpRequest:
    """The client's end of ``read_authorization_revocation_request``."""
    members = {
        "client_id": message.credentials.client_id,
        "access_token": message.access_token,
        "merchant_id": message.account_id,
        "revoke_only_access_token": message.only_access_token or None,
    }
    body = {name: value for name, value in members.items() if value is not None}
    headers = (JSON, ACCEPT, write_client_secret(message.credentials))
    return HttpRequest("POST", REVOKE_PATH, headers=headers, body=json_bytes.dumps(body))


def write_authorization_revocation_answer(answer: AuthorizationRevocationAnswer) -> HttpAnswer:
    """``RevokeTokenResponse``."""
    return HttpAnswer(200, HEADERS, json_bytes.dumps({"success": True}))


def read_authorization_revocation_answer(answer: HttpAnswer) -> AuthorizationRevocationAnswer | ErrorAnswer:
    """It is ended, or the refusal. ``Malformed`` when it is neither."""
    sent = read_success(answer)
    if sent is None:
        return read_error_answer(answer, INVALID_GRANT)
    if sent.flag("success") is not True:
        raise Malformed(INVALID_REQUEST, "success_missing")
    return AuthorizationRevocationAnswer()
