"""Square's published JavaScript client (npm, 46.0.0), unmodified, lives a whole connection against us."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.helpers.server import Landing, Platform
from tests.journeys.node import needs_packages, run_script

pytestmark = needs_packages

SCOPES = ["MERCHANT_PROFILE_READ", "PAYMENTS_READ", "SETTLEMENTS_READ", "BANK_ACCOUNTS_READ"]
VERIFIER = "correct-horse-battery-staple-correct-horse-battery"


@pytest.fixture(scope="module")
def application(running: Platform, integrator: Landing) -> dict[str, Any]:
    return running.client("Till JS", "--profile", "square", "--redirect-uri", f"{integrator.origin}/till-js")


@pytest.fixture(scope="module")
def found(running: Platform, integrator: Landing, application: dict[str, Any]) -> dict[str, Any]:
    """What one run of the script has found out."""
    older = f"sq0atp-{secrets.token_urlsafe(16)}"
    tokens = [{"kind": "migration", "token": older}]
    line = {"client_id": application["client_id"], "account": running.account["id"], "tokens": tokens}
    running.server.cli("tokens", "import", "-", stdin=json.dumps(line) + "\n")
    running.customer.sign_in()
    return run_script(
        "square",
        {
            "base": running.base_url,
            "clientId": application["client_id"],
            "clientSecret": application["client_secret"],
            "merchant": running.account["external_ids"]["square"],
            "older": older,
            "verifier": VERIFIER,
            "challenge": base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode(),
            "scope": " ".join(SCOPES),
            "cookie": running.customer.cookie_header,
        },
        running.customer.decide,
    )


def entries(failure: dict[str, Any]) -> list[tuple[Any, ...]]:
    assert failure["sent"] == 1, "nothing that is refused is sent again (vendors.md §4, 8)"
    named = ("category", "code", "detail", "field")
    return [(failure["status"], *(entry.get(name) for name in named)) for entry in failure["errors"]]


def test_every_way_of_obtaining_gives_both_tokens(running: Platform, found: dict[str, Any]) -> None:
    for way in ("first", "refreshed", "narrowed", "pkce", "pkceRefreshed", "migrated"):
        tokens = found[way]
        assert (tokens["tokenType"], tokens["merchantId"]) == ("bearer", running.account["external_ids"]["square"])
        assert tokens["accessToken"]
        assert tokens["refreshToken"]
        assert tokens["expiresAt"].endswith("Z")
        assert ("refreshTokenExpiresAt" in tokens) is way.startswith("pkce")
    assert found["refreshed"]["refreshToken"] == found["narrowed"]["refreshToken"] == found["first"]["refreshToken"]
    assert found["pkceRefreshed"]["refreshToken"] != found["pkce"]["refreshToken"]
    assert [found[way]["shortLived"] for way in ("first", "narrowed")] == [False, True]


def test_a_refresh_whose_answer_gets_lost_is_repeated_by_the_sdk_and_loses_nothing(found: dict[str, Any]) -> None:
    """vendors.md §4, 8: it sends a request again after 503."""
    assert found["repeated"]["sent"] == found["pkceRepeated"]["sent"] == 2
    assert found["repeated"]["tokens"]["refreshToken"] == found["first"]["refreshToken"]
    assert found["pkceRepeated"]["tokens"]["refreshToken"] != found["pkceRefreshed"]["refreshToken"]
    assert found["pkceAfterRepeated"]["accessToken"]


def test_a_token_says_what_it_is_good_for(found: dict[str, Any], application: dict[str, Any]) -> None:
    assert found["status"]["scopes"] == SCOPES
    assert found["status"]["clientId"] == application["client_id"]
    assert found["status"]["expiresAt"] == found["first"]["expiresAt"]
    assert found["statusNarrowed"]["scopes"] == ["PAYMENTS_READ"]


def test_both_error_shapes_are_understood(found: dict[str, Any], application: dict[str, Any]) -> None:
    not_authorized = [(401, "V1_ERROR", "service.not_authorized", "Not Authorized", None)]
    for name in ("wrongApplication", "wrongSecret", "revokedByBearer"):
        assert entries(found[name]) == not_authorized
    code = f"Authorization code not found for app {application['client_id']}"
    assert entries(found["wrongCode"]) == [(401, "AUTHENTICATION_ERROR", "UNAUTHORIZED", code, None)]
    missing = "missing required parameter 'client_secret'"
    assert entries(found["withoutSecret"]) == [
        (400, "INVALID_REQUEST_ERROR", "MISSING_REQUIRED_PARAMETER", missing, "client_secret")
    ]
    for name in ("wrongToken", "afterRevokedAlone", "afterRevoked"):
        assert [entry[:3] for entry in entries(found[name])] == [(401, "AUTHENTICATION_ERROR", "UNAUTHORIZED")]


def test_authorize_follows_every_redirect_and_resolves_with_nothing(
    running: Platform, integrator: Landing, found: dict[str, Any]
) -> None:
    """vendors.md §4, 1 and 2: the code reaches the integrator, and the bearer does not."""
    without, with_session = found["withoutSession"], found["withSession"]
    assert (without["data"], without["status"]) == (None, 200)
    assert without["ended"].startswith(f"{running.base_url}/sign-in")
    assert (with_session["data"], with_session["status"]) == (None, 200)
    arrived = integrator.wait_for("/till-js")
    assert dict(parse_qsl(urlsplit(with_session["ended"]).query)) == arrived.query
    assert arrived.query == {"code": arrived.query["code"], "response_type": "code", "state": "st ate&1"}
    assert "authorization" not in arrived.headers
    assert found["authorizedWithNothing"]["status"] == 400


def test_revoking_one_leaves_the_others_and_revoking_all_leaves_none(
    found: dict[str, Any], application: dict[str, Any]
) -> None:
    assert found["revokedAlone"] == found["revoked"] == {"success": True}
    assert found["othersAfterRevokedAlone"]["scopes"] == SCOPES
    refresh = f"Refresh token not found for app {application['client_id']}"
    assert entries(found["refreshAfterRevoked"]) == [(401, "AUTHENTICATION_ERROR", "UNAUTHORIZED", refresh, None)]
