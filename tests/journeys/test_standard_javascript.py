"""oauth4webapi and openid-client, unmodified: discovery, code and PKCE, refresh, client credentials, introspect, revoke."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.server import Landing, Platform
from tests.journeys.node import needs_packages, run_script

pytestmark = needs_packages


def register(running: Platform, integrator: Landing, form: str, *more: str) -> dict[str, Any]:
    made = running.client(
        f"JavaScript {form}", "--redirect-uri", f"{integrator.origin}/cb", "--scope", "read write",
        "--set", f"access_token_format={form}", "--resource", running.base_url, *more,
    )  # fmt: skip
    return {
        "issuer": running.base_url,
        "clientId": made["client_id"],
        "clientSecret": made["client_secret"],
        "redirectUri": f"{integrator.origin}/cb",
        "format": form,
    }


@pytest.mark.parametrize(("form", "method", "discovery"), [("opaque", "basic", "oauth2"), ("jwt", "post", "oauth2")])
def test_oauth4webapi_lives_a_whole_connection(
    running: Platform, integrator: Landing, form: str, method: str, discovery: str
) -> None:
    given = register(running, integrator, form)

    def visit(url: str) -> str:
        if url.endswith("&deny"):
            return running.customer.decide(url.removesuffix("&deny") + "&prompt=consent", "deny")
        return running.customer.decide(url)

    found = run_script("oauth4webapi", given | {"method": method, "discovery": discovery}, visit)
    assert found["token"]["scope"] == "read"
    assert found["refreshed"]["refresh_token"] != found["token"]["refresh_token"]
    assert found["before"]["active"] is True
    assert found["before"]["account"]["name"] == "Acme"
    assert found["after"] == {"active": False}
    assert found["refusal"] == {"error": "invalid_grant", "status": 400}
    assert found["own"]["scope"] == "write"
    assert found["denied"] == "access_denied"
    if form == "jwt":
        assert found["claims"]["client_id"] == given["clientId"]
        assert found["claims"]["scope"] == "read"


@pytest.mark.parametrize(
    ("form", "method", "discovery"),
    [("jwt", "basic", "oidc"), ("opaque", "post", "oauth2"), ("opaque", "none", "oauth2")],
)
def test_openid_client_lives_a_whole_connection(
    running: Platform, integrator: Landing, form: str, method: str, discovery: str
) -> None:
    given = register(running, integrator, form, *(["--public"] if method == "none" else []))
    found = run_script("openid-client", given | {"method": method, "discovery": discovery}, running.customer.decide)
    assert found["token"]["scope"] == "read write"
    assert found["refreshed"]["scope"] == "read"
    assert found["refreshed"]["refresh_token"] != found["token"]["refresh_token"]
    assert found["refusal"] == {"error": "invalid_grant", "status": 400}
    if method != "none":
        assert found["before"]["active"] is True
        assert found["after"] == {"active": False}
        assert found["own"]["scope"] == "write"
