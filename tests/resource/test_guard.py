"""Which token was sent, is it for this API, and does it reach far enough: the rule at the door, without any I/O."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantway.client.errors import UnsafeAddress
from grantway.resource import AccessToken, InsufficientScope, Introspection, SignedTokens, require, token_of
from grantway.resource.guard import KEY, Wanted, admit, read_token, wanted
from grantway.resource.refusals import (
    NO_TOKEN,
    SUSPENDED,
    Refused,
    insufficient_scope,
    invalid_token,
    unavailable,
    write_refusal,
)
from grantway.wire.http import HttpAnswer

API = "https://api.example"
ASKS = Introspection("https://login.example/introspect", "api", "secret")


@pytest.mark.parametrize(
    ("headers", "query", "found"),
    [
        (["Bearer gwa_1"], "", "gwa_1"),
        (["bearer gwa_1"], "", "gwa_1"),
        (["BEARER  gwa_1 "], "", "gwa_1"),
        (["Bearer a.b-c_d~e+f/g=="], "page=2&access_tokens=3", "a.b-c_d~e+f/g=="),
        ([], "", "access_token_missing"),
        ([], "access_token=gwa_1", "access_token_missing"),
        (["Basic YTpi"], "", "access_token_missing"),
        (["DPoP gwa_1"], "", "access_token_missing"),
        (['Digest username="a", realm="b"'], "", "access_token_missing"),
        (["gwa_1"], "", "access_token_missing"),
        (["Bearer"], "", "bearer_empty"),
        (["Bearer  "], "", "bearer_empty"),
        (["Bearer gwa_1"], "access_token=gwa_1", "two_tokens"),
        (["Bearer gwa_1"], "a=1&access_token", "two_tokens"),
        (["Bearer gwa_1", "Bearer gwa_1"], "", "header_repeated"),
        (["Basic YTpi", "Bearer gwa_1"], "", "header_repeated"),
        (["Bearer gwa_1, Bearer gwa_1"], "", "authorization_repeated"),
        (["Bearer gwa_1 gwa_2"], "", "bearer_malformed"),
        (['Bearer "gwa_1"'], "", "bearer_malformed"),
        (["Bearer gwä"], "", "header_not_ascii"),
        (["Bearer " + "a" * 9000], "", "bearer_malformed"),
    ],
)
def test_a_token_is_read_from_one_bearer_header_only(headers: list[str], query: str, found: str) -> None:
    read = read_token([(b"authorization", one.encode("latin-1")) for one in headers], query.encode())
    assert (read.reason if isinstance(read, Refused) else read) == found


@given(st.lists(st.tuples(st.just(b"authorization"), st.binary()), max_size=2), st.binary())
def test_whatever_is_sent_is_a_token_or_a_refusal(headers: list[tuple[bytes, bytes]], query: bytes) -> None:
    read = read_token(headers, query)
    assert isinstance(read, Refused) or read.isascii()


def token(*scope: str, audience: tuple[str, ...] = (API,)) -> AccessToken:
    return AccessToken(scope=scope, audience=audience)


@pytest.mark.parametrize(
    ("held", "to", "reason"),
    [
        (token("read"), Wanted(API, ()), None),
        (token("read", "write"), Wanted(API, ("read", "write")), None),
        (token("read"), Wanted(API, ("read", "write")), "scope_too_small"),
        (token(), Wanted(API, ("read",)), "scope_too_small"),
        (token("read:all"), Wanted(API, ("read",)), "scope_too_small"),
        (token("read", audience=("https://other.example", API)), Wanted(API, ("read",)), None),
        (token("read", audience=("https://other.example",)), Wanted(API, ("read",)), "wrong_audience"),
        (token("read", audience=(API + "/",)), Wanted(API, ("read",)), "wrong_audience"),
        (token("read", audience=()), Wanted(API, ("read",)), "wrong_audience"),
        (token("read", audience=("https://other.example",)), Wanted(None, ("read",)), None),
        (token("cleanup"), Wanted(API, ()), "connection_removed"),
        (token("cleanup"), Wanted(API, ("read",)), "connection_removed"),
        (token("cleanup"), Wanted(API, ("cleanup",)), None),
        (token("cleanup", "read"), Wanted(API, ("read",)), None),
    ],
)
def test_a_good_token_is_let_in_where_it_was_meant_for(held: AccessToken, to: Wanted, reason: str | None) -> None:
    refused = admit(held, to)
    assert (None if refused is None else refused.reason) == reason


def told(answer: HttpAnswer) -> tuple[int, str | None]:
    return answer.status, answer.header(b"www-authenticate")


@pytest.mark.parametrize(
    ("refused", "status", "challenge"),
    [
        (NO_TOKEN, 401, 'Bearer realm="api"'),
        (invalid_token("inactive"), 401, 'Bearer realm="api", error="invalid_token", error_description='),
        (read_token([(b"authorization", b"Bearer")], b""), 400, 'Bearer realm="api", error="invalid_request", '),
        (insufficient_scope(("a", "b")), 403, 'Bearer realm="api", error="insufficient_scope", '),
        (SUSPENDED, 403, 'Bearer realm="api", error="access_denied", '),
    ],
)
def test_a_challenge_says_what_rfc_6750_says(refused: Refused, status: int, challenge: str) -> None:
    answer = write_refusal(refused)
    assert answer.status == status
    said = answer.header(b"www-authenticate") or ""
    assert said.startswith(challenge)
    assert ("error" in said) == (refused is not NO_TOKEN)
    assert ('scope="a b"' in said) == (refused.error.code == "insufficient_scope")
    assert answer.header(b"cache-control") == "no-store"
    assert refused.reason.encode() not in answer.body


def test_when_nobody_can_say_the_caller_is_asked_to_come_back() -> None:
    answer = write_refusal(unavailable("introspection_not_reached"))
    assert told(answer) == (503, None)
    assert answer.header(b"retry-after") == "5"
    assert write_refusal(unavailable("introspection_answered_429", 60)).header(b"retry-after") == "60"


def test_a_suspended_connection_is_told_as_the_authorization_server_tells_it() -> None:
    answer = write_refusal(SUSPENDED)
    assert b'"connection_state":"suspended"' in answer.body
    assert answer.header(b"retry-after") == "300"


def test_a_route_asks_for_more_scope() -> None:
    require(token("read", "write"), "read", "write")
    with pytest.raises(InsufficientScope, match="write") as caught:
        require(token("read"), "read", "write")
    status, challenge = told(caught.value.answer)
    assert (status, challenge is not None and 'scope="read write"' in challenge) == (403, True)


def test_the_application_finds_the_token_where_the_middleware_put_it() -> None:
    held = token("read")
    assert token_of({KEY: held}) is held
    with pytest.raises(LookupError, match="not behind Protect"):
        token_of({})


def test_the_middleware_is_told_for_whom_tokens_must_be() -> None:
    signed = SignedTokens("https://login.example", "https://login.example/jwks.json")
    assert wanted(ASKS, None, "read  write") == Wanted(None, ("read", "write"))
    assert wanted(ASKS, API, ["read"]) == Wanted(API, ("read",))
    with pytest.raises(ValueError, match="Name the audience"):
        wanted(signed, None, ())


@pytest.mark.parametrize(
    ("url", "allow_http"),
    [
        ("http://login.example/introspect", False),
        ("http://127.0.0.1.login.example/introspect", False),
        ("ftp://login.example/introspect", True),
        ("login.example/introspect", True),
        ("https://user@login.example/introspect", True),
    ],
)
def test_tokens_do_not_travel_in_the_clear(url: str, allow_http: bool) -> None:
    with pytest.raises(UnsafeAddress):
        Introspection(url, "api", "secret", allow_http=allow_http)
    with pytest.raises(UnsafeAddress):
        SignedTokens("https://login.example", url, allow_http=allow_http)


def test_who_says_so_may_ask_in_the_clear() -> None:
    assert Introspection("http://login.internal/introspect", "api", "secret", allow_http=True)


@pytest.mark.parametrize(
    "url", ["http://localhost:8080/x", "http://127.0.0.1:1/x", "http://[::1]/x", "https://a.example/"]
)
def test_this_machine_and_https_are_asked(url: str) -> None:
    assert Introspection(url, "api", "secret").url == url


@pytest.mark.parametrize("algorithms", [("none",), ("HS256",), ("ES256", "HS256"), ()])
def test_only_signatures_that_the_public_cannot_make_are_looked_at(algorithms: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="Algorithms are among"):
        SignedTokens("https://login.example", "https://login.example/jwks.json", algorithms=algorithms)


def test_clocks_do_not_differ_for_ever() -> None:
    with pytest.raises(ValueError, match="five minutes"):
        SignedTokens("https://login.example", "https://login.example/jwks.json", leeway=timedelta(minutes=6))


def test_credentials_do_not_show() -> None:
    assert "sesame" not in repr(vars(Introspection("https://login.example/introspect", "api", "sesame")))
