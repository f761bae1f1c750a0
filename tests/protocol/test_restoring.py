"""After a database was set back to a backup: tokens are believed, codes are not, and what was taken away stays away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.administration.accounts import NewAccount, create_account
from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.client_life import disable_client, enable_client
from grantway.protocol.administration.erasure import erase_user
from grantway.protocol.administration.people import disable_user, remove_member, set_password
from grantway.protocol.administration.restoring import BELIEVED, finish, replay, set_back, taken_by
from grantway.protocol.connections import remove
from grantway.protocol.decision import MoveAhead, Put
from grantway.protocol.ids import show
from grantway.protocol.lifecycle import remove_neglected, resume, suspend
from grantway.protocol.model import (
    Client,
    Connection,
    EndedToken,
    Grant,
    Membership,
    Restoration,
    Session,
    User,
)
from grantway.protocol.tokens import write_refresh_token
from grantway.server.storage.port import drive
from tests.helpers.stage import Integration, Stage, Tokens, ending, refused


@pytest.fixture
def stage() -> Stage:
    return Stage()


def of_generation(tokens: Tokens, generation: int) -> str:
    """The refresh token of any generation of this grant, as only the server can write it."""
    assert tokens.issued.secret is not None
    return write_refresh_token(tokens.issued.secret, tokens.issued.access.row_id, generation)


def restored(stage: Stage, ago: timedelta = timedelta(hours=1)) -> Restoration:
    """The database is one of a while ago, and that is known."""
    begun = stage.decide(set_back, stage.clock() - ago).answer
    assert isinstance(begun, Restoration)
    return begun


# Tokens that know more than their rows


@pytest.mark.parametrize("public", [False, True])
def test_a_token_ahead_of_its_row_takes_the_row_along_and_everything_goes_on(stage: Stage, public: bool) -> None:
    by = stage.integration(public=public)
    tokens = stage.connect(by)
    restored(stage)
    after = stage.refreshed(by, of_generation(tokens, 7))
    assert after.refresh == of_generation(tokens, 8)
    assert stage.grant_of(tokens).generation == 8
    assert stage.is_active(after.access)
    assert stage.refreshed(by, after.refresh).refresh == of_generation(tokens, 9)


def test_a_repeated_request_of_a_token_ahead_gets_the_same_successor(stage: Stage) -> None:
    by = stage.integration()
    tokens = stage.connect(by)
    restored(stage)
    ahead = of_generation(tokens, 7)
    assert stage.refreshed(by, ahead).refresh == stage.refreshed(by, ahead).refresh == of_generation(tokens, 8)


def test_a_token_ahead_introspects_as_what_it_is_and_ends_its_grant_when_it_is_revoked(stage: Stage) -> None:
    by = stage.integration(policy={"refresh_idle_lifetime": 10 * 86_400})
    tokens = stage.connect(by)
    ahead = of_generation(tokens, 7)
    assert not stage.is_active(ahead)
    stage.wait(days=12)
    restored(stage, timedelta(days=11))
    assert stage.is_active(ahead)
    assert not stage.is_active(tokens.refresh)
    stage.revoke(by, ahead)
    refused(stage.refresh(by, ahead), "invalid_grant", "grant_ended")


def test_a_thief_with_a_token_of_the_lost_time_is_found_out_by_its_owner(stage: Stage) -> None:
    """Nobody knows any more that generation 4 was used. It is found out when both go on."""
    by = stage.integration(public=True)
    tokens = stage.connect(by)
    restored(stage)
    stolen = stage.refreshed(by, of_generation(tokens, 4))
    stage.wait(minutes=10)
    assert stage.refreshed(by, of_generation(tokens, 7)).refresh == of_generation(tokens, 8)
    ending(stage.refresh(by, stolen.refresh), "invalid_grant", "refresh_token_reused")
    refused(stage.refresh(by, of_generation(tokens, 8)), "invalid_grant", "grant_ended")


def test_a_code_exchanged_after_the_backup_is_known_by_its_refresh_token(stage: Stage) -> None:
    by = stage.integration()
    code = stage.code(by)
    restored(stage)
    refused(stage.exchange(by, code), "invalid_grant", "code_expired")
    stage.wait(days=2)
    (grant,) = (each for each in stage.all(Grant) if each.origin == "code")
    secret = stage.vault.open(grant.key_id, grant.secret, grant.id)
    after = stage.refreshed(by, write_refresh_token(secret, grant.id, 1))
    assert after.refresh == write_refresh_token(secret, grant.id, 2)
    assert stage.connection_of(after).activated_at == stage.clock()


def test_where_nothing_rotates_the_token_stays_what_it_is(stage: Stage) -> None:
    by = stage.integration(policy={"rotates_refresh_tokens": False})
    code = stage.code(by)
    restored(stage)
    (grant,) = stage.all(Grant)
    secret = stage.vault.open(grant.key_id, grant.secret, grant.id)
    ahead = write_refresh_token(secret, grant.id, 1)
    assert stage.refreshed(by, ahead).refresh == ahead
    assert stage.stored(Grant, grant.id).generation == 1
    refused(stage.exchange(by, code), "invalid_grant", "code_presented_twice")


def test_nobody_else_takes_a_row_along(stage: Stage) -> None:
    by, other = stage.integration(), stage.integration("Other")
    tokens = stage.connect(by)
    restored(stage)
    refused(stage.refresh(other, of_generation(tokens, 7)), "invalid_grant", "refresh_token_of_another_client")
    forged = write_refresh_token(bytes(32), tokens.issued.access.row_id, 7)
    refused(stage.refresh(by, forged), "invalid_grant", "refresh_token_unknown")
    assert stage.grant_of(tokens).generation == 1


def test_a_token_ahead_may_lie_unused_from_the_restoration_on(stage: Stage) -> None:
    """When it was issued is what nobody knows: at the latest when the database was set back."""
    by = stage.integration(policy={"refresh_idle_lifetime": 10 * 86_400})
    tokens = stage.connect(by)
    stage.wait(days=9)
    restored(stage, timedelta(days=8))
    stage.wait(days=9)
    refused(stage.refresh(by, tokens.refresh), "invalid_grant", "refresh_token_expired")
    assert stage.refreshed(by, of_generation(tokens, 3))
    stage.wait(days=2)
    assert stage.refreshed(by, of_generation(tokens, 4))


def test_an_absolute_end_holds_for_what_is_ahead_as_well(stage: Stage) -> None:
    by = stage.integration(policy={"refresh_lifetime": 86_400})
    tokens = stage.connect(by)
    restored(stage)
    stage.wait(days=1)
    refused(stage.refresh(by, of_generation(tokens, 3)), "invalid_grant", "refresh_token_expired")


@pytest.mark.parametrize("how", ["finished", "waited"])
def test_when_it_is_over_a_token_ahead_is_an_alarm_again(stage: Stage, how: str) -> None:
    by = stage.integration(policy={"refresh_idle_lifetime": None})
    tokens = stage.connect(by)
    restored(stage)
    if how == "finished":
        assert isinstance(stage.decide(finish).answer, Restoration)
    else:
        stage.wait(seconds=BELIEVED.total_seconds())
    refused(stage.refresh(by, of_generation(tokens, 3)), "invalid_grant", "generation_ahead")
    assert stage.is_active(tokens.refresh)


def test_what_takes_a_row_along_guards_on_what_it_read_and_is_written_down(stage: Stage) -> None:
    by = stage.integration()
    tokens = stage.connect(by)
    restored(stage)
    decision = stage.refresh(by, of_generation(tokens, 7))
    assert decision.reason == "refresh_caught_up"
    move = decision.changes[0]
    assert isinstance(move, MoveAhead)
    assert (move.from_generation, move.to_generation) == (1, 8)
    assert [each.action for each in stage.audited()].count("grant_caught_up") == 1


# What was good for once


def test_sessions_and_waiting_requests_of_the_backup_are_gone(stage: Stage) -> None:
    by = stage.integration()
    browser = stage.browser(stage.ada)
    waiting = stage.open(by, browser, prompt=("consent",))
    restored(stage)
    assert stage.all(Session) == []
    assert stage.step(waiting, browser).reason == "pending_unknown"


def test_nothing_is_swept_or_removed_because_the_database_does_not_know_that_it_was_used(stage: Stage) -> None:
    by = stage.integration()
    stage.code(by)
    restored(stage)
    stage.wait(days=3)
    assert stage.decide(remove_neglected).answer == 0
    drive(stage.storage.sweep())
    assert len(stage.all(Grant)) == 1
    stage.decide(finish)
    assert stage.decide(remove_neglected).answer == 1


def test_a_backup_of_tomorrow_is_refused_and_so_is_finishing_nothing(stage: Stage) -> None:
    for decision in (stage.decide(set_back, stage.clock() + timedelta(days=1)), stage.decide(finish)):
        assert isinstance(decision.answer, Rejected)
        assert decision.changes == ()


def test_of_two_restorations_one_is_left_to_finish(stage: Stage) -> None:
    restored(stage)
    stage.wait(days=1)
    restored(stage)
    stage.decide(finish)
    assert isinstance(stage.decide(finish).answer, Rejected)


# What was taken away since


class Twins:
    """The same installation twice: things are taken away in the one, and replayed in the other as from its journal."""

    def __init__(self) -> None:
        self.lost, self.restored = Stage(), Stage()
        self.journal: list[Any] = []

    def take(self, rule: Any, *args: Any, **kwargs: Any) -> None:
        decision = self.lost.decide(rule, *args, **kwargs)
        assert decision.changes, decision
        self.journal += taken_by(decision.changes)

    def replay(self) -> list[bool]:
        assert self.journal
        restored(self.restored)
        return [self.restored.decide(replay, each).answer for each in self.journal]


@pytest.fixture
def twins() -> Twins:
    return Twins()


def connected(twins: Twins) -> tuple[Tokens, Integration]:
    """The same connection, with the same ids, in both."""
    made = [(stage.integration(), stage) for stage in (twins.lost, twins.restored)]
    tokens = [stage.connect(by) for by, stage in made]
    assert twins.lost.connection_of(tokens[0]) == twins.restored.connection_of(tokens[1])
    return tokens[1], made[1][0]


def test_a_removed_connection_is_removed_again_and_everybody_hears_of_it(twins: Twins) -> None:
    tokens, _ = connected(twins)
    connection = twins.restored.connection_of(tokens)
    twins.take(remove, connection.id, "customer", show("us", twins.lost.ada.id))
    assert twins.replay() == [True]
    assert not twins.restored.is_active(tokens.access)
    stored = twins.restored.stored(Connection, connection.id)
    assert stored.removed_reason == "customer"
    entry = next(each for each in twins.restored.audited() if each.action == "connection_removed")
    assert (entry.actor, entry.connection_id, entry.reason) == ("system", connection.id, "customer")


def test_replaying_twice_changes_nothing_more(twins: Twins) -> None:
    tokens, _ = connected(twins)
    twins.take(remove, twins.restored.connection_of(tokens).id, "operator", "operator")
    twins.take(disable_user, twins.lost.ada.id)
    assert any(twins.replay())
    entries = len(twins.restored.audited())
    assert not any(twins.restored.decide(replay, each).answer for each in twins.journal)
    assert len(twins.restored.audited()) == entries


def test_a_revoked_token_is_revoked_again(twins: Twins) -> None:
    tokens, by = connected(twins)
    for revoked in (tokens.access, tokens.refresh):
        lost = Integration(twins.lost.stored(Client, by.client.id), by.secret)
        twins.journal += taken_by(twins.lost.revoke(lost, revoked).changes)
    assert {type(each).__name__ for each in twins.journal} >= {"Put", "EndGrant"}
    twins.replay()
    assert not twins.restored.is_active(tokens.access)
    refused(twins.restored.refresh(by, tokens.refresh), "invalid_grant", "grant_ended")
    assert [type(each) for each in twins.restored.all(EndedToken)] == [EndedToken]


def test_who_was_disabled_is_disabled_and_their_changed_password_is_none(twins: Twins) -> None:
    ada = twins.lost.ada
    for stage in (twins.lost, twins.restored):
        stage.decide(set_password, ada.email, "old hash")
    twins.take(set_password, ada.email, "new hash")
    twins.take(disable_user, ada.id)
    twins.replay()
    stored = twins.restored.stored(User, ada.id)
    assert stored.disabled_at == twins.lost.stored(User, ada.id).disabled_at
    assert stored.password_hash is None


def test_who_was_erased_is_nobody_again_and_has_no_place_any_more(twins: Twins) -> None:
    bob, _ = (stage.user("Bob") for stage in (twins.lost, twins.restored))
    twins.take(erase_user, bob.id)
    assert any(twins.replay())
    stored = twins.restored.stored(User, bob.id)
    assert (stored.email, stored.name) == (None, twins.lost.stored(User, bob.id).name)
    assert stored.erased_at == twins.lost.stored(User, bob.id).erased_at
    assert bob.id not in {each.user_id for each in twins.restored.all(Membership)}
    assert not any(twins.restored.decide(replay, each).answer for each in twins.journal)


def test_a_client_that_was_disabled_and_enabled_again_is_enabled(twins: Twins) -> None:
    _, by = connected(twins)
    twins.take(disable_client, by.client.client_id)
    twins.take(enable_client, by.client.client_id)
    assert twins.replay() == [True, True]
    assert twins.restored.stored(Client, by.client.id).disabled_at is None


def test_a_suspended_connection_is_suspended_and_one_that_was_resumed_is_not(twins: Twins) -> None:
    tokens, _ = connected(twins)
    connection = twins.restored.connection_of(tokens)
    twins.take(suspend, connection.id, "operator")
    twins.replay()
    assert twins.restored.connection_of(tokens).suspended_at is not None
    twins.take(resume, connection.id, "operator")
    twins.restored.decide(replay, twins.journal[-1])
    assert twins.restored.connection_of(tokens).suspensions == ()
    assert twins.restored.is_active(tokens.access)


def test_a_member_who_left_has_left_and_nobody_is_made_one(twins: Twins) -> None:
    acme, ada = twins.lost.acme, twins.lost.ada
    bob, _ = (stage.user("Bob") for stage in (twins.lost, twins.restored))
    twins.take(remove_member, acme.id, bob.email)
    twins.replay()
    assert (acme.id, bob.id) not in {(each.account_id, each.user_id) for each in twins.restored.all(Membership)}
    stranger = Put(Membership(acme.id, bytes(16), "owner", twins.lost.clock()))
    assert not twins.restored.decide(replay, stranger).answer
    demoted = replace(twins.restored.stored(Membership, (acme.id, ada.id)), role="member")
    assert twins.restored.decide(replay, Put(demoted)).answer
    assert twins.restored.stored(Membership, (acme.id, ada.id)).role == "member"


def test_what_was_never_in_the_backup_is_passed_over(twins: Twins) -> None:
    """The lost installation had a connection that the backup does not have."""
    by = twins.lost.integration()
    tokens = twins.lost.connect(by)
    twins.take(remove, twins.lost.connection_of(tokens).id, "operator", "operator")
    twins.take(disable_client, by.client.client_id)
    entries = len(twins.restored.audited())
    assert twins.replay() == [False, False]
    assert [each.action for each in twins.restored.audited()[entries:]] == ["restored"]


def test_what_gives_nothing_up_is_nothing_for_the_journal(stage: Stage) -> None:
    by = stage.integration()
    exchanged = stage.exchange(by, stage.code(by))
    refreshed = stage.refresh(by, stage.minted(exchanged).refresh)
    created = stage.decide(create_account, NewAccount("Globex"))
    for decision in (exchanged, refreshed, created):
        assert decision.changes
        assert list(taken_by(decision.changes)) == []
