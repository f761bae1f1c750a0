"""The middleware in front of an API, as ASGI and as WSGI, with our real server to ask."""

from __future__ import annotations

import asyncio
import gc
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from grantway.resource import Introspection, Protect, SignedTokens
from tests.helpers.asgi import Reply, call
from tests.helpers.customer import forms
from tests.helpers.integration import Integration
from tests.helpers.people import TurningClock
from tests.resource.conftest import OTHER_API, Protected, Scene, asgi_api, scene_at

READ_ONLY = ("--set", "access_token_format=jwt")


def challenge(reply: Reply) -> str:
    return reply.header("www-authenticate") or ""


def test_a_good_token_is_let_in_and_the_application_knows_whose_it_is(scene: Scene, protected: Protected) -> None:
    api = protected(scene.asks(), audience=scene.issuer, required_scope="read")
    reply = api.get(scene.token())
    assert reply.status == 200, reply.text
    assert reply.json()["account"] == "Acme"
    assert reply.json()["scope"] == ["read", "write"]
    assert api.get(scene.token(), "/orders/new").status == 200


def test_without_a_token_the_scheme_is_told_and_no_error(scene: Scene, protected: Protected) -> None:
    api = protected(scene.asks(), audience=scene.issuer)
    for reply in (
        api.get(),
        api.get(Authorization="Basic YTpi"),
        api.get(path=f"/orders?access_token={scene.token()}"),
    ):
        assert (reply.status, challenge(reply)) == (401, 'Bearer realm="api"')


@pytest.mark.parametrize(
    ("sent", "path", "status", "code"),
    [
        ("Bearer", "/orders", 400, "invalid_request"),
        ("Bearer a, Bearer b", "/orders", 400, "invalid_request"),
        ("Bearer a", "/orders?access_token=a", 400, "invalid_request"),
        ("bearer a", "/orders", 401, "invalid_token"),
        ("Bearer gwa_unknown", "/orders", 401, "invalid_token"),
    ],
)
def test_what_is_no_good_token_is_told_so(
    scene: Scene, protected: Protected, sent: str, path: str, status: int, code: str
) -> None:
    reply = protected(scene.asks(), audience=scene.issuer).get(path=path, Authorization=sent)
    assert (reply.status, reply.json()["error"]) == (status, code)
    assert f'error="{code}"' in challenge(reply)
    assert reply.header("cache-control") == "no-store"


def test_two_headers_are_no_token(scene: Scene, protected: Protected) -> None:
    api = protected(scene.asks(), audience=scene.issuer)
    sent = ("Authorization", f"Bearer {scene.token()}")
    assert api.caller.request("GET", "/orders", [sent, sent]).status == 400


def test_a_token_for_another_api_is_refused(scene: Scene, protected: Protected) -> None:
    reply = protected(scene.asks(), audience=OTHER_API).get(scene.token())
    assert (reply.status, reply.json()["error"]) == (401, "invalid_token")


def test_scope_that_is_missing_is_named(scene: Scene, protected: Protected) -> None:
    reader = Integration(scene.issuer, *_registered(scene, "Reader", "--default-scope", "read"))
    token = scene.token(reader)
    behind = protected(scene.asks(), audience=scene.issuer, required_scope=("read", "write")).get(token)
    assert (behind.status, behind.json()["error"]) == (403, "insufficient_scope")
    assert 'scope="read write"' in challenge(behind)
    api = protected(scene.asks(), audience=scene.issuer, required_scope="read")
    assert api.get(token).status == 200
    at_the_route = api.get(token, "/orders/new")
    assert (at_the_route.status, 'scope="write"' in challenge(at_the_route)) == (403, True)


def _registered(scene: Scene, name: str, *arguments: str) -> tuple[str, str]:
    made = Integration.register(scene.platform, name, *arguments)
    return made.client_id, made.client_secret or ""


def test_a_revocation_is_seen_at_the_next_call(scene: Scene, protected: Protected) -> None:
    api, token = protected(scene.asks(), audience=scene.issuer), scene.token()
    assert api.get(token).status == 200
    assert scene.shop.post("/revoke", {"token": token})[0] == 200
    assert (api.get(token).status, api.get(token).json()["error"]) == (401, "invalid_token")


def test_a_removed_connection_is_over_at_the_next_call(scene: Scene, protected: Protected) -> None:
    api, token = protected(scene.asks(), audience=scene.issuer), scene.token()
    connection = api.get(token).json()["connection"]
    scene.platform.server.cli("connections", "remove", connection)
    assert api.get(token).status == 401


def test_while_a_removed_connection_may_be_tidied_up_it_reaches_nothing_else(
    tmp_path: Path, protected: Protected
) -> None:
    with scene_at(tmp_path / "data", GRANTWAY_REMOVAL_GRACE_SECONDS="600") as scene:
        api, token = protected(scene.asks(), audience=scene.issuer), scene.token()
        page = f"/connections/{api.get(token).json()['connection']}"
        removal = next(form for form in forms(scene.platform.customer.go("GET", page).text) if "remove" in form.action)
        assert scene.platform.customer.go("POST", removal.action, removal.fields.items()).status == 303
        assert api.get(token).status == 401
        assert protected(scene.asks(), audience=scene.issuer, required_scope="cleanup").get(token).status == 200


def test_a_suspended_connection_is_put_off_and_its_token_kept(scene: Scene, protected: Protected) -> None:
    api, token = protected(scene.asks(), audience=scene.issuer), scene.token()
    connection = api.get(token).json()["connection"]
    scene.platform.server.cli("connections", "suspend", connection)
    reply = api.get(token)
    assert (reply.status, reply.json()["error"], reply.json()["connection_state"]) == (
        403,
        "access_denied",
        "suspended",
    )
    assert reply.header("retry-after") == "300"
    scene.platform.server.cli("connections", "resume", connection)
    assert api.get(token).status == 200


def test_a_cache_hides_a_revocation_for_as_long_as_it_was_told_to(
    scene: Scene, protected: Protected, clock: TurningClock
) -> None:
    api = protected(scene.asks(cache=timedelta(seconds=20)), audience=scene.issuer, clock=clock)
    token = scene.token()
    assert api.get(token).status == 200
    scene.shop.post("/revoke", {"token": token})
    clock.turn(seconds=19)
    assert api.get(token).status == 200
    clock.turn(seconds=1)
    assert api.get(token).status == 401


def test_what_may_be_done_is_looked_at_on_every_call_whatever_is_cached(scene: Scene, protected: Protected) -> None:
    reader = Integration(scene.issuer, *_registered(scene, "Cached reader", "--default-scope", "read"))
    api, token = protected(scene.asks(cache=timedelta(minutes=5)), audience=scene.issuer), scene.token(reader)
    assert [api.get(token, path).status for path in ("/orders", "/orders/new", "/orders")] == [200, 403, 200]


def test_an_api_with_wrong_credentials_lets_nobody_in_and_says_so_in_its_log(
    scene: Scene, protected: Protected, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = Introspection(f"{scene.issuer}/introspect", scene.api_id, "wrong")
    token = scene.token()
    with caplog.at_level(logging.DEBUG):
        reply = protected(wrong, audience=scene.issuer).get(token)
    assert (reply.status, reply.header("retry-after")) == (503, "5")
    assert "callers are refused: introspection_answered_401" in caplog.text
    assert token not in caplog.text
    assert "Bearer" not in challenge(reply)


def test_while_the_authorization_server_is_gone_nobody_is_let_in(scene: Scene, protected: Protected) -> None:
    asks, signed = scene.asks(), SignedTokens(scene.issuer, f"{scene.issuer}/jwks.json")
    api, token = protected(asks, audience=scene.issuer), scene.token()
    jwt = scene.token(Integration(scene.issuer, *_registered(scene, "Signed, gone", *READ_ONLY)))
    assert api.get(token).status == 200
    scene.platform.server.stop()
    try:
        for each, sent in ((api, token), (protected(signed, audience=scene.issuer), jwt)):
            reply = each.get(sent)
            assert (reply.status, reply.header("retry-after"), reply.json()["error"]) == (
                503, "5", "temporarily_unavailable",
            )  # fmt: skip
    finally:
        scene.platform.server.start()
    assert api.get(token).status == 200


def test_a_signed_token_is_good_without_a_question_until_it_expires(
    scene: Scene, protected: Protected, clock: TurningClock
) -> None:
    by = Integration(scene.issuer, *_registered(scene, "Signed", *READ_ONLY))
    token, asked = scene.token(by), []
    signed = SignedTokens(scene.issuer, f"{scene.issuer}/jwks.json")
    api = protected(signed, lambda request: asked.append(request.url.path), audience=scene.issuer, clock=clock)
    assert [api.get(token).status for _ in range(3)] == [200, 200, 200]
    assert asked == ["/jwks.json"]
    by.post("/revoke", {"token": token})
    assert api.get(token).status == 200
    clock.turn(minutes=11)
    assert (api.get(token).status, api.get(token).json()["error"]) == (401, "invalid_token")


def test_a_signed_token_can_be_introspected_as_well(scene: Scene, protected: Protected) -> None:
    by = Integration(scene.issuer, *_registered(scene, "Signed, asked", *READ_ONLY))
    api, token = protected(scene.asks(), audience=scene.issuer), scene.token(by)
    assert api.get(token).status == 200
    by.post("/revoke", {"token": token})
    assert api.get(token).status == 401


def test_an_opaque_token_is_none_that_can_be_looked_at(scene: Scene, protected: Protected) -> None:
    signed = SignedTokens(scene.issuer, f"{scene.issuer}/jwks.json")
    assert protected(signed, audience=scene.issuer).get(scene.token()).status == 401


def test_a_vendors_jwt_is_for_introspection_only(scene: Scene, protected: Protected) -> None:
    bridge = scene.platform.client("Bridge", "--profile", "sunshine", "--redirect-uri", "http://127.0.0.1:9/sc")
    code = scene.platform.customer.connect(f"/oauth/authorize?client_id={bridge['client_id']}&response_type=code")[
        "code"
    ]
    by = Integration(scene.issuer, bridge["client_id"], bridge["client_secret"])
    token = by.post("/oauth/token", {"grant_type": "authorization_code", "code": code})[1]["access_token"]
    assert token.count(".") == 2
    signed = SignedTokens(scene.issuer, f"{scene.issuer}/jwks.json")
    assert protected(signed, audience=scene.issuer).get(token).status == 401
    assert protected(scene.asks(), audience=scene.issuer).get(token).status == 200


# --- ASGI beyond one request ----------------------------------------------------------------------------------------


def run(app: Any, kind: str, *received: dict[str, Any]) -> list[dict[str, Any]]:
    """What the application sends for these messages."""
    sent: list[dict[str, Any]] = []
    waiting = list(received)

    async def receive() -> dict[str, Any]:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app({"type": kind, "headers": [], "query_string": b"", "path": "/"}, receive, send))
    return sent


def test_websockets_are_refused() -> None:
    app = Protect(asgi_api, Introspection("https://login.example/introspect", "api", "secret"), audience="x")
    assert run(app, "websocket", {"type": "websocket.connect"}) == [{"type": "websocket.close", "code": 1008}]


def test_what_nobody_thought_of_is_not_let_through() -> None:
    app = Protect(asgi_api, Introspection("https://login.example/introspect", "api", "secret"), audience="x")
    with pytest.raises(RuntimeError, match="webtransport"):
        run(app, "webtransport")


def test_the_application_lives_and_ends_as_without_the_middleware() -> None:
    heard = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(2):
            heard.append((await receive())["type"])
            await send({"type": f"{heard[-1]}.complete"})

    guarded = Protect(app, Introspection("https://login.example/introspect", "api", "secret"), audience="x")
    sent = run(guarded, "lifespan", {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    assert heard == ["lifespan.startup", "lifespan.shutdown"]
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_many_callers_at_once_fetch_the_keys_once(scene: Scene) -> None:
    token = scene.token(Integration(scene.issuer, *_registered(scene, "Many", *READ_ONLY)))
    asked = []

    async def count(request: httpx2.Request) -> None:
        asked.append(request.url.path)

    async def all_at_once() -> list[int]:
        http = httpx2.AsyncClient(event_hooks={"request": [count]})
        app = Protect(
            asgi_api, SignedTokens(scene.issuer, f"{scene.issuer}/jwks.json"), audience=scene.issuer, http=http
        )
        sent = [(b"authorization", f"Bearer {token}".encode())]
        try:
            replies = await asyncio.gather(*[call(app, "GET", "/orders", b"", sent) for _ in range(50)])
        finally:
            await http.aclose()
        return [reply.status for reply in replies]

    assert asyncio.run(all_at_once()) == [200] * 50
    assert asked == ["/jwks.json"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_each_event_loop_has_connections_of_its_own(scene: Scene) -> None:
    app = Protect(asgi_api, scene.asks(), audience=scene.issuer)
    sent = [(b"authorization", f"Bearer {scene.token()}".encode())]
    for _ in range(3):
        assert asyncio.run(call(app, "GET", "/orders", b"", sent)).status == 200
    # Connections of a loop that is over cannot be closed any more; they say so here, and not in the next test.
    del app
    gc.collect()
