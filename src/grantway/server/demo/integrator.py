"""An integrator's software: it speaks to the platform by HTTP only, as anybody's would."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Literal

import httpx2

from grantway.wire.dialects import standard, sunshine
from grantway.wire.dialects.standard import webhooks
from grantway.wire.errors import Malformed
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import (
    AccessRevocationRequest,
    AuthorizationRequest,
    ClientCredentials,
    ErrorAnswer,
    IntrospectionRequest,
    RevocationRequest,
    TokenAnswer,
    TokenInfoRequest,
    TokenRequest,
)
from grantway.wire.webhook_messages import WebhookFields, WebhookRequest

Action = Literal["refresh", "introspect", "info", "webhook", "revoke"]
TIMEOUT = 10.0


@dataclass
class Exchange:
    """One call and its answer, as the demo page shows them."""

    title: str
    call: str
    status: int
    body: str = field(repr=False)


@dataclass
class Desk:
    """What the integrator keeps of one customer's browser and one integration. In memory; a real one has a database."""

    waiting: dict[str, str] = field(default_factory=dict, repr=False)
    """Code verifiers by ``state``."""
    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    account: str | None = None
    connection_id: str | None = None
    scope: str | None = None
    expires_in: int | None = None
    webhook_id: str | None = None
    refusal: str | None = None
    exchanges: list[Exchange] = field(default_factory=list)

    def keep(self, exchange: Exchange) -> None:
        self.exchanges = [exchange, *self.exchanges[:4]]

    def take(self, answer: TokenAnswer) -> None:
        self.access_token, self.refresh_token = answer.access_token, answer.refresh_token or self.refresh_token
        self.expires_in = answer.expires_in
        self.scope = " ".join(answer.scope) if answer.scope is not None else self.scope
        self.connection_id = answer.connection_id or self.connection_id
        self.account = answer.account.name if answer.account else self.account


@dataclass(frozen=True)
class Integrator:
    """One integration of the demo: its registration, and the calls it makes."""

    key: str
    name: str
    dialect: Literal["standard", "sunshine"]
    client_id: str
    client_secret: str = field(repr=False)
    issuer: str
    scopes: tuple[str, ...] = ()
    notice_secret: str = field(default="", repr=False)
    """What calls to its remove URL are signed with; it got it at its registration."""
    hooks: dict[str, str] = field(default_factory=dict, repr=False)
    """The keys of its webhooks, by the name that it put into each one's address. A real one has a database."""

    @property
    def redirect_uri(self) -> str:
        return f"{self.issuer}/demo/{self.key}/callback"

    @property
    def actions(self) -> tuple[tuple[Action, str], ...]:
        """What can be done with tokens, and how the buttons say it."""
        if self.dialect == "standard":
            return (
                ("introspect", "Introspect"),
                ("refresh", "Refresh"),
                ("webhook", "Add a webhook"),
                ("revoke", "Revoke"),
            )
        return ("info", "Token info"), ("revoke", "Revoke access")

    def begin(self, desk: Desk) -> str:
        """The address to which the browser goes to connect."""
        state, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
        # A few tabs may be under way at once; whoever opens hundreds loses the oldest.
        desk.waiting = dict([*desk.waiting.items(), (state, verifier)][-5:])
        if self.dialect == "sunshine":
            request = AuthorizationRequest(self.client_id, "code", self.redirect_uri, state=state)
            return f"{self.issuer}{sunshine.AUTHORIZE_PATH}?{sunshine.write_authorization_request(request)}"
        digest = hashlib.sha256(verifier.encode()).digest()
        request = AuthorizationRequest(
            self.client_id,
            "code",
            self.redirect_uri,
            self.scopes,
            state,
            base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "S256",
        )
        return f"{self.issuer}{standard.AUTHORIZE_PATH}?{standard.write_authorization_request(request)}"

    async def come_back(self, desk: Desk, address: str) -> None:
        """The browser came back to this address: exchange the code, or keep the refusal."""
        reads = standard.read_authorization_answer if self.dialect == "standard" else sunshine.read_authorization_answer
        try:
            answer = reads(address)
        except Malformed:
            desk.refusal = "The browser came back with something that is no answer."
            return
        verifier = desk.waiting.pop(answer.state or "", None)
        if verifier is None:
            desk.refusal = "The browser came back with a state that this browser was not sent out with."
        elif self.dialect == "standard" and answer.iss != self.issuer:
            desk.refusal = "The answer is from another server than the one that was asked (RFC 9207)."
        elif answer.error is not None or answer.code is None:
            desk.refusal = f"{answer.error.code}: {answer.error.description}" if answer.error else None
        else:
            desk.refusal = None
            credentials = self._credentials
            if self.dialect == "standard":
                request = TokenRequest("authorization_code", credentials, answer.code, self.redirect_uri, verifier)
            else:
                request = TokenRequest("authorization_code", credentials, answer.code)
            await self._ask_for_tokens(desk, "Code exchanged", request)

    async def act(self, desk: Desk, action: Action) -> None:
        """One of the buttons."""
        if desk.access_token is None:
            return
        if action == "refresh":
            request = TokenRequest("refresh_token", self._credentials, refresh_token=desk.refresh_token)
            await self._ask_for_tokens(desk, "Refreshed", request)
        elif action == "introspect":
            asked = IntrospectionRequest(desk.access_token, self._credentials)
            await self._send(desk, "Introspected", standard.write_introspection_request(asked))
        elif action == "info":
            asked_info = TokenInfoRequest(desk.access_token)
            await self._send(desk, "Token info", sunshine.write_token_info_request(asked_info))
        elif action == "webhook":
            await self._hear(desk, desk.access_token)
        elif self.dialect == "standard":
            token = desk.refresh_token or desk.access_token
            await self._send(
                desk, "Revoked", standard.write_revocation_request(RevocationRequest(token, self._credentials))
            )
        else:
            ending = AccessRevocationRequest(desk.access_token)
            await self._send(desk, "Access revoked", sunshine.write_access_revocation_request(ending))

    async def _hear(self, desk: Desk, access_token: str) -> None:
        name = secrets.token_urlsafe(12)
        wanted = WebhookFields(f"{self.issuer}/demo/{self.key}/webhooks/{name}", ("*",))
        request = webhooks.write_webhook_request(WebhookRequest(access_token), "POST", webhooks.WEBHOOKS_PATH, wanted)
        received = await self._send(desk, "Webhook added", request)
        try:
            answer = webhooks.read_webhook_answer(received)
        except Malformed:
            desk.refusal = "The server answered something that is no answer."
            return
        if isinstance(answer, ErrorAnswer):
            desk.refusal = f"{answer.error.code}: {answer.error.description}"
        elif answer.secret is not None:
            self.hooks[name] = answer.secret
            desk.webhook_id = answer.id

    @property
    def _credentials(self) -> ClientCredentials:
        method: Literal["client_secret_basic", "client_secret_post"]
        method = "client_secret_basic" if self.dialect == "standard" else "client_secret_post"
        return ClientCredentials(self.client_id, self.client_secret, method)

    async def _ask_for_tokens(self, desk: Desk, title: str, request: TokenRequest) -> None:
        writes = standard.write_token_request if self.dialect == "standard" else sunshine.write_token_request
        reads = standard.read_token_answer if self.dialect == "standard" else sunshine.read_token_answer
        received = await self._send(desk, title, writes(request))
        try:
            answer = reads(received)
        except Malformed:
            desk.refusal = "The token endpoint answered something that is no answer."
            return
        if isinstance(answer, ErrorAnswer):
            desk.refusal = f"{answer.error.code}: {answer.error.description}"
        else:
            desk.take(answer)

    async def _send(self, desk: Desk, title: str, request: HttpRequest) -> HttpAnswer:
        # No proxy of the environment may stand between this machine and itself.
        async with httpx2.AsyncClient(base_url=self.issuer, trust_env=False, timeout=TIMEOUT) as http:
            try:
                response = await http.request(
                    request.method, request.path, content=request.body, headers=list(request.headers)
                )
            except httpx2.HTTPError as error:
                desk.refusal = f"The server cannot be reached: {type(error).__name__}."
                return HttpAnswer(503)
        headers = tuple((name.lower().encode(), value.encode()) for name, value in response.headers.items())
        answer = HttpAnswer(response.status_code, headers, response.content)
        desk.keep(Exchange(title, f"{request.method} {request.path}", answer.status, _pretty(answer.body)))
        return answer


def _pretty(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode(errors="replace")
