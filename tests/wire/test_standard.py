"""The standard dialect: what goes over the wire, byte for byte, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from inline_snapshot import snapshot

from grantway.wire.dialects import standard
from grantway.wire.encoding import MAX_VALUE
from grantway.wire.errors import (
    ACCESS_DENIED,
    INSUFFICIENT_SCOPE,
    INVALID_CLIENT,
    INVALID_GRANT,
    INVALID_REQUEST,
    INVALID_SCOPE,
    INVALID_TARGET,
    INVALID_TOKEN,
    TEMPORARILY_UNAVAILABLE,
    TOO_MANY_REQUESTS,
    UNSUPPORTED_MEDIA_TYPE,
    Malformed,
    OAuthError,
)
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import (
    AccountSummary,
    AuthorizationAnswer,
    AuthorizationRequest,
    ClientCredentials,
    ErrorAnswer,
    IntrospectionAnswer,
    RevocationAnswer,
    RevocationRequest,
    TokenAnswer,
    TokenRequest,
)
from tests.wire import strategies as some
from tests.wire.strategies import property_of

FORM = (b"content-type", b"application/x-www-form-urlencoded")
BASIC = (b"authorization", b"Basic YTpi")
SECRET = ClientCredentials("a", "b", "client_secret_post")


def posted(body: bytes, *headers: tuple[bytes, bytes]) -> HttpRequest:
    return HttpRequest("POST", "/token", headers=(FORM, *headers), body=body)


def refused(read: Callable[..., Any], argument: Any) -> tuple[OAuthError, str]:
    with pytest.raises(Malformed) as caught:
        read(argument)
    return caught.value.error, caught.value.reason


# --- byte for byte --------------------------------------------------------------------------------------------------


def test_the_paths() -> None:
    assert snapshot(("/authorize", "/token", "/introspect", "/revoke")) == (
        standard.AUTHORIZE_PATH,
        standard.TOKEN_PATH,
        standard.INTROSPECT_PATH,
        standard.REVOKE_PATH,
    )


def test_an_authorization_request_on_the_wire() -> None:
    message = AuthorizationRequest(
        "s6BhdRkqt3", "code", "https://app.example/cb", ("read", "write"), "a+b &ü", "E9Mel", "S256", ("https://api.example/",), ("consent",)
    )  # fmt: skip
    assert standard.write_authorization_request(message) == snapshot(
        "response_type=code&client_id=s6BhdRkqt3&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&scope=read%20write&state=a%2Bb%20%26%C3%BC&code_challenge=E9Mel&code_challenge_method=S256&resource=https%3A%2F%2Fapi.example%2F&prompt=consent"
    )


def test_an_authorization_answer_on_the_wire() -> None:
    answer = AuthorizationAnswer("https://app.example/cb?x=1", "gwc_1", state="a+b &ü", iss="https://as.example")
    assert standard.write_authorization_answer(answer) == snapshot(
        "https://app.example/cb?x=1&code=gwc_1&state=a%2Bb%20%26%C3%BC&iss=https%3A%2F%2Fas.example"
    )


def test_a_refused_authorization_on_the_wire() -> None:
    answer = AuthorizationAnswer("https://app.example/cb", error=ACCESS_DENIED, state="", iss="https://as.example")
    assert standard.write_authorization_answer(answer) == snapshot(
        "https://app.example/cb?error=access_denied&error_description=The%20request%20was%20denied.&state=&iss=https%3A%2F%2Fas.example"
    )


def test_a_token_request_on_the_wire() -> None:
    by_basic = ClientCredentials("a b", "c+d", "client_secret_basic")
    message = TokenRequest(
        "authorization_code", by_basic, "gwc_1", "https://app.example/cb", "v", None, ("x",), ("r",), "k1"
    )
    assert vars_of(standard.write_token_request(message)) == snapshot(
        [
            "POST /token",
            "content-type: application/x-www-form-urlencoded",
            "accept: application/json",
            "idempotency-key: k1",
            "authorization: Basic YSUyMGI6YyUyQmQ=",
            "grant_type=authorization_code&code=gwc_1&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&code_verifier=v&scope=x&resource=r",
        ]
    )


def test_a_token_request_of_a_public_client_on_the_wire() -> None:
    message = TokenRequest("refresh_token", ClientCredentials("a"), refresh_token="gwr_1")
    assert vars_of(standard.write_token_request(message)) == snapshot(
        [
            "POST /token",
            "content-type: application/x-www-form-urlencoded",
            "accept: application/json",
            "grant_type=refresh_token&refresh_token=gwr_1&client_id=a",
        ]
    )


def test_a_token_answer_on_the_wire() -> None:
    answer = TokenAnswer("gwa_1", "Bearer", 600, "gwr_1", ("read", "write"), "conn", AccountSummary("acc", "Café"))
    assert vars_of(standard.write_token_answer(answer)) == snapshot(
        [
            "200",
            "content-type: application/json",
            "cache-control: no-store",
            "pragma: no-cache",
            '{"access_token":"gwa_1","token_type":"Bearer","expires_in":600,"refresh_token":"gwr_1","scope":"read write","connection_id":"conn","account":{"id":"acc","name":"Café"}}',
        ]
    )


def test_the_least_token_answer_on_the_wire() -> None:
    assert standard.write_token_answer(TokenAnswer("gwa_1")).body == snapshot(
        b'{"access_token":"gwa_1","token_type":"Bearer"}'
    )


def test_an_introspection_answer_on_the_wire() -> None:
    answer = IntrospectionAnswer(
        True, ("read",), "a", "Bearer", 2, 1, "user", ("r1", "r2"), "https://as.example", "j", "conn", AccountSummary("acc", "Café")
    )  # fmt: skip
    assert vars_of(standard.write_introspection_answer(answer)) == snapshot(
        [
            "200",
            "content-type: application/json",
            "cache-control: no-store",
            "pragma: no-cache",
            '{"active":true,"scope":"read","client_id":"a","token_type":"Bearer","exp":2,"iat":1,"sub":"user","aud":["r1","r2"],"iss":"https://as.example","jti":"j","connection_id":"conn","account":{"id":"acc","name":"Café"}}',
        ]
    )


def test_an_inactive_answer_on_the_wire() -> None:
    assert vars_of(standard.write_introspection_answer(IntrospectionAnswer(active=False))) == snapshot(
        ["200", "content-type: application/json", "cache-control: no-store", "pragma: no-cache", '{"active":false}']
    )


def test_a_revocation_on_the_wire() -> None:
    assert vars_of(standard.write_revocation_request(RevocationRequest("t", SECRET, "access_token"))) == snapshot(
        [
            "POST /revoke",
            "content-type: application/x-www-form-urlencoded",
            "accept: application/json",
            "token=t&token_type_hint=access_token&client_id=a&client_secret=b",
        ]
    )
    assert vars_of(standard.write_revocation_answer(RevocationAnswer())) == snapshot(
        ["200", "cache-control: no-store", "pragma: no-cache", ""]
    )


def test_a_refusal_on_the_wire() -> None:
    assert vars_of(standard.write_error_answer(ErrorAnswer(INVALID_GRANT))) == snapshot(
        [
            "400",
            "content-type: application/json",
            "cache-control: no-store",
            "pragma: no-cache",
            '{"error":"invalid_grant","error_description":"The code or refresh token is invalid, expired, revoked, or not yours."}',
        ]
    )
    assert vars_of(standard.write_error_answer(ErrorAnswer(TEMPORARILY_UNAVAILABLE, retry_after=3))) == snapshot(
        [
            "503",
            "content-type: application/json",
            "cache-control: no-store",
            "pragma: no-cache",
            "retry-after: 3",
            '{"error":"temporarily_unavailable","error_description":"Busy. Try again shortly."}',
        ]
    )


def test_a_refusal_of_a_bearer_on_the_wire() -> None:
    assert vars_of(standard.write_bearer_challenge(ErrorAnswer(INSUFFICIENT_SCOPE))) == snapshot(
        [
            "403",
            "content-type: application/json",
            "cache-control: no-store",
            "pragma: no-cache",
            'www-authenticate: Bearer realm="grantway", error="insufficient_scope", error_description="The access token does not reach this."',
            '{"error":"insufficient_scope","error_description":"The access token does not reach this."}',
        ]
    )


def vars_of(message: HttpRequest | HttpAnswer) -> list[Any]:
    """Everything but headers and body, then the headers, then the body."""
    start = f"{message.method} {message.path}" if isinstance(message, HttpRequest) else str(message.status)
    return [start, *(f"{name.decode()}: {value.decode()}" for name, value in message.headers), message.body.decode()]


# --- state ----------------------------------------------------------------------------------------------------------


@property_of
@given(some.unicode)
@example("")
@example("+")
@example("%")
@example("%2B%00+ &=#?")
@example("x" * MAX_VALUE)
@example("é" * (MAX_VALUE // 2))
@example("🔑" * (MAX_VALUE // 4))
@example("\r\nLocation: https://evil.example")
def test_a_state_comes_back_byte_for_byte(state: str) -> None:
    query = standard.write_authorization_request(AuthorizationRequest("a", "code", state=state))
    asked = standard.read_authorization_request(HttpRequest("GET", "/authorize", query.encode()))
    assert asked.state == state
    location = standard.write_authorization_answer(
        AuthorizationAnswer("https://app.example/cb", "c", state=asked.state)
    )
    assert re.fullmatch(r"[!-~]+", location)
    assert standard.read_authorization_answer(location).state == state


def test_a_state_that_is_too_long_is_refused() -> None:
    query = b"client_id=a&state=" + b"x" * (MAX_VALUE + 1)
    assert (
        refused(standard.read_authorization_request, HttpRequest("GET", "/authorize", query))[1] == "parameter_too_long"
    )


# --- authorization --------------------------------------------------------------------------------------------------


def test_an_authorization_request_without_response_type_is_read_for_a_rule_to_refuse() -> None:
    asked = standard.read_authorization_request(HttpRequest("GET", "/authorize", b"client_id=a&scope="))
    assert asked == AuthorizationRequest("a", None)


@pytest.mark.parametrize(
    ("query", "error", "why"),
    [
        (b"", INVALID_REQUEST, "client_id_missing"),
        (b"client_id=&response_type=code", INVALID_REQUEST, "client_id_missing"),
        (b"client_id=%0A", INVALID_REQUEST, "client_id_malformed"),
        (b"client_id=a&client_id=a", INVALID_REQUEST, "parameter_repeated"),
        (b"client_id=a&redirect_uri=https://a/%0D%0Ax", INVALID_REQUEST, "redirect_uri_malformed"),
        (b"client_id=a&scope=%22", INVALID_SCOPE, "scope_malformed"),
        (b"client_id=a&resource=%01", INVALID_TARGET, "resource_malformed"),
        (b"client_id=a&state=%00", INVALID_REQUEST, "form_with_nul"),
    ],
)
def test_an_authorization_request_is_refused(query: bytes, error: OAuthError, why: str) -> None:
    assert refused(standard.read_authorization_request, HttpRequest("GET", "/authorize", query)) == (error, why)


def test_a_posted_authorization_request_is_read_from_the_form_only() -> None:
    request = HttpRequest("POST", "/authorize", b"client_id=query", (FORM,), b"client_id=form")
    assert standard.read_authorization_request(request).client_id == "form"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://app.example/cb", "neither_code_nor_error"),
        ("https://app.example/cb?code=&state=x", "neither_code_nor_error"),
        ("https://app.example/cb?code=a&error=b", "code_and_error"),
        ("https://app.example/cb?code=a&code=b", "parameter_repeated"),
        ("https://app.example/cb#code=a", "neither_code_nor_error"),
    ],
)
def test_an_authorization_answer_is_refused(url: str, why: str) -> None:
    assert refused(standard.read_authorization_answer, url) == (INVALID_REQUEST, why)


def test_an_error_that_we_do_not_know_is_told_as_it_came() -> None:
    answer = standard.read_authorization_answer("https://app.example/cb?error=odd&error_description=So%20it%20is")
    assert answer.error == OAuthError("odd", 400, "So it is")
    assert standard.read_authorization_answer("https://app.example/cb?error=odd").error == OAuthError("odd", 400, "")


# --- who asks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "headers", "credentials"),
    [
        (b"client_id=a", (), ClientCredentials("a")),
        (b"client_id=a&client_secret=", (), ClientCredentials("a")),
        (b"client_id=a&client_secret=b", (), SECRET),
        (b"", (BASIC,), ClientCredentials("a", "b", "client_secret_basic")),
        (b"client_id=a", (BASIC,), ClientCredentials("a", "b", "client_secret_basic")),
        (b"", ((b"authorization", b"Basic YTo="),), ClientCredentials("a")),
        (b"client_id=a&client_secret=b", ((b"authorization", b"Basic Og=="),), SECRET),
    ],
)
def test_credentials_are_read(
    body: bytes, headers: tuple[tuple[bytes, bytes], ...], credentials: ClientCredentials
) -> None:
    asked = standard.read_token_request(posted(b"grant_type=client_credentials&" + body, *headers))
    assert asked.credentials == credentials


@pytest.mark.parametrize(
    ("body", "headers", "error", "why"),
    [
        (b"", (), INVALID_CLIENT, "client_missing"),
        (b"client_secret=b", (), INVALID_CLIENT, "client_missing"),
        (b"client_id=%01", (), INVALID_CLIENT, "client_id_malformed"),
        (b"client_secret=b", (BASIC,), INVALID_REQUEST, "two_authentication_methods"),
        (b"client_id=a&client_secret=b", (BASIC,), INVALID_REQUEST, "two_authentication_methods"),
        (b"client_id=c", (BASIC,), INVALID_REQUEST, "two_client_ids"),
        (b"client_id=a", ((b"authorization", b"Bearer x"),), INVALID_CLIENT, "authentication_scheme_unknown"),
        (b"client_id=a", ((b"authorization", b"Basicx YTpi"),), INVALID_CLIENT, "authentication_scheme_unknown"),
        (b"client_id=a", ((b"authorization", b"Basic !"),), INVALID_CLIENT, "basic_malformed"),
        (b"client_id=a", (BASIC, BASIC), INVALID_REQUEST, "header_repeated"),
        (b"client_id=a", ((b"authorization", b"Basic \xff"),), INVALID_REQUEST, "header_not_ascii"),
    ],
)
@pytest.mark.parametrize(
    "read", [standard.read_token_request, standard.read_introspection_request, standard.read_revocation_request]
)
def test_credentials_are_refused(
    read: Callable[..., Any], body: bytes, headers: tuple[tuple[bytes, bytes], ...], error: OAuthError, why: str
) -> None:
    assert refused(read, posted(b"grant_type=client_credentials&token=t&" + body, *headers)) == (error, why)


# --- the token endpoint's family ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [b"application/json", b"text/plain", b"", b"multipart/form-data; boundary=x"])
def test_a_body_that_is_not_a_form_is_refused(kind: bytes) -> None:
    request = HttpRequest("POST", "/token", headers=((b"content-type", kind),), body=b"grant_type=x&client_id=a")
    assert refused(standard.read_token_request, request) == (UNSUPPORTED_MEDIA_TYPE, "body_not_a_form")
    assert refused(standard.read_token_request, HttpRequest("POST", "/token", body=b"a"))[0] is UNSUPPORTED_MEDIA_TYPE


@pytest.mark.parametrize(
    "kind", [b"application/x-www-form-urlencoded;charset=UTF-8", b"Application/X-WWW-Form-Urlencoded"]
)
def test_the_media_type_may_be_spelled_differently(kind: bytes) -> None:
    request = HttpRequest("POST", "/token", headers=((b"content-type", kind),), body=b"grant_type=x&client_id=a")
    assert standard.read_token_request(request).grant_type == "x"


def test_of_an_empty_body_the_type_is_not_asked() -> None:
    request = HttpRequest("POST", "/token", headers=((b"content-type", b"application/json"), BASIC))
    assert refused(standard.read_token_request, request) == (INVALID_REQUEST, "grant_type_missing")
    assert refused(standard.read_revocation_request, request) == (INVALID_REQUEST, "token_missing")


@pytest.mark.parametrize(
    ("body", "error", "why"),
    [
        (b"", INVALID_REQUEST, "grant_type_missing"),
        (b"&grant_type=%C3%A9", INVALID_REQUEST, "grant_type_malformed"),
        (b"&grant_type=x&grant_type=x", INVALID_REQUEST, "parameter_repeated"),
        (b"&grant_type=x&code=%09", INVALID_REQUEST, "code_malformed"),
        (b"&grant_type=x&scope=%09", INVALID_SCOPE, "scope_malformed"),
        (b"&grant_type=x&resource=%09", INVALID_TARGET, "resource_malformed"),
    ],
)
def test_a_token_request_is_refused(body: bytes, error: OAuthError, why: str) -> None:
    assert refused(standard.read_token_request, posted(b"client_id=a" + body)) == (error, why)


@pytest.mark.parametrize("key", [b"x" * 256, b"a b", b"a\tb"])
def test_an_idempotency_key_is_up_to_255_visible_characters(key: bytes) -> None:
    request = posted(b"grant_type=x&client_id=a", (b"idempotency-key", key))
    assert refused(standard.read_token_request, request) == (INVALID_REQUEST, "idempotency_key_malformed")
    good = posted(b"grant_type=x&client_id=a", (b"idempotency-key", b'"8e03978e-40d5-43dd-bc93-6894a57f9324"'))
    assert standard.read_token_request(good).idempotency_key == '"8e03978e-40d5-43dd-bc93-6894a57f9324"'
    assert (
        standard.read_token_request(posted(b"grant_type=x&client_id=a", (b"idempotency-key", b""))).idempotency_key
        is None
    )


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b'{"ok":false,"error":"invalid_code"}', ErrorAnswer(OAuthError("invalid_code", 400, ""))),
        (200, b'{"error":"x","access_token":"t","token_type":"bearer"}', ErrorAnswer(OAuthError("x", 400, ""))),
        (200, b'{"access_token":"t","token_type":"bearer","expires_in":"3600","scope":""}', TokenAnswer("t", "bearer", 3600, scope=())),
        (201, b'{"access_token":"t","token_type":"Bearer","refresh_token":null}', TokenAnswer("t")),
        (502, b"<html>Bad Gateway</html>", ErrorAnswer(OAuthError("server_error", 502, "Something went wrong on our side. It has been logged."))),
        (500, b"", ErrorAnswer(OAuthError("server_error", 500, "Something went wrong on our side. It has been logged."))),
        (429, b"slow down", ErrorAnswer(TOO_MANY_REQUESTS)),
        (401, b'{"error":"invalid_client","error_description":"No"}', ErrorAnswer(OAuthError("invalid_client", 401, "No"))),
    ],
)  # fmt: skip
def test_an_answer_of_somebody_elses_server_is_read(status: int, body: bytes, expected: Any) -> None:
    assert standard.read_token_answer(HttpAnswer(status, body=body)) == expected


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>Sign in</html>"),
        (200, b""),
        (200, b"{}"),
        (200, b'{"access_token":"t"}'),
        (200, b'{"access_token":1,"token_type":"Bearer"}'),
        (200, b'{"access_token":"t","token_type":"Bearer","expires_in":-1}'),
        (200, b'{"access_token":"t","token_type":"Bearer","scope":["a"]}'),
        (200, b'{"access_token":"t","token_type":"Bearer","account":{"name":"no id"}}'),
        (200, b"access_token=t&token_type=bearer"),
        (302, b""),
        (404, b"<html>Not Found</html>"),
        (400, b'{"error":{"code":1}}'),
    ],
)
def test_an_answer_of_somebody_elses_server_is_malformed(status: int, body: bytes) -> None:
    with pytest.raises(Malformed):
        standard.read_token_answer(HttpAnswer(status, body=body))


@pytest.mark.parametrize("body", [b"{}", b'{"active":"true"}', b'{"active":1}', b"[true]"])
def test_an_introspection_answer_says_plainly_whether_it_is_active(body: bytes) -> None:
    with pytest.raises(Malformed):
        standard.read_introspection_answer(HttpAnswer(200, body=body))


def test_an_introspection_refused_with_status_200_is_refused() -> None:
    answer = standard.read_introspection_answer(HttpAnswer(200, body=b'{"error":"invalid_client"}'))
    assert answer == ErrorAnswer(OAuthError("invalid_client", 400, ""))


def test_an_inactive_answer_that_says_more_is_not_believed() -> None:
    body = b'{"active":false,"scope":"read","exp":"soon"}'
    assert standard.read_introspection_answer(HttpAnswer(200, body=body)) == IntrospectionAnswer(active=False)


# --- refusals -------------------------------------------------------------------------------------------------------


def challenge(error: OAuthError, *headers: tuple[bytes, bytes]) -> str | None:
    return standard.write_error_answer(ErrorAnswer(error), posted(b"", *headers)).header(b"www-authenticate")


def test_a_client_that_tried_basic_is_challenged_and_others_are_not() -> None:
    assert challenge(INVALID_CLIENT, BASIC) == 'Basic realm="grantway"'
    assert challenge(INVALID_CLIENT, (b"authorization", b"\xff")) == 'Basic realm="grantway"'
    assert challenge(INVALID_CLIENT) is None
    assert challenge(INVALID_GRANT, BASIC) is None
    assert (
        standard.write_error_answer(ErrorAnswer(INVALID_CLIENT)).header(b"www-authenticate") == 'Basic realm="grantway"'
    )


def test_only_refusals_about_the_token_carry_a_bearer_challenge() -> None:
    assert standard.write_bearer_challenge(ErrorAnswer(TEMPORARILY_UNAVAILABLE)).header(b"www-authenticate") is None
    tried = posted(b"", (b"authorization", b"Bearer x"))
    assert "invalid_token" in (
        standard.write_bearer_challenge(ErrorAnswer(INVALID_TOKEN), tried).header(b"www-authenticate") or ""
    )


@pytest.mark.parametrize("error", some.vocabulary, ids=lambda error: error.code)
def test_every_public_sentence_keeps_to_the_grammar(error: OAuthError) -> None:
    """RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E; so it can stand in a quoted string, too."""
    assert re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]+", error.code + error.description)
