"""Changes of a connection's life that happen at once: one terminal event, and nothing that outlives the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from grantway.protocol.connections import remove, remove_by_user
from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.issuing import Issued
from grantway.protocol.lifecycle import resume, suspend, suspend_by_user
from grantway.protocol.model import Connection, Grant, Notice
from grantway.protocol.revocation import revoke
from grantway.protocol.token import token
from grantway.protocol.vendor_calls import revoke_access
from grantway.wire.messages import AccessRevocationRequest, RevocationRequest, TokenRequest
from tests.helpers.stage import ISSUER, Integration, Stage, Tokens

REMOVE_URL = "https://client.example/removed"
Asked = tuple[Any, ...]


@pytest.fixture
def stage() -> Stage:
    return Stage(platform_events_url="https://platform.example/hooks")


@pytest.fixture
def by(stage: Stage) -> Integration:
    return stage.integration(remove_url=REMOVE_URL)


def at_once(stage: Stage, asked: list[Asked]) -> list[Decision[Any]]:
    """All of these under way at the same time; what asks for tokens is proposed, as the server has it."""

    async def race() -> list[Decision[Any]]:
        service = stage.house.service
        return await asyncio.gather(
            *((service.propose if each[0] is token else service.settle)(*each) for each in asked)
        )

    return asyncio.run(race())


def proposed_too_early(stage: Stage, asked: Asked, happens: Callable[[], object]) -> Decision[Any]:
    """What becomes of a proposal that had read and decided when something else happened (``Storage.propose``)."""
    rule, *arguments = asked
    early: list[Decision[Any]] = []

    async def read(facts: Any, at: Any) -> Decision[None]:
        early.append(await rule(facts, at, *arguments))
        return Decision(None)

    async def propose(facts: Any, at: Any) -> Decision[Any]:
        return early.pop() if early else await rule(facts, at, *arguments)

    stage.decide(read)
    happens()
    return stage.decide(propose)


def told(stage: Stage, what: str) -> int:
    return sum(json.loads(each.body)["type"] == what for each in stage.all(Notice) if each.kind == "platform")


def refresh(by: Integration, tokens: Tokens) -> Asked:
    return token, TokenRequest("refresh_token", by.credentials, refresh_token=tokens.refresh), by.dialect


def exchange(stage: Stage, by: Integration, code: str) -> Asked:
    return token, stage.exchange_request(by, code), by.dialect


def test_ten_removals_at_once_are_one_terminal_event(stage: Stage) -> None:
    by = stage.sunshine(remove_url=REMOVE_URL)
    tokens = stage.connect(by)
    connection = stage.connection_of(tokens)
    session = stage.browser(stage.ada).session
    ways: list[Asked] = [
        (remove, connection.id, "operator", "operator"),
        (remove_by_user, connection.id, session),
        (revoke, RevocationRequest(tokens.access, by.credentials), "sunshine", ISSUER),
        (revoke_access, AccessRevocationRequest(access_token=tokens.access), "sunshine", ISSUER),
        (remove, connection.id, "integrator", "client:x"),
    ]
    at_once(stage, ways * 2)
    assert told(stage, "connection.removed") == 1
    assert [each.kind for each in stage.all(Notice)].count("remove_url") == 1
    assert sum(each.action == "connection_removed" for each in stage.audited()) == 1
    assert not stage.is_active(tokens.access)


def test_of_a_removal_and_ten_exchanges_nothing_outlives_the_removal(stage: Stage, by: Integration) -> None:
    codes = [stage.code(by) for _ in range(10)]
    (connection,) = stage.all(Connection)
    asked = [exchange(stage, by, code) for code in codes]
    asked.insert(5, (remove, connection.id, "customer", "us_x"))
    given = [stage.minted(each) for each in at_once(stage, asked) if isinstance(each.answer, Issued)]
    assert stage.stored(Connection, connection.id).removed_at is not None
    assert not any(stage.is_active(each.access) or stage.is_active(each.refresh) for each in given)
    types = [json.loads(each.body)["type"] for each in stage.all(Notice) if each.kind == "platform"]
    assert types in (["connection.created", "connection.removed"], ["connection.removed"])


def test_ten_first_exchanges_activate_once_and_the_platform_hears_of_it_once(stage: Stage, by: Integration) -> None:
    asked = [exchange(stage, by, stage.code(by)) for _ in range(10)]
    given = [stage.minted(each) for each in at_once(stage, asked)]
    assert all(stage.is_active(each.access) for each in given)
    assert told(stage, "connection.created") == 1


def test_refreshes_among_suspensions_and_resumptions_lose_no_token(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    connection = stage.connection_of(tokens)
    asked: list[Asked] = []
    for _ in range(5):
        asked += [refresh(by, tokens), (suspend, connection.id, "operator"), refresh(by, tokens)]
        asked += [(resume, connection.id, "operator")]
    decisions = at_once(stage, asked)
    stage.decide(resume, connection.id, "operator")
    refused = [each.answer for each in decisions if isinstance(each.answer, Refusal)]
    assert {(each.error.code, each.connection_state) for each in refused} <= {("access_denied", "suspended")}
    latest = stage.refreshed(by, tokens.refresh)
    assert stage.is_active(latest.access)
    assert stage.grant_of(tokens).revoked_at is None


def test_an_operator_and_a_customer_who_suspend_at_once_are_both_kept_and_told_once(
    stage: Stage, by: Integration
) -> None:
    tokens = stage.connect(by)
    connection = stage.connection_of(tokens)
    session = stage.browser(stage.ada).session
    at_once(stage, [(suspend, connection.id, "operator"), (suspend_by_user, connection.id, session)] * 5)
    assert {each.reason for each in stage.connection_of(tokens).suspensions} == {"operator", "customer"}
    assert len(stage.connection_of(tokens).suspensions) == 2
    assert told(stage, "connection.suspended") == 1


# What a proposal read may be over when it commits


def test_a_refresh_that_was_decided_before_a_suspension_yields_tokens_that_are_suspended(
    stage: Stage, by: Integration
) -> None:
    tokens = stage.connect(by)
    connection = stage.connection_of(tokens)
    suspends = (suspend, connection.id, "operator")
    given = stage.minted(proposed_too_early(stage, refresh(by, tokens), lambda: stage.decide(*suspends)))
    assert not stage.is_active(given.access)
    stage.decide(resume, connection.id, "operator")
    assert stage.is_active(given.access)
    assert stage.is_active(given.refresh)


def test_a_first_exchange_that_was_decided_before_a_removal_decides_again(stage: Stage, by: Integration) -> None:
    code = stage.code(by)
    (connection,) = stage.all(Connection)
    removes = (remove, connection.id, "customer", "us_x")
    decision = proposed_too_early(stage, exchange(stage, by, code), lambda: stage.decide(*removes))
    assert decision.reason == "connection_removed"
    assert told(stage, "connection.created") == 0


def test_reuse_that_was_found_before_somebody_allowed_anew_leaves_the_connection(stage: Stage, by: Integration) -> None:
    """The last grant ends, but meanwhile there is another one: the connection must not go with it."""
    tokens = stage.connect(by)
    latest = stage.refreshed(by, stage.refreshed(by, tokens.refresh).refresh)
    stage.wait(minutes=5)
    new: list[Tokens] = []
    decision = proposed_too_early(stage, refresh(by, tokens), lambda: new.append(stage.connect(by, stage.user("Bob"))))
    assert decision.reason == "refresh_token_reused"
    assert not stage.is_active(latest.access)
    assert stage.is_active(new[0].access)
    assert told(stage, "connection.removed") == 0


def test_reuse_of_the_last_two_grants_at_once_ends_the_connection_once(stage: Stage, by: Integration) -> None:
    """Each would see the other's grant and leave the connection, with nothing alive in it."""
    mine, bobs = stage.connect(by), stage.connect(by, stage.user("Bob"))
    for tokens in (mine, bobs):
        stage.refreshed(by, stage.refreshed(by, tokens.refresh).refresh)
    stage.wait(minutes=5)
    proposed_too_early(stage, refresh(by, mine), lambda: stage.decide(*refresh(by, bobs)))
    assert stage.connection_of(mine).removed_reason == "reuse_detected"
    assert all(each.revoked_at is not None for each in stage.all(Grant))
    assert told(stage, "connection.removed") == 1
