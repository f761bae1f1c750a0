"""Which accounts a token reaches, asked by who holds it."""

from __future__ import annotations

from typing import Any

import pytest

from grantway.protocol.accounts import accounts
from grantway.protocol.ids import show
from grantway.protocol.lifecycle import suspend
from grantway.wire.messages import AccountsAnswer, AccountsRequest, ReachedAccount
from tests.helpers.stage import ISSUER, Integration, Stage, refused


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def by(stage: Stage) -> Integration:
    return stage.integration()


def ask(stage: Stage, text: str | None) -> Any:
    return stage.decide(accounts, AccountsRequest(text), "standard", ISSUER)


def test_a_grants_token_reaches_the_account_of_its_connection(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by, scope=("read", "write"))
    connection = stage.connection_of(tokens)
    reached = ReachedAccount(show("ac", stage.acme.id), "Acme", ("read", "write"), show("cn", connection.id), "active")
    assert ask(stage, tokens.access).answer == AccountsAnswer((reached,))
    stage.connect(by, scope=("read",))
    stage.amend(by.client, required_scopes=("read", "write"))
    (narrower,) = ask(stage, tokens.access).answer.accounts
    assert (narrower.scope, narrower.connection_state) == (("read",), "reauthorization_required")


def test_a_clients_own_token_reaches_the_account_that_the_client_belongs_to_if_any(
    stage: Stage, by: Integration
) -> None:
    own = stage.minted(stage.client_credentials(by, scope=("read",)))
    assert ask(stage, own.access).answer == AccountsAnswer(())
    stage.amend(by.client, account_id=stage.acme.id)
    reached = ReachedAccount(show("ac", stage.acme.id), "Acme", ("read",))
    assert ask(stage, own.access).answer == AccountsAnswer((reached,))
    stage.amend(stage.acme, suspended_at=stage.clock())
    refused(ask(stage, own.access), "access_denied", "account_suspended")
    stage.amend(stage.acme, suspended_at=None, removed_at=stage.clock())
    refused(ask(stage, own.access), "invalid_token", "account_removed")


def test_while_suspended_nothing_is_told_but_to_come_again(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    stage.decide(suspend, stage.connection_of(tokens).id, "operator")
    refusal = refused(ask(stage, tokens.access), "access_denied", "connection_suspended").answer
    assert (refusal.error.status, refusal.retry_after, refusal.connection_state) == (403, 300, "suspended")


def test_without_an_active_token_of_this_dialect_nothing_is_told(stage: Stage, by: Integration) -> None:
    tokens, sunshine = stage.connect(by), stage.connect(stage.sunshine())
    for text, reason in (
        (None, "access_token_missing"),
        ("nonsense", "access_token_unknown"),
        (tokens.refresh, "access_token_unknown"),
        (sunshine.access, "access_token_of_another_dialect"),
    ):
        assert refused(ask(stage, text), "invalid_token", reason).answer.error.status == 401
    stage.revoke(by, tokens.refresh)
    refused(ask(stage, tokens.access), "invalid_token", "grant_ended")
