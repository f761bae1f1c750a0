"""A product that has Grantway inside: one process, one host name, the product's pages under /app.

Wherever Grantway needs to know who somebody is, it asks ``who_is_it``: no second user table, no browser sent around.
Grantway has the rest of the paths (/authorize, /token, /connections, …); its settings come from the environment.

    SHOP_PASSWORD=… python examples/mounted.py
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote

import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from grantway.server.app import Application, build_app
from grantway.server.hand_off import SINCE, Identity, IdentityAccount
from grantway.server.opening import open_service, prepare
from grantway.server.settings_sources import load_settings
from grantway.server.signing_keys import ensure_signing_key

Scope = MutableMapping[str, Any]

PASSWORD = os.environ["SHOP_PASSWORD"]
"""Everybody's, in this example. A product has its own way to know people."""

USERS = {
    "grace": ("user-1", "Grace", (IdentityAccount("shop-1", "Grace’s Garden", "owner"),)),
    "linus": ("user-2", "Linus", (IdentityAccount("shop-2", "Garden Supplies", "owner"),)),
}


@dataclass
class Session:
    """Who is signed in to the product, and since when."""

    user: str
    auth_time: datetime


SESSIONS: dict[str, Session] = {}


async def who_is_it(scope: Scope) -> Identity | str | None:
    """The hook: the person of the product's own session, or the way to the product's own sign-in."""
    session = SESSIONS.get(HTTPConnection(scope).cookies.get("shop", ""))
    if session is None or (scope[SINCE] is not None and session.auth_time < scope[SINCE]):
        here = f"{scope['path']}?{scope['query_string'].decode()}"
        return f"/app/login?next={quote(here, safe='')}"
    user_id, name, accounts = USERS[session.user]
    return Identity(user_id, name, session.auth_time, accounts)


async def show_login(request: Request) -> Response:
    """The product's own sign-in."""
    return HTMLResponse(f"""<!doctype html><html lang="en"><title>Shop</title><h1>Sign in to Shop</h1>
<form method="post" action="/app/login"><input type="hidden" name="next" value="{escape(own_path(request.query_params.get("next", "")))}">
<label>Name <input name="user" autocomplete="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button>Sign in</button></form>""")


async def login(request: Request) -> Response:
    """Sign in, and on to where the person was."""
    form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
    user = form.get("user", "")
    if user not in USERS or not hmac.compare_digest(form.get("password", "").encode(), PASSWORD.encode()):
        return HTMLResponse("<!doctype html><title>Shop</title><p>That did not work.", 403)
    key = secrets.token_urlsafe(32)
    SESSIONS[key] = Session(user, datetime.now(UTC))
    response = RedirectResponse(own_path(form.get("next", "")), 303)
    response.set_cookie("shop", key, httponly=True, samesite="lax")
    return response


def own_path(text: str) -> str:
    """A path of this host, and never the address of another."""
    return text if text.startswith("/") and not text.startswith(("//", "/\\")) else "/app"


async def home(request: Request) -> Response:
    """The product."""
    return HTMLResponse("<!doctype html><title>Shop</title><h1>Shop</h1><p><a href='/connections'>Connected apps</a>")


product = Starlette(
    routes=[Route("/app", home), Route("/app/login", show_login), Route("/app/login", login, methods=["POST"])]
)


class Both:
    """Paths under /app are the product's; all others, and the life of the process, are Grantway's."""

    def __init__(self) -> None:
        self._grantway: Application | None = None

    async def __call__(
        self,
        scope: Scope,
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        if self._grantway is None:
            settings = load_settings()
            prepare(settings)
            service = await open_service(settings)
            await ensure_signing_key(service)
            self._grantway = build_app(service, sign_in=who_is_it)
        if scope["type"] == "http" and (scope["path"] == "/app" or scope["path"].startswith("/app/")):
            await product(scope, receive, send)
        else:
            await self._grantway(scope, receive, send)


app = Both()

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("GRANTWAY_PORT", "8080")), log_level="warning")
