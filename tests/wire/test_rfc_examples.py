"""The examples of the specifications, verbatim (line breaks for display taken out)."""

from __future__ import annotations

import orjson
import pytest

from grantway.wire.dialects import standard
from grantway.wire.errors import INVALID_REQUEST, OAuthError
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import (
    AuthorizationAnswer,
    AuthorizationRequest,
    ClientCredentials,
    ErrorAnswer,
    IntrospectionAnswer,
    IntrospectionRequest,
    RevocationRequest,
    TokenAnswer,
    TokenRequest,
)

FORM = (b"content-type", b"application/x-www-form-urlencoded")
BASIC = (b"authorization", b"Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW")
BY_BASIC = ClientCredentials("s6BhdRkqt3", "gX1fBat3bV", "client_secret_basic")


def posted(body: bytes, *headers: tuple[bytes, bytes]) -> HttpRequest:
    return HttpRequest("POST", "/", headers=(FORM, *headers), body=body)


def test_authorization_request_of_rfc_6749_4_1_1() -> None:
    query = b"response_type=code&client_id=s6BhdRkqt3&state=xyz&redirect_uri=https%3A%2F%2Fclient%2Eexample%2Ecom%2Fcb"
    assert standard.read_authorization_request(HttpRequest("GET", "/authorize", query)) == AuthorizationRequest(
        "s6BhdRkqt3", "code", "https://client.example.com/cb", state="xyz"
    )


def test_authorization_answer_of_rfc_6749_4_1_2() -> None:
    location = "https://client.example.com/cb?code=SplxlOBeZQQYbYS6WxSbIA&state=xyz"
    answer = AuthorizationAnswer("https://client.example.com/cb", code="SplxlOBeZQQYbYS6WxSbIA", state="xyz")
    assert standard.write_authorization_answer(answer) == location
    assert standard.read_authorization_answer(location) == answer


def test_authorization_refusal_of_rfc_6749_4_1_2_1() -> None:
    answer = standard.read_authorization_answer("https://client.example.com/cb?error=access_denied&state=xyz")
    assert answer.error is not None
    assert (answer.error.code, answer.state, answer.redirect_uri) == (
        "access_denied",
        "xyz",
        "https://client.example.com/cb",
    )


def test_token_request_of_rfc_6749_4_1_3() -> None:
    body = (
        b"grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA"
        b"&redirect_uri=https%3A%2F%2Fclient%2Eexample%2Ecom%2Fcb"
    )
    assert standard.read_token_request(posted(body, BASIC)) == TokenRequest(
        "authorization_code", BY_BASIC, code="SplxlOBeZQQYbYS6WxSbIA", redirect_uri="https://client.example.com/cb"
    )


def test_token_answer_of_rfc_6749_4_1_4_and_5_1() -> None:
    body = b"""{
       "access_token":"2YotnFZFEjr1zCsicMWpAA",
       "token_type":"example",
       "expires_in":3600,
       "refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA",
       "example_parameter":"example_value"
     }"""
    answer = TokenAnswer("2YotnFZFEjr1zCsicMWpAA", "example", 3600, "tGzv3JOkF0XG5Qx2TlKWIA")
    headers = ((b"content-type", b"application/json;charset=UTF-8"),)
    assert standard.read_token_answer(HttpAnswer(200, headers, body)) == answer
    written = standard.write_token_answer(answer)
    assert written.header(b"cache-control") == "no-store"
    assert written.header(b"pragma") == "no-cache"
    assert orjson.loads(written.body) == {k: v for k, v in orjson.loads(body).items() if k != "example_parameter"}


def test_refusal_of_rfc_6749_5_2() -> None:
    answer = standard.read_token_answer(HttpAnswer(400, body=b'{\n  "error":"invalid_request"\n}'))
    assert answer == ErrorAnswer(OAuthError("invalid_request", 400, ""))
    written = standard.write_error_answer(ErrorAnswer(INVALID_REQUEST))
    assert written.status == 400
    assert orjson.loads(written.body)["error"] == "invalid_request"


def test_client_password_in_the_body_and_refresh_of_rfc_6749_2_3_1() -> None:
    body = b"grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA&client_id=s6BhdRkqt3&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw"
    assert standard.read_token_request(posted(body)) == TokenRequest(
        "refresh_token",
        ClientCredentials("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw", "client_secret_post"),
        refresh_token="tGzv3JOkF0XG5Qx2TlKWIA",
    )


def test_refresh_of_rfc_6749_6() -> None:
    body = b"grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA"
    assert standard.read_token_request(posted(body, BASIC)) == TokenRequest(
        "refresh_token", BY_BASIC, refresh_token="tGzv3JOkF0XG5Qx2TlKWIA"
    )


def test_client_credentials_of_rfc_6749_4_4_2() -> None:
    message = TokenRequest("client_credentials", BY_BASIC)
    assert standard.read_token_request(posted(b"grant_type=client_credentials", BASIC)) == message
    assert dict(standard.write_token_request(message).headers)[b"authorization"] == BASIC[1]


def test_bearer_challenge_of_rfc_6750_3() -> None:
    nothing = standard.write_bearer_challenge(ErrorAnswer(standard_error("invalid_token")), HttpRequest("GET", "/"))
    assert nothing.header(b"www-authenticate") == 'Bearer realm="grantway"'
    expired = HttpRequest("GET", "/", headers=((b"authorization", b"Bearer mF_9.B5f-4.1JqM"),))
    told = standard.write_bearer_challenge(
        ErrorAnswer(OAuthError("invalid_token", 401, "The access token expired")), expired
    )
    assert (
        told.header(b"www-authenticate")
        == 'Bearer realm="grantway", error="invalid_token", error_description="The access token expired"'
    )


def standard_error(code: str) -> OAuthError:
    return OAuthError(code, 401, "")


def test_pkce_of_rfc_7636_appendix_b() -> None:
    query = b"response_type=code&client_id=a&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    asked = standard.read_authorization_request(HttpRequest("GET", "/authorize", query))
    assert asked.code_challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert asked.code_challenge_method == "S256"
    body = b"grant_type=authorization_code&client_id=a&code=c&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert standard.read_token_request(posted(body)).code_verifier == "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def test_introspection_of_rfc_7662_2_1() -> None:
    body = b"token=mF_9.B5f-4.1JqM&token_type_hint=access_token"
    assert standard.read_introspection_request(posted(body, BASIC)) == IntrospectionRequest(
        "mF_9.B5f-4.1JqM", BY_BASIC, "access_token"
    )


def test_active_answer_of_rfc_7662_2_2() -> None:
    body = b"""{
      "active": true,
      "client_id": "l238j323ds-23ij4",
      "username": "jdoe",
      "scope": "read write dolphin",
      "sub": "Z5O3upPC88QrAjx00dis",
      "aud": "https://protected.example.net/resource",
      "iss": "https://server.example.com/",
      "exp": 1419356238,
      "iat": 1419350238,
      "extension_field": "twenty-seven"
     }"""
    answer = IntrospectionAnswer(
        active=True,
        scope=("read", "write", "dolphin"),
        client_id="l238j323ds-23ij4",
        exp=1419356238,
        iat=1419350238,
        sub="Z5O3upPC88QrAjx00dis",
        aud=("https://protected.example.net/resource",),
        iss="https://server.example.com/",
    )
    assert standard.read_introspection_answer(HttpAnswer(200, body=body)) == answer
    written = orjson.loads(standard.write_introspection_answer(answer).body)
    assert written == {k: v for k, v in orjson.loads(body).items() if k not in {"username", "extension_field"}}


def test_inactive_answer_of_rfc_7662_2_2_says_no_more() -> None:
    written = standard.write_introspection_answer(IntrospectionAnswer(active=False, client_id="l238j323ds-23ij4"))
    assert written.body == b'{"active":false}'
    assert standard.read_introspection_answer(HttpAnswer(200, body=b'{\n  "active": false\n}')) == IntrospectionAnswer(
        active=False
    )


def test_revocation_of_rfc_7009_2_1() -> None:
    body = b"token=45ghiukldjahdnhzdauz&token_type_hint=refresh_token"
    assert standard.read_revocation_request(posted(body, BASIC)) == RevocationRequest(
        "45ghiukldjahdnhzdauz", BY_BASIC, "refresh_token"
    )


def test_resources_of_rfc_8707_2_1_and_2_2() -> None:
    query = (
        b"response_type=code&client_id=s6BhdRkqt3&state=laeb"
        b"&redirect_uri=https%3A%2F%2Fclient%2Eexample%2Ecom%2Fcb"
        b"&scope=calendar%20contacts"
        b"&resource=https%3A%2F%2Fcal.example.com%2F&resource=https%3A%2F%2Fcontacts.example.com%2F"
    )
    asked = standard.read_authorization_request(HttpRequest("GET", "/authorize", query))
    assert asked.resource == ("https://cal.example.com/", "https://contacts.example.com/")
    assert asked.scope == ("calendar", "contacts")
    body = (
        b"grant_type=authorization_code&redirect_uri=https%3A%2F%2Fclient%2Eexample%2Ecom%2Fcb"
        b"&code=10esc29BWC2qZB0acc9v8zAv9ltc2pko105tQauZ&resource=https%3A%2F%2Fcal.example.com%2F"
    )
    assert standard.read_token_request(posted(body, BASIC)).resource == ("https://cal.example.com/",)


@pytest.mark.parametrize(
    ("location", "iss"),
    [
        (
            "https://client.example/cb?code=x1848ZT64p4IirMPT0R-X3141MFPTuBX-VFL_cvaplMH58&state=ZWVlNDBlYzA1NjdkMDNhYjg3ZjUxZjAyNGQzMTM2NzI&iss=https%3A%2F%2Fhonest.as.example",
            "https://honest.as.example",
        ),
        (
            "https://client.example/cb?error=access_denied&state=N2JjNGJhY2JiZjRhYzA3MGJkMzNmMDE5OWJhZmJhZjA&iss=https%3A%2F%2Fhonest.as.example",
            "https://honest.as.example",
        ),
    ],
)
def test_issuer_of_rfc_9207_2_1_and_2_2(location: str, iss: str) -> None:
    answer = standard.read_authorization_answer(location)
    assert answer.iss == iss
    if answer.code is not None:
        assert standard.write_authorization_answer(answer) == location
