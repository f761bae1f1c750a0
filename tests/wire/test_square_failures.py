"""How Square's dialect says no: which of the two shapes, which words, and never a status that libraries repeat."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from inline_snapshot import snapshot

from grantway.wire.dialects import square
from grantway.wire.errors import (
    ACCESS_DENIED,
    CLIENT_SECRET_REQUIRED,
    CONFLICT,
    INVALID_CLIENT,
    INVALID_GRANT,
    INVALID_REQUEST,
    INVALID_TOKEN,
    NOT_FOUND,
    OUTCOME_UNKNOWN,
    SERVER_ERROR,
    TEMPORARILY_UNAVAILABLE,
    TOO_MANY_REQUESTS,
    UNSUPPORTED_GRANT_TYPE,
    Malformed,
    OAuthError,
)
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import ErrorAnswer
from tests.wire import strategies as some
from tests.wire.strategies import property_of


def asking(**members: Any) -> HttpRequest:
    return HttpRequest("POST", square.TOKEN_PATH, body=json.dumps(members).encode())


def written(answer: ErrorAnswer, request: HttpRequest | None = None) -> tuple[int, Any]:
    said = square.write_error_answer(answer, request)
    return said.status, json.loads(said.body)


def test_a_wrong_application_or_secret_is_refused_in_the_older_shape() -> None:
    """vendors.md §3.7: measured by others at the live service."""
    assert written(ErrorAnswer(INVALID_CLIENT), asking(client_id="sq0idp-APP")) == snapshot(
        (401, {"message": "Not Authorized", "type": "service.not_authorized"})
    )


def test_a_code_that_is_not_good_was_not_found_for_the_application() -> None:
    code = asking(client_id="sq0idp-APP", grant_type="authorization_code", code="sq0cgb-CODE")
    assert written(ErrorAnswer(INVALID_GRANT), code) == snapshot(
        (
            401,
            {
                "errors": [
                    {
                        "category": "AUTHENTICATION_ERROR",
                        "code": "UNAUTHORIZED",
                        "detail": "Authorization code not found for app sq0idp-APP",
                    }
                ]
            },
        )
    )
    refresh = asking(client_id="sq0idp-APP", grant_type="refresh_token", refresh_token="EQAA")
    assert written(ErrorAnswer(INVALID_GRANT), refresh)[1]["errors"][0]["detail"] == snapshot(
        "Refresh token not found for app sq0idp-APP"
    )
    migration = asking(client_id="sq0idp-APP", grant_type="migration_token", migration_token="sq0atp-old")
    assert written(ErrorAnswer(INVALID_GRANT), migration)[1]["errors"][0]["detail"] == snapshot(
        "Migration token not found for app sq0idp-APP"
    )


def test_nothing_that_was_shown_is_repeated() -> None:
    code = asking(client_id="sq0idp-APP", grant_type="authorization_code", code="sq0cgb-CODE", client_secret="sq0csp-S")
    said = square.write_error_answer(ErrorAnswer(INVALID_GRANT), code).body
    assert b"sq0cgb" not in said
    assert b"sq0csp" not in said


@pytest.mark.parametrize("request_", [None, asking(access_token="EAAl"), HttpRequest("POST", "/", body=b"\xff")])
def test_an_access_token_that_cannot_be_renewed_or_revoked_could_not_be_authorized(
    request_: HttpRequest | None,
) -> None:
    assert written(ErrorAnswer(INVALID_GRANT), request_) == snapshot(
        (
            401,
            {
                "errors": [
                    {
                        "category": "AUTHENTICATION_ERROR",
                        "code": "UNAUTHORIZED",
                        "detail": "This request could not be authorized.",
                    }
                ]
            },
        )
    )


def test_a_missing_secret_is_named() -> None:
    assert written(ErrorAnswer(CLIENT_SECRET_REQUIRED)) == snapshot(
        (
            400,
            {
                "errors": [
                    {
                        "category": "INVALID_REQUEST_ERROR",
                        "code": "MISSING_REQUIRED_PARAMETER",
                        "detail": "missing required parameter 'client_secret'",
                        "field": "client_secret",
                    }
                ]
            },
        )
    )


def test_a_bearer_that_is_not_good_is_challenged() -> None:
    said = square.write_error_answer(ErrorAnswer(INVALID_TOKEN))
    assert said.header(b"www-authenticate") == 'Bearer realm="grantway"'
    assert (said.status, json.loads(said.body)) == snapshot(
        (
            401,
            {
                "errors": [
                    {
                        "category": "AUTHENTICATION_ERROR",
                        "code": "UNAUTHORIZED",
                        "detail": "The `Authorization` http header of your request was malformed, incorrect or expired.",
                    }
                ]
            },
        )
    )


def test_an_access_token_that_was_shown_beside_the_secret_is_no_bearer() -> None:
    renewal = HttpRequest("POST", "/", headers=((b"authorization", b"Client sq0csp-SECRET"),), body=b"{}")
    said = square.write_error_answer(ErrorAnswer(INVALID_TOKEN), renewal)
    assert said.header(b"www-authenticate") is None
    assert json.loads(said.body)["errors"][0]["detail"] == "This request could not be authorized."


def test_what_is_suspended_is_forbidden_for_now_and_never_unauthorized() -> None:
    suspended = ErrorAnswer(ACCESS_DENIED, 300, "suspended")
    assert written(suspended) == snapshot(
        (403, {"errors": [{"category": "AUTHENTICATION_ERROR", "code": "FORBIDDEN", "detail": "Access is suspended."}]})
    )
    said = square.write_error_answer(suspended)
    assert said.header(b"retry-after") == "300"
    assert square.read_token_answer(said) == ErrorAnswer(OAuthError("access_denied", 403, "Access is suspended."), 300, "suspended")  # fmt: skip


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (INVALID_REQUEST, (400, "INVALID_REQUEST_ERROR", "BAD_REQUEST")),
        (UNSUPPORTED_GRANT_TYPE, (400, "INVALID_REQUEST_ERROR", "INVALID_VALUE")),
        (NOT_FOUND, (404, "INVALID_REQUEST_ERROR", "NOT_FOUND")),
        (TOO_MANY_REQUESTS, (429, "RATE_LIMIT_ERROR", "RATE_LIMITED")),
        (SERVER_ERROR, (500, "API_ERROR", "INTERNAL_SERVER_ERROR")),
        (TEMPORARILY_UNAVAILABLE, (503, "API_ERROR", "SERVICE_UNAVAILABLE")),
        (OUTCOME_UNKNOWN, (503, "API_ERROR", "SERVICE_UNAVAILABLE")),
        (CONFLICT, (400, "INVALID_REQUEST_ERROR", "CONFLICT")),
    ],
)
def test_a_refusal_has_the_vendors_category_and_code(error: OAuthError, expected: tuple[int, str, str]) -> None:
    status, said = written(ErrorAnswer(error))
    (entry,) = said["errors"]
    assert (status, entry["category"], entry["code"]) == expected
    assert entry["detail"] == error.description


@property_of
@given(refusal=some.error_answers)
def test_no_refusal_has_a_status_on_which_libraries_repeat_except_those_that_mean_it(refusal: ErrorAnswer) -> None:
    """vendors.md §4, 8: 408, 409, 429 and 5xx are sent again; a code would be presented twice."""
    status, _ = written(refusal)
    assert status not in {408, 409}
    assert status < 500 or refusal.error in {SERVER_ERROR, TEMPORARILY_UNAVAILABLE, OUTCOME_UNKNOWN}


# --- the vendor's own answers ---------------------------------------------------------------------------------------

NOT_FOUND_FOR_APP = "Authorization code not found for app sq0idp-APP"


def entry(**members: str) -> bytes:
    return json.dumps({"errors": [members]}).encode()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, b'{"message":"Not Authorized","type":"service.not_authorized"}', OAuthError("invalid_client", 401, "Not Authorized")),
        (401, entry(category="AUTHENTICATION_ERROR", code="UNAUTHORIZED", detail=NOT_FOUND_FOR_APP),
         OAuthError("invalid_grant", 401, NOT_FOUND_FOR_APP)),
        (401, json.dumps({"message": NOT_FOUND_FOR_APP, "type": "service.not_authorized"}).encode(),
         OAuthError("invalid_grant", 401, NOT_FOUND_FOR_APP)),
        (401, entry(category="AUTHENTICATION_ERROR", code="ACCESS_TOKEN_REVOKED", detail="x"), OAuthError("invalid_grant", 401, "x")),
        (400, entry(category="INVALID_REQUEST_ERROR", code="MISSING_REQUIRED_PARAMETER", field="code"),
         OAuthError("missing_required_parameter", 400, "")),
        (403, entry(category="AUTHENTICATION_ERROR", code="CLIENT_DISABLED"), OAuthError("client_disabled", 403, "")),
        (200, entry(category="API_ERROR", code="INTERNAL_SERVER_ERROR", detail="x"), OAuthError("server_error", 400, "x")),
        (418, b'{"message":"m","type":"bad_request"}', OAuthError("bad_request", 418, "m")),
        (429, b"", TOO_MANY_REQUESTS),
        (502, b"<html>", OAuthError("server_error", 502, SERVER_ERROR.description)),
    ],
)  # fmt: skip
def test_the_refusals_of_both_shapes_are_read(status: int, body: bytes, expected: OAuthError) -> None:
    assert square.read_token_answer(HttpAnswer(status, body=body)) == ErrorAnswer(expected)


def test_the_vendors_entries_are_kept_word_for_word() -> None:
    entries = [
        {"category": "INVALID_REQUEST_ERROR", "code": "VALUE_EMPTY", "detail": "d", "field": "f", "new": 1},
        {"category": "X", "code": "Y"},
    ]
    answer = square.read_token_answer(HttpAnswer(400, body=json.dumps({"errors": entries}).encode()))
    assert isinstance(answer, ErrorAnswer)
    assert list(answer.details) == entries
    older = {"message": "Not Authorized", "type": "service.not_authorized"}
    answer = square.read_token_answer(HttpAnswer(401, body=json.dumps(older).encode()))
    assert isinstance(answer, ErrorAnswer)
    assert list(answer.details) == [older]


@pytest.mark.parametrize(
    "body", [b"<html>", b"{}", b'{"errors":[]}', b'{"errors":[1]}', b'{"errors":[{}]}', b'{"type":1}', b"[]"]
)
def test_a_refusal_that_cannot_be_told_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed) as malformed:
        square.read_error_answer(HttpAnswer(404, body=body))
    assert malformed.value.reason == "answer_unreadable"


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"access_token":1,"token_type":"bearer"}', b"<html>", b'{"accessToken":"x","tokenType":"b"}',
             b'{"access_token":"x","token_type":"bearer","expires_at":"tomorrow"}']
)  # fmt: skip
def test_what_is_no_token_answer_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        square.read_token_answer(HttpAnswer(200, body=body))


def test_an_answer_that_does_not_say_that_it_revoked_is_malformed() -> None:
    for body in (b"{}", b'{"success":false}', b'{"success":"true"}'):
        with pytest.raises(Malformed):
            square.read_authorization_revocation_answer(HttpAnswer(200, body=body))
