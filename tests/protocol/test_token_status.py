"""What a token is good for, asked with the token itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.decision import Put
from grantway.protocol.lifecycle import suspend
from grantway.protocol.model import EndedToken, Grant, Membership
from grantway.protocol.token_status import token_status
from grantway.wire.messages import TokenStatusAnswer, TokenStatusRequest
from tests.helpers.stage import ISSUER, Integration, Stage, refused


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.amend(stage.acme, external_ids={"phonecom": "706656"})
    member = Membership(stage.acme.id, stage.ada.id, "owner", stage.clock(), {"phonecom": "41"})
    stage.make_true(Put(member))
    return stage


@pytest.fixture
def by(stage: Stage) -> Integration:
    return stage.phonecom(scopes=("account-owner", "extension-user"), default_scopes=("account-owner",))


def ask(stage: Stage, text: str | None, dialect: str = "phonecom") -> Any:
    return stage.decide(token_status, TokenStatusRequest(text), dialect, ISSUER)


def test_it_tells_scope_end_client_account_and_person(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    told = ask(stage, tokens.access).answer
    assert told == TokenStatusAnswer(
        scope=("account-owner",),
        client_id=by.client.client_id,
        expires_at=stage.clock() + timedelta(hours=1),
        account_id="706656",
        member_id="41",
    )


def test_the_scope_is_the_one_at_use(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by, scope=("account-owner", "extension-user"))
    stage.amend(stage.connection_of(tokens), scope=("extension-user",))
    assert ask(stage, tokens.access).answer.scope == ("extension-user",)


def test_who_has_left_the_account_has_no_id_in_it(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    stage.make_true(Put(Membership(stage.acme.id, stage.ada.id, "owner", stage.clock())))
    assert ask(stage, tokens.access).answer.member_id is None


def test_a_token_without_end_says_so(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    stage.amend(by.client, overrides=(("access_token_lifetime", None),))
    endless = stage.refreshed(by, tokens.refresh)
    assert ask(stage, endless.access).answer.expires_at is None


def test_of_a_renewed_token_it_tells_when_it_really_ends(stage: Stage, by: Integration) -> None:
    access = stage.connect(by)
    soon = stage.clock() + timedelta(minutes=2)
    stage.make_true(Put(EndedToken(access.issued.access.serial, soon, soon)))
    assert ask(stage, access.access).answer.expires_at == soon
    stage.make_true(Put(EndedToken(access.issued.access.serial, soon, stage.clock() + timedelta(days=1))))
    assert ask(stage, access.access).answer.expires_at == stage.clock() + timedelta(hours=1)


def test_a_clients_own_token_speaks_for_the_account_that_the_client_belongs_to(stage: Stage, by: Integration) -> None:
    own = stage.minted(stage.client_credentials(by))
    assert ask(stage, own.access).answer.account_id is None
    stage.amend(by.client, account_id=stage.acme.id)
    told = ask(stage, own.access).answer
    assert (told.account_id, told.member_id) == ("706656", None)


def test_the_day_of_use_is_noted_once(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    stage.wait(minutes=5)
    assert ask(stage, tokens.access).changes == ()
    stage.amend(stage.stored(Grant, tokens.issued.access.row_id), last_used_day=None)
    assert len(ask(stage, tokens.access).changes) == 1


def test_without_an_active_token_of_this_dialect_nothing_is_told(stage: Stage, by: Integration) -> None:
    tokens, others = stage.connect(by), stage.connect(stage.integration())
    for text, reason in (
        (None, "access_token_missing"),
        ("", "access_token_unknown"),
        (tokens.refresh, "access_token_unknown"),
        (others.access, "access_token_of_another_dialect"),
    ):
        refused(ask(stage, text), "invalid_token", reason)
    stage.wait(hours=1)
    refused(ask(stage, tokens.access), "invalid_token", "access_token_expired")


def test_while_suspended_nothing_is_told_but_to_come_again(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    stage.decide(suspend, stage.connection_of(tokens).id, "operator")
    refusal = refused(ask(stage, tokens.access), "access_denied", "connection_suspended").answer
    assert refusal.connection_state == "suspended"
