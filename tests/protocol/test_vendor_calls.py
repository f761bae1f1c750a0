"""What Sunshine's integrations ask with the token itself: which account is this, and: remove my access."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grantway.protocol.administration.connections import create_key
from grantway.protocol.decision import Refusal
from grantway.protocol.model import Notice
from grantway.protocol.vendor_calls import revoke_access, token_info
from grantway.wire.messages import AccessRevocationRequest, TokenInfoAnswer, TokenInfoRequest
from tests.helpers.stage import ISSUER, Integration, Stage, refused


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def by(stage: Stage) -> Integration:
    return stage.sunshine(remove_url="https://client.example/removed")


def info(stage: Stage, token: str | None) -> Any:
    return stage.decide(token_info, TokenInfoRequest(token), "sunshine", ISSUER)


def remove(stage: Stage, **credentials: Any) -> Any:
    return stage.decide(revoke_access, AccessRevocationRequest(**credentials), "sunshine", ISSUER)


def test_token_info_tells_of_the_account(stage: Stage, by: Integration) -> None:
    account = stage.amend(
        stage.acme, display_name="Acme Inc.", subdomain="acme", settings={"echoPostback": True}, metadata={"a": 1}
    )
    assert info(stage, stage.connect(by).access).answer == TokenInfoAnswer(
        account.external_ids["sunshine"], "Acme Inc.", "acme", {"echoPostback": True}, {"a": 1}
    )


def test_an_account_without_display_name_is_told_by_its_name_of_at_most_a_hundred_characters(
    stage: Stage, by: Integration
) -> None:
    tokens = stage.connect(by)
    stage.amend(stage.acme, name="x" * 150)
    assert info(stage, tokens.access).answer.display_name == "x" * 100


def test_token_info_refuses_whatever_is_no_active_token_of_this_dialect(stage: Stage, by: Integration) -> None:
    standard = stage.integration()
    tokens, others = stage.connect(by), stage.connect(standard)
    own = stage.minted(stage.client_credentials(standard))
    for token, reason in (
        (None, "access_token_missing"),
        ("", "access_token_unknown"),
        ("nonsense", "access_token_unknown"),
        (tokens.access[:-1] + ("A" if tokens.access[-1] != "A" else "B"), "access_token_unknown"),
        (others.access, "access_token_of_another_dialect"),
        (others.refresh, "access_token_unknown"),
        (own.access, "access_token_of_another_dialect"),
    ):
        decision = refused(info(stage, token), "invalid_token", reason)
        assert decision.answer.error.status == 401


def test_a_token_without_account_has_nothing_to_tell(stage: Stage) -> None:
    by = stage.sunshine(policy={"grant_types": "authorization_code client_credentials"})
    own = stage.minted(stage.client_credentials(by))
    refused(info(stage, own.access), "invalid_token", "token_without_account")
    refused(remove(stage, access_token=own.access), "invalid_token", "token_without_account")


def test_after_removal_token_info_says_that_the_credentials_are_no_longer_valid(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    assert remove(stage, access_token=tokens.access).reason == "connection_removed"
    refused(info(stage, tokens.access), "invalid_token", "connection_removed")
    refused(remove(stage, access_token=tokens.access), "invalid_token", "connection_removed")
    assert len(stage.all(Notice)) == 1


def key_of(stage: Stage, connection: Any) -> dict[str, str]:
    made: Any = stage.decide(create_key, connection.id).answer
    return {"key_id": made.key.key_id, "key_secret": made.key_secret}


def test_a_key_of_the_connection_removes_it_too(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    key = key_of(stage, stage.connection_of(tokens))
    refused(remove(stage, **(key | {"key_secret": "wrong"})), "invalid_token", "connection_key_wrong")
    refused(remove(stage, **(key | {"key_secret": None})), "invalid_token", "connection_key_wrong")
    refused(remove(stage, **(key | {"key_id": "app_nobody"})), "invalid_token", "connection_key_wrong")
    refused(remove(stage, key_id="", key_secret=""), "invalid_token", "connection_key_wrong")
    assert stage.is_active(tokens.access)
    assert not isinstance(remove(stage, **key).answer, Refusal)
    assert not stage.is_active(tokens.access)
    refused(remove(stage, **key), "invalid_token", "connection_removed")


def test_bearer_wins_over_basic(stage: Stage, by: Integration) -> None:
    mine = stage.connect(by)
    other = stage.connect(stage.sunshine())
    key = key_of(stage, stage.connection_of(other))
    assert remove(stage, access_token=mine.access, **key).answer.connection.id == stage.connection_of(mine).id
    assert stage.is_active(other.access)
    refused(remove(stage, access_token="nonsense", **key), "invalid_token", "access_token_unknown")
    assert stage.is_active(other.access)


def test_nothing_at_all_is_a_missing_token(stage: Stage) -> None:
    refused(remove(stage), "invalid_token", "access_token_missing")


def test_a_key_of_a_standard_clients_connection_is_none_here(stage: Stage) -> None:
    key = key_of(stage, stage.connection_of(stage.connect(stage.integration())))
    refused(remove(stage, **key), "invalid_token", "connection_key_of_another_dialect")


def test_a_client_that_is_out_removes_nothing(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    key = key_of(stage, stage.connection_of(tokens))
    stage.amend(by.client, disabled_at=stage.clock())
    refused(remove(stage, **key), "invalid_token", "client_disabled")
    refused(remove(stage, access_token=tokens.access), "invalid_token", "client_disabled")


@pytest.mark.parametrize("what", ["connection", "account"])
def test_who_is_suspended_may_still_leave_but_learns_nothing(stage: Stage, by: Integration, what: str) -> None:
    """Basic could remove a suspended connection and Bearer could not."""
    tokens = stage.connect(by)
    record: Any = stage.acme if what == "account" else stage.connection_of(tokens)
    stage.amend(record, suspended_at=stage.clock())
    refusal = refused(info(stage, tokens.access), "access_denied", f"{what}_suspended").answer
    assert (refusal.error.status, refusal.retry_after, refusal.connection_state) == (403, 300, "suspended")
    assert remove(stage, access_token=tokens.access).reason == "connection_removed"


def test_a_token_that_was_cut_off_removes_nothing_even_while_suspended(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    stage.wait(seconds=1)
    stage.amend(stage.grant_of(tokens), access_not_before=stage.clock())
    stage.amend(stage.connection_of(tokens), suspended_at=stage.clock())
    refused(remove(stage, access_token=tokens.access), "invalid_token", "access_token_before_its_time")


def test_a_new_connection_is_not_reached_by_the_token_of_the_old_one(stage: Stage, by: Integration) -> None:
    old = stage.connect(by)
    remove(stage, access_token=old.access)
    new = stage.connect(replace(by))
    refused(remove(stage, access_token=old.access), "invalid_token", "connection_removed")
    assert stage.is_active(new.access)
