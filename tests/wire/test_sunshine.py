"""The Sunshine dialect: the vendor's own libraries are understood, and are answered in words they understand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from inline_snapshot import snapshot

from grantway.wire.dialects import sunshine
from grantway.wire.encoding import MAX_VALUE
from grantway.wire.errors import (
    ACCESS_DENIED,
    INSUFFICIENT_SCOPE,
    INVALID_CLIENT,
    INVALID_GRANT,
    INVALID_REQUEST,
    INVALID_TOKEN,
    TOO_MANY_REQUESTS,
    UNSUPPORTED_MEDIA_TYPE,
    Malformed,
    OAuthError,
)
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import (
    AccessRevocationAnswer,
    AccessRevocationRequest,
    AuthorizationAnswer,
    AuthorizationRequest,
    ClientCredentials,
    ErrorAnswer,
    TokenAnswer,
    TokenInfoAnswer,
    TokenInfoRequest,
    TokenRequest,
)
from tests.wire import strategies as some
from tests.wire.strategies import property_of

RECORDED = json.loads((Path(__file__).parent / "recorded" / "sunshine.json").read_text())
JSON = (b"content-type", b"application/json")
FORM = (b"content-type", b"application/x-www-form-urlencoded")
EXCHANGE = TokenRequest("authorization_code", ClientCredentials("a", "b", "client_secret_post"), "c")

READERS: dict[tuple[str, str], Callable[[HttpRequest], Any]] = {
    ("GET", "/oauth/authorize"): sunshine.read_authorization_request,
    ("POST", "/oauth/token"): sunshine.read_token_request,
    ("GET", "/v2/tokenInfo"): sunshine.read_token_info_request,
    ("DELETE", "/oauth/authorization"): sunshine.read_access_revocation_request,
}


def read_recorded(recorded: dict[str, Any], *more: tuple[bytes, bytes]) -> Any:
    path, _, query = recorded["target"].partition("?")
    headers = tuple((name.lower().encode(), value.encode()) for name, value in recorded["headers"])
    request = HttpRequest(recorded["method"], path, query.encode(), headers + more, recorded["body"].encode())
    return READERS[recorded["method"], path](request)


def refused(read: Callable[..., Any], argument: Any) -> tuple[OAuthError, str]:
    with pytest.raises(Malformed) as caught:
        read(argument)
    return caught.value.error, caught.value.reason


# --- what the vendor's libraries send -------------------------------------------------------------------------------

ASKED = AuthorizationRequest("5e4af71a81966cfff3ef6550", "code", "http://127.0.0.1:PORT/cb", state="st ate&1")


def exchange(client_id: str, client_secret: str) -> TokenRequest:
    return TokenRequest(
        "authorization_code", ClientCredentials(client_id, client_secret, "client_secret_post"), "658965"
    )


def test_what_the_python_library_sends_is_read() -> None:
    assert [read_recorded(recorded) for recorded in RECORDED["sunshine-conversations-client 17.0.1 (PyPI)"]] == [
        ASKED,
        AuthorizationRequest("5e4af71a81966cfff3ef6550", "code"),
        exchange("5e4af71a81966cfff3ef6550", "5XJ85yjUtRcaQu_pDINblPZb"),
        exchange("a", "b"),
        exchange("a", "b"),
        TokenInfoRequest(),
        TokenInfoRequest(),
        TokenInfoRequest("JWT"),
        TokenInfoRequest("JWT"),
        AccessRevocationRequest("JWT"),
        AccessRevocationRequest(key_id="app_key", key_secret="sec"),
        AccessRevocationRequest("JWT"),
        AccessRevocationRequest(),
    ]


def test_what_the_javascript_library_sends_is_read() -> None:
    assert [read_recorded(recorded) for recorded in RECORDED["sunshine-conversations-client 14.1.0 (npm)"]] == [
        ASKED,
        AuthorizationRequest("5e4af71a81966cfff3ef6550", "code"),
        exchange("5e4a", "5XJ8"),
        exchange("5e4a", "5XJ8"),
        AccessRevocationRequest("JWT"),
        AccessRevocationRequest(key_id="app_key", key_secret="sec"),
        AccessRevocationRequest("JWT"),
        AccessRevocationRequest(),
    ]


def test_older_libraries_name_json_on_requests_without_a_body() -> None:
    for recordings in RECORDED.values():
        for recorded in recordings:
            if recorded["method"] != "POST":
                assert read_recorded(recorded, JSON) == read_recorded(recorded)


def test_older_libraries_write_a_space_as_plus() -> None:
    query = b"client_id=a&response_type=code&state=st+ate%261"
    assert sunshine.read_authorization_request(HttpRequest("GET", "/oauth/authorize", query)).state == "st ate&1"


def test_the_ruby_library_sends_empty_basic_credentials_when_it_has_none() -> None:
    request = HttpRequest("DELETE", "/oauth/authorization", headers=((b"authorization", b"Basic Og=="), JSON))
    assert sunshine.read_access_revocation_request(request) == AccessRevocationRequest()


def test_the_vendors_own_app_exchanges_with_a_form() -> None:
    body = b"code=c&grant_type=authorization_code&client_id=a&client_secret=b"
    assert sunshine.read_token_request(HttpRequest("POST", "/oauth/token", headers=(FORM,), body=body)) == EXCHANGE


def test_marketplace_headers_and_fields_that_are_not_known_are_ignored() -> None:
    body = b'{"code":"c","grant_type":"authorization_code","client_id":"a","client_secret":"b","redirect_uri":1,"x":{"y":[]}}'
    headers = (JSON, (b"x-zendesk-marketplace-name", b"Shoplifter"), (b"authorization", b"Basic !!!"))
    assert sunshine.read_token_request(HttpRequest("POST", "/oauth/token", headers=headers, body=body)) == EXCHANGE
    query = b"client_id=a&response_type=code&scope=%22&code_challenge=%01&resource=x&prompt=login"
    asked = sunshine.read_authorization_request(HttpRequest("GET", "/oauth/authorize", query))
    assert asked == AuthorizationRequest("a", "code")


@property_of
@given(some.unicode)
@example("")
@example("+%2B% &=#")
@example("🔑" * (MAX_VALUE // 4))
def test_a_state_comes_back_byte_for_byte(state: str) -> None:
    query = sunshine.write_authorization_request(AuthorizationRequest("a", "code", state=state))
    asked = sunshine.read_authorization_request(HttpRequest("GET", "/oauth/authorize", query.encode()))
    location = sunshine.write_authorization_answer(AuthorizationAnswer("https://a/cb", "c", state=asked.state))
    assert sunshine.read_authorization_answer(location).state == state


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["code", "grant_type", "client_id", "client_secret"])
@pytest.mark.parametrize("value", ['""', "null", None])
def test_all_four_fields_of_an_exchange_are_needed(name: str, value: str | None) -> None:
    fields = {"code": '"c"', "grant_type": '"x"', "client_id": '"a"', "client_secret": '"b"', name: value}
    body = "{" + ",".join(f'"{key}":{text}' for key, text in fields.items() if text is not None) + "}"
    request = HttpRequest("POST", "/oauth/token", headers=(JSON,), body=body.encode())
    assert refused(sunshine.read_token_request, request) == (INVALID_REQUEST, f"{name}_missing")


@pytest.mark.parametrize(
    ("kind", "body", "error", "why"),
    [
        (b"application/json", b"", INVALID_REQUEST, "grant_type_missing"),
        (b"text/plain", b"", INVALID_REQUEST, "grant_type_missing"),
        (b"text/plain", b"{}", UNSUPPORTED_MEDIA_TYPE, "body_neither_json_nor_form"),
        (b"application/json", b"[]", INVALID_REQUEST, "json_not_an_object"),
        (b"application/json", b"grant_type=x", INVALID_REQUEST, "json_malformed"),
        (b"application/json", b'{"grant_type":"x","grant_type":"x"}', INVALID_REQUEST, "parameter_repeated"),
        (b"application/json", b'{"grant_type":1}', INVALID_REQUEST, "grant_type_malformed"),
        (b"application/json; charset=utf-8", b'{"grant_type":"\\n"}', INVALID_REQUEST, "grant_type_malformed"),
    ],
)
def test_an_exchange_is_refused(kind: bytes, body: bytes, error: OAuthError, why: str) -> None:
    request = HttpRequest("POST", "/oauth/token", headers=((b"content-type", kind),), body=body)
    assert refused(sunshine.read_token_request, request) == (error, why)


def test_a_body_without_a_type_is_refused() -> None:
    assert (
        refused(sunshine.read_token_request, HttpRequest("POST", "/oauth/token", body=b"{}"))[0]
        is UNSUPPORTED_MEDIA_TYPE
    )


def test_an_authorization_request_needs_a_client() -> None:
    assert refused(sunshine.read_authorization_request, HttpRequest("GET", "/", b"response_type=code")) == (
        INVALID_REQUEST,
        "client_id_missing",
    )


def test_a_body_on_a_delete_is_not_looked_at() -> None:
    request = HttpRequest("DELETE", "/", headers=((b"authorization", b"bearer x"), JSON), body=b"\xff{")
    assert sunshine.read_access_revocation_request(request) == AccessRevocationRequest("x")


@pytest.mark.parametrize("url", ["https://a/cb", "https://a/cb?code=a&error=b"])
def test_an_authorization_answer_is_refused(url: str) -> None:
    assert refused(sunshine.read_authorization_answer, url)[0] is INVALID_REQUEST


def test_an_error_that_we_do_not_know_is_told_as_it_came() -> None:
    assert sunshine.read_authorization_answer("https://a/cb?error=odd").error == OAuthError("odd", 400, "")
    assert sunshine.read_authorization_answer("https://a/cb?error=access_denied").error == ACCESS_DENIED


# --- byte for byte --------------------------------------------------------------------------------------------------


def lines(message: HttpRequest | HttpAnswer) -> list[str]:
    start = f"{message.method} {message.path}" if isinstance(message, HttpRequest) else str(message.status)
    return [start, *(f"{name.decode()}: {value.decode()}" for name, value in message.headers), message.body.decode()]


def test_the_paths() -> None:
    assert list(READERS) == [
        ("GET", sunshine.AUTHORIZE_PATH),
        ("POST", sunshine.TOKEN_PATH),
        ("GET", sunshine.TOKEN_INFO_PATH),
        ("DELETE", sunshine.ACCESS_REVOCATION_PATH),
    ]


def test_authorization_on_the_wire() -> None:
    assert sunshine.write_authorization_request(ASKED) == snapshot(
        "client_id=5e4af71a81966cfff3ef6550&response_type=code&state=st%20ate%261&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcb"
    )
    answer = AuthorizationAnswer("https://a/cb?x=1", "gwc_1", state="st ate&1", iss="https://as.example")
    assert sunshine.write_authorization_answer(answer) == snapshot("https://a/cb?x=1&code=gwc_1&state=st%20ate%261")
    denied = AuthorizationAnswer("https://a/cb", error=ACCESS_DENIED, state="", iss="https://as.example")
    assert sunshine.write_authorization_answer(denied) == snapshot(
        "https://a/cb?error=access_denied&error_description=The%20request%20was%20denied.&state="
    )


def test_an_exchange_on_the_wire() -> None:
    assert lines(sunshine.write_token_request(EXCHANGE)) == snapshot(
        [
            "POST /oauth/token",
            "content-type: application/json",
            "accept: application/json",
            '{"code":"c","grant_type":"authorization_code","client_id":"a","client_secret":"b"}',
        ]
    )
    assert lines(
        sunshine.write_token_answer(TokenAnswer("JWT", expires_in=1, refresh_token="r", scope=("a",)))
    ) == snapshot(
        [
            "200",
            "content-type: application/json",
            "cache-control: no-store",
            '{"access_token":"JWT","token_type":"Bearer"}',
        ]
    )


def test_token_info_on_the_wire() -> None:
    assert lines(sunshine.write_token_info_request(TokenInfoRequest("JWT"))) == snapshot(
        ["GET /v2/tokenInfo", "accept: application/json", "authorization: Bearer JWT", ""]
    )
    answer = TokenInfoAnswer(
        "5698edbf2a43bd081be982f1",
        "My App",
        "mysubdomain",
        {"conversationRetentionSeconds": 3600, "maskCreditCardNumbers": True, "multiConvoEnabled": False},
        {"lang": "en-ca"},
    )
    assert lines(sunshine.write_token_info_answer(answer)) == snapshot(
        [
            "200",
            "content-type: application/json",
            "cache-control: no-store",
            '{"app":{"id":"5698edbf2a43bd081be982f1","displayName":"My App","subdomain":"mysubdomain","settings":{"conversationRetentionSeconds":3600,"maskCreditCardNumbers":true,"multiConvoEnabled":false},"metadata":{"lang":"en-ca"}}}',
        ]
    )
    assert sunshine.write_token_info_answer(TokenInfoAnswer("5698edbf2a43bd081be982f1")).body == snapshot(
        b'{"app":{"id":"5698edbf2a43bd081be982f1","displayName":null,"settings":{},"metadata":null}}'
    )


def test_the_end_of_a_connection_on_the_wire() -> None:
    assert lines(sunshine.write_access_revocation_request(AccessRevocationRequest("JWT"))) == snapshot(
        ["DELETE /oauth/authorization", "accept: application/json", "authorization: Bearer JWT", ""]
    )
    by_key = AccessRevocationRequest(key_id="app_key", key_secret="sec")
    assert lines(sunshine.write_access_revocation_request(by_key)) == snapshot(
        ["DELETE /oauth/authorization", "accept: application/json", "authorization: Basic YXBwX2tleTpzZWM=", ""]
    )
    assert lines(sunshine.write_access_revocation_answer(AccessRevocationAnswer())) == snapshot(
        ["200", "content-type: application/json", "cache-control: no-store", "{}"]
    )


def test_refusals_on_the_wire() -> None:
    for_post = HttpRequest("POST", "/oauth/token", headers=((b"authorization", b"Basic YTpi"),))
    assert lines(sunshine.write_error_answer(ErrorAnswer(INVALID_TOKEN))) == snapshot(
        [
            "401",
            "content-type: application/json",
            "cache-control: no-store",
            'www-authenticate: Bearer realm="grantway"',
            '{"errors":[{"code":"unauthorized","title":"Authorization is required"}]}',
        ]
    )
    assert lines(sunshine.write_error_answer(ErrorAnswer(INSUFFICIENT_SCOPE))) == snapshot(
        [
            "403",
            "content-type: application/json",
            "cache-control: no-store",
            '{"errors":[{"code":"forbidden","title":"Forbidden"}]}',
        ]
    )
    assert lines(sunshine.write_error_answer(ErrorAnswer(INVALID_GRANT))) == snapshot(
        [
            "400",
            "content-type: application/json",
            "cache-control: no-store",
            '{"errors":[{"code":"invalid_grant","title":"The code or refresh token is invalid, expired, revoked, or not yours."}]}',
        ]
    )
    assert lines(sunshine.write_error_answer(ErrorAnswer(INVALID_CLIENT), for_post)) == snapshot(
        [
            "401",
            "content-type: application/json",
            "cache-control: no-store",
            '{"errors":[{"code":"invalid_client","title":"Client authentication failed."}]}',
        ]
    )
    assert lines(sunshine.write_error_answer(ErrorAnswer(TOO_MANY_REQUESTS, retry_after=3))) == snapshot(
        [
            "429",
            "content-type: application/json",
            "cache-control: no-store",
            "retry-after: 3",
            '{"errors":[{"code":"too_many_requests","title":"Too many attempts. Try again later."}]}',
        ]
    )


def test_no_answer_carries_a_cors_header() -> None:
    answers = [
        sunshine.write_token_answer(TokenAnswer("JWT")),
        sunshine.write_token_info_answer(TokenInfoAnswer("5698edbf2a43bd081be982f1")),
        sunshine.write_access_revocation_answer(AccessRevocationAnswer()),
        sunshine.write_error_answer(ErrorAnswer(INVALID_TOKEN)),
    ]
    assert not [name for answer in answers for name, _ in answer.headers if name.startswith(b"access-control")]


# --- the vendor's own answers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, b'{"errors":[{"code":"unauthorized","title":"Authorization is required"}]}', INVALID_TOKEN),
        (403, b'{"errors":[{"code":"forbidden","title":"Forbidden"}]}', INSUFFICIENT_SCOPE),
        (400, b'{"errors":[{"code":"bad_request","title":"A"},{"code":"other","title":"B"}]}', OAuthError("bad_request", 400, "A")),
        (400, b'{"errors":[{"code":"unauthorized","title":"A"}]}', OAuthError("unauthorized", 400, "A")),
        (401, b'{"error":{"code":"unauthorized","description":"Authorization is required"}}', INVALID_TOKEN),
        (400, b'{"error":{"code":"invalid_code","description":"No"}}', OAuthError("invalid_code", 400, "No")),
        (400, b'{"error":"invalid_grant"}', OAuthError("invalid_grant", 400, "")),
        (429, b"", TOO_MANY_REQUESTS),
        (503, b"<html>", OAuthError("server_error", 503, "Something went wrong on our side. It has been logged.")),
    ],
)  # fmt: skip
def test_the_refusals_of_three_eras_are_read(status: int, body: bytes, expected: OAuthError) -> None:
    assert sunshine.read_token_answer(HttpAnswer(status, body=body)) == ErrorAnswer(expected)


@pytest.mark.parametrize(
    "body", [b"<html>", b"{}", b'{"errors":[]}', b'{"errors":[1]}', b'{"error":{}}', b'{"error":1}']
)
def test_a_refusal_that_cannot_be_told_is_malformed(body: bytes) -> None:
    assert refused(sunshine.read_error_answer, HttpAnswer(404, body=body)) == (INVALID_REQUEST, "answer_unreadable")


def test_the_vendors_token_answer_is_read() -> None:
    body = b'{"access_token":"eyJ.eyJ.x","token_type":"Bearer"}'
    assert sunshine.read_token_answer(HttpAnswer(200, body=body)) == TokenAnswer("eyJ.eyJ.x", "Bearer")
    for wrong in (b"", b"{}", b'{"access_token":1,"token_type":"Bearer"}', b"<html>"):
        with pytest.raises(Malformed):
            sunshine.read_token_answer(HttpAnswer(200, body=wrong))


def test_an_app_that_says_little_is_read() -> None:
    answer = sunshine.read_token_info_answer(HttpAnswer(200, body=b'{"app":{"id":"5698edbf2a43bd081be982f1","new":1}}'))
    assert answer == TokenInfoAnswer("5698edbf2a43bd081be982f1")
    assert refused(sunshine.read_token_info_answer, HttpAnswer(200, body=b"{}")) == (INVALID_REQUEST, "app_missing")
