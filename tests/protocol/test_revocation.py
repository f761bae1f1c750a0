"""End this token (RFC 7009), this grant, this connection: who may, and what becomes true with it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.connections import remove, remove_by_user
from grantway.protocol.decision import Add, EndGrant, Put, Refusal, RemoveConnection, Replace
from grantway.protocol.model import Client, EndedToken, Grant, Notice
from grantway.protocol.overview import overview
from grantway.protocol.tokens import write_refresh_token
from grantway.wire.messages import RevocationAnswer
from tests.helpers.stage import Integration, Stage, Tokens, refused

REMOVE_URL = "https://client.example/removed"


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def by(stage: Stage) -> Integration:
    return stage.integration(remove_url=REMOVE_URL)


def ended(decision: Any) -> Any:
    assert decision.answer == RevocationAnswer()
    return decision


# Nothing is told of what is unknown


@pytest.mark.parametrize("text", ["", "nonsense", "gwa_", "gwr_", "gwr_nonsense", "a.b.c", "é", "gwc_x"])
def test_what_is_unknown_is_answered_as_if_it_had_been_ended(stage: Stage, by: Integration, text: str) -> None:
    assert ended(stage.revoke(by, text)).changes == ()


def test_a_token_of_another_client_is_refused_and_lives_on(stage: Stage, by: Integration) -> None:
    other, tokens = stage.integration("Other"), stage.connect(by)
    refused(stage.revoke(other, tokens.access), "invalid_grant", "access_token_of_another_client")
    refused(stage.revoke(other, tokens.refresh), "invalid_grant", "refresh_token_of_another_client")
    assert stage.is_active(tokens.access)
    assert stage.is_active(tokens.refresh)


def test_a_refresh_token_that_is_not_proven_is_unknown(stage: Stage, by: Integration) -> None:
    tokens, other = stage.connect(by), stage.connect(by)
    forged = write_refresh_token(other.issued.secret, tokens.issued.access.row_id, 1)
    assert ended(stage.revoke(by, forged)).reason == "refresh_token_unknown"
    assert stage.is_active(tokens.refresh)


# Access tokens


@pytest.mark.parametrize("public", [True, False])
def test_an_access_token_ends_alone(stage: Stage, public: bool) -> None:
    by = stage.integration(public=public)
    tokens = stage.connect(by)
    keep_until = tokens.issued.access.expires_at
    assert keep_until is not None
    decision = ended(stage.revoke(by, tokens.access))
    kept = EndedToken(tokens.issued.access.serial, keep_until + timedelta(minutes=1))
    assert decision.changes == (Put(kept),)
    assert stage.introspect(tokens.access).reason == "access_token_ended"
    again = stage.refreshed(by, tokens.refresh)
    assert stage.is_active(again.access)
    assert ended(stage.revoke(by, tokens.access)).changes == ()


def test_an_ended_token_is_remembered_for_the_renewal_grace_as_well(stage: Stage) -> None:
    """Pitfalls 1.7: where expired tokens can be renewed, forgetting that one was ended would resurrect it."""
    by = stage.integration(policy={"renewal_grace": 15 * 86_400})
    tokens = stage.connect(by)
    stage.wait(days=14)
    (added,) = ended(stage.revoke(by, tokens.access)).changes
    assert added.record.keep_until > stage.clock()
    assert tokens.issued.access.expires_at is not None
    assert added.record.keep_until == tokens.issued.access.expires_at + timedelta(days=15, minutes=1)


def test_what_nobody_could_use_any_more_writes_nothing(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    stage.wait(minutes=11)
    assert ended(stage.revoke(by, tokens.access)).changes == ()


def test_a_clients_own_token_ends_alone(stage: Stage, by: Integration) -> None:
    own, other = (stage.minted(stage.client_credentials(by)) for _ in range(2))
    ended(stage.revoke(by, own.access))
    assert not stage.is_active(own.access)
    assert stage.is_active(other.access)


def test_a_token_without_expiry_is_its_own_grant(stage: Stage) -> None:
    by = stage.integration(policy={"access_token_lifetime": None})
    one, two = stage.connect(by), stage.connect(by)
    decision = ended(stage.revoke(by, one.access))
    assert [type(change) for change in decision.changes] == [Replace, EndGrant, Add]
    assert stage.all(EndedToken) == []
    assert ended(stage.revoke(by, one.access)).changes == ()
    assert not stage.is_active(one.access)
    assert not stage.is_active(one.refresh)
    assert stage.is_active(two.access)


# Refresh tokens


def test_a_refresh_token_ends_its_grant_and_the_last_one_its_connection(stage: Stage, by: Integration) -> None:
    one, two = stage.connect(by), stage.connect(by, stage.user("Bob"))
    assert [type(change) for change in ended(stage.revoke(by, one.refresh)).changes] == [Replace, EndGrant, Add]
    assert not stage.is_active(one.access)
    assert stage.is_active(two.access)
    assert stage.all(Notice) == []
    ended(stage.revoke(by, two.refresh))
    assert stage.connection_of(two).removed_at == stage.clock()
    assert stage.connection_of(two).removed_reason == "integrator"
    (notice,) = stage.all(Notice)
    assert (notice.url, notice.kind) == (REMOVE_URL, "remove_url")
    assert json.loads(notice.body)["integrationId"] == stage.connection_of(two).integration_id


def test_a_superseded_refresh_token_ends_the_grant_as_well(stage: Stage, by: Integration) -> None:
    first = stage.connect(by)
    second = stage.refreshed(by, first.refresh)
    ended(stage.revoke(by, first.refresh))
    assert not stage.is_active(second.access)
    assert not stage.is_active(second.refresh)


def test_ending_what_is_ended_changes_nothing(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    ended(stage.revoke(by, tokens.refresh))
    assert ended(stage.revoke(by, tokens.refresh)).changes == ()
    assert len(stage.all(Notice)) == 1


def test_what_is_suspended_can_still_be_ended(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    stage.amend(stage.connection_of(tokens), suspended_at=stage.clock())
    ended(stage.revoke(by, tokens.refresh))
    stage.amend(stage.connection_of(tokens), suspended_at=None)
    assert not stage.is_active(tokens.access)


def test_the_audit_names_the_integration_and_no_user_who_had_no_part_in_it(stage: Stage, by: Integration) -> None:
    """The client's row id stood where a user's belongs."""
    ended(stage.revoke(by, stage.connect(by).refresh))
    entries = stage.audited()[-2:]
    assert [entry.action for entry in entries] == ["grant_ended", "connection_removed"]
    assert {entry.actor for entry in entries} == {f"client:{by.client.client_id}"}
    assert {entry.user_id for entry in entries} == {None}


def test_an_unexchanged_code_keeps_no_token_alive(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    code = stage.code(by)
    ended(stage.revoke(by, tokens.refresh))
    assert stage.minted(stage.exchange(by, code))  # the customer had just allowed it anew
    assert not stage.is_active(tokens.access)


# Connections


def held(stage: Stage, tokens: Tokens) -> Any:
    return stage.connection_of(tokens)


def test_a_removed_connection_ends_all_its_tokens_at_once(stage: Stage, by: Integration) -> None:
    one, two = stage.connect(by), stage.connect(by, stage.user("Bob"))
    code = stage.code(by)
    decision = stage.decide(remove, held(stage, one).id, "operator", "operator")
    assert isinstance(decision.changes[0], RemoveConnection)
    assert len(stage.all(Notice)) == 1
    for token in (one.access, one.refresh, two.access, two.refresh):
        assert not stage.is_active(token)
    refused(stage.refresh(by, one.refresh), "invalid_grant", "connection_removed")
    refused(stage.exchange(by, code), "invalid_grant", "connection_removed")
    refused(stage.decide(remove, held(stage, one).id, "operator", "operator"), "not_found", "connection_unknown")
    assert len(stage.all(Notice)) == 1


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_owners_and_admins_remove_the_connection(stage: Stage, by: Integration, role: str) -> None:
    tokens = stage.connect(by)
    bob = stage.user("Bob", role)
    decision = stage.decide(remove_by_user, held(stage, tokens).id, stage.browser(bob).session)
    assert not isinstance(decision.answer, Refusal)
    assert decision.answer.whole
    assert (held(stage, tokens).removed_by, held(stage, tokens).removed_reason) == (bob.id, "customer")
    assert not stage.is_active(tokens.access)


def test_a_member_ends_what_they_had_allowed_and_the_last_one_takes_the_connection_along(stage: Stage) -> None:
    by = stage.integration(policy={"member_left": "keep"})
    bob = stage.user("Bob", "admin")
    mine, bobs = stage.connect(by), stage.connect(by, bob)
    stage.house.member(stage.acme, bob, "member")
    decision = stage.decide(remove_by_user, held(stage, mine).id, stage.browser(bob).session)
    assert decision.reason == "grants_ended"
    assert not stage.is_active(bobs.access)
    assert stage.is_active(mine.access)
    refused(
        stage.decide(remove_by_user, held(stage, mine).id, stage.browser(bob).session),
        "not_found",
        "connection_of_others",
    )

    alone = stage.integration("Alone", policy={"member_left": "keep"})
    stage.house.member(stage.acme, bob, "admin")
    tokens = stage.connect(alone, bob)
    stage.house.member(stage.acme, bob, "member")
    assert (
        stage.decide(remove_by_user, held(stage, tokens).id, stage.browser(bob).session).reason == "connection_removed"
    )


def test_an_unattended_screen_removes_nothing_for_everybody(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    session = stage.browser(stage.ada).session
    stage.clock.turn(minutes=15, seconds=1)
    refused(stage.decide(remove_by_user, held(stage, tokens).id, session), "login_required", "sign_in_too_old")
    refused(stage.decide(remove_by_user, held(stage, tokens).id, "nobody's"), "login_required", "login_required")
    assert held(stage, tokens).removed_at is None
    again = stage.browser(stage.ada).session
    assert stage.decide(remove_by_user, held(stage, tokens).id, again).reason == "connection_removed"


def test_strangers_learn_nothing_of_a_connection(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    mallory = stage.user("Mallory", "owner", stage.house.account("Bolt"))
    for connection_id in (held(stage, tokens).id, bytes(16)):
        refused(
            stage.decide(remove_by_user, connection_id, stage.browser(mallory).session),
            "not_found",
            "connection_unknown",
        )
    assert stage.is_active(tokens.access)


def test_the_signed_in_customer_sees_what_is_connected(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    visitor = stage.browser(stage.ada)
    seen: Any = stage.decide(overview, visitor.session).answer
    assert seen.user.id == stage.ada.id
    (account,) = seen.accounts
    assert [listed.view.connection.id for listed in account.connections] == [held(stage, tokens).id]
    for nobody in (None, "", "session-of-nobody"):
        refused(stage.decide(overview, nobody), "login_required", "login_required")
    stage.wait(days=31)
    refused(stage.decide(overview, visitor.session), "login_required", "login_required")


def test_a_connection_without_remove_url_goes_quietly(stage: Stage) -> None:
    by = stage.integration()
    ended(stage.revoke(by, stage.connect(by).refresh))
    assert stage.all(Notice) == []


def test_a_grant_that_is_ended_is_kept_as_it_was(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    ended(stage.revoke(by, tokens.refresh))
    grant = stage.stored(Grant, stage.grant_of(tokens).id)
    assert (grant.revoked_at, grant.revoked_reason, grant.generation) == (stage.clock(), "integrator", 1)
    assert stage.stored(Client, by.client.id).ended_at is None
