"""A script on an integration's page, as the vendor's own for browsers works (vendors.md §2.2 to §2.4, §4 traps 12, 13, 16)."""

from __future__ import annotations

import pytest

from tests.helpers.server import Landing, Platform
from tests.helpers.world import CHALLENGE, VERIFIER
from tests.journeys.node import NODE, run_script

pytestmark = pytest.mark.skipif(not NODE.exists(), reason="Node is not installed: run `make test-setup`.")


def test_a_script_reads_the_fragment_asks_who_it_is_signs_out_and_exchanges_a_code(
    running: Platform, integrator: Landing
) -> None:
    common = ["--profile", "phonecom", "--public", "--redirect-uri", integrator.origin,
              "--scope", "account-owner extension-user methods:ALL", "--create-scopes"]  # fmt: skip
    implicit = running.client("Script", *common, "--set", "grant_types=authorization_code refresh_token implicit")
    public = running.client("Script with a code", *common)
    given = {
        "base": running.base_url,
        "page": integrator.origin,
        "implicit": implicit["client_id"],
        "public": public["client_id"],
        "state": "4711 a=b+c&d",
        "verifier": VERIFIER,
        "challenge": CHALLENGE,
    }
    found = run_script("phonecom", given, running.customer.decide)

    token = found["implicit"]
    assert token["names"] == ["access_token", "token_type", "expires_in", "scope", "state"]
    assert (token["query"], token["state"]) == ("", given["state"])
    assert token["user"]["id"] == int(running.account["external_ids"]["phonecom"])
    assert 3500 < (token["user"]["expiration"] - token["now"]) / 1000 <= 3600
    assert token["stranger"] == {"readable": False, "status": None}
    assert (token["left"]["status"], token["left"]["body"]) == (200, {"success": True})
    assert token["again"]["status"] == 401, "which the script takes for signed out"

    code = found["code"]
    assert (code["state"], code["tokens"], code["refreshed"], code["left"]["status"]) == ("", 201, 201, 200)
    assert (code["refused"]["readable"], code["refused"]["status"]) == (True, 401)
    assert code["refused"]["body"]["@error"]["@code"] == "invalid_grant"
