"""The retry rule: races and lost answers keep their grants, thieves end them (docs/decisions/0004)."""

from __future__ import annotations

from typing import Any

import pytest

from grantway.protocol.decision import EndGrant, MoveGeneration
from grantway.protocol.tokens import write_refresh_token
from tests.helpers.stage import Stage, ending, refused


@pytest.fixture
def stage() -> Stage:
    return Stage()


def of_generation(stage: Stage, tokens: Any, generation: int, secret: bytes | None = None) -> str:
    """The refresh token of any generation of this grant, as only the server can write it."""
    return write_refresh_token(secret or tokens.issued.secret, tokens.issued.access.row_id, generation)


# Retries


@pytest.mark.parametrize("later", [0, 31, 3_600, 80 * 86_400])
def test_a_confidential_client_gets_the_same_successor_however_late_it_repeats(stage: Stage, later: int) -> None:
    by = stage.integration()
    first = stage.connect(by)
    second = stage.refreshed(by, first.refresh)
    stage.wait(seconds=later)
    repeated = stage.refresh(by, first.refresh)
    assert not any(isinstance(change, MoveGeneration | EndGrant) for change in repeated.changes)
    again = stage.minted(repeated)
    assert again.refresh == second.refresh
    assert stage.is_active(again.access)
    assert stage.refreshed(by, again.refresh).refresh not in (first.refresh, second.refresh)


@pytest.mark.parametrize("later", [0, 30])
def test_a_public_client_gets_the_same_successor_within_thirty_seconds(stage: Stage, later: int) -> None:
    by = stage.integration(public=True)
    first = stage.connect(by)
    second = stage.refreshed(by, first.refresh)
    stage.wait(seconds=later)
    again = stage.refresh(by, first.refresh)
    assert again.changes == ()
    assert stage.minted(again).refresh == second.refresh


def test_after_thirty_seconds_a_public_clients_repetition_is_reuse_and_everything_ends(stage: Stage) -> None:
    by = stage.integration(public=True)
    first = stage.connect(by)
    second = stage.refreshed(by, first.refresh)
    stage.wait(seconds=30.001)
    decision = ending(stage.refresh(by, first.refresh), "invalid_grant", "refresh_token_reused")
    assert EndGrant(stage.grant_of(first).id, stage.clock(), "reuse_detected") in decision.changes
    assert {each.reason for each in stage.audited()[-2:]} == {"reuse_detected"}
    assert not stage.is_active(second.access)
    assert not stage.is_active(second.refresh)
    refused(stage.refresh(by, second.refresh), "invalid_grant", "grant_ended")


def test_the_same_idempotency_key_widens_a_public_clients_window_to_two_minutes(stage: Stage) -> None:
    by = stage.integration(public=True)
    first = stage.connect(by)
    second = stage.refreshed(by, first.refresh, idempotency_key="k-1")
    stage.wait(seconds=120)
    assert stage.refreshed(by, first.refresh, idempotency_key="k-1").refresh == second.refresh
    stage.wait(seconds=0.001)
    ending(stage.refresh(by, first.refresh, idempotency_key="k-1"), "invalid_grant", "refresh_token_reused")


@pytest.mark.parametrize("key", [None, "k-2", "K-1", ""])
def test_another_key_or_none_widens_nothing(stage: Stage, key: str | None) -> None:
    by = stage.integration(public=True)
    first = stage.connect(by)
    stage.refreshed(by, first.refresh, idempotency_key="k-1")
    stage.wait(seconds=31)
    ending(stage.refresh(by, first.refresh, idempotency_key=key), "invalid_grant", "refresh_token_reused")


def test_a_key_that_comes_only_with_the_repetition_widens_nothing(stage: Stage) -> None:
    by = stage.integration(public=True)
    first = stage.connect(by)
    stage.refreshed(by, first.refresh)
    stage.wait(seconds=31)
    ending(stage.refresh(by, first.refresh, idempotency_key="k-1"), "invalid_grant", "refresh_token_reused")


def test_a_key_belongs_to_the_token_that_it_came_with(stage: Stage) -> None:
    """The key of the move 2 → 3 says nothing of the token of generation 1, nor that of 1 → 2 of another grant."""
    by = stage.integration(public=True)
    mine, other = stage.connect(by), stage.connect(by)
    stage.refreshed(by, other.refresh, idempotency_key="k-1")
    second = stage.refreshed(by, mine.refresh, idempotency_key="k-2")
    third = stage.refreshed(by, second.refresh, idempotency_key="k-1")
    stage.wait(seconds=31)
    ending(stage.refresh(by, second.refresh, idempotency_key="k-2"), "invalid_grant", "refresh_token_reused")
    assert not stage.is_active(third.access)
    assert stage.is_active(other.access)


def test_a_key_of_another_client_says_nothing(stage: Stage) -> None:
    """``move_key`` is bound to client, generation and key; the same words by another client are other words."""
    mine, other = stage.integration(public=True), stage.integration(public=True)
    first = stage.connect(mine)
    stage.refreshed(mine, first.refresh, idempotency_key="k-1")
    stage.wait(seconds=31)
    refused(
        stage.refresh(other, first.refresh, idempotency_key="k-1"),
        "invalid_grant",
        "refresh_token_of_another_client",
    )


@pytest.mark.parametrize("public", [True, False])
@pytest.mark.parametrize("body", [{"scope": ("read",)}, {"resource": ("https://api.example/a",)}])
def test_the_same_key_with_another_body_is_refused_and_nothing_changes(
    stage: Stage, public: bool, body: dict[str, Any]
) -> None:
    by = stage.integration(public=public, resources=("https://api.example/a", "https://api.example/b"))
    first = stage.connect(by)
    second = stage.refreshed(by, first.refresh, idempotency_key="k-1")
    decision = stage.refresh(by, first.refresh, idempotency_key="k-1", **body)
    refused(decision, "idempotency_key_reused", "idempotency_key_reused")
    assert decision.answer.error.status == 422
    assert stage.is_active(second.refresh)


def test_naming_all_scopes_is_the_same_body_as_naming_none(stage: Stage) -> None:
    by = stage.integration()
    first = stage.connect(by)
    second = stage.refreshed(by, first.refresh, idempotency_key="k-1")
    again = stage.refreshed(by, first.refresh, idempotency_key="k-1", scope=("read", "write", "admin"))
    assert again.refresh == second.refresh


# Two behind, and ahead


@pytest.mark.parametrize("public", [True, False])
def test_two_behind_within_the_window_is_a_herd_and_no_thief(stage: Stage, public: bool) -> None:
    by = stage.integration(public=public)
    first = stage.connect(by)
    second = stage.refreshed(by, first.refresh)
    third = stage.refreshed(by, second.refresh)
    stage.wait(seconds=30)
    refused(stage.refresh(by, first.refresh), "invalid_grant", "refresh_token_superseded")
    assert stage.is_active(third.access)
    assert stage.refreshed(by, third.refresh)


@pytest.mark.parametrize("public", [True, False])
def test_two_behind_outside_the_window_is_reuse(stage: Stage, public: bool) -> None:
    by = stage.integration(public=public)
    first = stage.connect(by)
    second = stage.refreshed(by, first.refresh)
    stage.wait(seconds=20)
    third = stage.refreshed(by, second.refresh)
    stage.wait(seconds=11)  # 31 s after the first one was superseded, 11 s after the second one
    ending(stage.refresh(by, first.refresh), "invalid_grant", "refresh_token_reused")
    assert not stage.is_active(third.access)


@pytest.mark.parametrize("public", [True, False])
def test_three_behind_is_reuse_at_any_time(stage: Stage, public: bool) -> None:
    by = stage.integration(public=public)
    first = stage.connect(by)
    last = first
    for _ in range(3):
        last = stage.refreshed(by, last.refresh)
    ending(stage.refresh(by, first.refresh), "invalid_grant", "refresh_token_reused")
    assert not stage.is_active(last.refresh)


def test_a_token_ahead_of_its_row_is_refused_and_nothing_ends(stage: Stage) -> None:
    """Only a database that was set back knows less than its tokens."""
    by = stage.integration()
    tokens = stage.connect(by)
    refused(stage.refresh(by, of_generation(stage, tokens, 2)), "invalid_grant", "generation_ahead")
    assert stage.is_active(tokens.refresh)


def test_generation_zero_was_a_code_and_never_a_refresh_token(stage: Stage) -> None:
    by = stage.integration()
    tokens = stage.connect(by)
    refused(stage.refresh(by, of_generation(stage, tokens, 0)), "invalid_grant", "refresh_token_unknown")
