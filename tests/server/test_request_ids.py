"""Every answer has an id that its log line and its error page have, too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO

import orjson
import pytest

from grantway.server.app import build_app
from grantway.server.storage.port import StorageError
from tests.helpers.asgi import Caller
from tests.helpers.people import House
from tests.server.test_app import Troubled

PROXY, STRANGER = "10.1.2.3", "203.0.113.7"
EVERYWHERE = [
    ("GET", "/"), ("GET", "/sign-in"), ("GET", "/connections"), ("POST", "/sign-in"), ("GET", "/nothing"),
    ("DELETE", "/sign-in"), ("GET", "/static/favicon.png"), ("GET", "/static/nothing"), ("GET", "/icons/nobody.png"),
    ("GET", "/authorize"), ("GET", "/authorize/nothing"), ("POST", "/token"), ("GET", "/token"), ("OPTIONS", "/token"),
    ("POST", "/introspect"), ("POST", "/revoke"), ("GET", "/jwks.json"), ("HEAD", "/jwks.json"),
    ("GET", "/.well-known/oauth-authorization-server"), ("POST", "/oauth/token"), ("GET", "/v2/tokenInfo"),
    ("GET", "/v1/users"), ("GET", "/v1/nothing"), ("POST", "/v1/webhooks"), ("GET", "/metrics"), ("GET", "/health/live"),
    ("GET", "/health/ready"), ("BREW", "/coffee"),
]  # fmt: skip


@pytest.fixture
def log() -> BytesIO:
    return BytesIO()


@pytest.fixture
def house(log: BytesIO) -> House:
    return House.in_memory(log_level="info", trusted_proxies="10.0.0.0/8")


@pytest.fixture
def behind_a_proxy(house: House, log: BytesIO) -> Iterator[Caller]:
    caller = Caller(build_app(replace(house.service, log_stream=log)), PROXY)
    yield caller
    caller.close()


def lines(log: BytesIO) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.parametrize(("method", "path"), EVERYWHERE)
def test_every_answer_has_an_id(behind_a_proxy: Caller, log: BytesIO, method: str, path: str) -> None:
    reply = behind_a_proxy.request(method, path)
    found = reply.all("x-request-id")
    assert len(found) == 1
    assert re.fullmatch("[0-9a-f]{16}", found[0])
    assert [line["request_id"] for line in lines(log)] in ([found[0]], [])
    if reply.status >= 400 and (reply.header("content-type") or "").startswith("text/html"):
        assert f"<code>{found[0]}</code>" in reply.text


@pytest.mark.parametrize("path", ["/", "/token", "/v1/users"])
def test_answers_of_trouble_have_one_as_well(house: House, log: BytesIO, path: str) -> None:
    for trouble in (StorageError("busy"), LookupError("a fault")):
        caller = Caller(build_app(replace(house.service, storage=Troubled(trouble), log_stream=log)))
        reply = caller.request(
            "POST" if path == "/token" else "GET", path, [("cookie", "grantway-session=" + "a" * 43)]
        )
        assert len(reply.all("x-request-id")) == 1
        caller.close()


def test_a_line_has_the_same_fields_for_machines_and_people(behind_a_proxy: Caller, log: BytesIO) -> None:
    behind_a_proxy.request("GET", "/jwks.json")
    behind_a_proxy.request("GET", "/sign-in?secret=s3cr3t")
    machine, person = lines(log)
    assert set(machine) == set(person) == {
        "event", "route", "status", "reason", "client", "ms", "request_id", "level", "timestamp",
    }  # fmt: skip
    assert (machine["route"], person["route"]) == ("jwks", "GET /sign-in")
    assert b"s3cr3t" not in log.getvalue()


@pytest.mark.parametrize("path", ["/", "/jwks.json", "/nothing"])
def test_a_trusted_proxys_id_is_kept(behind_a_proxy: Caller, log: BytesIO, path: str) -> None:
    reply = behind_a_proxy.request("GET", path, [("x-request-id", "from-the-proxy_1")])
    assert reply.header("x-request-id") == "from-the-proxy_1"
    assert lines(log)[0]["request_id"] == "from-the-proxy_1"


@pytest.mark.parametrize(
    "theirs",
    [["short"], ["x" * 65], ['"><script>'], ["two words here"], ["one-of-two", "two-of-two"], ["line\\nbreak-1"], [""]],
)
def test_one_that_could_do_harm_is_not(behind_a_proxy: Caller, theirs: list[str]) -> None:
    reply = behind_a_proxy.request("GET", "/jwks.json", [("x-request-id", one) for one in theirs])
    assert re.fullmatch("[0-9a-f]{16}", reply.header("x-request-id") or "")


def test_a_strangers_id_is_not_believed(house: House, log: BytesIO) -> None:
    caller = Caller(build_app(replace(house.service, log_stream=log)), STRANGER)
    reply = caller.request("GET", "/jwks.json", [("x-request-id", "from-a-stranger")])
    assert reply.header("x-request-id") != "from-a-stranger"
    assert b"from-a-stranger" not in log.getvalue()
    caller.close()
