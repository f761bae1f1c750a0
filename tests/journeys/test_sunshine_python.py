"""The vendor's published Python client (PyPI, 17.0.1), unmodified, lives a whole connection against us."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.helpers.server import Landing, Platform

sunshine: Any = importlib.import_module("sunshine_conversations_client")
"""Used as its documentation does. Not by ``import``: it says that it is typed and exports nothing explicitly."""

BASES = ("", "/", "/sc", "/sc/")
"""What stands behind the address in the SDK's host setting (it does not trim a trailing slash)."""


@pytest.fixture(scope="module")
def integration(running: Platform, integrator: Landing) -> dict[str, Any]:
    return running.client(
        "Shoplifter", "--profile", "sunshine", "--redirect-uri", f"{integrator.origin}/cb",
        "--redirect-uri", f"{integrator.origin}/other", "--remove-url", f"{integrator.origin}/removed",
    )  # fmt: skip


@pytest.fixture(params=BASES)
def base(request: pytest.FixtureRequest, running: Platform) -> str:
    return running.base_url + str(request.param)


@pytest.fixture
def api(base: str) -> Iterator[Any]:
    with sunshine.ApiClient(sunshine.Configuration(host=base)) as client:
        yield sunshine.OAuthEndpointsApi(client)


def code_of(running: Platform, integration: dict[str, Any], path: str = "/sc/oauth/authorize") -> str:
    query = urlencode({"client_id": integration["client_id"], "response_type": "code"})
    return running.customer.connect(f"{path}?{query}")["code"]


def exchange(api: Any, integration: dict[str, Any], code: str, **changes: str) -> str:
    fields = {
        "code": code,
        "grant_type": "authorization_code",
        "client_id": integration["client_id"],
        "client_secret": integration["client_secret"],
    }
    answer = api.get_token(sunshine.GetTokenRequest(**(fields | changes)))
    assert answer.token_type == "Bearer"
    token: str = answer.access_token
    return token


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_authorize_without_a_session_ends_at_the_sign_in_page(
    api: Any, integration: dict[str, Any], integrator: Landing
) -> None:
    asked = {"state": "st ate&1", "redirect_uri": f"{integrator.origin}/cb"}
    assert api.authorize(integration["client_id"], "code", **asked) is None
    answer = api.authorize_with_http_info(integration["client_id"], "code", **asked)
    assert answer.status_code == 200
    assert b'name="password"' in answer.raw_data
    assert not [one for one in integrator.arrived if one.path == "/cb"]


def test_authorize_with_a_session_and_an_earlier_consent_reaches_the_integrator(
    running: Platform, base: str, integration: dict[str, Any], integrator: Landing
) -> None:
    code_of(running, integration)
    with sunshine.ApiClient(sunshine.Configuration(host=base)) as client:
        client.set_default_header("Cookie", running.customer.cookie_header)
        api = sunshine.OAuthEndpointsApi(client)
        assert api.authorize(integration["client_id"], "code", state="st ate&1") is None
        first = integrator.wait_for("/cb")
        assert first.query["state"] == "st ate&1"
        assert "cookie" not in first.headers
        assert exchange(api, integration, first.query["code"])
        api.authorize(integration["client_id"], "code", redirect_uri=f"{integrator.origin}/other")
        second = integrator.wait_for("/other")
        assert set(second.query) == {"code"}
        assert exchange(api, integration, second.query["code"])


def test_a_connection_lives_from_the_code_to_its_revocation_by_bearer(
    api: Any, running: Platform, integration: dict[str, Any]
) -> None:
    token = exchange(api, integration, code_of(running, integration))
    app = api.get_token_info(_headers=bearing(token)).app
    assert app.id == running.account["external_ids"]["sunshine"]
    assert app.display_name == "Acme"
    assert app.metadata == {"tier": "gold"}
    assert app.settings.echo_postback is True
    assert app.settings.conversation_retention_seconds == 60
    api.api_client.configuration.access_token = token
    assert api.revoke_access() == {}
    with pytest.raises(sunshine.ApiException) as refused:
        api.get_token_info(_headers=bearing(token))
    assert refused.value.status == 401


def test_the_connection_is_revoked_by_a_key_of_it_as_well(
    api: Any, running: Platform, integration: dict[str, Any]
) -> None:
    token = exchange(api, integration, code_of(running, integration))
    key = key_of(running, integration)
    api.api_client.configuration.username = key["key_id"]
    api.api_client.configuration.password = key["key_secret"]
    assert api.revoke_access() == {}
    with pytest.raises(sunshine.ApiException) as refused:
        api.get_token_info(_headers=bearing(token))
    assert refused.value.status == 401
    with pytest.raises(sunshine.ApiException) as again:
        api.revoke_access()
    assert again.value.status == 401


def test_the_bearer_token_wins_over_a_key_when_both_are_set(
    api: Any, running: Platform, integration: dict[str, Any]
) -> None:
    api.api_client.configuration.access_token = exchange(api, integration, code_of(running, integration))
    api.api_client.configuration.username = "app_nobody"
    api.api_client.configuration.password = "wrong"
    assert api.revoke_access() == {}


def test_failures_are_the_exceptions_that_the_sdk_has_for_them(
    api: Any, running: Platform, integration: dict[str, Any]
) -> None:
    code = code_of(running, integration)
    with pytest.raises(sunshine.exceptions.BadRequestException) as bad_code:
        exchange(api, integration, "658965")
    assert '"errors"' in bad_code.value.body
    with pytest.raises(sunshine.exceptions.UnauthorizedException):
        exchange(api, integration, code, client_secret="5XJ85yjUtRcaQu_pDINblPZb")
    with pytest.raises(sunshine.exceptions.UnauthorizedException):
        api.get_token_info()
    with pytest.raises(sunshine.exceptions.UnauthorizedException):
        api.get_token_info(_headers=bearing("JWT"))
    with pytest.raises(sunshine.exceptions.UnauthorizedException):
        api.revoke_access()
    assert exchange(api, integration, code), "failed attempts by others do not spend the code"
    with pytest.raises(sunshine.exceptions.BadRequestException):
        exchange(api, integration, code)


def key_of(running: Platform, integration: dict[str, Any]) -> dict[str, Any]:
    """A Basic key of the integration's one live connection, as an operator makes it."""
    listed = running.server.cli("connections", "list")["connections"]
    (connection,) = [one["id"] for one in listed if one["client_id"] == integration["client_id"]]
    return running.server.cli("connections", "create-key", connection)
