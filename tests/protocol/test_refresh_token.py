"""Refresh: what is given, what is refused, and that it survives races and lost answers (RFC 6749 §6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.decision import MoveGeneration, TouchUse
from grantway.protocol.tokens import write_refresh_token
from tests.helpers.stage import Integration, Stage, refused

DAY = timedelta(days=1)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def of_generation(stage: Stage, tokens: Any, generation: int, secret: bytes | None = None) -> str:
    """The refresh token of any generation of this grant, as only the server can write it."""
    return write_refresh_token(secret or tokens.issued.secret, tokens.issued.access.row_id, generation)


# What is given


def test_a_refresh_gives_a_new_pair_and_the_one_before_is_superseded(stage: Stage) -> None:
    by = stage.integration()
    first = stage.connect(by)
    second = stage.refreshed(by, first.refresh)
    assert second.refresh != first.refresh
    assert second.access != first.access
    assert stage.is_active(second.access)
    assert stage.is_active(second.refresh)
    assert not stage.is_active(first.refresh)


def test_the_access_token_before_works_until_it_expires(stage: Stage) -> None:
    by = stage.integration()
    first = stage.connect(by)
    stage.wait(seconds=599)
    stage.refreshed(by, first.refresh)
    assert stage.is_active(first.access)
    stage.wait(seconds=1)
    assert not stage.is_active(first.access)


def test_a_rotation_is_one_guarded_move_and_a_note_of_the_day(stage: Stage) -> None:
    by = stage.integration()
    first = stage.connect(by)
    grant = stage.grant_of(first)
    now = stage.clock()
    assert stage.refresh(by, first.refresh).changes == (
        MoveGeneration(grant.id, 1, now, None, now + 90 * DAY),
    )  # the day was noted at the exchange
    stage.wait(days=1)
    moved, touched = stage.refresh(by, of_generation(stage, first, 2)).changes
    assert isinstance(moved, MoveGeneration)
    assert touched == TouchUse(grant.id, grant.connection_id, stage.clock().date())


def test_a_refresh_is_not_audited(stage: Stage) -> None:
    by = stage.integration()
    tokens = stage.connect(by)
    before = len(stage.audited())
    stage.refreshed(by, tokens.refresh)
    assert len(stage.audited()) == before


# Only a proven token, presented by its own client, may end anything


def test_who_may_not_use_a_token_gets_one_and_the_same_answer_and_changes_nothing(stage: Stage) -> None:
    mine, other = stage.integration(), stage.integration("Other")
    first, others = stage.connect(mine), stage.connect(other)
    for _ in range(4):
        last = first = stage.refreshed(mine, first.refresh)
    old = of_generation(stage, first, 1)
    stage.wait(hours=1)
    answers = [
        refused(stage.refresh(other, old), "invalid_grant", "refresh_token_of_another_client"),
        refused(
            stage.refresh(mine, of_generation(stage, first, 1, others.issued.secret)),
            "invalid_grant",
            "refresh_token_unknown",
        ),
        refused(
            stage.refresh(mine, write_refresh_token(first.issued.secret, bytes(16), 1)),
            "invalid_grant",
            "refresh_token_unknown",
        ),
        refused(stage.refresh(mine, "gwr_nonsense"), "invalid_grant", "refresh_token_unknown"),
        refused(stage.refresh(mine, last.access), "invalid_grant", "refresh_token_unknown"),
    ]
    assert len({decision.answer.error for decision in answers}) == 1
    assert stage.is_active(last.refresh)


def test_a_request_without_a_token_is_incomplete(stage: Stage) -> None:
    refused(stage.refresh(stage.integration(), None), "invalid_request", "refresh_token_missing")


# Scope and resource


def test_scope_narrows_the_access_token_and_never_the_refresh_token(stage: Stage) -> None:
    by = stage.integration()
    first = stage.connect(by)
    narrow = stage.refreshed(by, first.refresh, scope=("read",))
    assert stage.scope_of(narrow.access) == ("read",)
    assert stage.scope_of(narrow.refresh) == ("read", "write", "admin")  # OAuth 2.1 §4.3
    assert stage.scope_of(stage.refreshed(by, narrow.refresh).access) == ("read", "write", "admin")


def test_more_than_was_granted_is_refused_and_the_token_is_not_spent(stage: Stage) -> None:
    by = stage.integration()
    tokens = stage.connect(by, scope=("read",))
    refused(stage.refresh(by, tokens.refresh, scope=("read", "write")), "invalid_scope", "scope_exceeds_grant")
    refused(stage.refresh(by, tokens.refresh, scope=("nonesuch",)), "invalid_scope", "scope_exceeds_grant")
    assert stage.scope_of(stage.refreshed(by, tokens.refresh).access) == ("read",)


def test_a_resource_narrows_the_audience_and_never_widens_it(stage: Stage) -> None:
    by = stage.integration(resources=("https://a.example", "https://b.example", "https://c.example"))
    tokens = stage.connect(by, resource=("https://a.example", "https://b.example"))
    refused(
        stage.refresh(by, tokens.refresh, resource=("https://c.example",)), "invalid_target", "resource_exceeds_grant"
    )
    narrow = stage.refreshed(by, tokens.refresh, resource=("https://b.example",))
    assert narrow.issued.access.resource == ("https://b.example",)
    assert stage.refreshed(by, narrow.refresh).issued.access.resource == ("https://a.example", "https://b.example")


# Suspension, and what is over


@pytest.mark.parametrize("what", ["connection", "account"])
def test_what_is_suspended_is_denied_and_comes_back_as_it_was(stage: Stage, what: str) -> None:
    by = stage.integration()
    first = stage.connect(by)
    second = stage.refreshed(by, first.refresh)
    record = stage.acme if what == "account" else stage.connection_of(first)
    stage.amend(record, suspended_at=stage.clock())
    stage.wait(hours=1)
    for token in (second.refresh, first.refresh):
        refused(stage.refresh(by, token), "access_denied", f"{what}_suspended")
    assert not stage.is_active(second.access)
    assert not stage.is_active(second.refresh)
    stage.amend(record, suspended_at=None)
    assert stage.is_active(stage.refreshed(by, second.refresh).access)


def test_reuse_while_suspended_ends_nothing(stage: Stage) -> None:
    by = stage.integration(public=True)
    first = stage.connect(by)
    second = stage.refreshed(by, first.refresh)
    stage.amend(stage.acme, suspended_at=stage.clock())
    stage.wait(hours=1)
    refused(stage.refresh(by, first.refresh), "access_denied", "account_suspended")
    stage.amend(stage.acme, suspended_at=None)
    assert stage.is_active(second.refresh)


def test_what_is_over_is_over_even_when_it_is_suspended_as_well(stage: Stage) -> None:
    by = stage.integration()
    tokens = stage.connect(by)
    stage.amend(stage.acme, suspended_at=stage.clock(), removed_at=stage.clock())
    refused(stage.refresh(by, tokens.refresh), "invalid_grant", "account_removed")


# Policies


def test_where_nothing_rotates_the_string_stays_the_same_for_ever(stage: Stage) -> None:
    by = stage.integration(policy={"rotates_refresh_tokens": False})
    first = stage.connect(by)
    for _ in range(3):
        stage.wait(days=30)
        again = stage.refreshed(by, first.refresh)
        assert again.refresh == first.refresh
        assert stage.is_active(again.access)
    assert stage.grant_of(first).generation == 1


def test_where_nothing_rotates_daily_use_still_keeps_the_grant_alive(stage: Stage) -> None:
    """It ended 90 days after the exchange however often it was used: nothing moved, so the idle time never did."""
    by = stage.integration(policy={"rotates_refresh_tokens": False, "refresh_idle_lifetime": 3 * 86_400})
    tokens = stage.connect(by)
    for _ in range(10):
        stage.wait(days=2)
        assert stage.is_active(tokens.refresh)
        stage.refreshed(by, tokens.refresh)
    stage.wait(days=4)
    assert not stage.is_active(tokens.refresh)
    refused(stage.refresh(by, tokens.refresh), "invalid_grant", "refresh_token_expired")


def test_a_client_that_is_changed_to_rotation_goes_on_with_the_token_that_it_has(stage: Stage) -> None:
    by = stage.integration(policy={"rotates_refresh_tokens": False})
    first = stage.connect(by)
    client = stage.amend(by.client, overrides=())
    second = stage.refreshed(replace(by, client=client), first.refresh)
    assert second.refresh != first.refresh


def test_a_token_that_is_not_used_for_ninety_days_expires(stage: Stage) -> None:
    by = stage.integration()
    tokens = stage.connect(by)
    stage.wait(days=89, hours=23)
    tokens = stage.refreshed(by, tokens.refresh)
    stage.wait(days=89, hours=23)
    tokens = stage.refreshed(by, tokens.refresh)
    stage.wait(days=90)
    assert not stage.is_active(tokens.refresh)
    refused(stage.refresh(by, tokens.refresh), "invalid_grant", "refresh_token_expired")


def test_the_absolute_lifetime_runs_from_consent_whatever_happens_in_between(stage: Stage) -> None:
    by = stage.integration(policy={"refresh_lifetime": 10 * 86_400})
    tokens = stage.connect(by)
    for _ in range(9):
        stage.wait(days=1)
        tokens = stage.refreshed(by, tokens.refresh)
    stage.wait(days=1)
    refused(stage.refresh(by, tokens.refresh), "invalid_grant", "refresh_token_expired")


def test_without_end_means_without_end(stage: Stage) -> None:
    by = stage.integration(policy={"refresh_idle_lifetime": None})
    tokens = stage.connect(by)
    stage.wait(days=3_000)
    assert stage.is_active(tokens.refresh)
    assert stage.refreshed(by, tokens.refresh)


def test_a_client_that_may_not_refresh_is_given_nothing_to_refresh_with(stage: Stage) -> None:
    by = stage.integration(policy={"grant_types": "authorization_code"})
    tokens = stage.connect(by)
    assert tokens.issued.refresh_token is None
    refused(stage.refresh(by, of_generation(stage, tokens, 1)), "unauthorized_client", "grant_type_not_allowed")


def test_the_clock_may_be_set_back_without_harm(stage: Stage) -> None:
    by: Integration = stage.integration(public=True)
    first = stage.connect(by)
    second = stage.refreshed(by, first.refresh)
    stage.wait(seconds=-3_600)
    assert stage.refreshed(by, first.refresh).refresh == second.refresh
    moved = stage.grant_of(first).moved_at
    third = stage.refreshed(by, second.refresh)
    assert stage.grant_of(third).moved_at == moved  # it never goes back
