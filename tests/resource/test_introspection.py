"""Asking at each call, and what is kept of the answers: by hand, with a clock that turns."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grantway.resource import AccessToken, Introspection
from grantway.resource import introspection as module
from grantway.resource.refusals import SUSPENDED, Refused
from grantway.wire.http import HttpAnswer, HttpRequest

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACTIVE: dict[str, Any] = {
    "active": True, "scope": "read", "client_id": "shop", "token_type": "Bearer", "aud": "https://api.example",
    "exp": int(NOON.timestamp()) + 600,
}  # fmt: skip


def verifier(cache: float = 0) -> Introspection:
    return Introspection("https://login.example/introspect", "api", "sesame", cache=timedelta(seconds=cache))


def said(members: dict[str, Any], status: int = 200, *headers: tuple[bytes, bytes]) -> HttpAnswer:
    return HttpAnswer(status, headers, json.dumps(members).encode())


def heard(answer: HttpAnswer | None) -> AccessToken | Refused:
    return verifier().hear("gwa_1", answer, NOON, NOON)


def reason(answer: HttpAnswer | None) -> str:
    found = heard(answer)
    assert isinstance(found, Refused)
    return found.reason


def test_the_question_is_a_form_with_the_apis_own_credentials() -> None:
    asked = verifier().look("gwa_1", NOON)
    assert isinstance(asked, HttpRequest)
    assert asked.body == b"token=gwa_1&token_type_hint=access_token"
    assert (asked.method, asked.header(b"authorization")) == ("POST", "Basic YXBpOnNlc2FtZQ==")


def test_an_active_token_is_told_with_all_that_is_known_of_it() -> None:
    more = {
        "sub": "us_1",
        "iss": "https://login.example",
        "iat": int(NOON.timestamp()),
        "jti": "j",
        "connection_id": "cn_1",
    }
    assert heard(said(ACTIVE | more | {"account": {"id": "ac_1", "name": "Acme"}})) == AccessToken(
        scope=("read",),
        audience=("https://api.example",),
        client_id="shop",
        subject="us_1",
        issuer="https://login.example",
        issued_at=NOON,
        expires_at=NOON + timedelta(minutes=10),
        id="j",
        connection_id="cn_1",
        account_id="ac_1",
        account_name="Acme",
    )


@pytest.mark.parametrize(
    ("answer", "slug"),
    [
        (None, "introspection_not_reached"),
        (said({"active": False}), "inactive"),
        (said({"active": False, "scope": "read"}), "inactive"),
        (said({"active": False, "connection_state": "suspended"}), "connection_suspended"),
        (said({"active": False, "connection_state": "else"}), "inactive"),
        (said(ACTIVE | {"token_type": "DPoP"}), "not_a_bearer_token"),
        (said({name: value for name, value in ACTIVE.items() if name != "token_type"}), "not_a_bearer_token"),
        (said(ACTIVE | {"exp": 2**62}), "introspection_answer_malformed"),
        (said(ACTIVE | {"active": "true"}), "introspection_answer_malformed"),
        (said({"scope": "read"}), "introspection_answer_malformed"),
        (HttpAnswer(200, (), b"<html>"), "introspection_answer_malformed"),
        (HttpAnswer(200, (), b'{"active": tr'), "introspection_answer_malformed"),
        (HttpAnswer(302, ((b"location", b"https://evil.example"),)), "introspection_answer_malformed"),
        (said({"error": "invalid_client"}, 401), "introspection_answered_401"),
        (said({"error": "invalid_client"}), "introspection_answered_200"),
        (HttpAnswer(502, (), b"<html>"), "introspection_answered_502"),
    ],
)
def test_everything_else_is_a_refusal(answer: HttpAnswer | None, slug: str) -> None:
    assert reason(answer) == slug


@pytest.mark.parametrize("answer", [None, HttpAnswer(500), HttpAnswer(200, (), b"<html>"), said({"error": "x"}, 401)])
def test_an_answer_that_is_none_never_opens(answer: HttpAnswer | None) -> None:
    found = heard(answer)
    assert isinstance(found, Refused)
    assert (found.error.status, found.retry_after) == (503, 5)


def test_a_busy_server_says_itself_when_to_come_back() -> None:
    found = heard(said({"error": "temporarily_unavailable"}, 503, (b"retry-after", b"17")))
    assert isinstance(found, Refused)
    assert (found.error.status, found.retry_after) == (503, 17)


def test_suspended_is_said_as_such() -> None:
    assert heard(said({"active": False, "connection_state": "suspended"})) is SUSPENDED


def after(cached: Introspection, seconds: float, token: str = "gwa_1") -> bool:
    """Whether the answer is still used after so many seconds."""
    return isinstance(cached.look(token, NOON + timedelta(seconds=seconds)), AccessToken)


def test_without_a_cache_every_call_asks() -> None:
    asks = verifier()
    asks.hear("gwa_1", said(ACTIVE), NOON, NOON)
    assert not after(asks, 0)


def test_an_answer_is_used_for_so_long_after_it_was_asked_for_and_no_longer() -> None:
    cached = verifier(30)
    answered_at = NOON + timedelta(seconds=8)
    cached.hear("gwa_1", said(ACTIVE), NOON, answered_at)
    assert after(cached, 29)
    assert not after(cached, 1, "gwa_2")
    assert not after(cached, 30)


def test_an_answer_is_not_used_beyond_the_tokens_end() -> None:
    cached = verifier(3600)
    cached.hear("gwa_1", said(ACTIVE), NOON, NOON)
    assert after(cached, 599)
    assert not after(cached, 600)


def test_a_clock_that_was_put_back_makes_no_answer_younger() -> None:
    cached = verifier(30)
    cached.hear("gwa_1", said(ACTIVE), NOON, NOON)
    assert not after(cached, -1)


@pytest.mark.parametrize(
    "answer", [said({"active": False}), said({"active": False, "connection_state": "suspended"}), None]
)
def test_a_no_is_not_kept(answer: HttpAnswer | None) -> None:
    cached = verifier(30)
    cached.hear("gwa_1", answer, NOON, NOON)
    assert isinstance(cached.look("gwa_1", NOON), HttpRequest)


def test_what_is_kept_is_bounded_and_the_longest_unused_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_CACHE", 3)
    cached = verifier(30)
    for one in ("gwa_1", "gwa_2", "gwa_3"):
        cached.hear(one, said(ACTIVE), NOON, NOON)
    assert after(cached, 1, "gwa_1")
    cached.hear("gwa_4", said(ACTIVE), NOON, NOON)
    assert [after(cached, 1, one) for one in ("gwa_1", "gwa_2", "gwa_3", "gwa_4")] == [True, False, True, True]


def test_the_token_itself_is_not_kept() -> None:
    cached = verifier(30)
    cached.hear("gwa_very-secret", said(ACTIVE), NOON, NOON)
    assert "gwa_very-secret" not in repr(vars(cached))
    assert "sesame" not in repr(vars(cached))
