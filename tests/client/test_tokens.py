"""Tokens and errors as values: what is stored, what is shown, what survives a pickle."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from grantway.client import (
    Account,
    AuthorizationRefused,
    CallbackWrong,
    ClientError,
    Disconnected,
    ErrorEntry,
    NoAnswer,
    NotConnected,
    NotReached,
    Pending,
    Refused,
    StoreUnreadable,
    TimedOut,
    Tokens,
    UnsafeAddress,
    Unsupported,
    WrongServer,
)
from grantway.client.connection import Kept

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
FULL = Tokens(
    "gwa_secret", "Bearer", AT, "gwr_secret", AT + timedelta(days=90), ("read", "write"), Account("ac_1", "Acme", "M1"),
    "cn_1", True,
)  # fmt: skip
ERRORS: list[ClientError] = [
    Refused("invalid_grant", status=400, description="gwr_secret", retry_after=7, connection_state="suspended",
            errors=(ErrorEntry("UNAUTHORIZED", "gwr_secret", "AUTHENTICATION_ERROR", "code"),)),
    Refused("gwr_secret1", status=400),
    NoAnswer("html", status=200, reason="json_malformed"),
    NotReached("lost", outcome_unknown=True),
    TimedOut(outcome_unknown=False),
    CallbackWrong("state_used"),
    AuthorizationRefused("access_denied", "gwr_secret"),
    AuthorizationRefused("gwr_secret1"),
    WrongServer("issuer_differs"),
    UnsafeAddress(),
    Unsupported("revocation_endpoint"),
    NotConnected(),
    Disconnected("invalid_grant", AT),
    StoreUnreadable(),
]  # fmt: skip


@pytest.mark.parametrize("tokens", [FULL, Tokens("gwa_secret"), Tokens("gwa_secret", scope=())])
def test_what_is_stored_is_read_back_equal(tokens: Tokens) -> None:
    assert Tokens.from_dict(json.loads(json.dumps(tokens.to_dict()))) == tokens
    assert pickle.loads(pickle.dumps(tokens)) == tokens  # noqa: S301
    kept = Kept(tokens, "key", AT, "invalid_grant", AT)
    assert Kept.from_dict(json.loads(json.dumps(kept.to_dict()))) == kept


def test_tokens_that_were_stored_by_hand_are_read() -> None:
    assert Tokens.from_dict({"access_token": "a"}) == Tokens("a")
    with pytest.raises(ValueError, match="A stored time is not one"):
        Tokens.from_dict({"access_token": "a", "expires_at": "2026-03-01T12:00:00"})


def test_no_token_is_shown_by_accident() -> None:
    pending = Pending("https://login.example", "app", AT, code_verifier="verifier_secret")
    for shown in (repr(FULL), str(FULL), f"{FULL}", repr([FULL]), repr(pending)):
        assert "secret" not in shown


def test_what_waits_is_read_back_equal() -> None:
    for pending in (
        Pending("https://login.example", "app", AT),
        Pending("https://login.example", "app", AT, "https://app.example/cb", ("read",), "verifier", "token", True),
    ):
        assert Pending.from_dict(json.loads(json.dumps(pending.to_dict()))) == pending


def test_expiry_is_a_point_in_time_wherever_one_looks_from() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=9)))
    assert FULL.expires_within(0, AT)
    assert FULL.expires_within(60, elsewhere - timedelta(seconds=60))
    assert not FULL.expires_within(60, elsewhere - timedelta(seconds=61))
    assert not Tokens("a").expires_within(10**9), "what has no end does not expire"


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_survives_a_pickle_whole_and_shows_no_words_of_the_server(error: ClientError) -> None:
    again: Any = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(again), again.args, vars(again)) == (type(error), error.args, vars(error))
    assert "secret" not in repr(error) + str(error) + repr(error.args)
    assert str(error).endswith(".")


@pytest.mark.parametrize(
    ("error", "is_unknown"),
    [
        (Refused("invalid_grant", status=400), False),
        (Refused("server_error", status=500), True),
        (Refused("bad_gateway", status=502), True),
        (Refused("temporarily_unavailable", status=503), False),
        (Refused("outcome_unknown", status=503), True),
        (NoAnswer("truncated", status=200), True),
        (NoAnswer("redirect", status=307), True),
        (NoAnswer("html", status=404), False),
        (NoAnswer("html", status=504), True),
        (CallbackWrong("state_used"), False),
    ],
)
def test_an_error_says_whether_it_may_have_been_done(error: ClientError, is_unknown: bool) -> None:
    assert error.outcome_unknown is is_unknown


def test_every_error_is_in_the_table() -> None:
    def below(kind: type[ClientError]) -> set[type[ClientError]]:
        return {kind}.union(*[below(each) for each in kind.__subclasses__()])

    ours = {kind for kind in below(ClientError) if kind.__module__ == "grantway.client.errors"}
    assert {type(error) for error in ERRORS} == ours - {ClientError}
