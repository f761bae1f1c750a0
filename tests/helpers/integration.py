"""A standard integration as bare as HTTP allows: one keep-alive connection, forms out, JSON back."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from threading import Barrier
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from tests.helpers.server import Platform

REDIRECT_URI = "http://127.0.0.1:9/cb"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

T = TypeVar("T")


@dataclass(frozen=True)
class Integration:
    """A client and where it asks. Each call opens a connection of its own unless it is given one."""

    base_url: str
    client_id: str
    client_secret: str | None = None

    @classmethod
    def register(cls, platform: Platform, name: str, *arguments: str) -> Integration:
        made = platform.client(name, "--redirect-uri", REDIRECT_URI, "--scope", "read write", *arguments)
        return cls(platform.base_url, made["client_id"], made["client_secret"])

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(urlsplit(self.base_url).netloc, timeout=30)

    def code(self, platform: Platform) -> str:
        """A code, after the customer's Allow."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT_URI,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return platform.customer.connect(f"/authorize?{urlencode(asked)}")["code"]

    def post(
        self, path: str, fields: dict[str, str], connection: http.client.HTTPConnection | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and members of the answer. Raises ``OSError`` and ``HTTPException`` as the network does."""
        proof = {"client_id": self.client_id} | ({"client_secret": self.client_secret} if self.client_secret else {})
        own = connection or self.connection()
        try:
            own.request("POST", path, urlencode(fields | proof), FORM)
            answer = own.getresponse()
            body = answer.read()
        finally:
            if connection is None:
                own.close()
        return answer.status, json.loads(body) if body else {}

    def exchange(self, code: str, connection: http.client.HTTPConnection | None = None) -> tuple[int, dict[str, Any]]:
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        return self.post("/token", fields | {"code_verifier": VERIFIER}, connection)

    def refresh(self, token: str, connection: http.client.HTTPConnection | None = None) -> tuple[int, dict[str, Any]]:
        return self.post("/token", {"grant_type": "refresh_token", "refresh_token": token}, connection)

    def introspect(self, token: str) -> dict[str, Any]:
        return self.post("/introspect", {"token": token})[1]

    def at_once(self, times: int, ask: Callable[[http.client.HTTPConnection], T]) -> list[T]:
        """Ask so many times in the same moment, each over a connection that was open before."""
        barrier = Barrier(times)

        def one(_: int) -> T:
            with closing(self.connection()) as connection:
                connection.connect()
                barrier.wait(60)
                return ask(connection)

        with ThreadPoolExecutor(times) as pool:
            return list(pool.map(one, range(times)))
