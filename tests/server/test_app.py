"""The application around the endpoints: addresses, methods, sizes, browsers of other origins, and trouble of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from grantway.server.app import build_app
from grantway.server.direct import MAX_BODY
from grantway.server.storage.port import Contended, OutcomeUnknown, OutcomeUntold, Overloaded, StorageError
from tests.helpers.asgi import Caller, Disconnected
from tests.helpers.fuzzing import Watch, watching
from tests.helpers.world import World, world
from tests.server.test_fuzz_machine import assert_standard_refusal, assert_sunshine_refusal


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    with watching() as one:
        yield one


@pytest.fixture(scope="module")
def there(watch: Watch) -> Iterator[World]:
    with world(watch.log) as one:
        yield one


@pytest.mark.parametrize("path", ["/token", "//token", "/token//", "///token"])
def test_doubled_slashes_are_folded(there: World, path: str) -> None:
    status = there.post_form(path, {"grant_type": "client_credentials", **there.proof()}).status
    assert status == (404 if path == "/token//" else 200)


def test_what_is_at_no_address_is_a_page(there: World) -> None:
    reply = there.get("/nothing")
    assert reply.status == 404
    assert reply.header("content-type") == "text/html; charset=utf-8"


def test_the_vendors_prefix_leads_to_the_vendors_calls_only(there: World) -> None:
    assert there.post_form("/sc/token", {}).status == 404
    assert there.get("/sc/v2/tokenInfo").status == 401
    assert there.get("/scv2/tokenInfo").status == 404


def test_another_method_is_refused_with_those_that_there_are(there: World) -> None:
    reply = there.get("/token")
    assert (reply.status, reply.header("allow")) == (405, "POST")
    assert_standard_refusal(reply)
    reply = there.get("/oauth/authorization")
    assert (reply.status, reply.header("allow")) == (405, "DELETE")
    assert_sunshine_refusal(reply)
    reply = there.post_form("/jwks.json", {})
    assert (reply.status, reply.header("allow")) == (405, "GET, HEAD")


def test_head_is_answered_like_get(there: World) -> None:
    for path in ("/.well-known/oauth-authorization-server", "/jwks.json", "/v2/tokenInfo", "/sign-in"):
        head, get = there.caller.request("HEAD", path), there.get(path)
        assert (head.status, head.header("content-type")) == (get.status, get.header("content-type"))


def test_a_body_may_have_64_kib_and_no_more(there: World) -> None:
    fields = b"&".join(b"f%d=%s" % (n, b"x" * 1000) for n in range(60))
    assert there.caller.raw("POST", "/token", parts=(fields,)).status in (400, 415)
    for body in (b"x" * (MAX_BODY + 1), b"x" * 200_000):
        whole = there.caller.raw("POST", "/token", parts=(body,))
        in_parts = there.caller.raw("POST", "/oauth/token", parts=(body[:10], body[10:70_000], body[70_000:]))
        assert (whole.status, in_parts.status) == (413, 413)
        assert_standard_refusal(whole)
        assert_sunshine_refusal(in_parts)


def test_half_a_request_is_none_and_spends_no_code(there: World) -> None:
    code = there.sunshine_code()
    members = there.sunshine_exchange(code)
    body = "&".join(f"{name}={value}" for name, value in members.items()).encode()
    kind = [(b"content-type", b"application/x-www-form-urlencoded")]
    with pytest.raises(Disconnected):
        there.caller.raw("POST", "/oauth/token", headers=kind, parts=(body, b""), hangs_up=True)
    assert there.post_json("/oauth/token", members).status == 200


def test_scripts_of_any_origin_may_call_the_standards_endpoints(there: World) -> None:
    for method, path in (("POST", "/token"), ("POST", "/revoke"), ("GET", "/jwks.json")):
        asked = [("Origin", "https://app.example"), ("Access-Control-Request-Method", method)]
        preflight = there.caller.request("OPTIONS", path, asked)
        assert (preflight.status, preflight.header("access-control-allow-origin")) == (204, "*")
        assert method in (preflight.header("access-control-allow-methods") or "")
        assert "authorization" in (preflight.header("access-control-allow-headers") or "")
        assert preflight.header("access-control-allow-credentials") is None
        reply = there.caller.request(method, path, asked[:1])
        assert reply.header("access-control-allow-origin") == "*"


def test_resource_servers_calls_are_not_for_browsers(there: World) -> None:
    assert there.caller.request("OPTIONS", "/introspect").status == 405
    assert (
        there.post_form("/introspect", {}, origin="https://app.example").header("access-control-allow-origin") is None
    )


def test_every_reply_has_a_number_that_its_log_line_has_too(there: World, watch: Watch) -> None:
    for reply in (there.get("/jwks.json"), there.get("/token"), there.get("/sign-in"), there.get("/nowhere")):
        number = reply.header("x-request-id") or "none"
        assert number.encode() in watch.log.getvalue()


def test_metadata_names_what_there_is(there: World) -> None:
    told = there.get("/.well-known/oauth-authorization-server").json()
    assert told == there.get("/.well-known/openid-configuration").json()
    assert told["issuer"] == "http://127.0.0.1:8080"
    assert told["idempotency_key_supported"] is True
    assert "openid" not in told["scopes_supported"]
    for name in ("token_endpoint", "introspection_endpoint", "revocation_endpoint", "jwks_uri"):
        path = told[name].removeprefix(told["issuer"])
        assert there.caller.request("OPTIONS", path).status in (204, 405), path


def test_the_issuer_is_a_setting_and_never_the_requests_host(there: World) -> None:
    told = there.get("/.well-known/oauth-authorization-server", host="evil.example", x_forwarded_host="evil.example")
    assert b"evil" not in told.body
    opened = there.get(there.standard_url(), host="evil.example", x_forwarded_proto="https")
    assert "evil" not in str(opened.headers)


# --- trouble of our own ---------------------------------------------------------------------------------------------


class Troubled:
    """A storage that fails in one way."""

    def __init__(self, trouble: BaseException) -> None:
        self._trouble = trouble

    def __getattr__(self, name: str) -> Any:
        async def fail(*_: Any) -> Any:
            raise self._trouble

        return fail


def troubled(there: World, watch: Watch, trouble: BaseException) -> Caller:
    return Caller(build_app(replace(there.house.service, storage=Troubled(trouble), log_stream=watch.log)))


@pytest.mark.parametrize("trouble", [Contended("later"), Overloaded("full"), StorageError("disk full")])
def test_a_busy_storage_is_503_with_the_time_to_come_back(there: World, watch: Watch, trouble: StorageError) -> None:
    caller = troubled(there, watch, trouble)
    for path, shape in (("/token", assert_standard_refusal), ("/oauth/token", assert_sunshine_refusal)):
        reply = caller.request("POST", path, [("Content-Type", "application/x-www-form-urlencoded")], EXCHANGE)
        assert (reply.status, reply.header("retry-after")) == (503, "1")
        shape(reply)
    page = caller.request("GET", "/connections", [("Cookie", "grantway-session=" + "a" * 43)])
    assert (page.status, page.header("retry-after")) == (503, "2")
    caller.close()


def test_a_commit_that_was_not_confirmed_is_told_as_unknown_in_every_dialect(there: World, watch: Watch) -> None:
    caller = troubled(there, watch, OutcomeUntold("the standby was away"))
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    told = {
        "/token": lambda said: said["error"],
        "/oauth/token": lambda said: said["errors"][0]["code"],
        "/v4/oauth/access-token": lambda said: said["@error"]["@code"],
        "/v1/users": lambda said: said["type"].rpartition("#")[2],
    }
    for path, code in told.items():
        reply = caller.request("POST", path, form, EXCHANGE)
        assert (reply.status, reply.header("retry-after"), code(reply.json())) == (503, "2", "outcome_unknown"), path
    square = caller.request("POST", "/oauth2/token", [("Content-Type", "application/json")], SQUARE_EXCHANGE)
    assert (square.status, square.json()["errors"][0]["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert "not known" in square.json()["errors"][0]["detail"]
    page = caller.request("GET", "/connections", [("Cookie", "grantway-session=" + "a" * 43)])
    assert (page.status, page.header("retry-after")) == (503, "2")
    assert "We do not know whether this was done" in page.text
    assert watch.log.getvalue().count(b"outcomeuntold") == len(told) + 2
    caller.close()


def test_a_fault_is_told_without_a_word_of_what_was_sent(there: World, watch: Watch) -> None:
    caller = troubled(there, watch, RuntimeError("the code was zq7secret"))
    for method, path in (("POST", "/token"), ("POST", "/oauth/token"), ("GET", "/")):
        reply = caller.request(method, path, [("Content-Type", "application/x-www-form-urlencoded")], EXCHANGE)
        assert reply.status == 500
        assert b"zq7secret" not in reply.body
        assert b"Traceback" not in reply.body
    written = watch.log.getvalue()
    assert b'"fault"' in written
    assert b"zq7secret" not in written
    caller.close()


def test_after_a_commit_of_unknown_outcome_nothing_is_answered(there: World, watch: Watch) -> None:
    caller = troubled(there, watch, OutcomeUnknown("the commit failed"))
    for path in ("/token", "/oauth/token"):
        with pytest.raises(OutcomeUnknown):
            caller.request("POST", path, [("Content-Type", "application/x-www-form-urlencoded")], EXCHANGE)
    caller.close()


SQUARE_EXCHANGE = b'{"grant_type":"authorization_code","client_id":"a","client_secret":"b","code":"zq7secret"}'
EXCHANGE = b"grant_type=authorization_code&code=zq7secret&client_id=a&client_secret=b"
