"""The integrator's web site, ``/demo``: plain HTML, forms, no script."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from grantway.resource import Protect
from grantway.server.app import AsgiApp, Receive, Scope, Send
from grantway.server.demo.api import PREFIX
from grantway.server.demo.desk import Desk
from grantway.server.demo.inbox import Call, Inbox, Place, is_signed, read_body, read_object
from grantway.server.demo.integrator import Integrator
from grantway.server.demo.platform import ACCOUNTS, EVENTS, Platform
from grantway.server.pages.assets import Assets
from grantway.server.pages.headers import guard
from grantway.server.pages.rendering import hue, initial
from grantway.server.pages.theme import load_theme
from grantway.server.service import Service
from grantway.server.templates import ReadOnce

COOKIE = "grantway_demo"
BROWSERS = 200
"""How many browsers are remembered at once."""

_HERE = Path(__file__).parent


@dataclass
class Browsers:
    """Desks by cookie and integration, the longest unused forgotten first."""

    desks: dict[str, dict[str, Desk]] = field(default_factory=dict)

    def of(self, cookie: str | None) -> dict[str, Desk] | None:
        found = self.desks.pop(cookie, None) if cookie else None
        if found is not None and cookie:
            self.desks[cookie] = found
        return found

    def new(self, keys: Mapping[str, Any]) -> tuple[str, dict[str, Desk]]:
        while len(self.desks) >= BROWSERS:
            self.desks.pop(next(iter(self.desks)))
        cookie = secrets.token_urlsafe(24)
        self.desks[cookie] = {key: Desk() for key in keys}
        return cookie, self.desks[cookie]


class DemoPages:
    """The application, with the integrator's site below ``/demo`` in front of it."""

    def __init__(
        self,
        app: AsgiApp,
        service: Service,
        integrators: Mapping[str, Integrator],
        platform: Platform,
        api: Protect,
    ) -> None:
        self._app = app
        self._service = service
        self._integrators = integrators
        self._platform = platform
        self._api = api
        self._browsers = Browsers()
        self._inbox = Inbox()
        self._environment = Environment(
            loader=ReadOnce(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        self._environment.globals.update(
            hue=hue,
            initial=initial,
            stylesheet=Assets(load_theme(service.settings)).stylesheet,
            platform=service.settings.platform_name,
            accounts=ACCOUNTS,
            events=EVENTS,
        )
        self._style = (_HERE / "static" / "demo.css").read_bytes()
        self._site = Starlette(
            routes=[
                Route("/demo", self.show),
                Route("/demo/style.css", self.style),
                Route("/demo/platform/heard", self.platform_hears, methods=["POST"]),
                Route("/demo/platform/publish", self.publish, methods=["POST"]),
                Route("/demo/{key}/removed", self.be_removed, methods=["POST"]),
                Route("/demo/{key}/webhooks/{name}", self.be_called, methods=["POST"]),
                Route("/demo/{key}/connect", self.connect, methods=["POST"]),
                Route("/demo/{key}/callback", self.come_back),
                Route("/demo/{key}/forget", self.forget, methods=["POST"]),
                Route("/demo/{key}/{button}", self.press, methods=["POST"]),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            try:
                await self._app(scope, receive, send)
            finally:
                await self._api.aclose()
        elif scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self._api(scope, receive, send)
        elif scope["type"] == "http" and (scope["path"] == "/demo" or scope["path"].startswith("/demo/")):
            await self._site(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def show(self, request: Request) -> Response:
        """The page: what is connected, what was said last, and what arrived."""
        if request.headers.get("host") != urlsplit(self._service.issuer).netloc:
            # Cookies of localhost do not reach 127.0.0.1, where the callback is.
            return RedirectResponse(f"{self._service.issuer}/demo", 303)
        desks = self._browsers.of(request.cookies.get(COOKIE))
        cookie = None
        if desks is None:
            cookie, desks = self._browsers.new(self._integrators)
        cards = [(one, desks[one.key]) for one in self._integrators.values()]
        html = self._environment.get_template("demo.html").render(
            cards=cards,
            connected={desk.account for desk in desks.values()},
            arrived=self._inbox.of("webhook", "remove_url"),
            heard=self._inbox.of("platform"),
            said=self._platform.said,
        )
        response = HTMLResponse(html)
        if cookie is not None:
            response.set_cookie(COOKIE, cookie, path="/demo", httponly=True, samesite="lax")
        guard(response)
        return response

    async def connect(self, request: Request) -> Response:
        found = self._find(request)
        if found is None:
            return self._home()
        integrator, desk = found
        return RedirectResponse(integrator.begin(desk), 303)

    async def come_back(self, request: Request) -> Response:
        found = self._find(request)
        if found is not None:
            integrator, desk = found
            await integrator.come_back(
                desk, f"{integrator.own.redirect_uri}?{request.scope['query_string'].decode('latin-1')}"
            )
        return self._card(request)

    async def press(self, request: Request) -> Response:
        found = self._find(request)
        if found is not None:
            integrator, desk = found
            button, before = request.path_params["button"], self._inbox.count
            await integrator.press(desk, button)
            if button in integrator.speech.calls and integrator.speech.calls[button].is_end:
                await self._inbox.wait_for(before + 2)  # Acme and the platform
        return self._card(request)

    async def forget(self, request: Request) -> Response:
        found = self._find(request)
        desks = self._browsers.of(request.cookies.get(COOKIE))
        if found is not None and desks is not None:
            desks[found[0].key] = Desk()
        return self._card(request)

    async def publish(self, request: Request) -> Response:
        """Somebody plays the platform: something happened in an account."""
        fields = parse_qs((await read_body(request) or b"").decode(errors="replace"))
        account, what = (fields.get(name, [""])[0] for name in ("account", "type"))
        if self._browsers.of(request.cookies.get(COOKIE)) is not None:
            before = self._inbox.count
            await self._inbox.wait_for(before + await self._platform.publish(account, what))
        return self._home("#publish")

    async def be_removed(self, request: Request) -> Response:
        """An integration's remove URL: the platform tells that a connection is gone."""
        integrator = self._integrators.get(request.path_params["key"])
        if integrator is None:
            return PlainTextResponse("Gone.", 410)
        own = integrator.own

        def is_ours(body: bytes) -> bool:
            return integrator.speech.is_signed(own, request.headers, body)

        return await self._take(request, "remove_url", is_ours, f"{integrator.name} was removed")

    async def be_called(self, request: Request) -> Response:
        """A webhook that Acme made. What it has forgotten (it keeps nothing on disk) is gone."""
        integrator = self._integrators.get(request.path_params["key"])
        secret = integrator.own.hooks.get(request.path_params["name"]) if integrator else None
        if secret is None:
            return PlainTextResponse("Gone.", 410)
        return await self._take(request, "webhook", lambda body: is_signed(secret, request.headers, body))

    async def platform_hears(self, request: Request) -> Response:
        """The platform's own address: what happened to connections."""
        secret = self._platform.events_secret
        return await self._take(request, "platform", lambda body: is_signed(secret, request.headers, body))

    async def _take(
        self, request: Request, place: Place, is_ours: Callable[[bytes], bool], title: str | None = None
    ) -> Response:
        """Into the inbox, under this title or the type that it says."""
        body = await read_body(request)
        if body is None:
            return PlainTextResponse("Too large.", 413)
        told = read_object(body)
        if not told or not (title or told.get("type")):
            return PlainTextResponse("A JSON object that says what happened is expected.", 400)
        self._inbox.put(
            Call(
                await self._service.storage.now(),
                place,
                title or str(told["type"]),
                request.headers.get("webhook-id", ""),
                is_ours(body),
                json.dumps(told, indent=2, ensure_ascii=False),
            )
        )
        return Response(status_code=204)

    async def style(self, request: Request) -> Response:
        return Response(self._style, media_type="text/css", headers={"cache-control": "public, max-age=60"})

    def _find(self, request: Request) -> tuple[Integrator, Desk] | None:
        """Whose button it was. Other sites' forms come without the cookie (SameSite), and find nothing."""
        desks = self._browsers.of(request.cookies.get(COOKIE))
        integrator = self._integrators.get(request.path_params["key"])
        return (integrator, desks[integrator.key]) if integrator and desks is not None else None

    def _home(self, at: str = "") -> Response:
        return RedirectResponse(f"{self._service.issuer}/demo{at}", 303)

    def _card(self, request: Request) -> Response:
        """Back to the integration whose button was pressed."""
        key = request.path_params["key"]
        return self._home(f"#{key}" if key in self._integrators else "")
