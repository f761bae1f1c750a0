"""Tokens of an older system at work: good as they are, replaced, or exchanged once; in every dialect."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.administration.foreign_tokens import OlderGrant, OlderToken, import_tokens
from grantway.protocol.connections import remove
from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.digests import digest
from grantway.protocol.ids import show
from grantway.protocol.issuing import Issued
from grantway.protocol.model import Connection, ForeignToken, Grant
from grantway.protocol.token import token
from grantway.wire.messages import IntrospectionAnswer, TokenRequest
from tests.helpers.stage import Integration, Stage, refused

OLDER = "sq0atp-older"
A_JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImFwcF8xIn0.eyJzY29wZSI6ImludGVncmF0aW9uIn0.c2lnbmVk"


@pytest.fixture
def stage() -> Stage:
    return Stage()


def bring(stage: Stage, by: Integration, kind: Any, text: str = OLDER, days: float | None = None) -> Grant:
    """The token, brought along; good for so many days."""
    expires_at = None if days is None else stage.clock() + timedelta(days=days)
    line = OlderGrant(
        by.client.client_id, show("ac", stage.acme.id), (OlderToken(kind, digest(text), expires_at),), "ada@example.com"
    )
    before = {grant.id for grant in stage.all(Grant)}
    decision = stage.decide(import_tokens, line)
    assert decision.reason == "tokens_imported", decision.answer
    (made,) = [grant for grant in stage.all(Grant) if grant.id not in before]
    return made


def migrate(stage: Stage, by: Integration, text: str | None = OLDER, **changes: Any) -> Decision[Any]:
    asked = TokenRequest("migration_token", by.credentials, migration_token=text, **changes)
    return stage.decide(token, asked, by.dialect)


# --- access tokens


@pytest.mark.parametrize("text", [OLDER, A_JWT], ids=["opaque", "jwt"])
@pytest.mark.parametrize("profile", ["standard", "sunshine", "square"])
def test_an_access_token_goes_on_working_until_it_expires(stage: Stage, profile: str, text: str) -> None:
    by = stage.integration(profile=profile)
    bring(stage, by, "access", text, days=5)
    assert stage.scope_of(text) == by.client.default_scopes
    stage.wait(days=4.99)
    assert stage.is_active(text)
    stage.wait(days=0.01)
    assert not stage.is_active(text)


def test_it_is_ended_alone_or_with_its_connection(stage: Stage) -> None:
    by = stage.square()
    bring(stage, by, "access", days=5)
    bring(stage, by, "access", "another", days=5)
    stranger = stage.square("Stranger")
    refused(stage.revoke(stranger, OLDER), "invalid_grant", "access_token_of_another_client")
    assert stage.revoke(by, OLDER).reason == "access_token_revoked"
    assert not stage.is_active(OLDER)
    assert stage.is_active("another")
    stage.decide(remove, stage.all(Connection)[0].id, "operator", "operator")
    assert not stage.is_active("another")


def test_one_without_end_ends_with_its_grant(stage: Stage) -> None:
    by = stage.sunshine()
    grant = bring(stage, by, "access")
    stage.wait(days=4000)
    assert stage.is_active(OLDER)
    assert stage.revoke(by, OLDER).reason == "grant_revoked"
    assert not stage.is_active(OLDER)
    assert stage.stored(Grant, grant.id).revoked_reason == "integrator"


def test_a_token_of_another_kind_is_no_access_token(stage: Stage) -> None:
    by = stage.square()
    bring(stage, by, "refresh", "older-refresh", days=5)
    bring(stage, by, "migration", "older-migration", days=5)
    assert stage.prove("older-refresh") is None
    assert stage.prove("older-migration") is None
    bring(stage, by, "access", "older-access", days=5)
    refused(stage.refresh(by, "older-access"), "invalid_grant", "refresh_token_unknown")
    refused(stage.refresh(by, "older-migration"), "invalid_grant", "refresh_token_unknown")
    refused(migrate(stage, by, "older-access"), "invalid_grant", "migration_token_unknown")
    refused(migrate(stage, by, "older-refresh"), "invalid_grant", "migration_token_unknown")


# --- refresh tokens


@pytest.mark.parametrize("public", [True, False])
def test_a_refresh_token_is_replaced_at_its_first_use_and_then_the_retry_rule_holds(stage: Stage, public: bool) -> None:
    by = stage.integration(public=public)
    grant = bring(stage, by, "refresh")
    first = stage.refreshed(by, OLDER)
    assert first.refresh.startswith("gwr_")
    assert stage.stored(Grant, grant.id).generation == 1
    assert stage.refreshed(by, OLDER).refresh == first.refresh, "the answer may have been lost"
    second = stage.refreshed(by, first.refresh)
    assert stage.is_active(second.access)
    stage.wait(minutes=5)
    assert stage.refresh(by, OLDER).reason == "refresh_token_reused"
    assert not stage.is_active(second.access)


def test_a_public_client_may_repeat_it_only_for_a_moment(stage: Stage) -> None:
    by = stage.integration(public=True)
    bring(stage, by, "refresh")
    first = stage.refreshed(by, OLDER)
    stage.wait(seconds=31)
    assert stage.refresh(by, OLDER).reason == "refresh_token_reused"
    assert not stage.is_active(first.access)


def test_where_nothing_rotates_it_stays_good_beside_ours(stage: Stage) -> None:
    by = stage.square()
    bring(stage, by, "refresh")
    ours = stage.refreshed(by, OLDER).refresh
    for _ in range(3):
        stage.wait(days=300)
        assert stage.refreshed(by, OLDER).refresh == stage.refreshed(by, ours).refresh == ours
    assert stage.is_active(OLDER)
    assert stage.is_active(ours)


def test_it_ends_when_the_older_system_said(stage: Stage) -> None:
    by = stage.square()
    bring(stage, by, "refresh", days=10)
    ours = stage.refreshed(by, OLDER).refresh
    stage.wait(days=10)
    refused(stage.refresh(by, OLDER), "invalid_grant", "refresh_token_expired")
    assert not stage.is_active(OLDER)
    assert stage.refreshed(by, ours).access


def test_introspection_tells_of_it_while_it_is_the_live_one(stage: Stage) -> None:
    by = stage.integration()
    bring(stage, by, "refresh", days=10)
    answer = stage.introspect(OLDER, by).answer
    assert isinstance(answer, IntrospectionAnswer)
    assert answer.active
    assert answer.exp == int((stage.clock() + timedelta(days=10)).timestamp())
    assert stage.introspect(OLDER, stage.integration("Other")).reason == "not_the_callers_business"
    stage.refreshed(by, OLDER)
    assert stage.introspect(OLDER, by).reason == "refresh_token_superseded"


@pytest.mark.parametrize("kind", ["refresh", "migration"])
def test_it_is_revoked_like_any_other_and_its_connection_goes_with_the_last(stage: Stage, kind: str) -> None:
    by = stage.square()
    bring(stage, by, kind)
    refused(stage.revoke(stage.square("Other"), OLDER), "invalid_grant", "refresh_token_of_another_client")
    assert stage.revoke(by, OLDER).reason == "grant_revoked"
    assert stage.all(Connection)[0].removed_at is not None
    assert isinstance((stage.refresh if kind == "refresh" else migrate_of(stage))(by, OLDER).answer, Refusal)
    assert stage.revoke(by, OLDER).reason == "grant_ended"


def migrate_of(stage: Stage) -> Any:
    return lambda by, text: migrate(stage, by, text)


def test_it_is_for_its_own_client_with_its_secret(stage: Stage) -> None:
    by = stage.square()
    bring(stage, by, "refresh")
    refused(stage.refresh(stage.square("Other"), OLDER), "invalid_grant", "refresh_token_of_another_client")
    bare = Integration(by.client, None)
    refused(stage.refresh(bare, OLDER), "client_secret_required", "client_secret_missing")


# --- migration tokens


def test_a_migration_token_is_exchanged_once_and_a_second_time_ends_nothing(stage: Stage) -> None:
    by = stage.square()
    bring(stage, by, "migration")
    tokens = stage.minted(migrate(stage, by))
    assert tokens.refresh.startswith("gwr_")
    assert tokens.scope == by.client.default_scopes
    stage.wait(days=1)
    refused(migrate(stage, by), "invalid_grant", "migration_token_exchanged")
    assert stage.is_active(tokens.access)
    assert stage.refreshed(by, tokens.refresh).refresh == tokens.refresh
    assert stage.minted(migrate_another(stage, by, short_lived=True)).issued.short_lived


def migrate_another(stage: Stage, by: Integration, **changes: Any) -> Decision[Any]:
    bring(stage, by, "migration", "another")
    return migrate(stage, by, "another", **changes)


def test_what_is_no_good_migration_token_is_refused(stage: Stage) -> None:
    by, other = stage.square(), stage.square("Other")
    bring(stage, by, "migration", days=2)
    refused(migrate(stage, by, None), "invalid_request", "migration_token_missing")
    refused(migrate(stage, by, "nonsense"), "invalid_grant", "migration_token_unknown")
    refused(migrate(stage, by, "gwr_nonsense"), "invalid_grant", "migration_token_unknown")
    refused(migrate(stage, other), "invalid_grant", "migration_token_of_another_client")
    bare = Integration(by.client, None)
    refused(migrate(stage, bare), "client_secret_required", "client_secret_missing")
    stage.wait(days=2)
    refused(migrate(stage, by), "invalid_grant", "migration_token_expired")


def test_other_profiles_have_no_migration(stage: Stage) -> None:
    for by in (stage.integration(), stage.sunshine(), stage.phonecom()):
        refused(migrate(stage, by), "unauthorized_client", "grant_type_not_allowed")


def test_of_a_suspended_or_removed_connection_nothing_is_exchanged(stage: Stage) -> None:
    by = stage.square()
    bring(stage, by, "migration")
    bring(stage, by, "refresh", "older-refresh")
    connection = stage.amend(stage.all(Connection)[0], suspended_at=stage.clock())
    for decision in (migrate(stage, by), stage.refresh(by, "older-refresh")):
        assert isinstance(decision.answer, Refusal)
        assert decision.answer.connection_state == "suspended"
    stage.amend(connection, suspended_at=None)
    assert isinstance(migrate(stage, by).answer, Issued)
    stage.decide(remove, connection.id, "customer", "somebody")
    refused(stage.refresh(by, "older-refresh"), "invalid_grant", "connection_removed")


@pytest.mark.parametrize("kind", ["migration", "refresh"])
def test_of_ten_exchanges_at_once_the_grant_moves_once(stage: Stage, kind: str) -> None:
    by = stage.square()
    grant = bring(stage, by, kind)
    asked = TokenRequest(f"{kind}_token", by.credentials, refresh_token=OLDER, migration_token=OLDER)

    async def race() -> list[Decision[Any]]:
        return await asyncio.gather(*(stage.house.service.propose(token, asked, "square") for _ in range(10)))

    decisions = asyncio.run(race())
    given = [stage.minted(each) for each in decisions if isinstance(each.answer, Issued)]
    assert len(given) == (1 if kind == "migration" else 10)
    assert len({each.refresh for each in given}) == 1
    assert stage.stored(Grant, grant.id).generation == 1
    assert all(stage.is_active(each.access) for each in given)


def test_a_digest_tells_nothing_of_the_token(stage: Stage) -> None:
    bring(stage, stage.square(), "migration")
    (kept,) = stage.all(ForeignToken)
    assert OLDER not in repr(kept)
    assert kept.digest.hex() not in repr(kept)
