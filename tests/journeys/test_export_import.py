"""A platform moves to PostgreSQL and back, and its integrations notice nothing: what they hold goes on."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.helpers.integration import REDIRECT_URI, Integration
from tests.helpers.server import Platform, Server, fetch, populate, serving

JSON = [("Content-Type", "application/json")]


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    key = tmp_path / "key"
    key.write_bytes(base64.b64encode(secrets.token_bytes(64)))
    first = str(tmp_path / "first.db")
    with serving(tmp_path / "data", GRANTWAY_MASTER_KEY_FILE=str(key), GRANTWAY_DATABASE=first) as server:
        yield populate(server)


def moved(server: Server, database: str, file: Path) -> dict[str, Any]:
    """The server stops here and starts there, at the same address."""
    server.cli("export", str(file))
    server.stop()
    server.environment["GRANTWAY_DATABASE"] = database
    answer = server.cli("import", str(file))
    server.start()
    return answer


class Held:
    """What integrations hold of their customers."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.confidential = Integration.register(platform, "Confidential")
        self.public = Integration.register(platform, "Public", "--public")
        self.refreshed = self._connected(self.confidential)
        self.by_public = self._connected(self.public)
        self.ended = self._connected(Integration.register(platform, "Ended"))
        self.square = platform.client("Till", "--profile", "square", "--redirect-uri", REDIRECT_URI)
        asked = {"client_id": self.square["client_id"], "scope": "ORDERS_READ"}
        code = platform.customer.connect(f"/oauth2/authorize?{urlencode(asked)}")["code"]
        self.till = self.obtain(grant_type="authorization_code", code=code)
        self.personal = platform.server.cli(
            "tokens", "create", "--client", self.square["client_id"], "--account", platform.account["id"],
            "--scope", "PAYMENTS_READ",
        )["access_token"]  # fmt: skip
        assert self.confidential.post("/revoke", {"token": self.refreshed["access_token"]})[0] == 200
        self.revoked = self.refreshed["access_token"]
        self.refresh_all()

    def _connected(self, integration: Integration) -> dict[str, Any]:
        status, tokens = integration.exchange(integration.code(self.platform))
        assert status == 200, tokens
        return tokens

    def obtain(self, **fields: str) -> dict[str, Any]:
        """Square's ``ObtainToken``: a token for thirty days, and a refresh token that stays the same."""
        asked = {"client_id": self.square["client_id"], "client_secret": self.square["client_secret"], **fields}
        reply = fetch("POST", f"{self.platform.base_url}/oauth2/token", JSON, json.dumps(asked).encode())
        assert reply.status == 200, reply.text
        tokens: dict[str, Any] = reply.json()
        return tokens

    def scopes_of(self, token: str) -> list[str]:
        """What Square's ``RetrieveTokenStatus`` says."""
        sent = [("Authorization", f"Bearer {token}")]
        reply = fetch("POST", f"{self.platform.base_url}/oauth2/token/status", sent)
        assert reply.status == 200, reply.text
        scopes: list[str] = reply.json()["scopes"]
        return scopes

    def refresh_all(self) -> None:
        status, self.refreshed = self.confidential.refresh(self.refreshed["refresh_token"])
        assert status == 200, self.refreshed
        status, self.by_public = self.public.refresh(self.by_public["refresh_token"])
        assert status == 200, self.by_public

    def check(self) -> None:
        """Everything that was good is good, and what was not is not."""
        assert self.confidential.introspect(self.refreshed["access_token"])["active"] is True
        assert self.confidential.introspect(self.revoked)["active"] is False
        assert self.scopes_of(self.personal) == ["PAYMENTS_READ"]
        assert self.scopes_of(self.till["access_token"]) == ["ORDERS_READ"]
        again = self.obtain(grant_type="refresh_token", refresh_token=self.till["refresh_token"])
        assert again["refresh_token"] == self.till["refresh_token"]
        assert {one["client_id"] for one in self.connections()} >= {self.confidential.client_id, self.public.client_id}
        self.refresh_all()

    def connections(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.platform.server.cli("connections", "list")["connections"]
        return listed


def test_all_that_integrations_hold_goes_on_over_there_and_back(
    platform: Platform, postgres_url: str, tmp_path: Path
) -> None:
    server, held = platform.server, Held(platform)
    for number, database in enumerate((postgres_url, str(tmp_path / "second.db"))):
        code = held.confidential.code(platform)
        answer = moved(server, database, tmp_path / f"{number}.jsonl")
        assert answer["rows"]["grants"] >= 5
        status, tokens = held.confidential.exchange(code)
        assert status == 200, tokens
        held.check()
        # The customer is still signed in, and connects what they like.
        held.confidential.code(platform)
    server.cli("audit", "verify")
