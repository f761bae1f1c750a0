"""A Square application and what it asks of the server, in the words of the documentation page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from grantway.protocol.administration.clients import CreatedClient
from tests.helpers.asgi import Reply
from tests.helpers.customer import Customer, Fetch

REDIRECT_URI = "http://127.0.0.1:9999/cb"
# RFC 7636 appendix B
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
PERMISSIONS = ("MERCHANT_PROFILE_READ", "PAYMENTS_READ", "ORDERS_READ")


@dataclass
class Application:
    """One of them, the way that requests take, and the browser of its customer."""

    fetch: Fetch
    base_url: str
    made: CreatedClient
    browser: Customer

    @property
    def client_id(self) -> str:
        return self.made.client.client_id

    @property
    def secret(self) -> str:
        return self.made.client_secret or ""

    def authorize_url(self, **parameters: str) -> str:
        asked = {"client_id": self.client_id, "scope": " ".join(PERMISSIONS)} | parameters
        return f"{self.base_url}/oauth2/authorize?{urlencode(asked)}"

    def code(self, **parameters: str) -> str:
        """A code, after the customer's Allow."""
        return self.browser.connect(self.authorize_url(**parameters))["code"]

    def code_with_pkce(self) -> str:
        return self.code(code_challenge=CHALLENGE)

    def post(self, path: str, members: Any = None, headers: Sequence[tuple[str, str]] = ()) -> Reply:
        """JSON, or no body at all."""
        sent = list(headers) if members is None else [("Content-Type", "application/json"), *headers]
        return self.fetch("POST", self.base_url + path, sent, b"" if members is None else orjson.dumps(members))

    # --- the methods

    def obtain(self, grant_type: str = "authorization_code", *, headers: Any = (), **changes: Any) -> Reply:
        """``ObtainToken`` with the secret; what is ``None`` is left out."""
        asked = {"client_id": self.client_id, "client_secret": self.secret, "grant_type": grant_type} | changes
        return self.post("/oauth2/token", {k: v for k, v in asked.items() if v is not None}, headers)

    def tokens(self, **changes: Any) -> dict[str, Any]:
        """Both tokens of a new authorization."""
        return said(self.obtain(code=self.code(), **changes))

    def tokens_with_pkce(self) -> dict[str, Any]:
        code = self.code_with_pkce()
        return said(self.obtain(code=code, client_secret=None, code_verifier=VERIFIER))

    def refresh(self, token: str, **changes: Any) -> Reply:
        return self.obtain("refresh_token", refresh_token=token, **changes)

    def status(self, token: str | None, **headers: str) -> Reply:
        """``RetrieveTokenStatus``."""
        sent = [] if token is None else [("Authorization", f"Bearer {token}")]
        return self.post("/oauth2/token/status", None, [*sent, *headers.items()])

    def renew(self, token: str, authorization: str | None = None) -> Reply:
        """``RenewToken``."""
        path = f"/oauth2/clients/{quote(self.client_id, safe='')}/access-token/renew"
        return self.post(path, {"access_token": token}, self._client(authorization))

    def revoke(self, authorization: str | None = None, **members: Any) -> Reply:
        """``RevokeToken``."""
        return self.post("/oauth2/revoke", {"client_id": self.client_id} | members, self._client(authorization))

    def _client(self, authorization: str | None) -> list[tuple[str, str]]:
        return [("Authorization", f"Client {self.secret}" if authorization is None else authorization)]


def said(reply: Reply) -> dict[str, Any]:
    """The members of a good answer."""
    assert reply.status == 200, (reply.status, reply.text)
    members: dict[str, Any] = reply.json()
    return members


def error(reply: Reply) -> tuple[int, str, str, str | None]:
    """Status, category, code and field of a refusal with one entry."""
    (entry,) = reply.json()["errors"]
    assert isinstance(entry["detail"], str)
    return reply.status, entry["category"], entry["code"], entry.get("field")
