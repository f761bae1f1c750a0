"""Square's dialect byte for byte: what goes over the wire is a snapshot, and changing one is a reviewed act."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from inline_snapshot import snapshot

from grantway.wire.dialects import square
from grantway.wire.errors import ACCESS_DENIED, INVALID_TOKEN
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import (
    AccountSummary,
    AuthorizationAnswer,
    AuthorizationRequest,
    AuthorizationRevocationAnswer,
    AuthorizationRevocationRequest,
    ClientCredentials,
    ErrorAnswer,
    RenewalRequest,
    TokenAnswer,
    TokenRequest,
    TokenStatusAnswer,
    TokenStatusRequest,
)

APP = ClientCredentials("sq0idp-APP", "sq0csp-SECRET", "client_secret_post")
BY_HEADER = ClientCredentials("sq0idp-APP", "sq0csp-SECRET", "client_secret_basic")
CODE = TokenRequest("authorization_code", APP, "sq0cgb-CODE", "https://app.example/cb")
NARROWED = TokenRequest(
    "refresh_token", APP, refresh_token="EQAA", scope=("PAYMENTS_READ",), short_lived=True, jwt=True
)
AT = datetime(2025, 4, 3, 18, 31, 6, 999_999, UTC)


def lines(message: HttpRequest | HttpAnswer) -> list[str]:
    start = f"{message.method} {message.path}" if isinstance(message, HttpRequest) else str(message.status)
    return [start, *(f"{name.decode()}: {value.decode()}" for name, value in message.headers), message.body.decode()]


def test_the_paths() -> None:
    assert square.AUTHORIZE_PATH == "/oauth2/authorize"
    assert square.TOKEN_PATH == "/oauth2/token"
    assert square.TOKEN_STATUS_PATH == "/oauth2/token/status"
    assert square.REVOKE_PATH == "/oauth2/revoke"
    assert square.RENEW_PATH == "/oauth2/clients/{client_id}/access-token/renew"


def test_authorization_on_the_wire() -> None:
    asked = AuthorizationRequest(
        "sq0idp-APP", "code", "https://a/cb", ("PAYMENTS_READ", "ITEMS_READ"), "st ate&1", "c", "S256", (), ("login",),
        ("fr-CA", "en-CA"),
    )  # fmt: skip
    assert square.write_authorization_request(asked) == snapshot(
        "client_id=sq0idp-APP&scope=PAYMENTS_READ%20ITEMS_READ&locale=fr-CA&session=false&state=st%20ate%261&code_challenge=c&redirect_uri=https%3A%2F%2Fa%2Fcb"
    )
    answer = AuthorizationAnswer("https://a/cb?x=1", "gwc_1", state="st ate&1", iss="https://as.example")
    assert square.write_authorization_answer(answer) == snapshot(
        "https://a/cb?x=1&code=gwc_1&response_type=code&state=st%20ate%261"
    )
    denied = AuthorizationAnswer("https://a/cb", error=ACCESS_DENIED, state="", iss="https://as.example")
    assert square.write_authorization_answer(denied) == snapshot(
        "https://a/cb?error=access_denied&error_description=user_denied&state="
    )
    assert square.read_authorization_answer(square.write_authorization_answer(denied)).error == ACCESS_DENIED


def test_obtaining_on_the_wire() -> None:
    assert lines(square.write_token_request(CODE)) == snapshot(
        [
            "POST /oauth2/token",
            "content-type: application/json",
            "accept: application/json",
            '{"client_id":"sq0idp-APP","client_secret":"sq0csp-SECRET","grant_type":"authorization_code","code":"sq0cgb-CODE","redirect_uri":"https://app.example/cb"}',
        ]
    )
    assert lines(square.write_token_request(NARROWED)) == snapshot(
        [
            "POST /oauth2/token",
            "content-type: application/json",
            "accept: application/json",
            '{"client_id":"sq0idp-APP","client_secret":"sq0csp-SECRET","grant_type":"refresh_token","refresh_token":"EQAA","scopes":["PAYMENTS_READ"],"short_lived":true,"use_jwt":true}',
        ]
    )
    account = AccountSummary("ac_1", "Acme", "MLQ1234567890")
    answer = TokenAnswer("gwa_1", "Bearer", 3600, "gwr_1", ("A",), "cn_1", account, AT)
    assert lines(square.write_token_answer(answer)) == snapshot(
        [
            "200",
            "content-type: application/json",
            "cache-control: no-store",
            '{"access_token":"gwa_1","token_type":"bearer","expires_at":"2025-04-03T18:31:06Z","merchant_id":"MLQ1234567890","refresh_token":"gwr_1","short_lived":false}',
        ]
    )
    pkce = TokenAnswer("gwa_1", refresh_token="gwr_1", account=account, expires_at=AT, refresh_token_expires_at=AT, short_lived=True)  # fmt: skip
    assert square.write_token_answer(pkce).body == snapshot(
        b'{"access_token":"gwa_1","token_type":"bearer","expires_at":"2025-04-03T18:31:06Z","merchant_id":"MLQ1234567890","refresh_token":"gwr_1","short_lived":true,"refresh_token_expires_at":"2025-04-03T18:31:06Z"}'
    )


def test_renewing_on_the_wire() -> None:
    request = RenewalRequest(ClientCredentials("sq0 idp/A&P", "sq0csp-SECRET", "client_secret_basic"), "EAAl")
    assert lines(square.write_renewal_request(request)) == snapshot(
        [
            "POST /oauth2/clients/sq0%20idp%2FA%26P/access-token/renew",
            "content-type: application/json",
            "accept: application/json",
            "authorization: Client sq0csp-SECRET",
            '{"access_token":"EAAl"}',
        ]
    )
    answer = TokenAnswer("gwa_1", account=AccountSummary("ac_1", "Acme", "MLQ1234567890"), expires_at=AT)
    assert lines(square.write_renewal_answer(answer)) == snapshot(
        [
            "200",
            "content-type: application/json",
            "cache-control: no-store",
            "deprecation: @1713312000",
            'link: <https://developer.squareup.com/docs/oauth-api/refresh-revoke-limit-scope>; rel="deprecation"',
            'link: <../../../token>; rel="successor-version"',
            '{"access_token":"gwa_1","token_type":"bearer","expires_at":"2025-04-03T18:31:06Z","merchant_id":"MLQ1234567890"}',
        ]
    )


def test_the_status_of_a_token_on_the_wire() -> None:
    assert lines(square.write_token_status_request(TokenStatusRequest("EAAl"))) == snapshot(
        ["POST /oauth2/token/status", "accept: application/json", "authorization: Bearer EAAl", ""]
    )
    answer = TokenStatusAnswer(("PAYMENTS_READ",), "sq0idp-APP", AT, "MLQ1234567890", "7")
    assert lines(square.write_token_status_answer(answer)) == snapshot(
        [
            "200",
            "content-type: application/json",
            "cache-control: no-store",
            '{"scopes":["PAYMENTS_READ"],"expires_at":"2025-04-03T18:31:06Z","client_id":"sq0idp-APP","merchant_id":"MLQ1234567890"}',
        ]
    )


def test_a_token_without_end_has_an_empty_end() -> None:
    endless = square.write_token_status_answer(TokenStatusAnswer((), "sq0idp-APP"))
    assert json.loads(endless.body) == {"scopes": [], "expires_at": "", "client_id": "sq0idp-APP"}
    read = square.read_token_status_answer(endless)
    assert isinstance(read, TokenStatusAnswer)
    assert read.expires_at is None


def test_revoking_on_the_wire() -> None:
    request = AuthorizationRevocationRequest(BY_HEADER, "EAAl", "MLQ", True)
    assert lines(square.write_authorization_revocation_request(request)) == snapshot(
        [
            "POST /oauth2/revoke",
            "content-type: application/json",
            "accept: application/json",
            "authorization: Client sq0csp-SECRET",
            '{"client_id":"sq0idp-APP","access_token":"EAAl","merchant_id":"MLQ","revoke_only_access_token":true}',
        ]
    )
    assert lines(square.write_authorization_revocation_answer(AuthorizationRevocationAnswer())) == snapshot(
        ["200", "content-type: application/json", "cache-control: no-store", '{"success":true}']
    )


def test_no_answer_carries_a_cors_header() -> None:
    answers = [
        square.write_token_answer(TokenAnswer("t")),
        square.write_renewal_answer(TokenAnswer("t")),
        square.write_token_status_answer(TokenStatusAnswer((), "a")),
        square.write_authorization_revocation_answer(AuthorizationRevocationAnswer()),
        square.write_error_answer(ErrorAnswer(INVALID_TOKEN)),
    ]
    assert not [name for answer in answers for name, _ in answer.headers if name.startswith(b"access-control")]
