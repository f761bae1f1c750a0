"""A product that has users already, in front of Grantway: its own sign-in, and the hand-off.

Grantway runs beside it with GRANTWAY_LOGIN_URL=http://127.0.0.1:9000/login and sends browsers here with ``request=ID``.
Once somebody has signed in here, the product says so by ``POST /v1/sign-ins/ID`` with its operator key and sends the
browser to where the answer says. That is all: everything else is the product's own.

    grantway operator-keys create --name shop --scope sign_ins:write
    SHOP_PASSWORD=… GRANTWAY_URL=http://127.0.0.1:8080 GRANTWAY_KEY=gwo_… python examples/hand_off.py
"""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

GRANTWAY_URL = os.environ.get("GRANTWAY_URL", "http://127.0.0.1:8080")
GRANTWAY_KEY = os.environ["GRANTWAY_KEY"]
PASSWORD = os.environ["SHOP_PASSWORD"]
"""Everybody's, in this example. A product has its own way to know people."""

USERS: dict[str, dict[str, Any]] = {
    "grace": {
        "id": "user-1",
        "name": "Grace",
        "accounts": [
            {"id": "shop-1", "name": "Grace’s Garden", "role": "owner"},
            {"id": "shop-2", "name": "Garden Supplies", "role": "member"},
        ],
    },
    "linus": {
        "id": "user-2",
        "name": "Linus",
        "accounts": [{"id": "shop-2", "name": "Garden Supplies", "role": "owner"}],
    },
}


@dataclass
class Session:
    """Who is signed in here, and since when."""

    user: str
    auth_time: datetime


SESSIONS: dict[str, Session] = {}


async def show_login(request: Request) -> Response:
    """Where Grantway sends browsers. Somebody who is signed in goes right back, unless a new sign-in is asked for."""
    asked = request.query_params
    session = SESSIONS.get(request.cookies.get("shop", ""))
    if session is not None and asked.get("prompt") != "login" and "request" in asked:
        return await back_to_grantway(session, asked["request"])
    return HTMLResponse(f"""<!doctype html><html lang="en"><title>Shop</title><h1>Sign in to Shop</h1>
<form method="post" action="/login"><input type="hidden" name="request" value="{escape(asked.get("request", ""))}">
<label>Name <input name="user" autocomplete="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button>Sign in</button></form>""")


async def login(request: Request) -> Response:
    """The product's own sign-in, and then back."""
    form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
    user = form.get("user", "")
    if user not in USERS or not hmac.compare_digest(form.get("password", "").encode(), PASSWORD.encode()):
        return HTMLResponse("<!doctype html><title>Shop</title><p>That did not work.", 403)
    session = Session(user, datetime.now(UTC))
    response = await back_to_grantway(session, form["request"]) if "request" in form else Response("You are in.")
    key = secrets.token_urlsafe(32)
    SESSIONS[key] = session
    response.set_cookie("shop", key, httponly=True, samesite="lax")
    return response


async def back_to_grantway(session: Session, request_id: str) -> Response:
    """Say who it is, and send the browser where the answer says: there it is signed in, and nowhere else."""
    told = {**USERS[session.user], "auth_time": session.auth_time.isoformat()}
    async with httpx2.AsyncClient(base_url=GRANTWAY_URL) as client:
        answer = await client.post(
            f"/v1/sign-ins/{quote(request_id, safe='')}", json=told, headers={"Authorization": f"Bearer {GRANTWAY_KEY}"}
        )
    if answer.status_code != 200:
        # Mostly a request that is older than ten minutes: begin again where it began.
        return HTMLResponse("<!doctype html><title>Shop</title><p>Please go back to the app and begin again.", 400)
    return RedirectResponse(answer.json()["return_to"], 303)


app = Starlette(routes=[Route("/login", show_login), Route("/login", login, methods=["POST"])])

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("SHOP_PORT", "9000")), log_level="warning")
