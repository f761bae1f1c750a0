"""Authlib and requests-oauthlib, unmodified: discovery, code and PKCE, refresh, client credentials, introspect, revoke."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
from joserfc import jwt
from joserfc.jwk import KeySet
from oauthlib.oauth2 import BackendApplicationClient
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError
from requests_oauthlib import OAuth2Session

from tests.helpers.server import Landing, Platform


@pytest.fixture(autouse=True, scope="module")
def on_loopback() -> Iterator[None]:
    """oauthlib's and Authlib's own switches for http, which both refuse otherwise."""
    names = ("OAUTHLIB_INSECURE_TRANSPORT", "AUTHLIB_INSECURE_TRANSPORT")
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setenv(name, "1")
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield
    assert not any(name in os.environ for name in names)


@pytest.fixture(scope="module")
def metadata(running: Platform) -> dict[str, Any]:
    """By Authlib's idea of where it is and what has to be in it (RFC 8414)."""
    url = get_well_known_url(running.base_url, external=True, suffix="oauth-authorization-server")
    found: dict[str, Any] = requests.get(url, timeout=30).json()
    # Its rules want https; everything else is looked at as it stands.
    secure = {
        name: value.replace("http://", "https://", 1) if isinstance(value, str) else value
        for name, value in found.items()
    }
    AuthorizationServerMetadata(secure).validate()
    assert found["issuer"] == running.base_url
    return found


@pytest.fixture(scope="module", params=["opaque", "jwt"])
def client(request: pytest.FixtureRequest, running: Platform, integrator: Landing) -> dict[str, Any]:
    made = running.client(
        f"Helpdesk {request.param}", "--redirect-uri", f"{integrator.origin}/cb", "--scope", "read write",
        "--set", f"access_token_format={request.param}",
    )  # fmt: skip
    return made | {"format": request.param, "redirect_uri": f"{integrator.origin}/cb"}


def looked_at(token: str, client: dict[str, Any], metadata: dict[str, Any]) -> None:
    """A JWT is verified by an outside library with the published keys; an opaque token looks like none."""
    if client["format"] == "opaque":
        assert token.startswith("gwa_")
        return
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=30).json())
    decoded = jwt.decode(token, keys, algorithms=["ES256"])
    assert decoded.header["typ"] == "at+jwt"
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": metadata["issuer"]},
        client_id={"essential": True, "value": client["client_id"]},
        exp={"essential": True},
        iat={"essential": True},
        aud={"essential": True},
        sub={"essential": True},
        jti={"essential": True},
    )
    registry.validate(decoded.claims)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_authlib_lives_a_whole_connection(
    running: Platform, metadata: dict[str, Any], client: dict[str, Any], method: str
) -> None:
    session = AuthlibSession(
        client["client_id"], client["client_secret"], token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method, redirect_uri=client["redirect_uri"], scope="read",
        code_challenge_method="S256", token_endpoint=metadata["token_endpoint"],
    )  # fmt: skip
    verifier = "a" * 60
    url, state = session.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    back = running.customer.decide(url)
    token = session.fetch_token(authorization_response=back, state=state, code_verifier=verifier)
    assert token["scope"] == "read"
    assert token["account"]["name"] == "Acme"
    looked_at(token["access_token"], client, metadata)

    refreshed = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
    assert refreshed["refresh_token"] != token["refresh_token"]
    looked_at(refreshed["access_token"], client, metadata)

    told = session.introspect_token(metadata["introspection_endpoint"], token=refreshed["access_token"]).json()
    assert told["active"] is True
    assert told["scope"] == "read"
    assert told["connection_id"] == token["connection_id"]

    assert session.revoke_token(metadata["revocation_endpoint"], token=refreshed["refresh_token"]).status_code == 200
    told = session.introspect_token(metadata["introspection_endpoint"], token=refreshed["access_token"]).json()
    assert told == {"active": False}


def test_authlib_acts_for_itself(metadata: dict[str, Any], client: dict[str, Any]) -> None:
    session = AuthlibSession(client["client_id"], client["client_secret"], scope="write")
    token = session.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
    assert token["scope"] == "write"
    assert "refresh_token" not in token
    looked_at(token["access_token"], client, metadata)
    session.revoke_token(metadata["revocation_endpoint"], token=token["access_token"])
    told = session.introspect_token(metadata["introspection_endpoint"], token=token["access_token"]).json()
    assert told == {"active": False}


def test_requests_oauthlib_lives_a_whole_connection(
    running: Platform, metadata: dict[str, Any], client: dict[str, Any]
) -> None:
    with OAuth2Session(
        client["client_id"], redirect_uri=client["redirect_uri"], scope=["read", "write"], pkce="S256"
    ) as session:
        url, state = session.authorization_url(metadata["authorization_endpoint"], prompt="consent")
        back = running.customer.decide(url)
        assert state in back
        token = session.fetch_token(
            metadata["token_endpoint"], authorization_response=back, client_secret=client["client_secret"]
        )
        looked_at(token["access_token"], client, metadata)
        proof = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
        refreshed = session.refresh_token(metadata["token_endpoint"], **proof)
        assert refreshed["refresh_token"] != token["refresh_token"]
        plain: Any = session.post  # its types do not know its own withhold_token
        told = plain(
            metadata["introspection_endpoint"], data={"token": refreshed["access_token"]}, withhold_token=True,
            auth=(client["client_id"], client["client_secret"]),
        ).json()  # fmt: skip
        assert told["active"] is True
        revoked = plain(
            metadata["revocation_endpoint"], data={"token": refreshed["refresh_token"], **proof}, withhold_token=True
        )
        assert revoked.status_code == 200
        with pytest.raises(InvalidGrantError):
            session.refresh_token(metadata["token_endpoint"], refresh_token=refreshed["refresh_token"], **proof)


def test_requests_oauthlib_acts_for_itself(metadata: dict[str, Any], client: dict[str, Any]) -> None:
    with OAuth2Session(client=BackendApplicationClient(client["client_id"], scope=["read"])) as session:
        token = session.fetch_token(
            metadata["token_endpoint"], client_id=client["client_id"], client_secret=client["client_secret"]
        )
        assert token["scope"] == ["read"]
        looked_at(token["access_token"], client, metadata)
