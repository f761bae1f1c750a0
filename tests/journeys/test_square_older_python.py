"""Square's Python client of 2024 (PyPI, 35.1.0.20240320), unmodified: the last one that renews an access token."""

from __future__ import annotations

import base64
import hashlib
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.helpers.server import Landing, Platform
from tests.journeys.node import converse

OLDER = Path(sys.executable).parents[1] / "older-clients"
pytestmark = pytest.mark.skipif(
    not OLDER.is_dir(), reason="The older Python clients are not installed: run `make test-setup`."
)

SCOPES = ["MERCHANT_PROFILE_READ", "PAYMENTS_READ", "SETTLEMENTS_READ", "BANK_ACCOUNTS_READ"]
VERIFIER = "correct-horse-battery-staple-correct-horse-battery"
BOTH = {"access_token", "token_type", "expires_at", "merchant_id", "refresh_token", "short_lived"}
UNAUTHORIZED = {
    "category": "AUTHENTICATION_ERROR",
    "code": "UNAUTHORIZED",
    "detail": "This request could not be authorized.",
}


@pytest.fixture(scope="module")
def application(running: Platform, integrator: Landing) -> dict[str, Any]:
    return running.client("Till 2024", "--profile", "square", "--redirect-uri", f"{integrator.origin}/till-2024")


@pytest.fixture(scope="module")
def found(running: Platform, application: dict[str, Any]) -> dict[str, Any]:
    """What one run of the script has found out."""
    given = {
        "base": running.base_url,
        "client_id": application["client_id"],
        "client_secret": application["client_secret"],
        "merchant": running.account["external_ids"]["square"],
        "verifier": VERIFIER,
        "challenge": base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode(),
    }
    return converse(
        [sys.executable, Path(__file__).parent / "older" / "square35.py"],
        given,
        lambda asked: running.customer.connect(f"/oauth2/authorize?{urlencode(asked)}")["code"],
        PYTHONPATH=str(OLDER),
    )


def test_a_code_becomes_tokens_and_its_refresh_token_stays(running: Platform, found: dict[str, Any]) -> None:
    for way in ("first", "refreshed", "narrowed"):
        assert found[way]["success"], found[way]
        assert found[way]["errors"] is None
        assert set(found[way]["body"]) == BOTH
        assert found[way]["body"]["merchant_id"] == running.account["external_ids"]["square"]
        assert found[way]["body"]["refresh_token"] == found["first"]["body"]["refresh_token"]
    assert found["status"]["body"]["scopes"] == SCOPES


def test_an_access_token_is_renewed_with_its_scope_and_kind_and_both_sides_say_that_it_is_deprecated(
    found: dict[str, Any],
) -> None:
    """vendors.md §3.4; §4, 18: the library warns by itself."""
    renewed, again = found["renewed"], found["renewed_again"]
    for one in (renewed, again):
        assert one["success"], one
        assert set(one["body"]) == {"access_token", "token_type", "expires_at", "merchant_id"}
        assert one["deprecation"] == "@1713312000"
        assert one["warned"] == ["DeprecatedWarning"]
    texts = {one["body"]["access_token"] for one in (found["first"], renewed, again)}
    assert len(texts) == 3, "another one each time"
    assert found["status_renewed"]["body"]["scopes"] == SCOPES
    assert found["status_before"]["success"], "the old one works on beside it, for two minutes"
    assert found["status_narrowed_renewed"]["body"]["scopes"] == ["PAYMENTS_READ"]
    assert found["first"]["deprecation"] is None, "obtaining is not"


def test_what_cannot_be_renewed_is_refused(found: dict[str, Any]) -> None:
    for name in ("renew_unknown", "renew_pkce", "renew_revoked"):
        assert found[name]["error"]
        assert (found[name]["status"], found[name]["errors"]) == (401, [UNAUTHORIZED])


def test_who_does_not_show_its_secret_is_refused_in_the_shape_of_which_the_library_has_no_errors(
    found: dict[str, Any],
) -> None:
    for name in (
        "renew_wrong_secret",
        "renew_by_bearer",
        "renew_wrong_application",
        "wrong_secret",
        "revoke_by_bearer",
    ):
        assert found[name]["error"]
        assert (found[name]["status"], found[name]["errors"]) == (401, None)
        assert found[name]["body"] == {"message": "Not Authorized", "type": "service.not_authorized"}


def test_what_obtain_refuses_is_in_the_results_errors(found: dict[str, Any], application: dict[str, Any]) -> None:
    (wrong,), (missing,) = found["wrong_code"]["errors"], found["missing_code"]["errors"]
    assert wrong["detail"] == f"Authorization code not found for app {application['client_id']}"
    assert (found["missing_code"]["status"], missing["code"], missing["field"]) == (
        400,
        "MISSING_REQUIRED_PARAMETER",
        "code",
    )


def test_the_documentations_own_example_revokes_all_of_it(found: dict[str, Any]) -> None:
    assert (found["revoked"]["success"], found["revoked"]["body"]) == (True, {"success": True})
    assert found["status_revoked"]["status"] == 401
