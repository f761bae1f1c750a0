"""The vendor's published JavaScript client (npm, 14.1.0), unmodified, lives a whole connection against us."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.helpers.server import Landing, Platform, fetch
from tests.journeys.node import needs_packages, run_script

pytestmark = needs_packages


@pytest.fixture(scope="module")
def integration(running: Platform, integrator: Landing) -> dict[str, Any]:
    return running.client("Shoplifter JS", "--profile", "sunshine", "--redirect-uri", f"{integrator.origin}/js")


@pytest.mark.parametrize(("base", "by_key"), [("", False), ("/sc", True), ("/sc/", False), ("/", True)])
def test_a_connection_lives_from_authorize_to_its_revocation(
    running: Platform, integrator: Landing, integration: dict[str, Any], base: str, by_key: bool
) -> None:
    query = urlencode({"client_id": integration["client_id"], "response_type": "code"})
    codes = [running.customer.connect(f"/oauth/authorize?{query}")["code"] for _ in range(2)]
    found = run_script(
        "sunshine",
        {
            "base": running.base_url + base,
            "clientId": integration["client_id"],
            "clientSecret": integration["client_secret"],
            "redirectUri": f"{integrator.origin}/js",
            "cookie": running.customer.cookie_header,
            "codes": codes,
            "key": key_of(running, integration) if by_key else None,
        },
    )
    # authorize: the SDK follows every redirect itself and resolves null
    assert (found["withoutSession"]["data"], found["withoutSession"]["status"]) == (None, 200)
    assert 'name="password"' in found["withoutSession"]["page"]
    assert (found["withSession"]["data"], found["withSession"]["status"]) == (None, 200)
    arrived = integrator.wait_for("/js")
    assert arrived.query["state"] == "st ate&1"
    assert dict(parse_qsl(urlsplit(found["withSession"]["ended"]).query)) == arrived.query

    # get token, and what went wrong with it; 14.1.0 has no call for token info
    assert set(found["token"]) == {"access_token", "token_type"}
    assert found["token"]["token_type"] == "Bearer"
    assert found["badCode"]["status"] == 400
    assert found["badSecret"]["status"] == 401
    assert all(found[name]["status"] == 401 for name in ("noToken", "badToken", "badKey"))
    entry = json.loads(found["badToken"]["body"])["errors"] if isinstance(found["badToken"]["body"], str) else None
    assert (entry or found["badToken"]["body"]["errors"])[0]["code"] == "unauthorized"

    # revoke access: this SDK gives the empty object as a string, because its type is unknown to it
    assert found["revoked"] in ({}, "{}")
    assert found["again"]["status"] == 401
    bearer = ("Authorization", f"Bearer {found['token']['access_token']}")
    assert fetch("GET", f"{running.base_url}/v2/tokenInfo", [bearer]).status == 401


def key_of(running: Platform, integration: dict[str, Any]) -> dict[str, Any]:
    listed = running.server.cli("connections", "list")["connections"]
    (connection,) = [one["id"] for one in listed if one["client_id"] == integration["client_id"]]
    return running.server.cli("connections", "create-key", connection)
