"""Clients of other servers on the real server, two workers on one file: brought along, used, and quick from then on."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from tests.cli.test_client_import import FILES
from tests.helpers.asgi import Reply
from tests.helpers.customer import FORM
from tests.helpers.foreign_hashes import hydra_pbkdf2
from tests.helpers.server import Server, fetch, serving

COMING = {
    "hydra": {"helpdesk": "pbkdf2", "robot": "bcrypt", "till": "pbkdf2"},
    "keycloak": {"helpdesk": "sha256", "robot": "sha256", "till": "sha256"},
    "django-oauth-toolkit": {
        "helpdesk": "pbkdf2",
        "robot": "argon2",
        "till": "bcrypt",
        "older": "bcrypt",
        "oldest": "pbkdf2",
        "clear": "sha256",
    },
}


@pytest.fixture(params=COMING)
def moved(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Server, str]]:
    """A server with two workers, and which server its clients came from."""
    with serving(tmp_path / "data", workers=2) as server:
        (tmp_path / "export.json").write_text(json.dumps(chosen(request.param)))
        told = server.cli("clients", "import", str(tmp_path / "export.json"), "--from", request.param)
        assert {one["client_id"]: one["secret"] for one in told["clients"]} == COMING[request.param]
        yield server, request.param
        written = server.log()
    assert "Traceback" not in written
    assert "the-secret-of" not in written


def chosen(source: str) -> Any:
    """Of the export only the clients that come."""
    export = json.loads(FILES[source].read_text())
    if source == "keycloak":
        return {**export, "clients": [one for one in export["clients"] if one["clientId"] in COMING[source]]}
    if source == "hydra":
        before = [hydra_pbkdf2(secret_of("till-before")), hydra_pbkdf2(secret_of("till-long-before"))]
        return [one | {"rotated_secrets": before} for one in export if one["id"] in COMING[source]]
    return [one for one in export if one["fields"]["client_id"] in COMING[source]]


def ask(server: Server, client_id: str, secret: str) -> Reply:
    """Something that every confidential client may ask."""
    proof = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    headers = [("Authorization", f"Basic {proof}"), ("Content-Type", FORM)]
    return fetch("POST", f"{server.base_url}/introspect", headers, b"token=gwa_x")


def at_once(server: Server, times: int, client_id: str) -> list[int]:
    barrier = Barrier(times)

    def one(_: int) -> int:
        barrier.wait(30)
        return ask(server, client_id, secret_of(client_id)).status

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def secret_of(client_id: str) -> str:
    """As the older servers were given them; their exports hold hashes of these."""
    return f"the-secret-of-{client_id}-which-is-long"


def test_every_client_goes_on_with_the_secret_that_it_has(moved: tuple[Server, str]) -> None:
    server, source = moved
    for client_id in COMING[source]:
        assert ask(server, client_id, "wrong-" + secret_of(client_id)).status == 401
        assert at_once(server, 10, client_id) == [200] * 10  # of these one changes the record
        assert at_once(server, 10, client_id) == [200] * 10
    upgraded = [one for one in server.cli("audit", "search")["entries"] if one["action"] == "client_secret_upgraded"]
    hashed = [client_id for client_id, kept_as in COMING[source].items() if kept_as != "sha256"]
    assert [one["actor"] for one in reversed(upgraded)] == [f"client:{client_id}" for client_id in hashed]
    assert server.cli("clients", "show", "helpdesk")["secrets"][-1]["kept_as"] == "sha256"
    if source == "hydra":
        assert ask(server, "till", secret_of("till-before")).status == 200
        assert ask(server, "till", secret_of("till-long-before")).status == 401
