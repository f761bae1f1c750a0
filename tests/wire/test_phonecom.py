"""The Phone.com dialect: the vendor's own libraries are understood, and are answered in words they understand."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from grantway.wire import errors
from grantway.wire.dialects import phonecom
from grantway.wire.errors import (
    ACCESS_DENIED,
    INVALID_CLIENT,
    INVALID_REQUEST,
    INVALID_TOKEN,
    SERVER_ERROR,
    TOO_MANY_REQUESTS,
    UNSUPPORTED_GRANT_TYPE,
    Malformed,
    OAuthError,
)
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import (
    AuthorizationAnswer,
    AuthorizationRequest,
    ClientCredentials,
    ErrorAnswer,
    SignOutAnswer,
    SignOutRequest,
    TokenAnswer,
    TokenRequest,
    TokenStatusAnswer,
    TokenStatusRequest,
)

RECORDED = json.loads((Path(__file__).parent / "recorded" / "phonecom.json").read_text())[
    "phone.com API-SDK-python 1.0.0"
]
JSON = (b"content-type", b"application/json")
FORM = (b"content-type", b"application/x-www-form-urlencoded")
MASON = (b"content-type", b"application/vnd.mason+json")
OURS = ClientCredentials("CID", "SEC", "client_secret_post")

READERS: dict[tuple[str, str], Callable[[HttpRequest], Any]] = {
    ("GET", "/v4/oauth/authorization"): phonecom.read_authorization_request,
    ("POST", "/v4/oauth/access-token"): phonecom.read_token_request,
    ("GET", "/v4/oauth/access-token"): phonecom.read_token_status_request,
    ("DELETE", "/v4/oauth/access-token"): phonecom.read_sign_out_request,
}


def read_recorded(recorded: dict[str, Any]) -> Any:
    path, _, query = recorded["target"].partition("?")
    headers = tuple((name.lower().encode(), value.encode()) for name, value in recorded["headers"])
    request = HttpRequest(recorded["method"], path, query.encode(), headers, recorded["body"].encode())
    try:
        return READERS[recorded["method"], path](request)
    except Malformed as refusal:
        return refusal.reason


def refused(read: Callable[..., Any], argument: Any) -> tuple[str, int, str | None, str]:
    """The code, status and field that are said, and the reason that is logged."""
    with pytest.raises(Malformed) as caught:
        read(argument)
    error = caught.value.error
    return error.code, phonecom.status_of(error), error.field, caught.value.reason


def posted(body: bytes = b"", query: bytes = b"", *headers: tuple[bytes, bytes]) -> HttpRequest:
    return HttpRequest("POST", phonecom.TOKEN_PATH, query, headers or (JSON,), body)


# --- what the vendor's library sends --------------------------------------------------------------------------------


def test_what_the_python_library_sends_is_read() -> None:
    """vendors.md §4 traps 5 and 6: its API key comes with the call for a token, and JSON is named on calls without a body."""
    assert [read_recorded(recorded) for recorded in RECORDED] == [
        TokenRequest("authorization_code", OURS, "CODE", "http://localhost/"),
        TokenRequest("client_credentials", OURS, scope=("account-owner", "methods:ALL")),
        TokenRequest("password", OURS, scope=("extension-user",), username="u", password="p"),
        TokenRequest("refresh_token", OURS, refresh_token="rrr"),
        "grant_type_missing",
        "client_missing",
        AuthorizationRequest("CID", "code", "http://127.0.0.1:PORT/cb", ("account-owner", "extension-user")),
        AuthorizationRequest("CID", "token", "http://127.0.0.1:PORT/cb", ("methods:ALL",)),
        TokenStatusRequest(),
        TokenStatusRequest("R3dh~6"),
        TokenRequest("client_credentials", ClientCredentials("CID")),
    ]


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (b"Bearer R3dh~6", "R3dh~6"),
        (b"bearer R3dh~6", "R3dh~6"),
        (b"BEARER  R3dh~6 ", "R3dh~6"),
        (b"R3dh~6", "R3dh~6"),
        (b" R3dh~6 ", "R3dh~6"),
        (b"", None),
        (b"Bearer", None),
        (b"bearer ", None),
        (b"Basic Q0lEOlNFQw==", None),
        (b"Client SEC", None),
    ],
)
def test_a_token_stands_behind_bearer_or_alone_as_the_sdk_sends_a_key_without_a_prefix(
    header: bytes, token: str | None
) -> None:
    request = HttpRequest("GET", phonecom.TOKEN_PATH, headers=((b"authorization", header), JSON))
    assert phonecom.read_token_status_request(request) == TokenStatusRequest(token)
    assert phonecom.read_sign_out_request(request) == SignOutRequest(token)


@pytest.mark.parametrize("header", [b'Bearer a"b', b'a"b', b"a,b", b"Bearer a b"])
def test_a_token_that_cannot_be_one_is_refused(header: bytes) -> None:
    request = HttpRequest("GET", phonecom.TOKEN_PATH, headers=((b"authorization", header),))
    assert refused(phonecom.read_token_status_request, request) == ("invalid_token", 401, None, "bearer_malformed")


def test_parameters_come_in_the_query_as_json_or_as_a_form() -> None:
    """vendors.md §2.1: "now accepts requests in query string format as well as JSON body format"; §4 trap 7."""
    query = b"grant_type=client_credentials&client_id=CID&client_secret=SEC&scope=account-owner%20methods:ALL"
    asked = TokenRequest("client_credentials", OURS, scope=("account-owner", "methods:ALL"))
    assert phonecom.read_token_request(posted(b"", query)) == asked
    assert phonecom.read_token_request(posted(b"{}", query)) == asked
    assert phonecom.read_token_request(posted(query, b"", FORM)) == asked
    half = b'{"client_id": "CID", "client_secret": "SEC", "scope": null, "grant_type": ""}'
    assert phonecom.read_token_request(posted(half, query.replace(b"&client_secret=SEC", b""))) == asked


@pytest.mark.parametrize("kind", [JSON, FORM, (b"content-type", b"text/plain")])
def test_an_empty_body_is_not_looked_at_whatever_it_is_said_to_be(kind: tuple[bytes, bytes]) -> None:
    query = b"grant_type=client_credentials&client_id=CID"
    assert phonecom.read_token_request(posted(b"", query, kind)).grant_type == "client_credentials"


def test_an_authorization_header_on_a_token_request_is_not_looked_at() -> None:
    """vendors.md §4 trap 5."""
    body = b'{"grant_type":"client_credentials","client_id":"CID","client_secret":"SEC"}'
    for header in (b"Bearer R3dh~6", b"Basic eDp5", b"\xff", b"R3dh~6"):
        request = posted(body, b"", JSON, (b"authorization", header))
        assert phonecom.read_token_request(request).credentials == OURS


def test_details_are_asked_for_in_the_query() -> None:
    assert phonecom.wants_details(posted(b"", b"mode=details"))
    assert not phonecom.wants_details(posted(b"", b"mode=brief"))
    assert not phonecom.wants_details(posted(b'{"mode":"details"}'))
    asking = TokenRequest("client_credentials", OURS)
    assert phonecom.wants_details(phonecom.write_token_request(asking, details=True))
    assert not phonecom.wants_details(phonecom.write_token_request(asking))


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "body", "query", "said"),
    [
        (JSON, b"", b"", ("invalid_request", 422, "grant_type", "grant_type_missing")),
        (JSON, b"{}", b"grant_type=", ("invalid_request", 422, "grant_type", "grant_type_missing")),
        (JSON, b'{"grant_type":"x"}', b"", ("invalid_client", 401, None, "client_missing")),
        (JSON, b'{"grant_type":"x"}', b"grant_type=y", ("invalid_request", 422, "grant_type", "grant_type_differs")),
        (JSON, b'{"scope":"a b"}', b"scope=b+a", ("invalid_request", 422, "scope", "scope_differs")),
        (JSON, b'{"code":1}', b"code=1", ("invalid_request", 422, "code", "code_differs")),
        (FORM, b"code=a", b"code=b", ("invalid_request", 422, "code", "code_differs")),
        (FORM, b"code=a&code=a", b"", ("invalid_request", 422, None, "parameter_repeated")),
        (JSON, b"", b"code=a&code=a", ("invalid_request", 422, None, "parameter_repeated")),
        (JSON, b'{"grant_type":1}', b"", ("invalid_request", 422, "grant_type", "grant_type_malformed")),
        (JSON, b"[]", b"", ("invalid_request", 422, None, "json_not_an_object")),
        (JSON, b"grant_type=x", b"", ("invalid_request", 422, None, "json_malformed")),
        ((b"content-type", b"text/plain"), b"{}", b"", ("unsupported_media_type", 415, None, "body_neither_json_nor_form")),
        (JSON, b'{"grant_type":"x","client_id":"a","scope":["a"]}', b"", ("invalid_scope", 422, None, "scope_not_text")),
    ],
)  # fmt: skip
def test_a_token_request_is_refused(
    kind: tuple[bytes, bytes], body: bytes, query: bytes, said: tuple[str, int, str | None, str]
) -> None:
    assert refused(phonecom.read_token_request, posted(body, query, kind)) == said


@pytest.mark.parametrize("missing", ["client_id", "response_type", "scope", "redirect_uri"])
def test_all_four_parameters_of_an_authorization_request_are_required(missing: str) -> None:
    """vendors.md §2.4."""
    sent = {"client_id": "CID", "response_type": "code", "scope": "methods:ALL", "redirect_uri": "https://a/cb"}
    query = "&".join(f"{name}={value}" for name, value in sent.items() if name != missing).encode()
    *_, reason = refused(phonecom.read_authorization_request, HttpRequest("GET", phonecom.AUTHORIZE_PATH, query))
    assert reason == f"{missing}_missing"
    query = "&".join(f"{name}={'' if name == missing else value}" for name, value in sent.items()).encode()
    *_, reason = refused(phonecom.read_authorization_request, HttpRequest("GET", phonecom.AUTHORIZE_PATH, query))
    assert reason == f"{missing}_missing"


@pytest.mark.parametrize(
    "url",
    [
        "https://a/cb",
        "https://a/cb?state=",
        "https://a/cb?code=a&error=b",
        "https://a/cb#state=x&token_type=Bearer",
        "https://a/cb#access_token=a",
        "https://a/cb#access_token=a&token_type=Bearer&error=x",
        "https://a/cb#access_token=a&access_token=b&token_type=Bearer",
        "https://a/cb#access_token=a&token_type=Bearer&expires_in=soon",
    ],
)
def test_an_authorization_answer_is_refused(url: str) -> None:
    assert refused(phonecom.read_authorization_answer, url)[0] == "invalid_request"


def test_what_another_site_appended_as_a_fragment_is_not_looked_at() -> None:
    answer = phonecom.read_authorization_answer("https://a/cb?code=c&state=#_=_%zz")
    assert answer == AuthorizationAnswer("https://a/cb", "c", state="")


# --- byte for byte --------------------------------------------------------------------------------------------------


def lines(message: HttpRequest | HttpAnswer) -> list[str]:
    start = f"{message.method} {message.path}" if isinstance(message, HttpRequest) else str(message.status)
    return [start, *(f"{name.decode()}: {value.decode()}" for name, value in message.headers), message.body.decode()]


def test_the_paths() -> None:
    assert phonecom.AUTHORIZE_PATH == "/v4/oauth/authorization"
    assert phonecom.TOKEN_PATH == "/v4/oauth/access-token"
    assert phonecom.DETAILS_PATH == "/v4/oauth/access-token/details"


def test_a_code_on_the_wire_always_has_a_state() -> None:
    """vendors.md §4 trap 12: in the vendor's example ``state`` is there although none was sent."""
    answer = AuthorizationAnswer("http://localhost/", "mRxU~6")
    assert phonecom.write_authorization_answer(answer) == snapshot("http://localhost/?code=mRxU~6&state=")
    answer = AuthorizationAnswer("http://localhost/?x=1", "mRxU~6", state="st ate&1")
    assert phonecom.write_authorization_answer(answer) == snapshot(
        "http://localhost/?x=1&code=mRxU~6&state=st%20ate%261"
    )
    denied = AuthorizationAnswer("http://localhost/", error=ACCESS_DENIED, state="")
    assert phonecom.write_authorization_answer(denied) == snapshot(
        "http://localhost/?error=access_denied&error_description=The%20request%20was%20denied.&state="
    )


def test_a_token_on_the_wire_is_in_the_fragment() -> None:
    """vendors.md §2.4, §4 trap 13: ``token_type=Bearer``, to the letter."""
    token = TokenAnswer("R3dh~6=", expires_in=3600, scope=("account-owner", "methods:ALL"), refresh_token="never")
    answer = AuthorizationAnswer("http://localhost/?x=1", state="a=b+c d", token=token, response_type="token")
    assert phonecom.write_authorization_answer(answer) == snapshot(
        "http://localhost/?x=1#access_token=R3dh~6%3D&token_type=Bearer&expires_in=3600&scope=account-owner%20methods%3AALL&state=a%3Db%2Bc%20d"
    )
    denied = AuthorizationAnswer("http://localhost/", error=ACCESS_DENIED, response_type="token")
    assert phonecom.write_authorization_answer(denied) == snapshot(
        "http://localhost/#error=access_denied&error_description=The%20request%20was%20denied.&state="
    )
    unknown = AuthorizationAnswer(
        "http://localhost/", error=errors.UNSUPPORTED_RESPONSE_TYPE, response_type="token id_token"
    )
    assert phonecom.write_authorization_answer(unknown) == snapshot(
        "http://localhost/#error=unsupported_response_type&error_description=This%20response%20type%20is%20not%20supported%20for%20this%20client.&state="
    )


def test_a_token_request_on_the_wire() -> None:
    asking = TokenRequest("password", OURS, scope=("extension-user",), username="ü", password="p", idempotency_key="k1")
    assert lines(phonecom.write_token_request(asking)) == snapshot(
        [
            "POST /v4/oauth/access-token",
            "content-type: application/json",
            "accept: application/json",
            "idempotency-key: k1",
            '{"grant_type":"password","client_id":"CID","client_secret":"SEC","scope":"extension-user","username":"ü","password":"p"}',
        ]
    )


def test_tokens_on_the_wire_come_with_201() -> None:
    """vendors.md §2.1, §4 trap 12."""
    answer = TokenAnswer("a", expires_in=3600, refresh_token="r", scope=("account-owner", "methods:ALL"))
    assert lines(phonecom.write_token_answer(answer)) == snapshot(
        [
            "201",
            "content-type: application/json",
            "cache-control: no-store",
            '{"access_token":"a","token_type":"Bearer","expires_in":3600,"scope":"account-owner methods:ALL","refresh_token":"r"}',
        ]
    )
    details = TokenStatusAnswer(("account-owner",), "CID", datetime(2030, 1, 1, tzinfo=UTC), "41706656", "6")
    assert json.loads(phonecom.write_token_answer(answer, details).body) == snapshot(
        {
            "access_token": "a",
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "account-owner",
            "refresh_token": "r",
            "expires_at": 1893456000,
            "scope_details": [{"voip_id": 41706656, "extension_id": 6}],
        }
    )


def test_details_on_the_wire() -> None:
    """vendors.md §2.2: ids are integers, and ``expires_at`` is in seconds since the epoch; §4 trap 12."""
    at = datetime(2030, 1, 1, tzinfo=UTC)
    both = TokenStatusAnswer(("account-owner", "extension-user"), "CID", at, "41706656", "6")
    assert lines(phonecom.write_token_status_answer(both)) == snapshot(
        [
            "200",
            "content-type: application/json",
            "cache-control: no-store",
            '{"scope":"account-owner extension-user","expires_at":1893456000,"scope_details":[{"voip_id":41706656,"extension_id":6}]}',
        ]
    )
    own = TokenStatusAnswer(("extension-user",), "CID", at, "41706656", "6")
    assert json.loads(phonecom.write_token_status_answer(own).body) == snapshot(
        {"scope": "extension-user", "expires_at": 1893456000, "scope_details": [{"extension_id": 6}]}
    )
    without_end = TokenStatusAnswer(("methods:ALL",), "CID", None, "41706656")
    assert json.loads(phonecom.write_token_status_answer(without_end).body) == snapshot(
        {"scope": "methods:ALL", "scope_details": [{}]}
    )


def test_signing_out_on_the_wire() -> None:
    assert lines(phonecom.write_sign_out_request(SignOutRequest("t"))) == snapshot(
        ["DELETE /v4/oauth/access-token", "accept: application/json", "authorization: Bearer t", ""]
    )
    assert lines(phonecom.write_sign_out_answer(SignOutAnswer())) == snapshot(
        ["200", "content-type: application/json", "cache-control: no-store", '{"success":true}']
    )


def test_refusals_on_the_wire_are_mason_documents() -> None:
    """vendors.md §2.6: the command line asserts that ``@message`` is text and ``@httpStatusCode`` a number."""
    request = HttpRequest("POST", phonecom.TOKEN_PATH, request_id="5f2b")
    assert lines(phonecom.write_error_answer(ErrorAnswer(INVALID_CLIENT), request)) == snapshot(
        [
            "401",
            "content-type: application/vnd.mason+json",
            "cache-control: no-store",
            '{"@error":{"@message":"Client authentication failed.","@httpStatusCode":401,"@code":"invalid_client","@messages":["Client authentication failed."],"@id":"5f2b"}}',
        ]
    )
    assert lines(phonecom.write_error_answer(ErrorAnswer(INVALID_TOKEN))) == snapshot(
        [
            "401",
            "content-type: application/vnd.mason+json",
            "cache-control: no-store",
            'www-authenticate: Bearer realm="grantway"',
            '{"@error":{"@message":"The access token is missing, expired, revoked, or malformed.","@httpStatusCode":401,"@code":"invalid_token","@messages":["The access token is missing, expired, revoked, or malformed."]}}',
        ]
    )
    assert lines(phonecom.write_error_answer(ErrorAnswer(UNSUPPORTED_GRANT_TYPE))) == snapshot(
        [
            "422",
            "content-type: application/vnd.mason+json",
            "cache-control: no-store",
            '{"@error":{"@message":"This grant type is not supported here.","@httpStatusCode":422,"@code":"unsupported_grant_type","@messages":["This grant type is not supported here."],"fields":{"grant_type":["This grant type is not supported here."]}}}',
        ]
    )
    missing = OAuthError("invalid_request", 422, "The parameter code is missing.", "code")
    assert json.loads(phonecom.write_error_answer(ErrorAnswer(missing)).body) == snapshot(
        {
            "@error": {
                "@message": "The parameter code is missing.",
                "@httpStatusCode": 422,
                "@code": "invalid_request",
                "@messages": ["The parameter code is missing."],
                "fields": {"code": ["The parameter code is missing."]},
            }
        }
    )
    assert json.loads(phonecom.write_error_answer(ErrorAnswer(INVALID_REQUEST)).body) == snapshot(
        {
            "@error": {
                "@message": "The request is missing a parameter, repeats one, or is malformed.",
                "@httpStatusCode": 422,
                "@code": "invalid_request",
                "@messages": ["The request is missing a parameter, repeats one, or is malformed."],
                "fields": {},
            }
        }
    )
    assert lines(phonecom.write_error_answer(ErrorAnswer(TOO_MANY_REQUESTS, 30))) == snapshot(
        [
            "429",
            "content-type: application/vnd.mason+json",
            "cache-control: no-store",
            "retry-after: 30",
            '{"@error":{"@message":"Too many attempts. Try again later.","@httpStatusCode":429,"@code":"too_many_requests","@messages":["Too many attempts. Try again later."],"@rateLimit":{"Retry-After":30}}}',
        ]
    )
    assert json.loads(phonecom.write_error_answer(ErrorAnswer(TOO_MANY_REQUESTS)).body)["@error"]["@rateLimit"] == {}
    assert lines(phonecom.write_error_answer(ErrorAnswer(ACCESS_DENIED, 60, "suspended"))) == snapshot(
        [
            "403",
            "content-type: application/vnd.mason+json",
            "cache-control: no-store",
            "retry-after: 60",
            '{"@error":{"@message":"The request was denied.","@httpStatusCode":403,"@code":"access_denied","@messages":["The request was denied."],"connection_state":"suspended"}}',
        ]
    )


def test_what_each_error_becomes() -> None:
    said = {error.code: phonecom.status_of(error) for error in vars(errors).values() if isinstance(error, OAuthError)}
    assert said == snapshot(
        {
            "invalid_request": 422,
            "invalid_client": 401,
            "invalid_grant": 401,
            "unauthorized_client": 403,
            "unsupported_grant_type": 422,
            "invalid_scope": 422,
            "client_secret_required": 422,
            "access_denied": 403,
            "unsupported_response_type": 422,
            "server_error": 500,
            "temporarily_unavailable": 503,
            "outcome_unknown": 503,
            "invalid_token": 401,
            "insufficient_scope": 403,
            "unsupported_token_type": 422,
            "invalid_target": 422,
            "login_required": 422,
            "consent_required": 422,
            "limit_reached": 409,
            "webhook_disabled": 409,
            "not_found": 404,
            "method_not_allowed": 405,
            "conflict": 409,
            "content_too_large": 413,
            "unsupported_media_type": 415,
            "unprocessable": 422,
            "too_many_requests": 429,
            "idempotency_key_reused": 422,
        }
    )


# --- what the vendor itself may answer ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, '{"@error":{"@message":"No.","@httpStatusCode":401}}', OAuthError("invalid_token", 401, "No.")),
        (403, '{"@error":{"@message":"No.","@code":7}}', OAuthError("access_denied", 403, ACCESS_DENIED.description)),
        (422, '{"@error":{"@message":"No.","fields":{"code":["Odd."]}}}', OAuthError("invalid_request", 422, "No.", "code")),
        (418, '{"@error":{"@message":"No."}}', OAuthError("invalid_request", 418, "No.")),
        (201, '{"@error":{"@message":"No.","@code":"odd"}}', OAuthError("odd", 400, "No.")),
        (502, "<html>Bad gateway</html>", OAuthError("server_error", 502, SERVER_ERROR.description)),
        (429, "slow down", TOO_MANY_REQUESTS),
    ],
)  # fmt: skip
def test_refusals_that_we_would_not_write_are_read(status: int, body: str, error: OAuthError) -> None:
    answer = HttpAnswer(status, (MASON,), body.encode())
    read = phonecom.read_token_answer(answer)
    assert isinstance(read, ErrorAnswer)
    assert read.error == error
    assert read.details == ((json.loads(body)["@error"],) if body.startswith("{") else ())


def test_the_wait_is_read_from_the_document_when_no_header_names_it() -> None:
    body = b'{"@error":{"@message":"Slow.","@httpStatusCode":429,"@rateLimit":{"Retry-After":"7"}}}'
    assert phonecom.read_error_answer(HttpAnswer(429, (MASON,), body)).retry_after == 7


def test_a_refusal_that_says_nothing_is_malformed() -> None:
    assert refused(phonecom.read_error_answer, HttpAnswer(418, (), b"{}"))[-1] == "answer_unreadable"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b'{"scope":"a","expires_at":0}', TokenStatusAnswer(("a",))),
        (b'{"scope":"","expires_at":null,"scope_details":[]}', TokenStatusAnswer(())),
        (b'{"scope":"a","scope_details":[{"voip_id":"7"},{"voip_id":8}]}', TokenStatusAnswer(("a",), account_id="7")),
    ],
)
def test_details_without_an_end_are_read(body: bytes, answer: TokenStatusAnswer) -> None:
    assert phonecom.read_token_status_answer(HttpAnswer(200, (JSON,), body)) == answer


@pytest.mark.parametrize("body", [b"{}", b'{"scope":"a","expires_at":"soon"}', b'{"scope":"a","expires_at":9e15}'])
def test_details_that_make_no_sense_are_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        phonecom.read_token_status_answer(HttpAnswer(200, (JSON,), body))


def test_signing_out_may_be_answered_with_nothing_but_not_with_no() -> None:
    assert phonecom.read_sign_out_answer(HttpAnswer(204)) == SignOutAnswer()
    assert phonecom.read_sign_out_answer(HttpAnswer(200, (JSON,), b"{}")) == SignOutAnswer()
    assert refused(phonecom.read_sign_out_answer, HttpAnswer(200, (JSON,), b'{"success":false}'))[-1] == "success_false"


def test_no_secret_shows_in_a_repr() -> None:
    asking = TokenRequest("password", OURS, username="SHOWN?", password="SHOWN?")
    assert "SEC" not in repr(asking)
    assert "SHOWN?" not in repr(asking)
    assert "SHOWN?" not in repr(TokenStatusRequest("SHOWN?")) + repr(SignOutRequest("SHOWN?"))
