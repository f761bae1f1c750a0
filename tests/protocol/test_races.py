"""Ten at once, through the protocol: one exchange whose tokens live, and one successor for all who refresh."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from grantway.protocol.authorize import SendBack, allow
from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.issuing import Issued
from grantway.protocol.model import Connection, Grant
from grantway.protocol.revocation import revoke
from grantway.protocol.token import token
from grantway.wire.messages import RevocationRequest, TokenRequest
from tests.helpers.stage import ISSUER, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


def at_once(stage: Stage, asked: list[tuple[Any, ...]]) -> list[Decision[Any]]:
    """All of these rules with their arguments, under way at the same time."""

    async def race() -> list[Decision[Any]]:
        return await asyncio.gather(*(stage.house.service.settle(*each) for each in asked))

    return asyncio.run(race())


@pytest.mark.parametrize("public", [True, False])
def test_of_ten_exchanges_exactly_one_wins_and_its_tokens_work_and_refresh(stage: Stage, public: bool) -> None:
    by = stage.integration(public=public)
    request = stage.exchange_request(by, stage.code(by))
    decisions = at_once(stage, [(token, request, "standard")] * 10)
    (won,) = [each for each in decisions if isinstance(each.answer, Issued)]
    assert {each.reason for each in decisions if each is not won} == {"code_presented_twice"}
    assert all(each.changes == () for each in decisions if each is not won)
    winner = stage.minted(won)
    assert stage.is_active(winner.access)
    assert stage.is_active(winner.refresh)
    assert stage.is_active(stage.refreshed(by, winner.refresh).access)


@pytest.mark.parametrize("public", [True, False])
@pytest.mark.parametrize("key", [None, "k-1"])
def test_ten_refreshes_are_all_told_the_same_successor_and_it_works(
    stage: Stage, public: bool, key: str | None
) -> None:
    by = stage.integration(public=public)
    first = stage.connect(by)
    request = TokenRequest("refresh_token", by.credentials, refresh_token=first.refresh, idempotency_key=key)
    answers = [stage.minted(each) for each in at_once(stage, [(token, request, "standard")] * 10)]
    assert len({each.refresh for each in answers}) == 1
    assert len({each.access for each in answers}) == 10
    assert all(stage.is_active(each.access) for each in answers)
    assert stage.grant_of(first).generation == 2
    assert stage.is_active(stage.refreshed(by, answers[0].refresh).access)


def test_whoever_lags_behind_two_rotations_of_a_herd_ends_nothing(stage: Stage) -> None:
    by = stage.integration(public=True)
    tokens = [stage.connect(by)]
    for _ in range(2):
        tokens.append(stage.refreshed(by, tokens[-1].refresh))
    asked = [TokenRequest("refresh_token", by.credentials, refresh_token=each.refresh) for each in tokens]
    decisions = at_once(stage, [(token, request, "standard") for request in asked])
    assert not any(each.reason == "refresh_token_reused" for each in decisions)
    assert stage.is_active(stage.minted(decisions[-1]).access)


def test_ten_allows_make_one_code(stage: Stage) -> None:
    by = stage.integration()
    visitor = stage.browser(stage.ada)
    pending_id = stage.open(by, visitor)
    shown = stage.ask(pending_id, visitor).shown
    decisions = at_once(stage, [(allow, pending_id, visitor, shown, ISSUER)] * 10)
    assert len({each.answer.answer.code for each in decisions if isinstance(each.answer, SendBack)}) == 1
    assert sum(bool(each.changes) for each in decisions) == 1
    assert len(stage.all(Grant)) == len(stage.all(Connection)) == 1


def test_ten_browsers_that_allow_make_one_connection(stage: Stage) -> None:
    by = stage.integration()
    asked = []
    for _ in range(10):
        visitor = stage.browser(stage.ada)
        pending_id = stage.open(by, visitor)
        asked.append((allow, pending_id, visitor, stage.ask(pending_id, visitor).shown, ISSUER))
    decisions = at_once(stage, asked)
    assert all(isinstance(each.answer, SendBack) for each in decisions)
    assert len(stage.all(Connection)) == 1
    assert len(stage.all(Grant)) == 10


def test_a_revocation_among_refreshes_leaves_nothing_alive(stage: Stage) -> None:
    by = stage.integration()
    first = stage.connect(by)
    refresh = TokenRequest("refresh_token", by.credentials, refresh_token=first.refresh)
    asked: list[tuple[Any, ...]] = [(token, refresh, "standard")] * 10
    asked.insert(5, (revoke, RevocationRequest(first.refresh, by.credentials), "standard", ISSUER))
    given = [each for each in at_once(stage, asked) if isinstance(each.answer, Issued)]
    assert given
    assert not any(stage.is_active(text) for each in map(stage.minted, given) for text in (each.access, each.refresh))


def test_a_thief_and_an_owner_at_once_are_told_the_same_and_the_next_one_who_is_late_ends_it(stage: Stage) -> None:
    """Within the window both hold the same successor; when one of them moves on, the other is found out."""
    by = stage.integration(public=True)
    first = stage.connect(by)
    request = TokenRequest("refresh_token", by.credentials, refresh_token=first.refresh)
    owner, thief = (stage.minted(each) for each in at_once(stage, [(token, request, "standard")] * 2))
    assert owner.refresh == thief.refresh
    latest = stage.refreshed(by, owner.refresh)
    stage.wait(seconds=31)
    late = stage.decide(token, replace(request, refresh_token=thief.refresh), "standard")
    assert isinstance(late.answer, Refusal)
    assert late.reason == "refresh_token_reused"
    assert not stage.is_active(latest.access)
