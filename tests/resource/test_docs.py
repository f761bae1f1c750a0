"""The examples of docs/how-to/protect-your-api.md, run as they stand there, with our real server to ask."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.asgi import Caller
from tests.helpers.integration import REDIRECT_URI, Integration
from tests.helpers.wsgi import WsgiCaller
from tests.house.documents import ROOT, Document
from tests.resource.conftest import Api, Scene

PAGE = Document(ROOT / "docs/how-to/protect-your-api.md")


@pytest.fixture(scope="module")
def examples() -> list[str]:
    return [content for language, content in PAGE.blocks if language == "python"]


def played(example: str, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the example makes, with the settings that the page tells of."""
    for name, value in {
        "INTROSPECTION_URL": f"{scene.issuer}/introspect",
        "API_CLIENT_ID": scene.api_id,
        "API_CLIENT_SECRET": scene.api_secret,
        "API_AUDIENCE": scene.issuer,
        "ISSUER": scene.issuer,
    }.items():
        monkeypatch.setenv(name, value)
    made: dict[str, Any] = {}
    exec(compile(example, "protect-your-api.md", "exec"), made)  # noqa: S102
    return made


@pytest.fixture(scope="module")
def orders(scene: Scene) -> Integration:
    made = scene.platform.client(
        "Orders", "--redirect-uri", REDIRECT_URI, "--scope", "orders:read orders:write", "--default-scope", "orders:read",
        "--create-scopes",
    )  # fmt: skip
    return Integration(scene.issuer, made["client_id"], made["client_secret"])


def test_the_asgi_example(
    scene: Scene, orders: Integration, examples: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = played(examples[0], scene, monkeypatch)["app"]
    caller = Caller(app)
    try:
        api, token = Api(caller), scene.token(orders)
        assert (api.get().status, api.get(token).status) == (401, 200)
        assert api.get(token).json()["account"].startswith("ac_")
        refused = caller.request("POST", "/orders", [("Authorization", f"Bearer {token}")])
        assert (refused.status, refused.json()["error"]) == (403, "insufficient_scope")
        assert 'scope="orders:write"' in (refused.header("www-authenticate") or "")
    finally:
        caller._loop.run_until_complete(app.aclose())
        caller.close()


def test_the_wsgi_example(
    scene: Scene, orders: Integration, examples: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = played(examples[1], scene, monkeypatch)["app"]
    try:
        api = Api(WsgiCaller(app))
        assert (api.get().status, api.get(scene.token(orders)).status) == (401, 200)
    finally:
        app.close()


def test_the_example_with_signatures(scene: Scene, examples: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert played(examples[2], scene, monkeypatch)["verifier"].url == f"{scene.issuer}/jwks.json"
    assert len(examples) == 3
