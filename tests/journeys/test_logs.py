"""A whole life at the real server, logged at debug level: no line has a secret, a token, a code or a query string."""

from __future__ import annotations

import base64
import json
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.helpers.customer import forms
from tests.helpers.integration import Integration
from tests.helpers.server import Landing, Platform, fetch, populate, serving

MARK = "zq7mark"
JSON = ("Content-Type", "application/json")


def test_no_line_has_anything_that_is_nobodys_business(tmp_path: Path, integrator: Landing) -> None:
    with serving(tmp_path / "data") as server:
        platform = populate(server)
        secrets = lived_through(platform, integrator) | badly_asked(platform)
        assert server.stop() == 0
        lines = server.log().splitlines()
    decisions = [json.loads(line) for line in lines if line.startswith("{")]
    assert len(decisions) > 20
    assert {
        "token", "sunshine.token", "sunshine.token_info", "phonecom.token", "POST /sign-in",
        "square.token", "square.renew", "square.status", "square.revoke",
    } <= {one.get("route") for one in decisions}  # fmt: skip
    written = "\n".join(lines)
    for secret in secrets:
        assert secret not in written, f"{secret[:6]}… is in the log"
    assert MARK not in written
    assert "Traceback" not in written
    assert not re.search(r"gw[a-z]_[A-Za-z0-9]{8}|eyJ[A-Za-z0-9]{8}|[?&][a-z_]+=", written)


def lived_through(platform: Platform, integrator: Landing) -> set[str]:
    """Every dialect, from registration to removal; every secret that came by."""
    standard = Integration.register(platform, "Helpdesk")
    code = standard.code(platform)
    tokens = standard.exchange(code)[1]
    refreshed = standard.refresh(tokens["refresh_token"])[1]
    standard.introspect(refreshed["access_token"])
    standard.post("/revoke", {"token": refreshed["refresh_token"]})
    sunshine = platform.client(
        "Shoplifter", "--profile", "sunshine", "--redirect-uri", f"{integrator.origin}/cb",
        "--remove-url", f"{integrator.origin}/gone?key={MARK}",
    )  # fmt: skip
    query = urlencode({"client_id": sunshine["client_id"], "response_type": "code", "state": MARK})
    sunshine_code = platform.customer.connect(f"/sc/oauth/authorize?{query}")["code"]
    members = {
        "code": sunshine_code, "grant_type": "authorization_code",
        "client_id": sunshine["client_id"], "client_secret": sunshine["client_secret"],
    }  # fmt: skip
    asked = fetch("POST", f"{platform.base_url}/oauth/token", [JSON], json.dumps(members).encode())
    token = asked.json()["access_token"]
    fetch("GET", f"{platform.base_url}/v2/tokenInfo", [("Authorization", f"Bearer {token}")])
    connection = platform.server.cli("connections", "list")["connections"][0]["id"]
    key = platform.server.cli("connections", "create-key", connection)
    pair = base64.b64encode(f"{key['key_id']}:{key['key_secret']}".encode()).decode()
    fetch("DELETE", f"{platform.base_url}/oauth/authorization", [("Authorization", f"Basic {pair}")])
    integrator.wait_for("/gone")
    by_query = asked_in_the_query(platform) | answered_in_the_fragment(platform) | sold(platform, integrator)
    page = platform.customer.go("GET", "/connections").text
    issued = {tokens["access_token"], tokens["refresh_token"], refreshed["access_token"], refreshed["refresh_token"]}
    return by_query | {
        code, sunshine_code, token, pair, key["key_secret"], sunshine["client_secret"], standard.client_secret or "",
        platform.customer.password, forms(page)[0].fields["csrf"], *platform.customer.cookies.values(), *issued,
    }  # fmt: skip


def asked_in_the_query(platform: Platform) -> set[str]:
    """Phone.com documents its token call with everything in the query string, a person's password included."""
    made = platform.client(
        "Dialer", "--profile", "phonecom", "--scope", "account-owner", "--create-scopes",
        "--redirect-uri", "https://app.example/cb", "--set", "grant_types=password refresh_token",
    )  # fmt: skip
    asked = {
        "grant_type": "password", "client_id": made["client_id"], "client_secret": made["client_secret"],
        "username": platform.customer.email, "password": platform.customer.password, "scope": "account-owner",
    }  # fmt: skip
    reply = fetch("POST", f"{platform.base_url}/v4/oauth/access-token?{urlencode(asked)}")
    assert reply.status == 201, reply.body
    issued = reply.json()
    fetch("DELETE", f"{platform.base_url}/v4/oauth/access-token", [("Authorization", issued["access_token"])])
    return {issued["access_token"], issued["refresh_token"], made["client_secret"]}


def answered_in_the_fragment(platform: Platform) -> set[str]:
    """Phone.com's implicit flow."""
    made = platform.client(
        "Widget", "--profile", "phonecom", "--scope", "account-owner", "--create-scopes", "--public",
        "--redirect-uri", "https://app.example/cb", "--set", "grant_types=implicit",
    )  # fmt: skip
    asked = {
        "client_id": made["client_id"], "response_type": "token", "scope": "account-owner", "state": MARK,
        "redirect_uri": "https://app.example/cb",
    }  # fmt: skip
    back = platform.customer.decide(f"{platform.base_url}/v4/oauth/authorization?{urlencode(asked)}")
    return {parse_qs(urlsplit(back).fragment)["access_token"][0]}


def sold(platform: Platform, integrator: Landing) -> set[str]:
    """Square's calls, and its signed notice."""
    made = platform.client(
        "Till", "--profile", "square", "--scope", "PAYMENTS_READ", "--create-scopes",
        "--redirect-uri", f"{integrator.origin}/cb", "--remove-url", f"{integrator.origin}/revoked?key={MARK}",
    )  # fmt: skip
    client_id, secret = made["client_id"], made["client_secret"]

    def call(path: str, members: dict[str, Any], authorization: str = "") -> Any:
        headers = [JSON, *([("Authorization", authorization)] if authorization else [])]
        reply = fetch("POST", f"{platform.base_url}{path}", headers, json.dumps(members).encode())
        assert reply.status == 200, reply.body
        return reply.json()

    code = platform.customer.connect(f"/oauth2/authorize?{urlencode({'client_id': client_id, 'state': MARK})}")["code"]
    proof = {"client_id": client_id, "client_secret": secret}
    tokens = call("/oauth2/token", proof | {"grant_type": "authorization_code", "code": code})
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "use_jwt": True}
    jwt = call("/oauth2/token", proof | refresh)["access_token"]
    path = f"/oauth2/clients/{client_id}/access-token/renew"
    renewed = call(path, {"access_token": tokens["access_token"]}, f"Client {secret}")["access_token"]
    call("/oauth2/token/status", {}, f"Bearer {renewed}")
    call("/oauth2/revoke", {"client_id": client_id, "access_token": jwt}, f"Client {secret}")
    integrator.wait_for("/revoked")
    key = platform.server.cli("clients", "notice-secret", client_id)
    return {code, secret, tokens["access_token"], tokens["refresh_token"], jwt, renewed, *key.values()} - {client_id}


def badly_asked(platform: Platform) -> set[str]:
    """Requests that are wrong in every way a log might want to tell of."""
    base = platform.base_url
    form = ("Content-Type", "application/x-www-form-urlencoded")
    fetch(
        "POST", f"{base}/token?client_secret={MARK}&password={MARK}", [form], f"client_id={MARK}&code={MARK}".encode()
    )
    fetch("POST", f"{base}/token", [("Authorization", f"Basic {MARK}"), form])
    fetch("GET", f"{base}/v2/tokenInfo?access_token={MARK}", [("Authorization", f"Bearer {MARK}")])
    fetch("GET", f"{base}/{MARK}?code={MARK}", [("Cookie", f"grantway-session={MARK}"), ("Referer", f"{base}/?{MARK}")])
    fetch("PUT", f"{base}/oauth/token?code={MARK}")
    stranger = platform.new_browser()
    stranger.email, stranger.password = f"{MARK}@example.com", f"{MARK} {MARK}"
    page = forms(stranger.go("GET", "/sign-in").text)[0]
    answer = stranger.go("POST", page.action, [*(page.fields | {"username": MARK, "password": MARK}).items()])
    assert answer.status == 403
    for raw in (
        f"GET /{MARK} HTTP/9.9\r\n\r\n",
        f"{MARK} {MARK}\r\n\r\n",
        f"GET /?{MARK} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX: {MARK}\r\n\r\n",
        f"GET /?{MARK} HTTP/1.1\r\nHost: x\r\nX: {MARK * 20000}\r\n\r\n",
        f"POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\ncode={MARK}",
        f"POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{MARK}",
    ):
        with socket.create_connection(("127.0.0.1", urlsplit(base).port or 0), 5) as connection:
            connection.settimeout(1)
            connection.sendall(raw.encode())
            try:
                connection.recv(100)
            except TimeoutError:
                continue
            except ConnectionError:
                continue
    return {MARK}
