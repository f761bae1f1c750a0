"""The Square dialect: the vendor's own libraries are understood, and are answered in words they understand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given

from grantway.wire.dialects import square
from grantway.wire.encoding import MAX_VALUE
from grantway.wire.errors import (
    CLIENT_SECRET_REQUIRED,
    INVALID_CLIENT,
    INVALID_REQUEST,
    INVALID_SCOPE,
    UNSUPPORTED_MEDIA_TYPE,
    Malformed,
    OAuthError,
)
from grantway.wire.http import HttpRequest
from grantway.wire.messages import (
    AuthorizationAnswer,
    AuthorizationRequest,
    AuthorizationRevocationRequest,
    ClientCredentials,
    ErrorAnswer,
    RenewalRequest,
    TokenRequest,
    TokenStatusRequest,
)
from tests.helpers.recorded import Recorded, recordings
from tests.wire import strategies as some
from tests.wire.strategies import property_of

JSON = (b"content-type", b"application/json")
APP = ClientCredentials("sq0idp-APP", "sq0csp-SECRET", "client_secret_post")
BY_HEADER = ClientCredentials("sq0idp-APP", "sq0csp-SECRET", "client_secret_basic")

READERS: dict[str, Callable[[HttpRequest], Any]] = {
    "/oauth2/authorize": square.read_authorization_request,
    "/oauth2/token": square.read_token_request,
    "/oauth2/token/status": square.read_token_status_request,
    "/oauth2/revoke": square.read_authorization_revocation_request,
}


def post(body: Any = None, **headers: str) -> HttpRequest:
    given_headers = [(name.encode(), value.encode()) for name, value in headers.items()]
    sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpRequest("POST", "/", headers=(JSON, *given_headers), body=sent)


def obtain(**members: Any) -> TokenRequest:
    return square.read_token_request(post({"client_id": "sq0idp-APP", "client_secret": "sq0csp-SECRET"} | members))


def refused(read: Callable[..., Any], argument: Any) -> tuple[OAuthError, str]:
    with pytest.raises(Malformed) as caught:
        read(argument)
    return caught.value.error, caught.value.reason


# --- what the vendor's libraries send -------------------------------------------------------------------------------


def read_recorded(recorded: Recorded) -> Any:
    path, _, query = recorded["target"].partition("?")
    headers = tuple((name.lower().encode(), value.encode()) for name, value in recorded["headers"])
    request = HttpRequest("POST", path, query.encode(), headers, recorded["body"].encode())
    if path not in READERS:
        values = {"client_id": path.removeprefix("/oauth2/clients/").removesuffix("/access-token/renew")}
        return square.read_renewal_request(
            HttpRequest("POST", path, b"", headers, recorded["body"].encode(), path_values=values)
        )
    try:
        return READERS[path](request)
    except Malformed as malformed:
        return malformed.error, malformed.reason


CODE = TokenRequest("authorization_code", APP, "sq0cgb-CODE", "https://app.example/cb")
NARROWED = TokenRequest(
    "refresh_token", APP, refresh_token="EQAA", scope=("PAYMENTS_READ",), short_lived=True, jwt=True
)
BEARER_TO_REVOKE = (INVALID_CLIENT, "client_secret_header_missing")


def test_what_the_newest_python_library_sends_is_read() -> None:
    assert [read_recorded(recorded) for recorded in recordings("square")["squareup 46.0.0.20260916 (PyPI)"]] == [
        CODE,
        TokenRequest(
            "authorization_code", ClientCredentials("sq0idp-APP"), "sq0cgb-CODE", code_verifier="v" * 43
        ),
        NARROWED,
        TokenRequest("migration_token", APP, migration_token="sq0atp-old"),
        BEARER_TO_REVOKE,
        AuthorizationRevocationRequest(BY_HEADER, account_id="MLQ"),
        TokenStatusRequest("EAAl"),
        (INVALID_REQUEST, "client_id_missing"),
        AuthorizationRequest(
            "sq0idp-APP", "code", scope=("PAYMENTS_READ", "MERCHANT_PROFILE_READ"), state="s", prompt=("login",)
        ),
        TokenRequest("authorization_code", ClientCredentials("a", "s", "client_secret_post"), "c"),
        TokenStatusRequest("EAAl"),
    ]  # fmt: skip


def test_what_an_old_python_library_sends_is_read() -> None:
    assert [read_recorded(recorded) for recorded in recordings("square")["squareup 35.1.0.20240320 (PyPI)"]] == [
        CODE,
        TokenRequest("refresh_token", APP, refresh_token="EQAA", scope=("PAYMENTS_READ",), short_lived=True),
        AuthorizationRevocationRequest(BY_HEADER, "EAAl"),
        RenewalRequest(BY_HEADER, "EAAl"),
        RenewalRequest(ClientCredentials("sq0%20idp%2FA%26P", "sq0csp-SECRET", "client_secret_basic"), "EAAl"),
        TokenStatusRequest("EAAl"),
    ]


def test_what_the_javascript_library_sends_is_read() -> None:
    assert [read_recorded(recorded) for recorded in recordings("square")["square 46.0.0 (npm)"]] == [
        CODE,
        NARROWED,
        BEARER_TO_REVOKE,
        AuthorizationRevocationRequest(BY_HEADER, account_id="MLQ"),
        TokenStatusRequest("EAAl"),
        AuthorizationRequest("sq0idp-APP", "code", scope=("PAYMENTS_READ", "MERCHANT_PROFILE_READ"), state="s"),
        (CLIENT_SECRET_REQUIRED, "client_secret_missing"),
    ]


def test_the_documentations_own_example_sends_every_field_at_once_and_the_grant_type_says_which_count() -> None:
    everything = {
        "code": "CODE_FROM_AUTHORIZE",
        "redirect_uri": "redirect_uri4",
        "refresh_token": "refresh_token6",
        "migration_token": "migration_token4",
        "scopes": ["scopes6", "scopes7", "scopes8"],
    }
    assert obtain(grant_type="authorization_code", **everything) == TokenRequest(
        "authorization_code", APP, "CODE_FROM_AUTHORIZE", "redirect_uri4"
    )
    assert obtain(grant_type="refresh_token", **everything) == TokenRequest(
        "refresh_token", APP, refresh_token="refresh_token6", scope=("scopes6", "scopes7", "scopes8")
    )
    assert obtain(grant_type="migration_token", **everything) == TokenRequest(
        "migration_token", APP, migration_token="migration_token4"
    )


def test_a_field_that_the_grant_type_does_not_name_may_be_anything() -> None:
    odd = {"refresh_token": 1, "migration_token": {}, "scopes": "x", "new": None}
    assert obtain(grant_type="authorization_code", code="c", **odd).code == "c"
    odd = {"code": [], "redirect_uri": 1, "code_verifier": "v" * 5000, "migration_token": 1}
    assert obtain(grant_type="refresh_token", refresh_token="rr", **odd).refresh_token == "rr"


def test_an_empty_list_of_scopes_asks_for_nothing_in_particular() -> None:
    assert obtain(grant_type="refresh_token", refresh_token="rr", scopes=[]).scope is None
    assert obtain(grant_type="refresh_token", refresh_token="rr", scopes=["B", "A", "B"]).scope == ("B", "A")


def test_an_authorization_header_at_the_token_endpoint_is_not_looked_at() -> None:
    """vendors.md §4, 5: the newest libraries send there whatever token they have."""
    body = {"client_id": "a", "client_secret": "bb", "grant_type": "migration_token", "migration_token": "mm"}
    for header in ("Bearer junk", "Client sq0csp-OTHER", "Basic !!!"):
        read = square.read_token_request(post(body, authorization=header))
        assert read.credentials == ClientCredentials("a", "bb", "client_secret_post")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json", "text/plain"])
def test_whatever_type_an_empty_body_is_said_to_have_the_status_of_a_token_can_be_asked(kind: str) -> None:
    """vendors.md §4, 6: an older JavaScript library sends the type of a form, and nothing in it."""
    headers = ((b"authorization", b"Bearer EAAl"), (b"content-type", kind.encode()), (b"content-length", b"0"))
    assert square.read_token_status_request(HttpRequest("POST", "/", headers=headers)) == TokenStatusRequest("EAAl")


@pytest.mark.parametrize(
    ("said", "prompt"), [("false", ("login",)), ("False", ("login",)), ("true", ()), ("True", ()), ("", ()), ("x", ())]
)
def test_without_a_session_the_customer_signs_in_again(said: str, prompt: tuple[str, ...]) -> None:
    query = f"client_id=a&session={said}&response_type=token&prompt=none&resource=x"
    asked = square.read_authorization_request(HttpRequest("GET", "/", query.encode()))
    assert asked == AuthorizationRequest("a", "code", prompt=prompt)


def test_a_code_challenge_is_one_of_s256_unless_it_says_otherwise() -> None:
    def read(query: bytes) -> tuple[str | None, str | None]:
        asked = square.read_authorization_request(HttpRequest("GET", "/", b"client_id=a&" + query))
        return asked.code_challenge, asked.code_challenge_method

    assert read(b"code_challenge=c") == ("c", "S256")
    assert read(b"code_challenge=c&code_challenge_method=plain") == ("c", "plain")
    assert read(b"code_challenge_method=plain") == (None, None)


@property_of
@given(some.unicode)
@example("")
@example("+%2B% &=#")
@example("🔑" * (MAX_VALUE // 4))
def test_a_state_comes_back_byte_for_byte(state: str) -> None:
    query = square.write_authorization_request(AuthorizationRequest("a", "code", state=state))
    asked = square.read_authorization_request(HttpRequest("GET", "/oauth2/authorize", query.encode()))
    location = square.write_authorization_answer(AuthorizationAnswer("https://a/cb", "c", state=asked.state))
    assert square.read_authorization_answer(location).state == state


# --- what is refused ------------------------------------------------------------------------------------------------

CODE_FLOW = {"client_id": "a", "client_secret": "bb", "grant_type": "authorization_code", "code": "c"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (CODE_FLOW | {"client_id": ""}, "client_id"),
        (CODE_FLOW | {"grant_type": None}, "grant_type"),
        (CODE_FLOW | {"code": None}, "code"),
        ({"client_id": "a", "client_secret": "bb", "grant_type": "refresh_token"}, "refresh_token"),
        ({"client_id": "a", "client_secret": "bb", "grant_type": "migration_token"}, "migration_token"),
        (None, "client_id"),
    ],
)
def test_a_missing_field_is_named(body: Any, field: str) -> None:
    error, reason = refused(square.read_token_request, post(body))
    assert (error.code, error.status, error.description, reason) == (
        "missing_required_parameter", 400, f"missing required parameter '{field}'", f"{field}_missing"
    )  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"client_id": "a", "grant_type": "authorization_code", "code": "c"},
        {"client_id": "a", "grant_type": "authorization_code"},
        {"client_id": "a", "grant_type": "authorization_code", "code": "c", "client_secret": ""},
        {"client_id": "a", "grant_type": "migration_token", "migration_token": "mm"},
        {"client_id": "a", "grant_type": "migration_token", "migration_token": "mm", "code_verifier": "v" * 43},
    ],
)
def test_without_a_verifier_the_secret_is_needed(body: Any) -> None:
    request = post(body, authorization="Client sq0csp-SECRET")
    assert refused(square.read_token_request, request) == (CLIENT_SECRET_REQUIRED, "client_secret_missing")


def test_a_refresh_without_the_secret_is_for_the_grant_to_judge() -> None:
    read = square.read_token_request(post({"client_id": "a", "grant_type": "refresh_token", "refresh_token": "rr"}))
    assert read.credentials == ClientCredentials("a")


LIMITS = {
    "client_id": 191, "client_secret": 1024, "code": 191, "redirect_uri": 2048, "code_verifier": 128,
    "refresh_token": 1024, "migration_token": 1024,
}  # fmt: skip


@pytest.mark.parametrize(("field", "most"), LIMITS.items())
def test_a_field_is_as_long_as_the_vendor_says_and_no_longer(field: str, most: int) -> None:
    grant_type = field if field in {"refresh_token", "migration_token"} else "authorization_code"
    body = CODE_FLOW | {"grant_type": grant_type}
    assert square.read_token_request(post(body | {field: "x" * most}))
    error, reason = refused(square.read_token_request, post(body | {field: "x" * (most + 1)}))
    assert (error.code, error.description, reason) == ("value_too_long", f"'{field}' is too long.", f"{field}_too_long")


@pytest.mark.parametrize(
    ("changed", "kind", "field"),
    [
        ({"code": 1}, "expected_string", "code"),
        ({"code": "é"}, "expected_string", "code"),
        ({"client_id": ["a"]}, "expected_string", "client_id"),
        ({"short_lived": "true"}, "expected_boolean", "short_lived"),
        ({"use_jwt": 1}, "expected_boolean", "use_jwt"),
        ({"grant_type": "refresh_token", "refresh_token": "rr", "scopes": "A B"}, "expected_array", "scopes"),
        ({"grant_type": "refresh_token", "refresh_token": "rr", "scopes": [1]}, "expected_array", "scopes"),
        ({"grant_type": "x" * 21}, "value_too_long", "grant_type"),
    ],
)
def test_what_is_wrong_with_a_field_is_said_in_the_vendors_words(
    changed: dict[str, Any], kind: str, field: str
) -> None:
    error, _ = refused(square.read_token_request, post(CODE_FLOW | changed))
    assert (error.code, error.status) == (kind, 400)
    entry = json.loads(square.write_error_answer(ErrorAnswer(error)).body)["errors"][0]
    assert (entry["category"], entry["code"], entry["field"]) == ("INVALID_REQUEST_ERROR", kind.upper(), field)


@pytest.mark.parametrize(
    ("request_", "error", "why"),
    [
        (HttpRequest("POST", "/", body=b"{}"), UNSUPPORTED_MEDIA_TYPE, "body_not_json"),
        (HttpRequest("POST", "/", headers=((b"content-type", b"application/x-www-form-urlencoded"),), body=b"a=b"),
         UNSUPPORTED_MEDIA_TYPE, "body_not_json"),
        (post(b"[]"), INVALID_REQUEST, "json_not_an_object"),
        (post(b"{"), INVALID_REQUEST, "json_malformed"),
        (post(b'{"code":"a","code":"a"}'), INVALID_REQUEST, "parameter_repeated"),
    ],
)  # fmt: skip
def test_a_body_is_json_or_refused(request_: HttpRequest, error: OAuthError, why: str) -> None:
    assert refused(square.read_token_request, request_) == (error, why)


@pytest.mark.parametrize("header", [None, "Bearer EAAl", "Client", "Client ", "Basic YTpi", f"Client {'x' * 1025}"])
def test_revoke_and_renew_want_the_secret_in_the_header_and_as_client(header: str | None) -> None:
    headers = {} if header is None else {"authorization": header}
    body = {"client_id": "a", "access_token": "EAAl"}
    assert refused(square.read_authorization_revocation_request, post(body, **headers)) == BEARER_TO_REVOKE
    renewal = HttpRequest("POST", "/", headers=post(**headers).headers, path_values={"client_id": "a"})
    assert refused(square.read_renewal_request, renewal) == BEARER_TO_REVOKE


def test_the_scheme_of_that_header_may_be_in_any_case() -> None:
    read = square.read_authorization_revocation_request(
        post({"client_id": "sq0idp-APP", "merchant_id": "M"}, authorization="client sq0csp-SECRET")
    )
    assert read == AuthorizationRevocationRequest(BY_HEADER, account_id="M")


def test_a_revocation_says_whose_and_one_of_a_single_token_says_which() -> None:
    for body in ({}, {"revoke_only_access_token": True, "merchant_id": "M"}):
        error, reason = refused(
            square.read_authorization_revocation_request, post({"client_id": "a", **body}, authorization="Client bb")
        )
        assert (error.description, reason) == ("missing required parameter 'access_token'", "access_token_missing")


def test_the_documentations_own_example_of_revoking_names_token_and_merchant() -> None:
    body = {
        "client_id": "sq0idp-APP", "access_token": "EAAl", "merchant_id": "MLQ", "revoke_only_access_token": False
    }  # fmt: skip
    read = square.read_authorization_revocation_request(post(body, authorization="Client sq0csp-SECRET"))
    assert read == AuthorizationRevocationRequest(BY_HEADER, "EAAl", "MLQ")


def test_an_authorization_request_is_refused_on_a_page() -> None:
    for query, expected in {
        b"scope=A": (INVALID_REQUEST, "client_id_missing"),
        b"client_id=a&client_id=a": (INVALID_REQUEST, "parameter_repeated"),
        b"client_id=a&scope=%22": (INVALID_SCOPE, "scope_malformed"),
    }.items():
        assert refused(square.read_authorization_request, HttpRequest("GET", "/", query)) == expected
