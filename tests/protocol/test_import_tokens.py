"""Tokens of an older system are brought along: what stands for them here, the same again, and what is refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from grantway.protocol import lifecycle
from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.clients import NewClient
from grantway.protocol.administration.foreign_tokens import Imported, OlderGrant, OlderToken, import_tokens
from grantway.protocol.administration.people import remove_member
from grantway.protocol.connections import remove_by_user
from grantway.protocol.decision import Decision
from grantway.protocol.digests import digest
from grantway.protocol.ids import show
from grantway.protocol.issuing import Issued
from grantway.protocol.model import AuditEntry, Connection, ForeignToken, Grant, Notice
from grantway.protocol.portal import register
from grantway.protocol.token import token
from grantway.wire.messages import TokenRequest
from tests.helpers.stage import REDIRECT_URI, Integration, Stage

SCOPE = ("PAYMENTS_READ", "ORDERS_READ")
ACCESS, REFRESH, MIGRATION = "older-access-token", "older-refresh-token", "sq0atp-older-token"


@pytest.fixture
def stage() -> Stage:
    return Stage(platform_events_url="https://platform.example/events")


@pytest.fixture
def till(stage: Stage) -> Integration:
    return stage.integration("Till", profile="square")


def older(kind: Any, text: str, expires_at: datetime | None = None) -> OlderToken:
    return OlderToken(kind, digest(text), expires_at)


def soon(stage: Stage) -> datetime:
    return stage.clock() + timedelta(days=20)


def bring(stage: Stage, to: Integration, *tokens: OlderToken, **wanted: Any) -> Decision[Any]:
    wanted = {"account": show("ac", stage.acme.id), "scope": SCOPE, **wanted}
    return stage.decide(import_tokens, OlderGrant(to.client.client_id, tokens=tokens, **wanted))


def brought(decision: Decision[Any]) -> int:
    assert isinstance(decision.answer, Imported), decision.answer
    assert decision.answer.left_out is None
    return decision.answer.tokens


def rejected(decision: Decision[Any], reason: str) -> None:
    assert isinstance(decision.answer, Rejected), decision.answer
    assert (decision.answer.reason, decision.changes) == (reason, ())


def migrate(stage: Stage, by: Integration, text: str) -> Decision[Any]:
    asked = TokenRequest("migration_token", by.credentials, migration_token=text)
    return stage.decide(token, asked, by.dialect)


def test_an_access_token_goes_on_working_until_it_expires(stage: Stage, till: Integration) -> None:
    assert brought(bring(stage, till, older("access", ACCESS, soon(stage)))) == 1
    assert stage.scope_of(ACCESS) == SCOPE
    stage.wait(days=21)
    assert not stage.is_active(ACCESS)


def test_a_migration_token_is_exchanged_once(stage: Stage, till: Integration) -> None:
    bring(stage, till, older("migration", MIGRATION))
    issued = migrate(stage, till, MIGRATION)
    assert isinstance(issued.answer, Issued)
    assert stage.scope_of(stage.mint.access_token(issued.answer)) == SCOPE
    assert not isinstance(migrate(stage, till, MIGRATION).answer, Issued)


def test_a_refresh_token_is_answered_with_one_of_ours(stage: Stage) -> None:
    desk = stage.integration()
    bring(stage, desk, older("refresh", REFRESH), scope=("read",))
    first = stage.refreshed(desk, REFRESH)
    assert stage.scope_of(first.access) == ("read",)
    assert stage.scope_of(stage.refreshed(desk, first.refresh).access) == ("read",)


def test_a_refresh_token_that_nobody_uses_ends_by_itself_like_one_of_ours(stage: Stage) -> None:
    desk = stage.integration()
    bring(stage, desk, older("refresh", REFRESH), scope=("read",))
    stage.wait(days=91)
    assert stage.refresh(desk, REFRESH).reason == "refresh_token_expired"


def test_only_digests_are_kept_and_none_is_shown(stage: Stage, till: Integration) -> None:
    bring(stage, till, older("migration", MIGRATION), older("access", ACCESS, soon(stage)))
    kept = {record.digest: record.kind for record in stage.all(ForeignToken)}
    assert kept == {digest(MIGRATION): "migration", digest(ACCESS): "access"}
    shown = repr((stage.all(ForeignToken), stage.all(AuditEntry), OlderToken("access", digest(ACCESS))))
    assert ACCESS not in shown
    assert digest(ACCESS).hex() not in shown
    assert repr(digest(ACCESS)) not in shown


def test_what_is_brought_along_is_a_connection_like_any_other(stage: Stage, till: Integration) -> None:
    bring(stage, till, older("access", ACCESS, soon(stage)), user="ada@example.com")
    (connection,) = stage.all(Connection)
    assert lifecycle.state_of(connection, till.client) == "active"
    assert (connection.approved_by, connection.scope) == (stage.ada.id, SCOPE)
    (grant,) = stage.all(Grant)
    assert (grant.origin, grant.generation, grant.user_id) == ("migration", 0, stage.ada.id)
    (told,) = [notice for notice in stage.all(Notice) if notice.kind == "platform"]
    assert b'"connection.created"' in told.body
    stage.decide(remove_by_user, connection.id, stage.browser(stage.ada).session)
    assert not stage.is_active(ACCESS)


def test_lines_of_one_account_share_its_connection(stage: Stage, till: Integration) -> None:
    bring(stage, till, older("access", ACCESS, soon(stage)), scope=("PAYMENTS_READ",))
    bring(stage, till, older("access", ACCESS + "-2", soon(stage)), scope=("ORDERS_READ",))
    (connection,) = stage.all(Connection)
    assert connection.scope == ("PAYMENTS_READ", "ORDERS_READ")
    assert stage.scope_of(ACCESS) == ("PAYMENTS_READ",)


def test_who_leaves_takes_what_they_had_allowed_along(stage: Stage, till: Integration) -> None:
    grace = stage.user("Grace", "admin")
    bring(stage, till, older("access", ACCESS, soon(stage)), user=show("us", grace.id))
    stage.decide(remove_member, stage.acme.id, grace.email)
    assert not stage.is_active(ACCESS)


@pytest.mark.parametrize("name", ["own", "dialect", "row"])
def test_an_account_is_named_by_any_of_its_ids(stage: Stage, till: Integration, name: str) -> None:
    account = stage.house.account("Beta", external_ids={"standard": "beta", "square": "MLBETA1234567"})
    ids = {"own": "beta", "dialect": "MLBETA1234567", "row": show("ac", account.id)}
    bring(stage, till, older("access", ACCESS, soon(stage)), account=ids[name])
    assert stage.all(Connection)[0].account_id == account.id


def test_an_id_that_two_accounts_have_in_different_dialects_names_neither(stage: Stage, till: Integration) -> None:
    stage.house.account("Beta", external_ids={"standard": "MLBETA1234567"})
    stage.house.account("Gamma", external_ids={"square": "MLBETA1234567"})
    decision = bring(stage, till, older("access", ACCESS, soon(stage)), account="MLBETA1234567")
    rejected(decision, "account_ambiguous")


# --- the same again


def test_the_same_again_changes_nothing_even_when_it_was_used_or_ended_since(stage: Stage, till: Integration) -> None:
    line = (older("migration", MIGRATION), older("access", ACCESS, soon(stage)))
    bring(stage, till, *line)
    again = bring(stage, till, *line)
    assert (again.answer, again.changes) == (Imported(0, "imported_before"), ())
    migrate(stage, till, MIGRATION)
    stage.decide(remove_by_user, stage.all(Connection)[0].id, stage.browser(stage.ada).session)
    after_all = bring(stage, till, *line)
    assert (after_all.answer, after_all.changes) == (Imported(0, "imported_before"), ())


def test_a_token_stands_for_one_grant_only(stage: Stage, till: Integration) -> None:
    bring(stage, till, older("access", ACCESS, soon(stage)))
    other = stage.house.account("Other")
    another = stage.integration("Another", profile="square")
    line = older("access", ACCESS, soon(stage))
    rejected(bring(stage, till, line, account=show("ac", other.id)), "token_known")
    rejected(bring(stage, another, line), "token_known")
    rejected(bring(stage, till, line, user="ada@example.com"), "token_known")
    rejected(bring(stage, till, line, older("migration", MIGRATION)), "token_known")
    assert len(stage.all(ForeignToken)) == len(stage.all(Grant)) == 1


def test_what_can_have_no_effect_any_more_is_left_out(stage: Stage, till: Integration) -> None:
    past = stage.clock() - timedelta(days=1)
    long_past = stage.clock() - timedelta(days=16)
    assert bring(stage, till, older("access", ACCESS, long_past)).answer == Imported(0, "expired")
    assert bring(stage, till, older("migration", MIGRATION, past)).answer == Imported(0, "expired")
    assert stage.all(Connection) == []
    # Square renews for 15 days more.
    assert brought(bring(stage, till, older("access", ACCESS, past), older("migration", MIGRATION, past))) == 1


# --- what is refused


def nobody(stage: Stage, till: Integration) -> Decision[Any]:
    wanted = OlderGrant("nobody", "acme", (older("access", ACCESS, soon(stage)),))
    return stage.decide(import_tokens, wanted)


def an_operators(stage: Stage, till: Integration) -> Decision[Any]:
    return bring(stage, stage.operator, older("access", ACCESS, soon(stage)), scope=())


def strangers_draft(stage: Stage, till: Integration) -> Decision[Any]:
    eve = stage.house.user("eve@example.com", "Eve")
    stage.house.member(stage.house.account("Evil"), eve, "owner")
    wanted = NewClient("Till", "square", redirect_uris=(REDIRECT_URI,))
    draft: Any = stage.decide(register, stage.browser(eve).session, wanted).answer
    return bring(stage, Integration(draft.client, None), older("access", ACCESS, soon(stage)))


def removed(stage: Stage, till: Integration) -> Decision[Any]:
    stage.amend(stage.acme, removed_at=stage.clock())
    return bring(stage, till, older("access", ACCESS, soon(stage)))


def two_exchanged(stage: Stage, till: Integration) -> Decision[Any]:
    return bring(stage, till, older("migration", MIGRATION), older("refresh", REFRESH))


def without_end(stage: Stage, till: Integration) -> Decision[Any]:
    return bring(stage, till, older("access", ACCESS))


def not_migrating(stage: Stage, till: Integration) -> Decision[Any]:
    return bring(stage, stage.integration(), older("migration", MIGRATION), scope=("read",))


def not_refreshing(stage: Stage, till: Integration) -> Decision[Any]:
    return bring(stage, stage.sunshine(), older("refresh", REFRESH), scope=None)


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (nobody, "client_unknown"),
        (an_operators, "client_not_integration"),
        (strangers_draft, "client_is_draft"),
        (removed, "account_unknown"),
        (two_exchanged, "tokens_malformed"),
        (without_end, "tokens_malformed"),
        (not_migrating, "tokens_malformed"),
        (not_refreshing, "tokens_malformed"),
    ],
)
def test_nothing_is_brought_along(stage: Stage, till: Integration, ask: Any, reason: str) -> None:
    rejected(ask(stage, till), reason)
    assert stage.all(ForeignToken) == []


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"account": "nonesuch"}, "account_unknown"),
        ({"user": "eve@example.com"}, "user_unknown"),
        ({"user": "nonesuch"}, "user_unknown"),
        ({"scope": ("PAYMENTS_READ", "everything")}, "scope_exceeds_client"),
        ({"scope": ()}, "scope_exceeds_client"),
        ({"scope": ("PAYMENTS_READ", "PAYMENTS_READ")}, "scope_exceeds_client"),
    ],
)
def test_a_line_that_does_not_fit_is_refused(
    stage: Stage, till: Integration, wanted: dict[str, Any], reason: str
) -> None:
    stage.house.user("eve@example.com", "Eve")  # she belongs to no account
    rejected(bring(stage, till, older("access", ACCESS, soon(stage)), **wanted), reason)


def test_a_token_is_named_once(stage: Stage, till: Integration) -> None:
    twice = older("access", ACCESS, soon(stage)), older("access", ACCESS, soon(stage))
    rejected(bring(stage, till, *twice), "tokens_malformed")


def test_a_sunshine_token_works_on_without_end(stage: Stage) -> None:
    shoplifter = stage.sunshine()
    assert brought(bring(stage, shoplifter, older("access", ACCESS), scope=None)) == 1
    stage.wait(days=3650)
    assert stage.is_active(ACCESS)
