"""Square's published Python client (PyPI, 46.0.0.20260916), unmodified, blocking and awaiting, lives against us."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.helpers.server import Landing, Platform
from tests.helpers.square_sdk import ApiError, Losing, Sdk, by_secret

ALL_OF_FOUR = ["MERCHANT_PROFILE_READ", "PAYMENTS_READ", "SETTLEMENTS_READ", "BANK_ACCOUNTS_READ"]
VERIFIER = "correct-horse-battery-staple-correct-horse-battery"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def application(running: Platform, integrator: Landing) -> dict[str, Any]:
    return running.client(
        "Till", "--profile", "square", "--redirect-uri", f"{integrator.origin}/till", "--redirect-uri",
        f"{integrator.origin}/other",
    )  # fmt: skip


@pytest.fixture(params=[False, True], ids=["blocking", "awaiting"])
def sdk(request: pytest.FixtureRequest, running: Platform) -> Sdk:
    return Sdk(running.base_url + "/" * bool(request.param), awaiting=request.param)


@pytest.fixture
def merchant(running: Platform) -> str:
    return str(running.account["external_ids"]["square"])


def code_of(running: Platform, application: dict[str, Any], **asked: str) -> str:
    answered = running.customer.connect(
        f"/oauth2/authorize?{urlencode({'client_id': application['client_id']} | asked)}"
    )
    return answered["code"]


def obtain(sdk: Sdk, application: dict[str, Any], grant_type: str, **given: Any) -> Any:
    """With the secret, unless ``client_secret`` is given otherwise; ``None`` leaves it away."""
    credentials = {name: application[name] for name in ("client_id", "client_secret")}
    members = {name: value for name, value in (credentials | given).items() if value is not None}
    return sdk.call("obtain_token", "junk", grant_type=grant_type, **members)


def obtained(sdk: Sdk, running: Platform, application: dict[str, Any]) -> Any:
    return obtain(sdk, application, "authorization_code", code=code_of(running, application))


def status(sdk: Sdk, access_token: str) -> Any:
    return sdk.call("retrieve_token_status", access_token)


def refused(call: Any, *arguments: Any, **named: Any) -> tuple[int, list[tuple[str, str, str | None, str | None]]]:
    """The status and the entries of the SDK's exception."""
    with pytest.raises(ApiError) as caught:
        call(*arguments, **named)
    error: Any = caught.value
    return error.status_code, [(one.category, one.code, one.detail, one.field) for one in error.errors]


def is_in(at: str, days: float) -> bool:
    """Whether this time, written as the vendor writes it, is in so many days."""
    parsed = datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return abs(parsed - datetime.now(UTC) - timedelta(days=days)) < timedelta(minutes=2)


UNAUTHORIZED = (
    401,
    [
        (
            "AUTHENTICATION_ERROR",
            "UNAUTHORIZED",
            "The `Authorization` http header of your request was malformed, incorrect or expired.",
            None,
        )
    ],
)
NOT_AUTHORIZED = (401, [("API_ERROR", "service.not_authorized", "Not Authorized", None)])


def not_found(what: str, application: dict[str, Any]) -> tuple[int, list[tuple[str, str, str, None]]]:
    detail = f"{what} not found for app {application['client_id']}"
    return 401, [("AUTHENTICATION_ERROR", "UNAUTHORIZED", detail, None)]


# --- obtain ---------------------------------------------------------------------------------------------------------


def test_a_code_becomes_both_tokens_and_the_refresh_token_stays_the_same_for_ever(
    sdk: Sdk, running: Platform, application: dict[str, Any], merchant: str
) -> None:
    tokens = obtained(sdk, running, application)
    assert (tokens.token_type, tokens.merchant_id, tokens.short_lived) == ("bearer", merchant, False)
    assert is_in(tokens.expires_at, 30)
    assert tokens.refresh_token_expires_at is None
    assert tokens.errors is None
    told = status(sdk, tokens.access_token)
    assert (told.scopes, told.client_id, told.merchant_id) == (ALL_OF_FOUR, application["client_id"], merchant)
    assert told.expires_at == tokens.expires_at
    for _ in range(2):
        again = obtain(sdk, application, "refresh_token", refresh_token=tokens.refresh_token)
        assert again.refresh_token == tokens.refresh_token
        assert again.access_token != tokens.access_token


def test_a_refresh_may_ask_for_less_for_a_day_and_as_a_jwt_and_still_carries_both_tokens(
    sdk: Sdk, running: Platform, application: dict[str, Any], merchant: str
) -> None:
    tokens = obtained(sdk, running, application)
    narrow = obtain(
        sdk, application, "refresh_token", refresh_token=tokens.refresh_token,
        scopes=["PAYMENTS_READ", "ORDERS_READ"], short_lived=True, use_jwt=True,
    )  # fmt: skip
    assert narrow.short_lived is True
    assert is_in(narrow.expires_at, 1)
    assert narrow.refresh_token == tokens.refresh_token
    assert narrow.access_token.count(".") == 2
    told = status(sdk, narrow.access_token)
    assert (told.scopes, told.merchant_id) == (["PAYMENTS_READ"], merchant), "what both have in common"
    assert status(sdk, tokens.access_token).scopes == ALL_OF_FOUR, "the one before is as it was"


def test_with_pkce_no_secret_is_needed_and_each_refresh_token_is_used_once(
    sdk: Sdk, running: Platform, application: dict[str, Any]
) -> None:
    code = code_of(running, application, code_challenge=CHALLENGE)
    tokens = obtain(sdk, application, "authorization_code", code=code, code_verifier=VERIFIER, client_secret=None)
    assert is_in(tokens.refresh_token_expires_at, 90)
    assert is_in(tokens.expires_at, 30)
    again = obtain(sdk, application, "refresh_token", refresh_token=tokens.refresh_token, client_secret=None)
    assert again.refresh_token != tokens.refresh_token
    assert is_in(again.refresh_token_expires_at, 90)
    assert status(sdk, again.access_token).client_id == application["client_id"]


def test_a_token_of_an_older_system_is_exchanged_once(
    sdk: Sdk, running: Platform, application: dict[str, Any], merchant: str
) -> None:
    older = f"sq0atp-{secrets.token_urlsafe(16)}"
    tokens = [{"kind": "migration", "token": older}]
    line = {"client_id": application["client_id"], "account": running.account["id"], "tokens": tokens}
    running.server.cli("tokens", "import", "-", stdin=json.dumps(line) + "\n")
    migrated = obtain(sdk, application, "migration_token", migration_token=older)
    assert (migrated.merchant_id, migrated.token_type) == (merchant, "bearer")
    assert is_in(migrated.expires_at, 30)
    assert obtain(sdk, application, "refresh_token", refresh_token=migrated.refresh_token).access_token
    assert refused(obtain, sdk, application, "migration_token", migration_token=older) == not_found(
        "Migration token", application
    )


def test_the_documentations_example_sends_all_fields_and_passes(
    sdk: Sdk, running: Platform, application: dict[str, Any], integrator: Landing
) -> None:
    tokens = obtain(
        sdk,
        application,
        "authorization_code",
        code=code_of(running, application, redirect_uri=f"{integrator.origin}/other"),
        redirect_uri=f"{integrator.origin}/other",
        refresh_token="refresh_token6",
        migration_token="migration_token4",
        scopes=["scopes6", "scopes7", "scopes8"],
    )
    assert status(sdk, tokens.access_token).scopes == ALL_OF_FOUR


def test_what_obtain_refuses_has_the_vendors_words(
    sdk: Sdk, running: Platform, application: dict[str, Any], integrator: Landing
) -> None:
    def missing(field: str) -> tuple[int, list[tuple[str, str, str, str]]]:
        detail = f"missing required parameter '{field}'"
        return 400, [("INVALID_REQUEST_ERROR", "MISSING_REQUIRED_PARAMETER", detail, field)]

    code = code_of(running, application, redirect_uri=f"{integrator.origin}/till")
    wrong_code, wrong_refresh = not_found("Authorization code", application), not_found("Refresh token", application)
    attempts: list[tuple[dict[str, Any], Any]] = [
        ({"code": code, "client_id": "sq0idp-APP"}, NOT_AUTHORIZED),
        ({"code": code, "client_secret": "sq0csp-SECRET"}, NOT_AUTHORIZED),
        ({"code": code, "client_secret": None}, missing("client_secret")),
        ({}, missing("code")),
        ({"code": "sq0cgb-CODE"}, wrong_code),
        ({"code": code}, wrong_code),
        ({"code": code, "redirect_uri": f"{integrator.origin}/other"}, wrong_code),
        ({"code": code, "redirect_uri": f"{integrator.origin}/till", "code_verifier": VERIFIER}, wrong_code),
        ({"code": code, "code_verifier": VERIFIER, "client_secret": None}, missing("client_secret")),
    ]
    for given, expected in attempts:
        sdk.sent.clear()
        assert refused(obtain, sdk, application, "authorization_code", **given) == expected, given
        assert len(sdk.sent) == 1, "nothing that is refused is sent again (vendors.md §4, 8)"
    tokens = obtain(sdk, application, "authorization_code", code=code, redirect_uri=f"{integrator.origin}/till")
    assert tokens.access_token, "failed attempts do not spend the code"
    sdk.sent.clear()
    assert refused(
        obtain, sdk, application, "authorization_code", code=code, redirect_uri=f"{integrator.origin}/till"
    ) == wrong_code  # fmt: skip
    assert len(sdk.sent) == 1
    assert status(sdk, tokens.access_token), "and the one who repeats at once loses nothing"
    assert refused(obtain, sdk, application, "refresh_token", refresh_token="EQAA") == wrong_refresh
    without = refused(obtain, sdk, application, "refresh_token", refresh_token=tokens.refresh_token, client_secret=None)
    assert without == missing("client_secret")
    assert refused(obtain, sdk, application, "client_credentials")[1][0][1] == "INVALID_VALUE"
    assert refused(obtain, sdk, application, "migration_token", migration_token="sq0atp-old") == not_found(
        "Migration token", application
    )


# --- status ---------------------------------------------------------------------------------------------------------


def test_a_personal_access_token_never_expires_and_is_neither_revoked_nor_renewed_by_the_application(
    sdk: Sdk, running: Platform, application: dict[str, Any], merchant: str
) -> None:
    made = running.server.cli(
        "tokens", "create", "--client", application["client_id"], "--account", running.account["id"]
    )
    told = status(sdk, made["access_token"])
    assert (told.expires_at, told.merchant_id) == ("", merchant)
    asked = {"client_id": application["client_id"], "access_token": made["access_token"]}
    options = by_secret(application["client_secret"])
    assert refused(sdk.call, "revoke_token", request_options=options, **asked)[0] == 400
    assert status(sdk, made["access_token"]).expires_at == ""
    running.server.cli("tokens", "end", made["id"])
    assert refused(status, sdk, made["access_token"]) == UNAUTHORIZED


def test_a_token_that_is_not_good_has_no_status(sdk: Sdk, running: Platform, application: dict[str, Any]) -> None:
    tokens = obtained(sdk, running, application)
    text = tokens.access_token
    changed = text[:-1] + ("y" if text.endswith("x") else "x")
    for token in ("EAAl", tokens.refresh_token, changed, text + "x"):
        assert refused(status, sdk, token) == UNAUTHORIZED
    assert refused(sdk.call, "retrieve_token_status") == UNAUTHORIZED


# --- revoke ---------------------------------------------------------------------------------------------------------


def test_revoking_ends_every_token_that_the_merchant_gave_the_application(
    sdk: Sdk, running: Platform, application: dict[str, Any]
) -> None:
    first, second = obtained(sdk, running, application), obtained(sdk, running, application)
    answer = revoke(sdk, application, access_token=first.access_token)
    assert answer.success is True
    for tokens in (first, second):
        assert refused(status, sdk, tokens.access_token) == UNAUTHORIZED
        assert refused(
            obtain, sdk, application, "refresh_token", refresh_token=tokens.refresh_token
        ) == not_found("Refresh token", application)  # fmt: skip
    assert revoke(sdk, application, access_token=second.access_token).success is True, "repeating is safe"


def test_one_access_token_can_be_revoked_alone(sdk: Sdk, running: Platform, application: dict[str, Any]) -> None:
    tokens = obtained(sdk, running, application)
    other = obtain(sdk, application, "refresh_token", refresh_token=tokens.refresh_token)
    assert revoke(sdk, application, access_token=tokens.access_token, revoke_only_access_token=True).success is True
    assert refused(status, sdk, tokens.access_token) == UNAUTHORIZED
    assert status(sdk, other.access_token)
    assert obtain(sdk, application, "refresh_token", refresh_token=tokens.refresh_token).access_token


def test_a_merchant_can_be_named_alone_or_beside_its_token_and_not_beside_anothers(
    sdk: Sdk, running: Platform, application: dict[str, Any], merchant: str
) -> None:
    tokens = obtained(sdk, running, application)
    status_code, entries = refused(
        revoke, sdk, application, access_token=tokens.access_token, merchant_id="MLQ1234567890"
    )
    assert (status_code, entries[0][0]) == (400, "INVALID_REQUEST_ERROR")
    assert status(sdk, tokens.access_token)
    assert revoke(sdk, application, access_token=tokens.access_token, merchant_id=merchant).success is True
    again = obtained(sdk, running, application)
    assert revoke(sdk, application, merchant_id=merchant).success is True
    assert refused(status, sdk, again.access_token) == UNAUTHORIZED


def test_revoking_as_the_sdk_does_by_default_fails_as_it_does_at_the_vendor(
    sdk: Sdk, running: Platform, application: dict[str, Any]
) -> None:
    """vendors.md §4, 5: it sends the bearer that it has, and the documentation wants the secret."""
    tokens = obtained(sdk, running, application)
    asked = {"client_id": application["client_id"], "access_token": tokens.access_token}
    assert refused(sdk.call, "revoke_token", tokens.access_token, **asked) == NOT_AUTHORIZED
    assert refused(sdk.call, "revoke_token", None, **asked) == NOT_AUTHORIZED
    assert (
        refused(sdk.call, "revoke_token", None, request_options=by_secret("sq0csp-SECRET"), **asked) == NOT_AUTHORIZED
    )
    assert status(sdk, tokens.access_token)


def revoke(sdk: Sdk, application: dict[str, Any], **given: Any) -> Any:
    options = by_secret(application["client_secret"])
    return sdk.call("revoke_token", "junk", client_id=application["client_id"], request_options=options, **given)


# --- authorize ------------------------------------------------------------------------------------------------------


def test_authorize_through_the_sdk_follows_every_redirect_and_returns_nothing(
    sdk: Sdk, running: Platform, application: dict[str, Any], integrator: Landing
) -> None:
    """vendors.md §4, 1 and 2: the code reaches the integrator, and the bearer does not."""
    code_of(running, application)
    asked = {"client_id": application["client_id"], "scope": " ".join(ALL_OF_FOUR), "state": "st ate&1"}
    options: dict[str, Any] = {"additional_query_parameters": asked}
    assert sdk.call("authorize", "junk", request_options=options) is None
    assert not [one for one in integrator.arrived if one.path == "/till"], (
        "without a session it ends at the sign-in page"
    )
    sdk.cookies = running.customer.cookies
    assert sdk.call("authorize", "junk", request_options=options) is None
    arrived = integrator.wait_for("/till")
    assert arrived.query == {"code": arrived.query["code"], "response_type": "code", "state": "st ate&1"}
    assert "authorization" not in arrived.headers
    assert obtain(sdk, application, "authorization_code", code=arrived.query["code"]).access_token


def test_authorize_without_any_parameter_is_a_page_that_says_what_is_wrong(sdk: Sdk) -> None:
    status_code, _ = refused(sdk.call, "authorize", "junk")
    assert status_code == 400
    assert len(sdk.sent) == 1


def test_deny_says_so_in_the_vendors_words(running: Platform, application: dict[str, Any]) -> None:
    asked = {"client_id": application["client_id"], "state": "s", "scope": "ORDERS_READ"}
    denied = running.customer.connect(f"/oauth2/authorize?{urlencode(asked)}", "deny")
    assert denied == {"error": "access_denied", "error_description": "user_denied", "state": "s"}


# --- what does not go well ------------------------------------------------------------------------------------------


def test_a_suspended_connection_is_forbidden_for_now_and_everything_is_as_it_was_after_it(
    sdk: Sdk, running: Platform, application: dict[str, Any]
) -> None:
    tokens = obtained(sdk, running, application)
    listed = running.server.cli("connections", "list")["connections"]
    (connection,) = [one["id"] for one in listed if one["client_id"] == application["client_id"]]
    running.server.cli("connections", "suspend", connection)
    sdk.sent.clear()
    with pytest.raises(ApiError) as caught:
        obtain(sdk, application, "refresh_token", refresh_token=tokens.refresh_token)
    error: Any = caught.value
    assert (error.status_code, error.errors[0].code, error.errors[0].category) == (
        403,
        "FORBIDDEN",
        "AUTHENTICATION_ERROR",
    )
    assert int(error.headers["retry-after"]) > 0
    assert len(sdk.sent) == 1
    running.server.cli("connections", "resume", connection)
    assert obtain(sdk, application, "refresh_token", refresh_token=tokens.refresh_token).access_token
    assert status(sdk, tokens.access_token)


@pytest.mark.parametrize("pkce", [False, True])
def test_a_refresh_whose_answer_gets_lost_is_repeated_by_the_sdk_and_loses_nothing(
    running: Platform, application: dict[str, Any], pkce: bool
) -> None:
    """vendors.md §4, 8: it sends a request again after 503."""
    sure, unsure = Sdk(running.base_url), Sdk(running.base_url, transport=Losing)
    asked = {"code_challenge": CHALLENGE} if pkce else {}
    given: dict[str, Any] = {"client_secret": None} if pkce else {}
    code = code_of(running, application, **asked)
    verifier = {"code_verifier": VERIFIER} if pkce else {}
    tokens = obtain(sure, application, "authorization_code", code=code, **verifier, **given)
    again = obtain(unsure, application, "refresh_token", refresh_token=tokens.refresh_token, **given)
    assert len(unsure.sent) == 2
    assert (again.refresh_token == tokens.refresh_token) is not pkce
    assert obtain(sure, application, "refresh_token", refresh_token=again.refresh_token, **given).access_token


def test_a_code_whose_answer_gets_lost_is_spent_and_repeating_it_ends_nothing(
    running: Platform, application: dict[str, Any]
) -> None:
    sure = Sdk(running.base_url)
    line = Losing()
    unsure = Sdk(running.base_url, transport=lambda: line)
    code = code_of(running, application)
    wrong = not_found("Authorization code", application)
    assert refused(obtain, unsure, application, "authorization_code", code=code) == wrong
    assert len(unsure.sent) == 2
    assert line.lost is not None
    assert status(sure, line.lost.json()["access_token"]), "what was lost on the way is as good as before"
