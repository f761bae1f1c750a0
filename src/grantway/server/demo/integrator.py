"""An integrator's software: it speaks to the platform by HTTP only, as anybody's would."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass

import httpx2

from grantway.server.demo.desk import Desk, Exchange
from grantway.server.demo.speech import Hear, Registration, Speech, takes
from grantway.wire.errors import Malformed
from grantway.wire.http import HttpAnswer, HttpRequest

TIMEOUT = 10.0
SHOWN_HEADERS = ("www-authenticate", "retry-after", "deprecation")


@dataclass(frozen=True)
class Integrator:
    """One integration of the demo: its registration, how it speaks, and the calls it makes."""

    key: str
    name: str
    issuer: str
    speech: Speech
    own: Registration

    def begin(self, desk: Desk) -> str:
        """The address to which the browser goes to connect."""
        state, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
        # A few tabs may be under way at once; whoever opens hundreds loses the oldest.
        desk.waiting = dict([*desk.waiting.items(), (state, verifier)][-5:])
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        return self.issuer + self.speech.authorize(self.own, state, challenge)

    async def come_back(self, desk: Desk, address: str) -> None:
        """The browser came back to this address: exchange the code, or keep the refusal."""
        try:
            answer = self.speech.read_authorization(address)
        except Malformed:
            desk.refusal = "The browser came back with something that is no answer."
            return
        verifier = desk.waiting.pop(answer.state or "", None)
        if verifier is None:
            desk.refusal = "The browser came back with a state that this browser was not sent out with."
        elif self.speech.names_issuer and answer.iss != self.issuer:
            desk.refusal = "The answer is from another server than the one that was asked (RFC 9207)."
        elif answer.error is not None or answer.code is None:
            desk.refusal = f"{answer.error.code}: {answer.error.description}" if answer.error else None
        else:
            desk.refusal = None
            request = self.speech.exchange(self.own, answer.code, verifier)
            await self._send(desk, "Code exchanged", request, takes(self.speech.read_tokens))

    async def press(self, desk: Desk, button: str) -> None:
        """One of the buttons. What there is none for, or no token, is left alone."""
        call = self.speech.calls.get(button)
        if call is not None and desk.access_token is not None:
            desk.refusal = None
            await self._send(desk, call.title, call.write(self.own, desk), call.hear)

    async def _send(self, desk: Desk, title: str, request: HttpRequest, hear: Hear | None) -> None:
        # No proxy of the environment may stand between this machine and itself.
        async with httpx2.AsyncClient(base_url=self.issuer, trust_env=False, timeout=TIMEOUT) as http:
            try:
                response = await http.request(
                    request.method, request.path, content=request.body, headers=list(request.headers)
                )
            except httpx2.HTTPError as error:
                desk.refusal = f"The server cannot be reached: {type(error).__name__}."
                return
        headers = tuple((name.lower().encode(), value.encode()) for name, value in response.headers.items())
        answer = HttpAnswer(response.status_code, headers, response.content)
        shown = tuple(
            f"{name}: {value}" for name in SHOWN_HEADERS if (value := answer.header(name.encode())) is not None
        )
        desk.keep(Exchange(title, f"{request.method} {request.path}", answer.status, shown, _pretty(answer.body)))
        try:
            if hear is not None:
                hear(self.own, desk, answer)
        except Malformed:
            desk.refusal = "The server answered something that is no answer."


def _pretty(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode(errors="replace")
