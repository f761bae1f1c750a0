"""Somebody leaves an integration with the token that they came with."""

from __future__ import annotations

from typing import Any

import pytest

from grantway.protocol.lifecycle import suspend
from grantway.protocol.model import Connection
from grantway.protocol.sign_out import sign_out
from grantway.wire.messages import SignOutAnswer, SignOutRequest
from tests.helpers.stage import ISSUER, Integration, Stage, refused


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def by(stage: Stage) -> Integration:
    return stage.phonecom()


def leave(stage: Stage, text: str | None) -> Any:
    return stage.decide(sign_out, SignOutRequest(text), "phonecom", ISSUER)


def test_signing_out_ends_the_grant_refresh_token_and_all(stage: Stage, by: Integration) -> None:
    here, there = stage.connect(by), stage.connect(by)
    decision = leave(stage, here.access)
    assert (decision.answer, decision.reason) == (SignOutAnswer(), "signed_out")
    refused(stage.refresh(by, here.refresh), "invalid_grant", "grant_ended")
    assert not stage.is_active(here.access)
    assert stage.is_active(there.access)  # somewhere else they are still signed in


def test_with_the_last_grant_the_connection_goes(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    connection = stage.connection_of(tokens)
    leave(stage, tokens.access)
    gone = stage.stored(Connection, connection.id)
    assert (gone.removed_at, gone.removed_reason) == (stage.clock(), "integrator")


def test_who_has_signed_out_already_is_told_so(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    stage.connect(by)
    leave(stage, tokens.access)
    refused(leave(stage, tokens.access), "invalid_token", "grant_ended")


def test_who_is_suspended_may_still_leave(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    stage.decide(suspend, stage.connection_of(tokens).id, "operator")
    assert leave(stage, tokens.access).answer == SignOutAnswer()


def test_a_clients_own_token_ends_alone(stage: Stage, by: Integration) -> None:
    first, second = (stage.minted(stage.client_credentials(by)) for _ in range(2))
    assert leave(stage, first.access).answer == SignOutAnswer()
    assert not stage.is_active(first.access)
    assert stage.is_active(second.access)
    refused(leave(stage, first.access), "invalid_token", "access_token_ended")


def test_what_is_no_active_token_of_this_dialect_ends_nothing(stage: Stage, by: Integration) -> None:
    tokens, others = stage.connect(by), stage.connect(stage.integration())
    for text, reason in (
        (None, "access_token_missing"),
        ("nonsense", "access_token_unknown"),
        (tokens.refresh, "access_token_unknown"),
        (others.access, "access_token_of_another_dialect"),
    ):
        refused(leave(stage, text), "invalid_token", reason)
    assert stage.is_active(tokens.access)
    assert stage.is_active(others.access)
