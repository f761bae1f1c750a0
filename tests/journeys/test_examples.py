"""The examples run as they are written: a product in front of Grantway, and one with Grantway inside."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2

from tests.helpers.customer import forms
from tests.helpers.owned import free_port
from tests.helpers.server import Server, serving

EXAMPLES = Path(__file__).parents[2] / "examples"
PASSWORD = "a password that is drawn elsewhere"
CALLBACK = "http://127.0.0.1:9999/callback"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@contextmanager
def running(example: str, port: int, data: Path, **environment: str) -> Iterator[None]:
    """The example as a process of its own, listening on this port."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GRANTWAY_")}
    process = subprocess.Popen(
        [sys.executable, EXAMPLES / example], env=kept | {"SHOP_PASSWORD": PASSWORD} | environment, cwd=data.parent
    )
    try:
        until = time.monotonic() + 30
        while True:
            assert process.poll() is None, f"{example} ended with {process.returncode}"
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < until, f"{example} does not listen"
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


def connected(base_url: str, client_id: str, user: str = "grace") -> dict[str, str]:
    """From an app's Connect button over the product's sign-in to Allow; what the callback is given."""
    asked = {
        "response_type": "code", "client_id": client_id, "redirect_uri": CALLBACK,
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    }  # fmt: skip
    with httpx2.Client(timeout=30) as browser:
        answer = browser.get(f"{base_url}/authorize?{urlencode(asked)}")
        for _ in range(20):
            if "location" in answer.headers:
                target = str(answer.url.join(answer.headers["location"]))
                if target.startswith(CALLBACK):
                    return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
                answer = browser.get(target)
                continue
            assert answer.status_code == 200, answer.text
            form = forms(answer.text)[0]
            fields = dict(form.fields)
            if "password" in fields:
                fields |= {"user": user, "password": PASSWORD}
            if "account" in form.choices:
                fields["account"] = form.choices["account"][0]
            if "decision" in form.buttons:
                fields["decision"] = "allow"
            answer = browser.post(
                str(answer.url.join(form.action)),
                content=urlencode(fields),
                headers={"content-type": "application/x-www-form-urlencoded"},
            )
    raise AssertionError("the pages went round in circles")


def exchanged(base_url: str, client: dict[str, str], code: str) -> dict[str, object]:
    fields = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER,
        "client_id": client["client_id"], "client_secret": client["client_secret"],
    }  # fmt: skip
    answer = httpx2.post(f"{base_url}/token", data=fields)
    assert answer.status_code == 200, answer.text
    tokens: dict[str, object] = answer.json()
    return tokens


def test_a_product_in_front_signs_its_users_in_by_hand_off(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path / "data", GRANTWAY_LOGIN_URL=f"http://127.0.0.1:{port}/login") as server:
        client = server.cli("clients", "create", "--name", "Helpdesk", "--redirect-uri", CALLBACK)
        key = server.cli("operator-keys", "create", "--name", "shop", "--scope", "sign_ins:write")["key"]
        with running(
            "hand_off.py", port, server.data, SHOP_PORT=str(port), GRANTWAY_URL=server.base_url, GRANTWAY_KEY=key
        ):
            back = connected(server.base_url, client["client_id"])
            account = exchanged(server.base_url, client, back["code"])["account"]
            # The id comes from a browser: it must not lead the product's key to another call.
            elsewhere = {"user": "grace", "password": PASSWORD, "request": "../users"}
            assert httpx2.post(f"http://127.0.0.1:{port}/login", data=elsewhere).status_code == 400
        assert "api.users" not in server.log()
        (one,) = server.cli("connections", "list")["connections"]
        assert key not in server.log()
    assert account == {"id": account["id"], "name": "Grace’s Garden"}  # type: ignore[index]
    assert one["account"]


def test_a_product_with_grantway_inside_signs_its_users_in_by_the_hook(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    beside = Server(data, environment={})
    client = beside.cli("clients", "create", "--name", "Helpdesk", "--redirect-uri", CALLBACK)
    with running("mounted.py", port, data, GRANTWAY_DATA=str(data), GRANTWAY_PORT=str(port)):
        base_url = f"http://127.0.0.1:{port}"
        assert "Shop" in httpx2.get(f"{base_url}/app").text
        back = connected(base_url, client["client_id"], "linus")
        account = exchanged(base_url, client, back["code"])["account"]
    assert account == {"id": account["id"], "name": "Garden Supplies"}  # type: ignore[index]
