"""A person who is erased: nothing tells any more who they were, and everything that was sealed still verifies."""

from __future__ import annotations

from typing import Any

import pytest

from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.developers import add_developer
from grantway.protocol.administration.erasure import erase_user
from grantway.protocol.administration.invitations import invite_user, send_password_link
from grantway.protocol.administration.operators import create_operator
from grantway.protocol.administration.people import (
    add_member,
    create_user,
    disable_user,
    enable_user,
    remove_member,
    set_password,
    sign_out_user,
)
from grantway.protocol.administration.restoring import Standing, replay, taken_by
from grantway.protocol.decision import Decision
from grantway.protocol.identity import Identity, IdentityAccount, settle_identity
from grantway.protocol.ids import show
from grantway.protocol.model import (
    AuditEntry,
    Connection,
    Developer,
    Grant,
    Membership,
    OneTimeLink,
    Operator,
    Session,
    User,
)
from grantway.server.sealing import seal_all
from grantway.server.storage.keeping import KEYS
from grantway.server.storage.port import drive
from grantway.server.verification import verify
from tests.helpers.stage import Stage, values_of

ADDRESS, NAME = "grace.hopper@example.com", "Grace Hopper"


@pytest.fixture
def stage() -> Stage:
    return Stage(smtp="smtp://mail.example.com", mail_from="a@b.example")


@pytest.fixture
def grace(stage: Stage) -> User:
    """An admin of Acme beside Ada."""
    user = stage.house.user(ADDRESS, NAME)
    stage.house.member(stage.acme, user, "admin")
    return user


def erased(stage: Stage, user: User, **how: Any) -> User:
    answer = stage.decide(erase_user, user.id, **how).answer
    assert isinstance(answer, User), answer
    return answer


def everything(stage: Stage) -> list[Any]:
    return [record for kind in KEYS for record in stage.all(kind)]


def traces(records: list[Any]) -> list[str]:
    """Wherever the person's name or address stands, whole or in part."""
    found = []
    for record in records:
        for value in values_of(record):
            text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
            if any(word in text.casefold() for word in ("grace", "hopper", "platform-77")):
                found.append(f"{type(record).__name__}: {text}")
    return found


def by_hand_off(stage: Stage) -> User:
    """A person whom the platform signs in, under its own id."""
    said = Identity("platform-77", NAME, stage.clock(), (IdentityAccount("shop-1", "Shop", "admin"),), ADDRESS)

    async def rule(facts: Any, at: Any) -> Decision[User]:
        settled = await settle_identity(facts, at, said)
        assert not isinstance(settled, Rejected)
        return Decision(settled.user, settled.changes)

    return stage.decide(rule).answer


def test_nothing_that_is_stored_tells_who_it_was(stage: Stage, grace: User) -> None:
    by = stage.integration(policy={"member_left": "keep"})
    stage.connect(by, grace)
    stage.decide(set_password, ADDRESS, "a hash")
    stage.decide(send_password_link, grace.id)
    stage.decide(create_operator, ADDRESS, NAME, "viewer")
    stage.decide(add_developer, by.client.client_id, ADDRESS)
    assert traces(everything(stage))
    gone = erased(stage, grace)
    assert traces(everything(stage)) == []
    assert (gone.email, gone.password_hash, gone.external_id, gone.language) == (None, None, None, None)
    assert gone.name.startswith("erased-")
    assert gone.erased_at == gone.disabled_at == stage.clock()
    of_theirs: tuple[Any, ...] = (Session, OneTimeLink, Operator, Developer, Membership)
    assert [each for kind in of_theirs for each in stage.all(kind) if each.user_id == grace.id] == []


def test_neither_does_what_the_platform_said_of_them(stage: Stage) -> None:
    person = by_hand_off(stage)
    assert traces(everything(stage))
    erased(stage, person, force=True)
    assert traces(everything(stage)) == []
    assert by_hand_off(stage).id != person.id  # whoever comes from there now is somebody new


def test_what_they_did_stays_under_their_id_and_every_seal_still_holds(stage: Stage, grace: User) -> None:
    stage.connect(stage.integration(), grace)
    assert drive(seal_all(stage.house.service)) > 0
    before = [each for each in stage.audited() if grace.id == each.user_id or each.actor == show("us", grace.id)]
    erased(stage, grace)
    assert before
    assert [each for each in stage.audited() if each in before] == before
    drive(seal_all(stage.house.service))
    found = drive(verify(stage.house.service))
    assert (found.flaw, found.entries, found.not_yet_sealed) == (None, len(stage.audited()), 0)
    assert [each.action for each in stage.audited()][-1] == "user_erased"


@pytest.mark.parametrize("policy", ["keep", "suspend", "remove"])
def test_no_token_of_theirs_works_and_the_connection_becomes_what_it_does_when_a_member_leaves(
    stage: Stage, grace: User, policy: str
) -> None:
    by = stage.integration(policy={"member_left": policy})
    tokens = stage.connect(by, grace)
    erased(stage, grace)
    assert not stage.is_active(tokens.access)
    assert stage.grant_of(tokens).revoked_at is not None or stage.connection_of(tokens).removed_at is not None
    connection = stage.connection_of(tokens)
    assert (connection.removed_at is not None) == (policy == "remove")
    assert (connection.suspended_at is not None) == (policy == "suspend")


def test_what_others_allowed_goes_on(stage: Stage, grace: User) -> None:
    by = stage.integration()
    hers, adas = stage.connect(by, grace), stage.connect(by)
    erased(stage, grace)
    assert not stage.is_active(hers.access)
    assert stage.is_active(adas.access)
    assert stage.connection_of(adas).suspended_at is None


def test_the_last_owner_of_an_account_is_erased_only_where_that_is_wanted(stage: Stage) -> None:
    decision = stage.decide(erase_user, stage.ada.id)
    assert isinstance(decision.answer, Rejected)
    assert (decision.answer.reason, decision.changes) == ("last_owner", ())
    assert "Acme" in decision.answer.sentence
    assert erased(stage, stage.ada, force=True).erased_at is not None
    assert stage.all(Membership) == []


def test_nobody_comes_back_and_the_address_is_free_for_somebody_new(stage: Stage, grace: User) -> None:
    erased(stage, grace)
    again = stage.decide(enable_user, grace.id)
    assert isinstance(again.answer, Rejected)
    assert again.answer.reason == "user_erased"
    new = stage.decide(create_user, ADDRESS, NAME).answer
    assert isinstance(new, User)
    assert new.id != grace.id


def test_a_second_time_changes_nothing(stage: Stage, grace: User) -> None:
    first = erased(stage, grace)
    again = stage.decide(erase_user, grace.id)
    assert (again.answer, again.changes) == (first, ())
    unknown = stage.decide(erase_user, bytes(16)).answer
    assert isinstance(unknown, Rejected)
    assert unknown.reason == "user_unknown"


def test_after_a_backup_was_restored_they_are_erased_again(stage: Stage, grace: User) -> None:
    decision = stage.decide(erase_user, grace.id)
    (taken,) = (each for each in taken_by(decision.changes) if isinstance(each, Standing) and each.kind is User)
    stage.amend(stage.stored(User, grace.id), email=ADDRESS, name=NAME, erased_at=None, disabled_at=None)
    assert traces(everything(stage))
    assert stage.decide(replay, taken).answer
    assert traces(everything(stage)) == []
    assert not stage.decide(replay, taken).answer


def test_no_entry_of_the_audit_holds_a_name_or_an_address(stage: Stage, grace: User) -> None:
    by = stage.integration()
    stage.connect(by, grace)
    stage.decide(invite_user, "another." + ADDRESS, NAME)
    stage.decide(set_password, ADDRESS, "a hash")
    stage.decide(add_member, stage.acme.id, ADDRESS, "owner")
    stage.decide(create_operator, ADDRESS, NAME, "viewer")
    stage.decide(add_developer, by.client.client_id, ADDRESS)
    stage.decide(sign_out_user, grace.id)
    stage.decide(remove_member, stage.acme.id, ADDRESS)
    stage.decide(disable_user, grace.id)
    by_hand_off(stage)
    erased(stage, grace)
    entries = stage.all(AuditEntry)
    assert len({each.action for each in entries}) > 12
    assert traces(list(entries)) == []


def test_grants_and_connections_know_them_by_their_id_only(stage: Stage, grace: User) -> None:
    stage.connect(stage.integration(policy={"member_left": "keep"}), grace)
    erased(stage, grace)
    assert {each.user_id for each in stage.all(Grant)} == {grace.id}
    assert {each.approved_by for each in stage.all(Connection)} == {grace.id}
